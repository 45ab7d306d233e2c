"""What a rehearsal host needs of this machine: its processes, its interface, its kernel."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import HostError
from slipway.hosts.rehearsal.network import Network, read_taken

IP_S = 20.0
ASK_S = 5.0
_ANSWER_BYTES = 1 << 20
# Overlay file systems and Docker's overlay2 on top of these fail or lose data.
UNFIT = ("overlay", "aufs", "nfs", "nfs4", "cifs", "smb3", "9p", "vfat", "exfat", "ecryptfs")
NAMESPACES = ("mnt", "pid", "net", "uts", "ipc", "cgroup")


def require_root() -> None:
    """Refuse to go on without root.

    Raises:
        HostError: the effective user isn't root.
    """
    if os.geteuid() != 0:
        raise HostError(
            "the rehearsal host makes namespaces and mounts, which needs root; nothing was changed",
            hint="run it as root (sudo), or use this machine's Docker: --host local",
            stage="rehearsal",
        )


def require_kernel(shell: Shell) -> None:
    """Refuse to go on without what the host is made of.

    Raises:
        HostError: names everything that is missing.
    """
    missing = []
    if "\toverlay\n" not in Path("/proc/filesystems").read_text("utf-8") and shutil.which(
        "modprobe"
    ):
        shell.run(["modprobe", "overlay"], timeout=IP_S, check=False)
    if "\toverlay\n" not in Path("/proc/filesystems").read_text("utf-8"):
        missing.append("the kernel knows no overlay file system")
    for name in NAMESPACES:
        if not Path(f"/proc/self/ns/{name}").exists():
            missing.append(f"the kernel has no {name} namespaces")
    if shutil.which("ip") is None:
        missing.append("the program `ip` is missing (package iproute2)")
    if missing:
        raise HostError(
            "this machine can't run a rehearsal host; nothing was started",
            details=missing,
            hint="use --host local, or an SSH host",
            stage="rehearsal",
        )


def require_fit(folder: Path) -> None:
    """Refuse a state folder on a file system that Docker's overlay2 can't use.

    Raises:
        HostError: it is on one.
    """
    kind = file_system(Path("/proc/self/mountinfo").read_text("utf-8"), folder)
    if kind in UNFIT or kind.startswith("fuse"):
        raise HostError(
            f"{folder} is on a file system of type {kind}, on which Docker's overlay2 driver "
            "does not work; nothing was started",
            hint="put the checkout on a disk file system such as ext4, xfs or btrfs",
            stage="rehearsal",
        )


def file_system(mountinfo: str, folder: Path) -> str:
    """The type of the file system that holds ``folder``, from proc_pid_mountinfo(5)."""
    best, kind = -1, "unknown"
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        point = _mount_point(left)
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split(" ")[0]
    return kind


def mounts_below(mountinfo: str, folder: Path) -> tuple[str, ...]:
    """Mount points inside ``folder``."""
    points = (_mount_point(line) for line in mountinfo.splitlines())
    return tuple(str(point) for point in points if point.is_relative_to(folder))


def _mount_point(line: str) -> Path:
    """The fifth field; blanks and backslashes in it are written as three octal digits."""
    return Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), line.split(" ")[4]))


def processes(marker: str) -> tuple[int, ...]:
    """Processes that were started with the argument ``marker``."""
    wanted = os.fsencode(marker)
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in Path(entry.path, "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return tuple(found)


def stop(pids: Iterable[int], *, gently_s: float, kill_s: float) -> tuple[int, ...]:
    """SIGTERM, then SIGKILL; the processes that even outlived that.

    Args:
        pids: processes.
        gently_s: seconds they have for ending by themselves.
        kill_s: seconds the kernel has for ending them.
    """
    watched = {}
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            watched[os.pidfd_open(pid)] = pid
    try:
        left = _signal_and_wait(list(watched), signal.SIGTERM, gently_s)
        left = _signal_and_wait(left, signal.SIGKILL, kill_s)
        return tuple(watched[descriptor] for descriptor in left)
    finally:
        for descriptor in watched:
            os.close(descriptor)


def _signal_and_wait(descriptors: list[int], number: int, seconds: float) -> list[int]:
    left = list(descriptors)
    for descriptor in descriptors:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)
    for _ in range(len(descriptors)):  # each wait ends with a process or with the time
        ended, _, _ = select.select(left, [], [], seconds)
        left = [descriptor for descriptor in left if descriptor not in ended]
        if not ended or not left:
            break
    return left


def docker_version(pid: int) -> str | None:
    """The version of the Docker engine in process ``pid``'s file system, if it answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ASK_S)
            connection.connect(f"/proc/{pid}/root/run/docker.sock")
            # HTTP 1.0: the answer comes in one piece and ends with the connection.
            connection.sendall(b"GET /version HTTP/1.0\r\nHost: docker\r\n\r\n")
            with connection.makefile("rb") as stream:
                _, _, body = stream.read(_ANSWER_BYTES).partition(b"\r\n\r\n")
        return str(json.loads(body)["Version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ssh_answers(address: str, port: int) -> bool:
    """Whether an SSH server greets there."""
    try:
        with socket.create_connection((address, port), timeout=ASK_S) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def taken(shell: Shell) -> tuple[Network, ...]:
    """Every network this machine has an address or a route in."""
    addresses = shell.run(["ip", "-j", "-4", "addr"], timeout=IP_S).stdout
    routes = shell.run(["ip", "-j", "-4", "route", "show", "table", "main"], timeout=IP_S).stdout
    return read_taken(addresses, routes)


def plug(shell: Shell, interface: str, address: str, pid: int) -> None:
    """Lay a wire from this machine into the network namespace of ``pid``.

    Raises:
        HostError: the kernel has no veth interfaces, or refuses.
    """
    peer = ["peer", "name", "eth0", "netns", str(pid)]
    steps: Sequence[Sequence[str]] = (
        ["link", "add", interface, "type", "veth", *peer],
        ["addr", "add", address, "dev", interface],
        ["link", "set", interface, "up"],
    )
    for step in steps:
        done = shell.run(["ip", *step], timeout=IP_S, check=False)
        if not done.ok:
            raise HostError(
                "this machine could not lay a network wire (veth) to the rehearsal host; "
                "it was stopped, its data is kept",
                details=done.error_text.splitlines(),
                hint="load the kernel's module: modprobe veth",
                stage="rehearsal",
            )


def unplug(shell: Shell, interface: str) -> None:
    """Remove this machine's end of the wire; the other goes with it."""
    if Path("/sys/class/net", interface).exists():
        # The kernel may take it away in this very moment, together with the namespace.
        shell.run(["ip", "link", "del", interface], timeout=IP_S, check=False)
