"""What the boot program is told: mounts, files, accounts, services. Pure.

Sources: accounts, file system properties and Docker's settings are those TrueNAS has (25.10,
``truenas_install/fhs.py``, middlewared's ``daemon.json``); the formats are those of passwd(5),
sshd_config(5), sudoers(5) and dockerd(8).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from slipway.errors import HostError
from slipway.hosts.rehearsal.shape import PLAIN, Row, Shape
from slipway.hosts.rehearsal.values import (
    ADMIN,
    ADMIN_ID,
    APPS_ID,
    DOCKER_DATA,
    POOL,
    Places,
)

NEEDED_CONTROLLERS = ("cpu", "memory", "pids", "devices")
# The programs without which a tree is no tree of a rehearsal host.
PROGRAMS = (
    "usr/bin/python3", "usr/bin/docker", "usr/sbin/dockerd", "usr/bin/containerd",
    "usr/sbin/runc", "usr/sbin/sshd", "usr/sbin/ip", "usr/sbin/xtables-nft-multi",
    "usr/libexec/docker/cli-plugins/docker-compose", "usr/bin/sudo", "bin/bash",
)  # fmt: skip

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
AT_BOOT = "/etc/local.d"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"

SSHD_CONFIG = f"""\
Port 22
HostKey {HOST_KEY}
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowUsers root {ADMIN}
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 60:30:120
MaxSessions 60
Subsystem sftp internal-sftp
"""


def passwd(shell: str, *, called: str = "", more: str = "") -> str:
    """Accounts, as passwd(5) has them.

    Args:
        shell: of those who may log in.
        called: the administrator's full name.
        more: further lines.
    """
    return f"""\
root:x:0:0:root:/root:{shell}
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
apps:x:{APPS_ID}:{APPS_ID}::/nonexistent:/usr/sbin/nologin
{ADMIN}:x:{ADMIN_ID}:{ADMIN_ID}:{called}:/home/{ADMIN}:{shell}
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
{more}"""


GROUP = f"""\
root:x:0:
daemon:x:1:
tty:x:5:
sudo:x:27:
docker:x:999:
apps:x:{APPS_ID}:
{ADMIN}:x:{ADMIN_ID}:
nogroup:x:65534:
"""

# "*" is a password nobody can type; "!" would be a locked account, which sshd turns away.
SHADOW = f"root:*:1::::::\nsshd:*:1::::::\n{ADMIN}:*:1::::::\n"

SUDOERS = f"""\
Defaults env_reset
Defaults secure_path="{PATH}"
root ALL=(ALL:ALL) ALL
{ADMIN} ALL=(ALL:ALL) NOPASSWD: ALL
"""

PAM = "auth required pam_permit.so\naccount required pam_permit.so\n"
PAM += "password required pam_deny.so\nsession required pam_permit.so\n"


# Nobody listens there, so that names nobody knows fail at once. With no server named here, Docker
# would ask public ones, which can't be reached, for ten seconds a name.
RESOLV_CONF = "# There is no way out of this host.\nnameserver {address}\n"


@dataclass(frozen=True, slots=True)
class Cgroups:
    """How this machine's kernel groups processes.

    Attributes:
        version: 1 or 2.
        hierarchies: mount options of each v1 hierarchy, such as ``cpu,cpuacct``; none for v2.
    """

    version: int
    hierarchies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """What the host is given to prove itself and to know its user by.

    Attributes:
        host_private: the host's private key, OpenSSH format.
        client_public: the user's public key, one line.
    """

    host_private: str
    client_public: str


def read_cgroups(text: str) -> Cgroups:
    """The layout of cgroups, from ``/proc/self/cgroup`` (cgroups(7)).

    Raises:
        HostError: limits could not be enforced here.
    """
    fields = [line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2]
    hierarchies = tuple(sorted(controllers for number, controllers, _ in fields if number != "0"))
    bound = {name for hierarchy in hierarchies for name in hierarchy.split(",")}
    if not any(name in bound for name in NEEDED_CONTROLLERS):
        if not any(number == "0" for number, _, _ in fields):
            raise HostError(
                "this machine's kernel has no cgroups, without which Docker can't run; "
                "nothing was started",
                hint="use --host local, or an SSH host",
                stage="rehearsal",
            )
        return Cgroups(2, ())
    missing = [name for name in NEEDED_CONTROLLERS if name not in bound]
    if missing:
        raise HostError(
            f"this machine's cgroups (v1) lack the controllers {', '.join(missing)}, so limits "
            "would not hold; nothing was started",
            hint="use --host local, or an SSH host",
            stage="rehearsal",
        )
    return Cgroups(1, hierarchies)


def make(
    places: Places,
    tree: str,
    address: str,
    keys: Keys,
    cgroups: Cgroups,
    shape: Shape = PLAIN,
) -> dict[str, object]:
    """The document that :mod:`boot` reads, without ``report_fd``.

    Args:
        places: where the host's state lies.
        tree: absolute folder of unpacked Debian packages, merged ``/usr``.
        address: the host's end of the wire, with prefix length.
        keys: what goes into the host.
        cgroups: the layout on this machine.
        shape: what it has besides.
    """
    files = _over(_files(places.name, address.partition("/")[0], keys, shape), shape.files)
    folders = _over(_folders(), shape.folders)
    return {
        **sweep(places, cgroups),
        "tree": tree,
        "hostname": places.name,
        "folders": [{"path": row.path, "mode": row.mode, "owner": row.owner} for row in folders],
        "noexec": list(shape.noexec),
        "writable": list(shape.writable),
        "binds": [
            *(asdict(bind) for bind in shape.binds),
            {"source": str(places.docker), "target": DOCKER_DATA},
            {"source": str(places.pool), "target": POOL},
            {"source": str(places.at_boot), "target": AT_BOOT},
        ],
        "files": [asdict(row) for row in files],
        "links": _links(),
        "root_owned": [
            {"glob": "usr/bin/sudo", "mode": 0o4755},
            {"glob": "usr/libexec/sudo/*.so*", "mode": 0o644},
            {"glob": "etc/sudo.conf", "mode": 0o644},
        ],
        "environment": {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "container": "slipway"},
        "init": {
            "address": address,
            "sshd": ["/usr/sbin/sshd", "-D", "-e"],
            "dockerd": ["/usr/sbin/dockerd", "--log-level", "warn"],
            "services": [asdict(service) for service in shape.services],
        },
    }


def sweep(places: Places, cgroups: Cgroups) -> dict[str, object]:
    """The part of the document that removing cgroups needs."""
    return {
        "scratch": str(places.scratch),
        "cgroups": {
            "version": cgroups.version,
            "hierarchies": list(cgroups.hierarchies),
            "group": places.group,
        },
    }


def fingerprint(spec: dict[str, object], programs: tuple[str, ...]) -> str:
    """What a running host was made from: a change of it asks for a new boot."""
    text = json.dumps([spec, programs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _over(before: Iterable[Row], after: Iterable[Row]) -> tuple[Row, ...]:
    """By their path, later ones in the place of earlier ones."""
    return tuple({row.path: row for row in (*before, *after)}.values())


def _folders() -> list[Row]:
    rows = [
        ("/", 0o755, 0), ("/root", 0o700, 0), ("/dev", 0o755, 0), ("/proc", 0o555, 0),
        ("/sys", 0o555, 0), ("/run", 0o755, 0), ("/tmp", 0o1777, 0), ("/home", 0o755, 0),  # noqa: S108
        ("/var/tmp", 0o1777, 0), ("/var/lib", 0o755, 0), ("/var/log", 0o755, 0),  # noqa: S108
        ("/etc", 0o755, 0), ("/etc/ssh", 0o755, 0), ("/mnt", 0o755, 0),
        ("/mnt/.ix-apps", 0o755, 0), (DOCKER_DATA, 0o710, 0), (POOL, 0o755, 0),
        (AT_BOOT, 0o755, 0),
        ("/usr/local/bin", 0o755, 0), ("/run/sshd", 0o755, 0), (f"/home/{ADMIN}", 0o700, ADMIN_ID),
    ]  # fmt: skip
    return [Row(path, mode, owner=owner) for path, mode, owner in rows]


def _files(name: str, address: str, keys: Keys, shape: Shape) -> list[Row]:
    daemon = {
        "data-root": DOCKER_DATA,
        "storage-driver": "overlay2",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "shutdown-timeout": 15,
        "ip6tables": False,
        **shape.docker,
    }
    rows = [
        ("/etc/passwd", 0o644, passwd("/bin/bash")),
        ("/etc/group", 0o644, GROUP),
        ("/etc/shadow", 0o600, SHADOW),
        ("/etc/hostname", 0o644, f"{name}\n"),
        ("/etc/hosts", 0o644, f"127.0.0.1 localhost\n::1 localhost\n{address} {name}\n"),
        ("/etc/resolv.conf", 0o644, RESOLV_CONF.format(address=address)),
        ("/etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files\n"),
        ("/etc/ssh/sshd_config", 0o644, SSHD_CONFIG + shape.sshd),
        ("/etc/ssh/authorized_keys", 0o644, f"{keys.client_public}\n"),
        (HOST_KEY, 0o600, keys.host_private),
        ("/etc/sudoers", 0o440, SUDOERS),
        ("/etc/pam.d/sudo", 0o644, PAM),
        ("/etc/docker/daemon.json", 0o644, json.dumps(daemon, indent=2) + "\n"),
    ]
    return [Row(path, mode, text) for path, mode, text in rows]


def _links() -> list[dict[str, object]]:
    nft = "/usr/sbin/xtables-nft-multi"
    names = [
        f"{kind}{act}" for kind in ("iptables", "ip6tables") for act in ("", "-save", "-restore")
    ]
    links = [{"path": f"/usr/sbin/{name}", "target": nft} for name in names]
    links.append({"path": "/var/run", "target": "/run"})
    links.append({"path": "/usr/bin/awk", "target": "mawk"})
    return [dict(link) for link in links]
