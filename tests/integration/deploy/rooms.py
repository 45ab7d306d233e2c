"""Run an image's programs as its container would, without a container engine.

A *house* is a network namespace with nothing but its own loopback, so that servers listen on their
real ports and meet nobody else. A *room* is a role's root file system, unpacked from the locked
Debian packages, in which a program runs as uid 568 with process ids of its own.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from slipway.config import load
from slipway.supply import contents, deb, locks

ROOT = Path(__file__).parents[3]
APPS = 568
CLONE_NEWNET = 0x40000000
_SHARED = ("layer.base", "layer.libc", "layer.crypto")
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
T = TypeVar("T")
_libc = ctypes.CDLL(None, use_errno=True)

# The mounts of a container, as far as the programs need them; then they give up root.
_ENTER = """
set -eu
root=$1; shift
for pair in $BINDS; do
    mount --bind "${pair%%:*}" "$root${pair#*:}"
done
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs -o mode=0755,uid=568,gid=568 run "$root/run"
mkdir -p "$root/run/secrets" "$root/run/haproxy" "$root/run/postgresql" "$root/run/redis"
chown 568:568 "$root/run/haproxy" "$root/run/postgresql" "$root/run/redis"
cp "$SECRETS"/* "$root/run/secrets/" 2>/dev/null || true
chown -R 568:568 "$root/run/secrets"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
exec chroot --userspec=568:568 "$root" "$@"
"""


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def unpack_role(role: str, target: Path) -> Path:
    """Make a role's root file system from the locked packages and its own files."""
    config, lock = load(ROOT), locks.read_debian(ROOT / "nix/locks/debian.json")
    for group in (*_SHARED, f"image.{role}"):
        for name in lock.groups[group]:
            _unpack(Path(lock.packages[name].file.path), target, config.drops_of(name))
    for folder in ("tmp", "run", "dev", "proc", "data", "srv/www", "var/lib/postgresql/data"):
        (target / folder).mkdir(parents=True, exist_ok=True)
    for short in ("bin", "sbin", "lib", "lib64"):
        if not (target / short).exists() and (target / "usr" / short).exists():
            (target / short).symlink_to(f"usr/{short}")
    (target / "usr/lib64").mkdir(exist_ok=True)
    if not (target / "lib64").exists():
        (target / "lib64").symlink_to("usr/lib64")
    (target / "etc/passwd").write_text("root:x:0:0::/:/bin/false\napps:x:568:568::/:/bin/false\n")
    (target / "etc/group").write_text("root:x:0:\napps:x:568:\n")
    for place, source in config.images[role].files.items():
        own = ROOT / source
        if own.exists():
            shutil.copytree(own, target / place.strip("/"), dirs_exist_ok=True)
    return target


def _unpack(package: Path, target: Path, drop: Sequence[str]) -> None:
    if not package.exists():
        raise AssertionError(f"{package.name} is not in the store; ./inv fetch brings it")
    with deb.open_data(package.read_bytes()) as tar:
        for member in tar:
            path = contents.merged(member.name)
            if contents.is_dropped(path, drop) or path in ("/usr/bin", "/usr/lib"):
                continue
            member.name = path.lstrip("/")
            member.uid = member.gid = 0
            deb.extract(tar, [member], target)


@dataclass(slots=True)
class House:
    """A network namespace with its own loopback, kept alive by an open file."""

    handle: int

    @classmethod
    def build(cls) -> House:
        """Make one; needs root."""
        made: list[int | OSError] = []

        def make() -> None:
            try:
                _check(_libc.unshare(CLONE_NEWNET))
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
                    request = struct.pack("16sh14x", b"lo", 0)
                    flags = struct.unpack("16sh14x", fcntl.ioctl(plain, _SIOCGIFFLAGS, request))[1]
                    up = struct.pack("16sh14x", b"lo", flags | _IFF_UP)
                    fcntl.ioctl(plain, _SIOCSIFFLAGS, up)
                made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
            except OSError as error:
                made.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join(10)
        if not made or isinstance(made[0], OSError):
            raise AssertionError(f"no network namespace (these tests need root): {made}")
        return cls(made[0])

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets made and programs started by this thread belong to the house."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.setns(self.handle, CLONE_NEWNET))
            try:
                yield
            finally:
                _check(_libc.setns(home, CLONE_NEWNET))
        finally:
            os.close(home)


@dataclass(slots=True)
class Room:
    """A role's root file system and how to run programs in it."""

    root: Path
    house: House
    folder: Path
    binds: dict[Path, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self, argv: Sequence[str], *, log: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program in the room; its output goes to ``log`` (default: ``folder/log``)."""
        secrets = self.folder / "secrets"
        secrets.mkdir(exist_ok=True)
        for name, text in self.secrets.items():
            file = secrets / name
            # Another program of the room may just be reading it.
            if not file.exists() or file.read_text() != text:
                file.write_text(text)
        binds = " ".join(f"{source}:{target}" for source, target in self.binds.items())
        outer = ["unshare", "--mount", "--pid", "--ipc", "--fork", "sh", "-c", _ENTER]
        with self.house.entered(), (log or self.log).open("ab") as output:
            os.fchown(output.fileno(), APPS, APPS)  # as a container engine does with its pipes
            process = subprocess.Popen(
                [*outer, "sh", str(self.root), *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                    "BINDS": binds,
                    "SECRETS": str(secrets),
                    **(env or {}),
                },
            )
        self.started.append(process)
        return process

    @property
    def log(self) -> Path:
        """Where output goes by default."""
        return self.folder / "log"

    def run(
        self, argv: Sequence[str], *, timeout: float = 60, env: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Run a program in the room to its end: exit code and output."""
        log = self.folder / "run.log"
        log.unlink(missing_ok=True)
        return self.start(argv, log=log, env=env).wait(timeout), log.read_text()

    def join(self, process: subprocess.Popen[bytes], argv: Sequence[str]) -> tuple[int, str]:
        """Run a program among the very mounts of one that runs: exit code and output."""
        place = f"/proc/{self.leader(process)}/root"
        with self.house.entered():
            done = subprocess.run(
                ["chroot", f"--userspec={APPS}:{APPS}", place, *argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=60,
            )
        return done.returncode, done.stdout.decode()

    def change_secrets(self, process: subprocess.Popen[bytes], **secrets: str) -> None:
        """Change files in the folder of a program that runs; an empty text takes one away.

        A dot in a name is written as two underscores.
        """
        folder = Path(f"/proc/{self.leader(process)}/root/run/secrets")
        for name, text in secrets.items():
            file = folder / name.replace("__", ".")
            if text:
                file.write_text(text)
                os.chown(file, APPS, APPS)
            else:
                file.unlink()

    def leader(self, process: subprocess.Popen[bytes]) -> int:
        """The process that is number 1 in the room, as this machine numbers it."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

        def first() -> str:
            if process.poll() is not None:
                raise ProcessLookupError(f"ended: {self.log.read_text()}")
            return children.read_text().partition(" ")[0]

        return int(wait_for(first, "the program to start"))

    def signal(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to process 1 of the room, as a container engine does."""
        os.kill(self.leader(process), number)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill process 1 and with it all others of the room, as a power cut does."""
        if process.poll() is None:
            with suppress(ProcessLookupError):
                self.signal(process, signal.SIGKILL)
        process.wait(120)

    def close(self) -> None:
        """End what was started here."""
        for process in self.started:
            self.kill(process)


def wait_for(question: Callable[[], T | None], what: str, *, seconds: float = 120) -> T:
    """Ask until the answer is something, or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
