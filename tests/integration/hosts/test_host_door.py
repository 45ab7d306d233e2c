"""What the door promises, kept by both hosts: this machine and one behind a real sshd."""

from __future__ import annotations

import hashlib
import os
import queue
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.hosts.sshd_server import Sshd

from slipway.doors import Host
from slipway.errors import CommandFailed, HostError, HostUnreachable
from slipway.hosts.local import LocalHost

HOSTILE = (
    "two words", "", "'", '"', "$HOME", "`id`", "$(id)", ";id", "&", "|", "*", "~", "\\", "a\nb",
    "-n", "#", "!!", "é€字", "\t", "{a,b}", "%s", "\\n",
)  # fmt: skip


@pytest.fixture(params=["ssh", "local"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Host]:
    """Each kind of host in turn."""
    if request.param == "local":
        yield LocalHost("den")
        return
    server: Sshd = request.getfixturevalue("sshd")
    host = server.host()
    yield host
    host.close()


def test_output_error_and_code_come_back(anywhere: Host) -> None:
    """A command's two outputs stay apart and its exit code is kept."""
    done = anywhere.run(["sh", "-c", "echo out; echo err >&2; exit 7"], timeout=20, check=False)
    assert (done.stdout, done.stderr, done.exit_code) == (b"out\n", b"err\n", 7)


def test_failure_raises_when_checked(anywhere: Host) -> None:
    """A checked command that fails raises with its code and its last lines."""
    with pytest.raises(CommandFailed, match="den ended with code 3") as caught:
        anywhere.run(["sh", "-c", "echo because >&2; exit 3"], timeout=20)
    assert caught.value.details == ("because",)
    assert caught.value.command_exit_code == 3


def test_a_missing_program_ends_with_127(anywhere: Host) -> None:
    """A program that isn't there is a failed command, not a broken host."""
    assert anywhere.run(["no-such-program-here"], timeout=20, check=False).exit_code == 127


def test_hostile_arguments_arrive_unchanged(anywhere: Host) -> None:
    """No shell on the way reads anything into an argument."""
    done = anywhere.run(["printf", "%s\\0", *HOSTILE], timeout=20)
    assert done.stdout.decode().split("\0")[:-1] == list(HOSTILE)


def test_a_nul_byte_is_refused(anywhere: Host) -> None:
    """An argument that no program can be given is a sentence, not a traceback."""
    with pytest.raises(HostError, match="NUL byte"):
        anywhere.run(["echo", "a\0b"], timeout=20)


def test_five_megabytes_pass_unchanged_both_ways(anywhere: Host) -> None:
    """Input and output are bytes, in any amount, without a deadlock."""
    data = os.urandom(5_000_000)
    assert anywhere.run(["cat"], timeout=60, input=data).stdout == data


def test_large_output_on_both_channels(anywhere: Host) -> None:
    """Neither output can block the other."""
    script = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"
    done = anywhere.run(["sh", "-c", script], timeout=60)
    assert (len(done.stdout), len(done.stderr)) == (3_000_000, 3_000_000)


def test_input_that_nobody_reads_is_no_error(anywhere: Host) -> None:
    """A command may end without reading its input."""
    assert anywhere.run(["true"], timeout=20, input=bytes(3_000_000)).ok


def test_language_is_fixed(anywhere: Host) -> None:
    """Commands run with the C locale."""
    assert anywhere.run(["printenv", "LC_ALL"], timeout=20).text == "C\n"


def test_a_slow_command_is_stopped_on_the_host(anywhere: Host, tmp_path: Path) -> None:
    """After its time limit a command is dead on the host too, not only given up here."""
    pid_file = tmp_path / "pid"
    script = f"echo $$ > {pid_file}; exec sleep 600"
    with pytest.raises(CommandFailed, match="ran out of time"):
        anywhere.run(["sh", "-c", script], timeout=1)
    assert not Path(f"/proc/{int(pid_file.read_text())}").exists()
    assert anywhere.run(["echo", "still here"], timeout=20).text == "still here\n"


def test_code_124_of_a_command_is_its_own(anywhere: Host) -> None:
    """A quick command that ends with the code of `timeout` didn't run out of time."""
    assert anywhere.run(["sh", "-c", "exit 124"], timeout=20, check=False).exit_code == 124


def test_stream_feeds_chunks_in_order(anywhere: Host) -> None:
    """Every byte of every chunk arrives once, in order."""
    chunks = [os.urandom(100_000) for _ in range(40)]
    done = anywhere.stream(["sha256sum"], iter(chunks), stall_timeout=20)
    assert done.text.split()[0] == hashlib.sha256(b"".join(chunks)).hexdigest()


def test_stream_has_back_pressure(anywhere: Host, tmp_path: Path) -> None:
    """Chunks are taken only as fast as the command reads them."""
    gate = tmp_path / "gate"
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(400):
            taken += 1
            yield bytes(100_000)

    def open_gate() -> None:
        last, deadline = -1, time.monotonic() + 60
        while (taken == 0 or taken != last) and time.monotonic() < deadline:
            last = taken
            time.sleep(0.5)
        seen.append(taken)
        gate.touch()

    seen: list[int] = []
    opener = threading.Thread(target=open_gate)
    opener.start()
    script = f"while [ ! -e {gate} ]; do sleep 0.05; done; wc -c"
    done = anywhere.stream(["sh", "-c", script], chunks(), stall_timeout=30)
    opener.join()
    assert done.text.strip() == "40000000"
    assert 0 < seen[0] < 200


def test_stream_that_stalls_is_given_up(anywhere: Host) -> None:
    """A command that takes no byte for the set time ends the stream with a sentence."""
    endless = (bytes(1_000_000) for _ in range(1000))
    with pytest.raises(HostUnreachable, match="took no byte for 1 s"):
        anywhere.stream(["sleep", "20"], endless, stall_timeout=1)


def test_stream_ends_when_the_command_does(anywhere: Host) -> None:
    """A command that fails midway ends the stream; its code and its words are the answer."""
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield bytes(1_000_000)

    script = "head -c 1000000 >/dev/null; echo 'no space left' >&2; exit 9"
    done = anywhere.stream(["sh", "-c", script], chunks(), stall_timeout=20)
    assert (done.exit_code, done.stderr) == (9, b"no space left\n")
    assert sent < 1000


def test_a_slow_source_is_no_stall(anywhere: Host) -> None:
    """Only the host's slowness counts as a stall, not the time a chunk takes to be made."""

    def chunks() -> Iterator[bytes]:
        yield b"a"
        time.sleep(1.5)
        yield b"b"

    assert anywhere.stream(["cat"], chunks(), stall_timeout=0.5).stdout == b"ab"


def test_an_error_of_the_source_passes_through(anywhere: Host) -> None:
    """When making a chunk fails, that error is seen, and the host can be used again."""

    def chunks() -> Iterator[bytes]:
        yield bytes(100)
        raise KeyError("digest differs")

    with pytest.raises(KeyError, match="digest differs"):
        anywhere.stream(["cat"], chunks(), stall_timeout=5)
    assert anywhere.run(["true"], timeout=20).ok


def test_a_dialogue_never_waits_for_a_byte(anywhere: Host) -> None:
    """Each answer comes before the next question, whatever it ends with."""
    answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def questions() -> Iterator[bytes]:
        for word in "0123456789abcdef":
            yield word.encode()
            assert answers.get(timeout=30) == word.encode()

    echo = "import os\nwhile data := os.read(0, 1): os.write(1, data)"
    done = anywhere.pipe((sys.executable, "-c", echo), questions(), answers.put)
    assert done.exit_code == 0


def test_put_then_read(anywhere: Host, tmp_path: Path) -> None:
    """A file is written with its mode, folders made, and read back unchanged."""
    path = tmp_path / "new folder" / "it's" / "file"
    data = os.urandom(300_000)
    anywhere.put(str(path), data, mode=0o640)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert anywhere.read(str(path)) == data
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_put_replaces_by_rename(anywhere: Host, tmp_path: Path) -> None:
    """A reader that has the old file open keeps all of it: the new one is another file."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        anywhere.put(str(path), b"new", mode=0o600)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


def test_put_of_nothing(anywhere: Host, tmp_path: Path) -> None:
    """An empty file is a file."""
    anywhere.put(str(tmp_path / "empty"), b"", mode=0o600)
    assert anywhere.read(str(tmp_path / "empty")) == b""


def test_put_over_a_folder_fails_clean(anywhere: Host, tmp_path: Path) -> None:
    """A folder of that name is an error and stays as it is; nothing is left beside it."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(CommandFailed, match=r"`write .*taken` on den"):
        anywhere.put(str(tmp_path / "taken"), b"x", mode=0o600)
    assert [each.name for each in tmp_path.rglob("*")] == ["taken"]


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/folder/"])
def test_put_wants_an_absolute_path(anywhere: Host, path: str) -> None:
    """A path that could mean another place is refused before anything is sent."""
    with pytest.raises(HostError, match="absolute path"):
        anywhere.put(path, b"x", mode=0o600)


def test_put_gives_the_file_away(anywhere: Host, tmp_path: Path) -> None:
    """With an owner the file is that user's (only root can; it is this user's own here else)."""
    owner = 568 if os.geteuid() == 0 else os.geteuid()
    anywhere.put(str(tmp_path / "file"), b"x", mode=0o400, owner=owner)
    assert (tmp_path / "file").stat().st_uid == owner


def test_a_missing_file_is_none(anywhere: Host, tmp_path: Path) -> None:
    """A file that isn't there is no error, nor is a missing folder."""
    assert anywhere.read(str(tmp_path / "gone")) is None
    assert anywhere.read(str(tmp_path / "no" / "such" / "folder")) is None


def test_a_folder_is_no_file(anywhere: Host, tmp_path: Path) -> None:
    """Reading a folder fails; it isn't taken for a missing file."""
    with pytest.raises(CommandFailed, match=r"`read .*` on den"):
        anywhere.read(str(tmp_path))


def test_interact_passes_the_exit_code(
    anywhere: Host, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal, input and output pass as bytes and the exit code is returned."""
    reading, writing = os.pipe()
    data = bytes(range(256)) * 40
    os.write(writing, data)
    os.close(writing)
    saved = os.dup(0)
    os.dup2(reading, 0)
    try:
        with os.fdopen(reading, "r") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            code = anywhere.interact(["sh", "-c", "cat; exit 4"])
    finally:
        os.dup2(saved, 0)
        os.close(saved)
    assert code == 4
    assert capfdbinary.readouterr().out == data


def test_what_is_left_behind_keeps_its_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes at once; sudo is there until the process it left has ended."""
    sudo = tmp_path / "bin/sudo"
    sudo.parent.mkdir()
    sudo.write_text(f'#!/bin/sh\nshift 2\n"$@"\ncode=$?\n: >{tmp_path}/gone\nexit $code\n')
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sudo.parent}:{os.environ['PATH']}")
    script = (
        'cat; echo no >&2; (while [ ! -e "$1/go" ]; do sleep 0.05; done; : >"$1/over") '
        ">/dev/null 2>&1 </dev/null & exit 3"
    )
    host = LocalHost("here", sudo=True)
    done = host.launch(("sh", "-c", script, "x", str(tmp_path)), timeout=30, input=b"asked\n")
    assert (done.exit_code, done.stdout, done.stderr) == (3, b"asked\n", b"no\n")
    assert not (tmp_path / "gone").exists()
    (tmp_path / "go").touch()
    for _ in range(600):
        if (tmp_path / "gone").exists():
            break
        time.sleep(0.05)
    assert (tmp_path / "over").exists()
    assert (tmp_path / "gone").exists()


def test_a_sudo_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for then."""
    sudo = tmp_path / "sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(HostUnreachable, match="sudo"):
        LocalHost("here", sudo=True).launch(("true",), timeout=30, input=b"")
