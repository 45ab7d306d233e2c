"""What a login shell says and does around a command, with a real sshd and real shells.

The server runs each command as sshd does for a user with that login shell: ``SHELL -c LINE``, with
a login file that prints.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.hosts.sshd_server import Sshd, StartSshd
from tests.integration.hosts.test_host_door import HOSTILE

from slipway.errors import CommandFailed, HostUnreachable
from slipway.hosts.ssh import SshHost

NOISE = "echo greeting; echo 'warning: {x} \\ !' >&2"
# Shell, its login file below the home folder (dash has none: a wrapper talks), how sshd runs it.
SHELLS = {
    "dash": ("none", "HOME={home} dash -c"),
    "bash": (".bashrc", "-u SHLVL HOME={home} bash -c"),
    "bash -x": (".bashrc", "-u SHLVL HOME={home} bash -xv -c"),
    "fish": (".config/fish/config.fish", "HOME={home} XDG_CONFIG_HOME={home}/.config fish -c"),
    "tcsh": (".tcshrc", "HOME={home} tcsh -c"),
}


def csh(script: str) -> str:
    """Without redirections of standard error, which csh has none of."""
    return script.replace("echo 'warning: {x} \\ !' >&2", "sh -c 'echo warning >&2'")


def shell_server(start: StartSshd, home: Path, name: str, script: str = NOISE) -> Sshd:
    """A server whose users have a login shell, with a login file."""
    file, program = SHELLS[name]
    (home / file).parent.mkdir(parents=True, exist_ok=True)
    (home / file).write_text((csh(script) if name == "tcsh" else script) + "\n")
    run = home / "run"
    run.write_text(
        f"#!/bin/sh\n{'' if name != 'dash' else NOISE}\n"
        f'exec env {program.format(home=home)} "$SSH_ORIGINAL_COMMAND"\n'
    )
    run.chmod(0o755)
    return start(f"ForceCommand {run}")


@pytest.fixture(params=SHELLS)
def talking(
    request: pytest.FixtureRequest, start_sshd: StartSshd, tmp_path: Path
) -> Iterator[SshHost]:
    """A host of each login shell in turn, whose login file prints on both outputs."""
    server = shell_server(start_sshd, tmp_path, request.param)
    login = server.login
    known = f"UserKnownHostsFile={login.known_hosts}"
    argv = ["ssh", "-F", "none", "-i", login.key_file, "-p", str(login.port), "-o", known]
    argv += [f"{login.user}@{login.address}", "true"]
    heard = subprocess.run(argv, capture_output=True, check=True, timeout=20)
    assert b"greeting" in heard.stdout, "the login file does not talk"
    assert b"warning" in heard.stderr, "the login file does not talk"
    host = server.host()
    yield host
    host.close()


def test_noise_is_no_output(talking: SshHost, tmp_path: Path) -> None:
    """Outputs, exit code and files are the command's alone, byte for byte."""
    script = "echo out; echo err >&2; exit 7"
    done = talking.run(["sh", "-c", script], timeout=20, check=False)
    assert (done.stdout, done.stderr, done.exit_code) == (b"out\n", b"err\n", 7)
    data = os.urandom(300_000)
    assert talking.run(["cat"], timeout=20, input=data).stdout == data
    assert talking.stream(["cat"], [data, b"end"], stall_timeout=20).stdout == data + b"end"
    talking.put(str(tmp_path / "a folder" / "file"), data, mode=0o600)
    assert talking.read(str(tmp_path / "a folder" / "file")) == data
    assert talking.read(str(tmp_path / "missing")) is None


def test_arguments_arrive_in_every_shell(talking: SshHost) -> None:
    """fish and csh read the same words as sh, a quote, a backslash, a new line and all."""
    words = (
        *HOSTILE,
        "a!b",
        "!x",
        "a\\",
        "\\'",
        "\n",
        "=x",
        "^",
        "[a]",
        "\\\\!'\n\"$x",
        "x" * 50_000,
    )
    done = talking.run(["printf", "%s\\0", *words], timeout=20)
    assert done.stdout.decode().split("\0")[:-1] == list(words)


def test_interaction_leaves_noise_out(
    talking: SshHost, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is passed on without a terminal is the command's output alone."""
    with open(os.devnull) as nothing:  # noqa: PTH123, a file with a number is needed
        monkeypatch.setattr(sys, "stdin", nothing)
        assert talking.interact(["sh", "-c", "echo out; echo err >&2; exit 3"]) == 3
    written = capfdbinary.readouterr()
    assert (written.out, written.err) == (b"out\n", b"err\n")


def test_words_after_the_command_are_no_output(start_sshd: StartSshd, tmp_path: Path) -> None:
    """A wrapper that talks after the command, and has a code of its own, changes nothing."""
    run = tmp_path / "run"
    run.write_text(
        '#!/bin/sh\necho before\nsh -c "$SSH_ORIGINAL_COMMAND"\n'
        "echo after; echo after >&2; exit 1\n"
    )
    run.chmod(0o755)
    host = start_sshd(f"ForceCommand {run}").host()
    done = host.run(["sh", "-c", "printf out; printf err >&2"], timeout=20)
    assert (done.stdout, done.stderr, done.exit_code) == (b"out", b"err", 0)
    assert host.run(["sh", "-c", "exit 5"], timeout=20, check=False).exit_code == 5
    host.close()


def test_a_slow_login_shell_costs_the_command_no_time(
    start_sshd: StartSshd, tmp_path: Path
) -> None:
    """Limits count from when the command begins, not from when its shell does."""
    host = shell_server(start_sshd, tmp_path, "bash", "sleep 2").host()
    assert host.run(["sh", "-c", "exit 124"], timeout=1, check=False).exit_code == 124
    data = [bytes(1_000_000)] * 12
    done = host.stream(["wc", "-c"], data, stall_timeout=0.5)
    assert done.text.strip() == "12000000"
    with pytest.raises(CommandFailed, match="ran out of time"):
        host.run(["sleep", "20"], timeout=1)
    host.close()


def test_a_login_without_a_shell_is_told(start_sshd: StartSshd) -> None:
    """An account that may not run commands is refused in its shell's own words."""
    host = start_sshd("ForceCommand echo This account is not available; exit 1").host()
    with pytest.raises(HostUnreachable, match="its login shell ran no command") as caught:
        host.read("/etc/passwd")
    assert caught.value.details == ("This account is not available",)
    assert caught.value.exit_code == 4
    host.close()


def test_one_session_at_a_time(start_sshd: StartSshd, tmp_path: Path) -> None:
    """With MaxSessions 1 every command is run, one after the other, from several threads too."""
    host = start_sshd("MaxSessions 1").host()
    for number in range(12):
        assert host.run(["echo", str(number)], timeout=20).text == f"{number}\n"
    host.put(str(tmp_path / "file"), b"x" * 100_000, mode=0o600)
    assert host.read(str(tmp_path / "file")) == b"x" * 100_000
    answers: list[str] = []

    def ask(number: int) -> None:
        answers.append(host.run(["sh", "-c", f"sleep 0.2; echo {number}"], timeout=20).text)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [f"{number}\n" for number in range(5)]

    def chunks() -> Iterator[bytes]:
        yield b"a"
        host.run(["true"], timeout=20)

    with pytest.raises(HostUnreachable, match="refused to start a command"):
        host.stream(["cat"], chunks(), stall_timeout=20)
    assert host.run(["true"], timeout=20).ok
    host.close()


def test_nothing_is_asked_before_the_first_command(start_sshd: StartSshd, tmp_path: Path) -> None:
    """Each command is one session, the first one with sudo too."""
    log = tmp_path / "log"
    run = tmp_path / "run"
    run.write_text(f'#!/bin/sh\necho session >>{log}\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n')
    (tmp_path / "sudo").write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    for program in ("run", "sudo"):
        (tmp_path / program).chmod(0o755)
    server = start_sshd(f"ForceCommand {run}", f"SetEnv PATH={tmp_path}:/usr/bin:/bin")
    host = SshHost(server.login, sudo=True)
    host.run(["true"], timeout=20)
    host.put(str(tmp_path / "file"), b"x", mode=0o600)
    assert log.read_text() == "session\n" * 2
    host.close()


SUDO = {
    "sudo: sorry, you must have a tty to run sudo": "Defaults requiretty\nroot ALL=(ALL) ALL\n",
    "is not in the sudoers file": "somebody ALL=(ALL) ALL\n",
    "": "root ALL=(ALL:ALL) NOPASSWD: ALL\n",
}


@pytest.mark.skipif(os.geteuid() != 0, reason="a sudoers file of its own needs root")
@pytest.mark.parametrize("words", SUDO)
def test_real_sudo_in_its_own_words(start_sshd: StartSshd, tmp_path: Path, words: str) -> None:
    """What sudo itself says is in the error; a refusal is told from a command that fails."""
    sudoers = tmp_path / "sudoers"
    sudoers.write_text(SUDO[words])
    sudoers.chmod(0o440)
    run = tmp_path / "run"
    run.write_text(
        "#!/bin/sh\necho greeting; echo noise >&2\n"
        f"exec unshare -m sh -c 'mount --bind {sudoers} /etc/sudoers && "
        'exec sh -c "$SSH_ORIGINAL_COMMAND"\'\n'
    )
    run.chmod(0o755)
    host = SshHost(start_sshd(f"ForceCommand {run}").login, sudo=True)
    if not words:
        done = host.run(["sh", "-c", "id -u; echo $LC_ALL; exit 1"], timeout=20, check=False)
        assert (done.stdout, done.stderr, done.exit_code) == (b"0\nC\n", b"", 1)
    else:
        with pytest.raises(HostUnreachable, match="sudo runs no command for") as caught:
            host.run(["false"], timeout=20, check=False)
        assert any(words in line for line in caught.value.details)
        assert "noise" not in caught.value.details
    host.close()
