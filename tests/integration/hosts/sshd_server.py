"""A real sshd on loopback, with keys and a configuration of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.hosts.login import Login
from slipway.hosts.ssh import SshHost

_SHELL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Sshd:
    """A running server, and how to log in to it."""

    process: subprocess.Popen[bytes]
    login: Login
    folder: Path

    def host(self, **changes: object) -> SshHost:
        """A host at the other end, its login changed where wanted."""
        return SshHost(replace(self.login, **changes))  # type: ignore[arg-type]

    def kill_sessions(self) -> None:
        """Kill the server's child processes, and wait for their end; the server itself goes on."""
        queue, found = [self.process.pid], list[int]()
        while queue:
            listing = Path(f"/proc/{queue[0]}/task/{queue.pop(0)}/children")
            with contextlib.suppress(FileNotFoundError):
                queue += [int(child) for child in listing.read_text().split()]
                found = [*found, *queue]
        for pid in dict.fromkeys(found):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{pid}").exists() for pid in found):
            assert time.monotonic() < deadline, "sessions outlived their end"
            time.sleep(0.01)


StartSshd = Callable[..., Sshd]


def make_key(path: Path) -> str:
    """A new key pair; the public half."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=30
    )
    return path.with_suffix(".pub").read_text()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def start(folder: Path, lines: tuple[str, ...]) -> Sshd:
    """Start a server, given lines that go before the usual ones of its configuration."""
    program = shutil.which("sshd", path=_SHELL_PATH)
    assert program, "sshd is missing: apt-get install openssh-server"
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    host_key = make_key(folder / "host_key")
    (folder / "authorized_keys").write_text(make_key(folder / "user_key"))
    port = free_port()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    config = folder / "sshd_config"
    config.write_text(
        "\n".join(
            (
                *lines,
                f"Port {port}",
                "ListenAddress 127.0.0.1",
                f"HostKey {folder}/host_key",
                f"AuthorizedKeysFile {folder}/authorized_keys",
                "PidFile none",
                "UsePAM no",
                "StrictModes no",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "PermitRootLogin prohibit-password",
                f"SetEnv PATH={_SHELL_PATH}",
                "",
            )
        )
    )
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=log)
    login = Login(
        "den",
        "127.0.0.1",
        port,
        getpass.getuser(),
        str(folder / "user_key"),
        str(folder / "known_hosts"),
        personal=False,
        timeout=10.0,
    )
    deadline = time.monotonic() + 60
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Sshd(process, login, folder)
        assert process.poll() is None, (folder / "sshd.log").read_text()
        assert time.monotonic() < deadline, "sshd did not listen within a minute"
        time.sleep(0.02)


def stop(server: Sshd) -> None:
    """Kill the server and its sessions."""
    if server.process.poll() is None:
        server.kill_sessions()
        server.process.kill()
    server.process.wait(120)
