"""First stage of a rehearsal host: namespaces, mounts, ``pivot_root``; then becomes :mod:`init`.

Run as a program of its own by this machine's Python, so it uses the standard library alone and is
one file, longer than others::

    python3 -I boot.py boot  --rehearsal-state=DIR < SPEC, then "go"
    python3 -I boot.py sweep --rehearsal-state=DIR < SPEC

It decides nothing: SPEC, one line of JSON made by :mod:`slipway.hosts.rehearsal.spec`, says what to
mount and write. Progress and failures go to the file descriptor ``report_fd`` as lines of JSON.

Every mount is made in a private mount namespace and nothing is mounted outside of it. When the last
process of the host is gone, the kernel takes its mounts, network and processes away by itself.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import stat
import sys
from pathlib import Path
from typing import Any

# linux/sched.h
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
# linux/mount.h
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}  # all of major number 1
CGROUP2_WANTED = ("cpu", "memory", "pids", "io", "cpuset")
CGROUP2_NEEDED = ("cpu", "memory", "pids")

libc = ctypes.CDLL(None, use_errno=True)


class BootError(Exception):
    """A step failed; the text is a clause for a person."""


def checked(result: int, what: str) -> None:
    """Raise for a failed system call."""
    if result != 0:
        raise BootError(f"{what} failed: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: Path | str, kind: str, flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    result = libc.mount(
        source.encode(),
        os.fsencode(target),
        kind.encode(),
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    checked(result, f"mounting {kind or source} on {target} {options}".strip())


def unshare(flags: int, what: str) -> None:
    """unshare(2)."""
    checked(libc.unshare(flags), f"making {what}")


def private_mounts() -> None:
    """A mount namespace from which nothing spreads back."""
    unshare(CLONE_NEWNS, "a mount namespace")
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def mount_cgroups(top: Path, cgroups: dict[str, Any]) -> list[Path]:
    """Mount every hierarchy below ``top`` (a tmpfs for v1, the mount itself for v2)."""
    if cgroups["version"] == 2:
        mount("cgroup2", top, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        return [top]
    mount("tmpfs", top, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755")
    made = []
    for hierarchy in cgroups["hierarchies"]:
        place = top / hierarchy.removeprefix("name=")
        place.mkdir()
        options = f"none,{hierarchy}" if hierarchy.startswith("name=") else hierarchy
        mount("cgroup", place, "cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
        for controller in hierarchy.split(","):
            if not (top / controller).exists() and "=" not in controller:
                (top / controller).symlink_to(place.name)
        made.append(place)
    return made


def join_cgroups(scratch: Path, cgroups: dict[str, Any]) -> None:
    """Put this process into the host's own group of every hierarchy."""
    for hierarchy in mount_cgroups(scratch, cgroups):
        group = hierarchy / cgroups["group"]
        if cgroups["version"] == 2:
            enable_controllers(hierarchy)
        group.mkdir(exist_ok=True)
        for name in (
            "cpuset.cpus",
            "cpuset.mems",
        ):  # a v1 cpuset takes nobody while these are empty
            if cgroups["version"] == 1 and (group / name).exists():
                (group / name).write_text((hierarchy / name).read_text("utf-8"), "utf-8")
        (group / "cgroup.procs").write_text(str(os.getpid()), "utf-8")
    checked(libc.umount2(os.fsencode(scratch), MNT_DETACH), f"unmounting {scratch}")


def enable_controllers(group: Path) -> None:
    """Let the groups below a cgroup v2 group have limits."""
    offered = (group / "cgroup.controllers").read_text("utf-8").split()
    missing = [name for name in CGROUP2_NEEDED if name not in offered]
    if missing:
        raise BootError(f"this machine's cgroups offer no {', '.join(missing)} controller")
    wanted = " ".join(f"+{name}" for name in CGROUP2_WANTED if name in offered)
    (group / "cgroup.subtree_control").write_text(wanted, "utf-8")


def sweep_cgroups(scratch: Path, cgroups: dict[str, Any]) -> None:
    """Remove the host's groups from every hierarchy; its processes are gone by now."""
    for hierarchy in mount_cgroups(scratch, cgroups):
        group = hierarchy / cgroups["group"]
        for folder, _, _ in os.walk(group, topdown=False):
            Path(folder).rmdir()


def make_root(scratch: Path, spec: dict[str, Any]) -> Path:
    """The root file system: the tree read-only below, memory above, data bound in."""
    mount("tmpfs", scratch, "tmpfs", 0, "mode=755")
    for name in ("upper", "work", "root"):
        (scratch / name).mkdir(mode=0o755)
    # Relative names: a ":" or "," in a path would be read as an end of it.
    os.chdir(scratch)
    Path("lower").symlink_to(spec["tree"])
    mount("overlay", "root", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work")
    root = scratch / "root"
    for place, extra in (("tmp", MS_NOEXEC), ("home", MS_NOEXEC), ("run", 0)):
        (root / place).mkdir(exist_ok=True)
        mount("tmpfs", root / place, "tmpfs", MS_NOSUID | MS_NODEV | extra, "mode=755")
    for bind in spec["binds"]:
        target = root / bind["target"].lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        mount(bind["source"], target, "", MS_BIND)
    for folder in spec["folders"]:
        path = root / folder["path"].lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(folder["mode"])
        os.chown(path, folder["owner"], folder["owner"])
    return root


def limit(root: Path, place: str, flags: int) -> None:
    """Mount a folder over itself, with what lies mounted in it, and limit what it is good for."""
    path = root / place.lstrip("/")
    mount(str(path), path, "", MS_BIND | MS_REC)
    mount("none", path, "", MS_REMOUNT | MS_BIND | flags)


def limit_all(root: Path, spec: dict[str, Any]) -> None:
    """What can't be written, and where no program starts."""
    for place in spec["writable"]:
        limit(root, place, MS_NOSUID | MS_NOEXEC if place in spec["noexec"] else 0)
    for place in spec["noexec"]:
        if place not in spec["writable"]:
            limit(root, place, MS_NOSUID | MS_NOEXEC)
    limit(root, "/usr", MS_RDONLY)
    if spec["writable"]:
        mount("none", root, "", MS_REMOUNT | MS_BIND | MS_RDONLY)


def write_files(root: Path, spec: dict[str, Any]) -> None:
    """Everything the packages don't bring: accounts, keys, settings, links."""
    for file in spec["files"]:
        path = root / file["path"].lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file["mode"])
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(file["text"])
        path.chmod(file["mode"])
        os.chown(path, file["owner"], file["owner"])
    for link in spec["links"]:
        path = root / link["path"].lstrip("/")
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # base-files has empty folders in the place of links
        path.unlink(missing_ok=True)
        path.symlink_to(link["target"])
    for owned in spec["root_owned"]:  # sudo trusts only root's files; a store may belong to others
        for path in sorted(root.glob(owned["glob"])):
            if not path.is_symlink():
                os.chown(path, 0, 0)
                path.chmod(owned["mode"])


def make_devices(dev: Path) -> None:
    """A small /dev of its own."""
    mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755")
    for name, minor in DEVICES.items():
        os.mknod(dev / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        (dev / name).chmod(0o666)
    os.mknod(dev / "tty", stat.S_IFCHR | 0o666, os.makedev(5, 0))
    (dev / "tty").chmod(0o666)
    for name in ("pts", "shm", "mqueue"):
        (dev / name).mkdir()
    mount("devpts", dev / "pts", "devpts", MS_NOSUID | MS_NOEXEC,
          "newinstance,ptmxmode=0666,mode=620,gid=5")  # fmt: skip
    mount("tmpfs", dev / "shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    mount("mqueue", dev / "mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name, target in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "fd/0"),
                         ("stdout", "fd/1"), ("stderr", "fd/2")):  # fmt: skip
        (dev / name).symlink_to(target)


def enter_root(root: Path) -> None:
    """Make ``root`` the root and let go of the old one."""
    os.chdir(root)
    # A plain chroot would not do: `docker load` remounts "/" and so needs it to be a mount.
    number = SYS_PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise BootError(f"processor type {os.uname().machine} is not known here")
    checked(libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    checked(libc.umount2(b".", MNT_DETACH), "letting go of the old root")
    os.chdir("/")
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    # Settings here are the whole machine's, and dockerd raises some; but those of net/ are its own.
    for place, flags in (("/proc/sys", MS_RDONLY), ("/proc/sys/net", 0)):
        mount(place, place, "", MS_BIND)
        mount("none", place, "", MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC | flags)


def mount_own_cgroups(cgroups: dict[str, Any]) -> None:
    """The host's own groups as its whole cgroup tree."""
    top = Path("/sys/fs/cgroup")
    mount_cgroups(top, cgroups)
    if cgroups["version"] == 2:  # a group with processes can't hand out controllers
        (top / "init").mkdir(exist_ok=True)
        (top / "init/cgroup.procs").write_text("1", "utf-8")
        enable_controllers(top)


def become_init(spec: dict[str, Any]) -> None:
    """Everything process 1 does before the tree's own Python takes over."""
    os.setsid()
    socket.sethostname(spec["hostname"])
    source = Path(__file__).with_name("init.py").read_text("utf-8")
    scratch = Path(spec["scratch"])
    root = make_root(scratch, spec)
    write_files(root, spec)
    make_devices(root / "dev")
    limit_all(root, spec)
    enter_root(root)
    mount_own_cgroups(spec["cgroups"])
    place = Path("/run/slipway")
    place.mkdir(mode=0o700)
    (place / "init.py").write_text(source, "utf-8")
    (place / "init.json").write_text(
        json.dumps(spec["init"] | {"report_fd": spec["report_fd"]}), "utf-8"
    )
    os.set_inheritable(spec["report_fd"], True)
    argv = ["/usr/bin/python3", "-I", "/run/slipway/init.py", sys.argv[2]]
    os.execve(argv[0], argv, spec["environment"])  # noqa: S606 - it wants no shell


def report(spec: dict[str, Any], **line: object) -> None:
    """One line for whoever started this."""
    os.write(spec["report_fd"], json.dumps(line).encode() + b"\n")


def boot(spec: dict[str, Any]) -> None:
    """Leave this machine's namespaces and start process 1 of the host."""
    os.umask(0o022)
    private_mounts()
    join_cgroups(Path(spec["scratch"]), spec["cgroups"])
    unshare(CLONE_NEWCGROUP, "a cgroup namespace")
    unshare(CLONE_NEWUTS | CLONE_NEWIPC, "a host name and IPC namespace")
    unshare(CLONE_NEWNET, "a network namespace")
    unshare(CLONE_NEWPID, "a process namespace")
    child = os.fork()
    if child:
        report(spec, stage="born", pid=child)
    else:
        become_init(spec)


def main() -> int:
    """Read the spec, do what the first argument says."""
    with open(0, "rb", buffering=0, closefd=False) as stdin:  # "go" stays unread for init
        spec = json.loads(stdin.readline())
    try:
        if sys.argv[1] == "boot":
            boot(spec)
        else:
            private_mounts()
            sweep_cgroups(Path(spec["scratch"]), spec["cgroups"])
    except (BootError, OSError) as error:
        print(f"boot: {error}", file=sys.stderr)  # noqa: T201 - a program of its own
        if "report_fd" in spec:
            report(spec, error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
