"""Process 1 of a rehearsal host: starts sshd and dockerd, reaps, stops them in order.

:mod:`boot` copies this file into the host and replaces itself by the host's own Python running it,
so it uses the standard library alone. It waits for ``go`` on standard input (the network is in
place by then); an end of file instead means that whoever booted the host is gone, and it ends too.
It writes lines of JSON to ``report_fd``: ``{"stage": …}``, at last ``{"stage": "ready",
"docker": VERSION}``, or ``{"error": …}``.

As on other hosts, dockerd is started again when it dies (systemd's docker.service has
``Restart=always``, ``RestartSec=2``), and so are the services that a system has besides. Once all
of them answer, the programs ``*.start`` in ``/etc/local.d`` are run in the order of their names, as
OpenRC does. An sshd that dies is not started again: the next ``up`` finds the host ill and boots it
anew.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

READY_S = 90.0
DOCKER_STOP_S = 25.0
REST_STOP_S = 3.0
POLL_S = 0.05
OPEN_FILES = 1 << 20
NOT_AGAIN = ("sshd", "local")
AGAIN_S = 2
START_SCRIPTS = 'for file in /etc/local.d/*.start; do [ ! -x "$file" ] || "$file"; done'
SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


class InitError(Exception):
    """The host can't come up; the text is a clause for a person."""


class Services:
    """The started services and how they ended."""

    def __init__(self) -> None:
        self.running: dict[int, str] = {}
        self.argv: dict[str, list[str]] = {}
        self.ended: dict[str, int] = {}

    def start(self, name: str, argv: list[str]) -> None:
        """Start a service with the default signal mask, in a session of its own."""
        pid = os.posix_spawn(argv[0], argv, os.environ, setsigmask=(), setsid=True)
        self.running[pid] = name
        self.argv[name] = argv
        self.ended.pop(name, None)

    def reap(self) -> bool:
        """Collect every ended child; whether any child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            name = self.running.pop(pid, None)
            if name is not None:
                self.ended[name] = os.waitstatus_to_exitcode(status)
                say(f"{name} ended with code {self.ended[name]}")

    def stop(self, name: str, seconds: float) -> None:
        """SIGTERM, and wait so long at most."""
        for pid in [pid for pid, running in self.running.items() if running == name]:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while name in self.running.values() and time.monotonic() < deadline:
            self.reap()
            time.sleep(POLL_S)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over Docker's socket."""

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect("/run/docker.sock")


def say(text: str) -> None:
    """One line for the console log."""
    print(f"init: {text}", flush=True)  # noqa: T201 - a program of its own


def docker_version() -> str | None:
    """The engine's version once it answers."""
    connection = UnixConnection("docker", timeout=5)
    try:
        connection.request("GET", "/version")
        return str(json.loads(connection.getresponse().read())["Version"])
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def ssh_answers() -> bool:
    """Whether sshd greets."""
    try:
        with socket.create_connection(("127.0.0.1", 22), timeout=5) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def start_network(address: str) -> None:
    """Give the point-to-point interface its address; let packets pass to containers."""
    for argv in (
        ["link", "set", "lo", "up"],
        ["addr", "add", address, "dev", "eth0"],
        ["link", "set", "eth0", "up"],
    ):
        done = subprocess.run(["/usr/sbin/ip", *argv], capture_output=True, timeout=20, check=False)
        if done.returncode:
            raise InitError(f"`ip {' '.join(argv)}` failed: {done.stderr.decode().strip()}")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", "utf-8")


def listens(path: str) -> bool:
    """Whether somebody takes connections at a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        return connection.connect_ex(path) == 0


def wait_ready(services: Services, sockets: list[str]) -> str:
    """Reap and ask until all services answer; the engine's version."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        services.reap()
        if services.ended:
            name, code = next(iter(services.ended.items()))
            raise InitError(f"{name} ended with code {code} while starting")
        if signal.SIGTERM in signal.sigpending():
            raise InitError("it was told to stop while starting")
        version = docker_version()
        if version is not None and ssh_answers() and all(map(listens, sockets)):
            return version
        time.sleep(POLL_S)
    raise InitError(f"{', '.join(services.argv)} did not answer within {READY_S:.0f} s")


def serve(services: Services) -> None:
    """Reap until told to stop; start again what has to be."""
    while True:
        again = [name for name in services.ended if name not in NOT_AGAIN]
        got = signal.sigtimedwait(SIGNALS, AGAIN_S if again else 30)
        services.reap()
        if got is None:
            for name in again:
                if name == "dockerd":
                    Path("/run/docker.pid").unlink(missing_ok=True)
                services.start(name, services.argv[name])
        elif got.si_signo != signal.SIGCHLD:
            return


def stop(services: Services) -> None:
    """dockerd (which stops its containers), then sshd and all the rest."""
    services.stop("dockerd", DOCKER_STOP_S)
    services.stop("sshd", REST_STOP_S)
    try:
        os.kill(-1, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + REST_STOP_S
    while services.reap() and time.monotonic() < deadline:
        time.sleep(POLL_S)


def run(settings: dict[str, Any], services: Services) -> None:
    """Start everything, tell that it runs."""

    def tell(**line: object) -> None:
        with contextlib.suppress(BrokenPipeError):  # whoever booted the host may be gone by now
            os.write(settings["report_fd"], json.dumps(line).encode() + b"\n")

    try:
        start_network(settings["address"])
        tell(stage="network")
        services.start("sshd", settings["sshd"])
        services.start("dockerd", settings["dockerd"])
        for service in settings["services"]:
            services.start(service["name"], service["argv"])
        tell(stage="services")
        sockets = [service["socket"] for service in settings["services"]]
        tell(stage="ready", docker=wait_ready(services, sockets))
    except (InitError, OSError, subprocess.SubprocessError) as error:
        say(str(error))
        tell(error=str(error))
        stop(services)
        raise SystemExit(1) from error
    os.close(settings["report_fd"])


def main() -> int:
    """Wait for ``go``, serve, stop."""
    settings = json.loads(Path("/run/slipway/init.json").read_text("utf-8"))
    os.set_inheritable(settings["report_fd"], False)
    with open(0, "rb", buffering=0, closefd=False) as stdin:
        if stdin.readline() != b"go\n":
            say("nobody waits for this host; ending")
            return 1
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, OPEN_FILES), hard))
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    services = Services()
    run(settings, services)
    services.start("local", ["/bin/sh", "-c", START_SCRIPTS])
    serve(services)
    stop(services)
    return 0


if __name__ == "__main__":
    sys.exit(main())
