"""Command lines for hosts."""

from __future__ import annotations

import pytest

from slipway.doors import Completed
from slipway.errors import CommandFailed, HostError
from slipway.hosts import command


def test_wrapped_puts_the_limit_inside_sudo() -> None:
    """What ends it runs as root too, or it could not."""
    limited = command.wrapped(["id"], sudo=True, timeout=1.2)
    assert limited[:7] == ("env", "LC_ALL=C", "sudo", "-n", "--", "sh", "-c")
    assert limited[8:] == ("limit", "2", "id")
    assert command.wrapped(["id"], sudo=False, timeout=None) == ("env", "LC_ALL=C", "id")


@pytest.mark.parametrize(
    ("code", "seconds", "expected"),
    [
        (124, 3.1, True),
        (137, 8.0, True),
        (143, 3.1, True),
        (124, 1.6, True),
        (124, 1.4, False),
        (1, 9.0, False),
        (0, 9.0, False),
    ],
)
def test_running_out_of_time_is_told_by_code_and_time(
    code: int, seconds: float, expected: bool
) -> None:
    """Only a code of `timeout`, and not at once, means that it struck."""
    assert command.ran_out(code, seconds, 2.5) is expected


def test_this_side_waits_longer_than_the_host() -> None:
    """The host's own answer comes before this side gives up."""
    assert command.client_limit(0.1) > 1 + 5


def test_the_content_is_not_in_the_command() -> None:
    """Of a file's content only its size is in the command line."""
    argv = command.put_argv("/a/b", 3, mode=0o400, owner=568)
    assert argv[3:] == ("slipway-put", "/a/b", "0400", "568", "3")
    assert command.put_argv("/a/b", 3, mode=0o644, owner=None)[-2] == "-"


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (command.SHORT, HostError, "not all bytes arrived"),
        (1, CommandFailed, "`write /a/b` on den ended with code 1"),
    ],
)
def test_what_a_failed_put_means(code: int, kind: type[HostError], words: str) -> None:
    """Each way to fail has its own sentence, without the script's text."""
    with pytest.raises(kind, match=words):
        command.check_put(Completed(("sh", "-c"), code, b"", b"no"), "/a/b", where="den")


def test_what_reading_a_file_means() -> None:
    """Missing is None, a locked folder and other failures are errors, content is bytes."""

    def result(code: int) -> bytes | None:
        return command.read_result(Completed((), code, b"data", b""), "/a/b", where="den")

    assert result(0) == b"data"
    assert result(command.MISSING) is None
    with pytest.raises(HostError, match="may not enter its folder"):
        result(command.UNSEARCHABLE)
    with pytest.raises(CommandFailed, match="`read /a/b` on den"):
        result(1)
