"""Every way an SSH host can be out of reach, against a real sshd and real sockets.

Longer than other modules, because it is one list of refusals.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.hosts.sshd_server import Sshd, StartSshd, free_port, make_key

from slipway.errors import HostError, HostUnreachable
from slipway.hosts import channels
from slipway.hosts.local import LocalHost
from slipway.hosts.login import Login
from slipway.hosts.ssh import SshHost


def refused(host: SshHost) -> HostUnreachable:
    """The error of a first command, which must not run."""
    with pytest.raises(HostUnreachable) as caught:
        host.run(["true"], timeout=20)
    assert caught.value.exit_code == 4
    assert caught.value.hint
    return caught.value


@contextmanager
def answering(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """A port where a thread answers one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join(10)


def known_hosts_for(sshd: Sshd, folder: Path, key: str) -> str:
    """A known_hosts file that gives the server another key."""
    path = folder / "known_hosts"
    path.write_text(f"[127.0.0.1]:{sshd.login.port} {key}")
    return str(path)


def test_another_host_key_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    """A server with another key than the known one gets no login."""
    wrong = known_hosts_for(sshd, tmp_path, make_key(tmp_path / "other"))
    error = refused(sshd.host(known_hosts=wrong))
    assert "is not the known one" in error.message
    assert error.hint is not None
    assert f"ssh-keygen -R '[127.0.0.1]:{sshd.login.port}' -f {wrong}" in error.hint


def test_an_unknown_host_key_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    """A server that nobody has vouched for gets no login; its fingerprint is named."""
    empty = tmp_path / "known_hosts"
    empty.touch()
    listing = subprocess.run(
        ["ssh-keygen", "-lf", str(sshd.folder / "host_key.pub")],
        check=True, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    error = refused(sshd.host(known_hosts=str(empty)))
    assert "is not known here" in error.message
    assert listing.stdout.split()[1] in error.message
    assert empty.read_text() == ""


def test_a_key_that_is_not_authorized(sshd: Sshd, tmp_path: Path) -> None:
    """A login that the server refuses says whose, where and with which key."""
    make_key(tmp_path / "stranger")
    error = refused(sshd.host(key_file=str(tmp_path / "stranger")))
    assert f"refused the login of {sshd.login.user} with the key" in error.message


def test_a_missing_key_file(sshd: Sshd, tmp_path: Path) -> None:
    """A key file that isn't there is named."""
    error = refused(sshd.host(key_file=str(tmp_path / "gone")))
    assert f"{tmp_path}/gone can't be read (No such file" in error.message


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", bytes(range(256)), b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
     b"-----END OPENSSH PRIVATE KEY-----\n", b"-----BEGIN RSA PRIVATE KEY-----\n",
     b"-----BEGIN RSA PRIVATE KEY-----\n!!\n-----END RSA PRIVATE KEY-----\n"],
)  # fmt: skip
def test_a_broken_key_file(sshd: Sshd, tmp_path: Path, content: bytes) -> None:
    """A key file that holds no key is a sentence, whatever its bytes."""
    (tmp_path / "key").write_bytes(content)
    assert "can't be reached" in refused(sshd.host(key_file=str(tmp_path / "key"))).message


def test_a_key_with_a_passphrase(sshd: Sshd, tmp_path: Path) -> None:
    """A protected key names the agent."""
    key = tmp_path / "locked"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)],
        check=True, timeout=30,
    )  # fmt: skip
    error = refused(sshd.host(key_file=str(key)))
    assert "protected by a passphrase" in error.message
    assert error.hint == f"load it into the agent: ssh-add {key}"


@pytest.mark.parametrize("content", [None, b"127.0.0.1 ssh-ed25519 !!!\n", b"\xff\xfe\n"])
def test_a_broken_known_hosts_file(sshd: Sshd, tmp_path: Path, content: bytes | None) -> None:
    """A list of host keys that is missing or damaged never lets a server through."""
    path = tmp_path / "known"
    if content is not None:
        path.write_bytes(content)
    assert "can't be reached" in refused(sshd.host(known_hosts=str(path))).message


def test_a_port_where_nobody_listens(sshd: Sshd) -> None:
    """A refused connection says that no SSH server listens there."""
    port = free_port()
    assert f"127.0.0.1:{port} refused the connection" in refused(sshd.host(port=port)).message


def test_a_name_that_does_not_exist(sshd: Sshd) -> None:
    """A name nobody knows is told apart from a host that is off."""
    error = refused(sshd.host(address="no-such-host.invalid"))
    assert "'no-such-host.invalid' can't be resolved" in error.message


@pytest.mark.parametrize("address", ["a" * 70 + ".invalid", ".", "bad..name"])
def test_a_name_that_can_not_exist(sshd: Sshd, address: str) -> None:
    """A malformed name is a sentence too."""
    assert "can't be reached" in refused(sshd.host(address=address)).message


def test_a_server_that_hangs_up(sshd: Sshd) -> None:
    """A port that closes at once is told apart from a refused login."""
    with answering(lambda connection: None) as port:
        assert "is no SSH server" in refused(sshd.host(port=port)).message


def test_a_server_of_another_kind(sshd: Sshd) -> None:
    """A port that speaks HTTP is no SSH server."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n" * 200)
        connection.recv(1)

    with answering(answer) as port:
        assert "is no SSH server" in refused(sshd.host(port=port, timeout=5.0)).message


def test_nothing_but_the_error_is_said(sshd: Sshd) -> None:
    """Whatever goes wrong on the wire, the library's own log does not reach the terminal."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n" * 200)

    program = (
        "import sys\n"
        "from slipway.hosts.login import Login\n"
        "from slipway.hosts.ssh import SshHost\n"
        "try:\n    SshHost(eval(sys.argv[1])).run(['true'], timeout=5)\n"
        "except Exception as error:\n    print(type(error).__name__)\n"
    )
    with answering(answer) as port:
        done = subprocess.run(
            [sys.executable, "-c", program, repr(replace(sshd.login, port=port))],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert (done.stdout, done.stderr) == ("HostAway\n", "")


def test_a_server_that_says_nothing(sshd: Sshd) -> None:
    """A port that takes the connection and is silent ends after the time-out."""
    with answering(lambda connection: connection.recv(10_000) and connection.recv(1)) as port:
        assert "is no SSH server" in refused(sshd.host(port=port, timeout=1.0)).message


def test_a_killed_server_mid_stream(start_sshd: StartSshd) -> None:
    """When the connection dies in a stream it is an error at once, not silence."""
    server = start_sshd()
    host = server.host()

    def chunks() -> Iterator[bytes]:
        for number in range(10_000):
            if number == 20:
                server.kill_sessions()
            yield bytes(100_000)

    with pytest.raises(HostUnreachable, match="den is gone: the SSH connection broke"):
        host.stream(["sh", "-c", "cat >/dev/null"], chunks(), stall_timeout=60)


def test_a_lost_connection_is_opened_again(start_sshd: StartSshd) -> None:
    """Between two commands the connection may die; the next command gets a new one."""
    server = start_sshd()
    host = server.host()
    first = host.run(["sh", "-c", "echo $PPID"], timeout=20).text
    server.kill_sessions()
    assert host.run(["sh", "-c", "echo $PPID"], timeout=20).text != first
    host.close()


def test_one_connection_serves_many_commands(sshd: Sshd) -> None:
    """Commands share one connection, also from several threads."""
    host = sshd.host()
    before = (sshd.folder / "sshd.log").read_text().count("Accepted publickey")
    answers: list[str] = []

    def ask(number: int) -> None:
        answers.append(host.run(["echo", str(number)], timeout=30).text)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    host.close()
    assert sorted(answers) == [f"{n}\n" for n in range(6)]
    assert (sshd.folder / "sshd.log").read_text().count("Accepted publickey") == before + 1


def test_a_server_out_of_sessions(start_sshd: StartSshd) -> None:
    """A server that refuses to start a command says so, with a hint."""
    host = start_sshd("MaxSessions 0").host()
    with pytest.raises(HostUnreachable, match="refused to start a command"):
        host.run(["true"], timeout=20)
    host.close()


def test_a_command_that_may_not_be_run(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that opens a channel and then refuses the command is told apart from its output."""
    monkeypatch.setattr(channels, "_EXEC", "nothing that a server knows")
    host = sshd.host()
    for _ in range(2):
        assert "the SSH connection broke" in refused(host).message
    host.close()


def test_a_command_ended_by_a_signal(sshd: Sshd) -> None:
    """A signal that ends a streamed command is a code other than 0, not a lost connection."""
    host = sshd.host()
    done = host.stream(["sh", "-c", "kill -KILL $$"], [], stall_timeout=10)
    assert done.exit_code == 137
    assert host.run(["true"], timeout=20).ok
    host.close()


def test_a_child_left_behind_holds_nothing_up(sshd: Sshd, tmp_path: Path) -> None:
    """When a command ended, a child of it that keeps its pipes open isn't waited for."""
    host = sshd.host()
    child = tmp_path / "child"
    script = f"exec 3<&0; sleep 600 <&3 & echo $! >{child}; echo out; exit 9"
    endless = (bytes(1_000_000) for _ in range(1000))
    try:
        done = host.stream(["sh", "-c", script], endless, stall_timeout=300)
        assert (done.exit_code, done.stdout) == (9, b"out\n")
        assert Path(f"/proc/{int(child.read_text())}").exists()
    finally:
        os.kill(int(child.read_text()), signal.SIGKILL)
        host.close()


def test_no_secret_is_in_a_command_line(start_sshd: StartSshd, tmp_path: Path) -> None:
    """What is written to a file is in no command line and no environment on the host."""
    log = tmp_path / "seen"
    spy = tmp_path / "spy"
    spy.write_text(
        "#!/bin/sh\n"
        f'{{ printf "%s\\n" "$SSH_ORIGINAL_COMMAND"; env; }} >>{log}\n'
        f'sh -c "$SSH_ORIGINAL_COMMAND"\ncode=$?\n'
        f"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>{log}\nexit $code\n"
    )
    spy.chmod(0o755)
    host = start_sshd(f"ForceCommand {spy}").host()
    host.put(str(tmp_path / "file"), b"canary-8c1f", mode=0o400)
    assert host.read(str(tmp_path / "file")) == b"canary-8c1f"
    host.close()
    assert "slipway-put" in log.read_text(errors="replace")
    assert "canary-8c1f" not in log.read_text(errors="replace")


def test_a_put_cut_short_changes_nothing(start_sshd: StartSshd, tmp_path: Path) -> None:
    """When only part of a file arrives, the old file stays and nothing is left beside it."""
    cut = tmp_path / "cut"
    cut.write_text('#!/bin/sh\nhead -c 10 | sh -c "$SSH_ORIGINAL_COMMAND"\n')
    cut.chmod(0o755)
    host = start_sshd(f"ForceCommand {cut}").host()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_bytes(b"old")
    with pytest.raises(HostError, match="the file is as it was"):
        host.put(str(folder / "file"), b"new" * 100, mode=0o600)
    host.close()
    assert [(each.name, each.read_bytes()) for each in folder.iterdir()] == [("file", b"old")]


@pytest.fixture
def sudo_in_path(tmp_path: Path) -> Callable[[str], str]:
    """A function that makes a ``sudo`` with the given body; gives sshd's line for its PATH."""

    def make(body: str) -> str:
        (tmp_path / "sudo").write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / "sudo").chmod(0o755)
        return f"SetEnv PATH={tmp_path}:/usr/bin:/bin"

    return make


def test_sudo_that_asks_is_told_at_once(
    start_sshd: StartSshd, sudo_in_path: Callable[[str], str]
) -> None:
    """A login whose sudo wants a password is refused before any command."""
    login = start_sshd(sudo_in_path("echo sudo: a password is required >&2; exit 1")).login
    with pytest.raises(HostUnreachable, match="sudo runs no command for") as caught:
        SshHost(login, sudo=True).run(["true"], timeout=20)
    assert caught.value.details == ("sudo: a password is required",)


def test_sudo_that_asks_is_told_here_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sudo_in_path: Callable[[str], str]
) -> None:
    """On this machine too a refusal is told from a command that fails."""
    refusal = "echo sudo: a password is required >&2; exit 1"
    sudo_in_path(f'[ ! -e {tmp_path}/no ] || {{ {refusal}; }}; shift 2; exec "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert LocalHost(sudo=True).run(["false"], timeout=20, check=False).exit_code == 1
    (tmp_path / "no").touch()
    with pytest.raises(HostUnreachable, match="sudo runs no command for") as caught:
        LocalHost(sudo=True).run(["false"], timeout=20, check=False)
    assert caught.value.details == ("sudo: a password is required",)


def test_sudo_runs_each_command(start_sshd: StartSshd, sudo_in_path: Callable[[str], str]) -> None:
    """With sudo every command goes through `sudo -n --`, with the C locale kept."""
    body = '[ "$1 $2" = "-n --" ] || exit 99; shift 2; AS_ROOT=yes exec "$@"'
    host = SshHost(start_sshd(sudo_in_path(body)).login, sudo=True)
    assert host.run(["sh", "-c", "echo $AS_ROOT $LC_ALL"], timeout=20).text == "yes C\n"
    host.close()


def read_until(terminal: int, mark: bytes | None) -> bytes:
    """What appears on a terminal until ``mark`` does, or until it is closed; 120 s at most."""
    seen, deadline = b"", time.monotonic() + 120
    while mark is None or mark not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                return seen
    return seen


def test_a_terminal_is_passed_on(sshd: Sshd) -> None:
    """On a terminal the command there has one too, takes what is typed and gives its code."""
    login = sshd.login
    pid, master = pty.fork()
    if pid == 0:
        program = (
            "import sys\n"
            "from slipway.hosts.login import Login\n"
            "from slipway.hosts.ssh import SshHost\n"
            f"host = SshHost(Login('den', '127.0.0.1', {login.port}, {login.user!r},"
            f" {login.key_file!r}, {login.known_hosts!r}, False))\n"
            "script = 'test -t 0 && test -t 1 && echo ready && read it && echo got:$it && exit 6'\n"
            "sys.exit(host.interact(['sh', '-c', script]))\n"
        )
        os.execve(
            sys.executable,
            [sys.executable, "-c", program],
            {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    seen = read_until(master, b"ready")
    os.write(master, b"typed\n")
    seen += read_until(master, None)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 6, seen
    assert b"got:typed" in seen


def test_an_unused_host_closes() -> None:
    """Closing a host that was never used does nothing."""
    SshHost(Login("den", "127.0.0.1")).close()
