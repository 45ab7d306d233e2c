"""What makes a rehearsal host a TrueNAS of one release: accounts, rights, file systems. Pure.

Sources, by release: middlewared's ``etc_files`` (``local/sudoers.mako``, ``docker/daemon.json.py``)
and ``plugins/account_``; scale-build's ``truenas_install/fhs.py`` for what can be written and run
from; ``docs/reference/stand-in.md`` has the whole table.
"""

from __future__ import annotations

from slipway.errors import ConfigError
from slipway.hosts.rehearsal import nasfiles, spec
from slipway.hosts.rehearsal.nas.people import KEEPER
from slipway.hosts.rehearsal.shape import Bind, Row, Service, Shape
from slipway.hosts.rehearsal.values import ADMIN, Places

IX_APPS = "/mnt/.ix-apps"
SOCKET = "/run/middleware/middlewared.sock"
#: uid and gid of those who administer by the API, whatever sudo allows them.
ADMINISTRATORS_ID = 544
#: The first number of accounts that people make there.
KEEPER_ID = 3000

# 999 is PostgreSQL's number in many images, and somebody else's on a NAS: a coincidence.
PASSWD = spec.passwd(
    "/usr/bin/zsh",
    called="Local Administrator",
    more="netdata:x:999:997::/nonexistent:/usr/sbin/nologin\n"
    f"{KEEPER}:x:{KEEPER_ID}:{KEEPER_ID}:Keeper of apps:/home/{KEEPER}:/usr/bin/zsh\n",
)
GROUP = f"""\
{spec.GROUP}\
builtin_administrators:x:{ADMINISTRATORS_ID}:{ADMIN}
builtin_users:x:545:{ADMIN}
netdata:x:997:
{KEEPER}:x:{KEEPER_ID}:
"""
SHADOW = f"{spec.SHADOW}{KEEPER}:*:1::::::\n"

# A new NAS asks for a password, which nobody can give who is not at a terminal.
SUDOERS = f"""\
root ALL=(ALL:ALL) ALL
{ADMIN} ALL=(ALL) ALL
Defaults syslog_goodpri = debug
Defaults secure_path = /sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
Defaults log_subcmds
Defaults log_format=json
"""

# Shells of 25.10 and later find zfs, which lies in /usr/sbin, for everybody (NAS-133669).
SBIN_FOR_ALL = ("25.10", "26")
ZSHENV = "path=(/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin $path)\n"

#: Mounted over themselves so that no program starts from there.
NOEXEC = ("/mnt", "/data", "/var/log")
#: What can be written on a system that otherwise can't.
WRITABLE = ("/etc", "/var", "/root", "/mnt", "/data")


def check_release(release: str) -> None:
    """Refuse what is no release that can be stood in for; empty is none in particular.

    Raises:
        ConfigError: it is one of those.
    """
    if release and release not in nasfiles.RELEASES:
        raise ConfigError(
            f"there is no stand-in for TrueNAS {release!r}; nothing was changed",
            hint=f"--release takes {', '.join(nasfiles.RELEASES)}",
            stage="rehearsal",
        )


def shape(places: Places, release: str) -> Shape:
    """What a NAS of this release has besides, or instead of, a plain server.

    Args:
        places: where the host's state lies.
        release: a key of :data:`slipway.hosts.rehearsal.nasfiles.RELEASES`.
    """
    facts = nasfiles.RELEASES[release]
    return Shape(
        files=(*_files(release), *nasfiles.files(facts)),
        folders=(
            Row("/data", 0o700), Row(f"{IX_APPS}/app_configs", 0o700),
            Row(f"{IX_APPS}/app_mounts", 0o755), Row("/run/middleware", 0o755),
            Row(f"/home/{KEEPER}", 0o700, owner=KEEPER_ID),
        ),
        # Docker's data lies in the dataset of apps, which is bound before it.
        binds=(Bind(str(places.ix_apps), IX_APPS), Bind(str(places.data), "/data")),
        noexec=NOEXEC,
        writable=WRITABLE,
        sshd=f"AllowTcpForwarding no\nAllowUsers {KEEPER}\n",
        # Without IPv6: by default in every network it came with Docker 27.
        docker={"default-address-pools": [{"base": "172.17.0.0/12", "size": 24}]},
        services=(Service("middlewared", nasfiles.service(facts), SOCKET),),
    )  # fmt: skip


def _files(release: str) -> tuple[Row, ...]:
    facts = nasfiles.RELEASES[release]
    rows = [
        Row("/etc/passwd", 0o644, PASSWD),
        Row("/etc/group", 0o644, GROUP),
        Row("/etc/shadow", 0o600, SHADOW),
        Row("/etc/sudoers", 0o440, SUDOERS),
        Row("/etc/version", 0o644, f"{facts.version}\n"),
    ]
    if release in SBIN_FOR_ALL:
        rows.append(Row("/etc/zsh/zshenv", 0o644, ZSHENV))
    return tuple(rows)
