"""Marks around a command, and lines that every login shell reads alike."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.errors import HostError
from slipway.hosts.frame import Unframed, framed, line, new_mark, quote

ARGUMENT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
MARK = "0123456789abcdef"


def taken(output: bytes, cut: int) -> tuple[bytes, Unframed]:
    """What of an output that comes in pieces of ``cut`` bytes is the command's."""
    got: list[bytes] = []
    frame = Unframed(MARK, got.append)
    for at in range(0, len(output), cut):
        frame.feed(output[at : at + cut])
    frame.close()
    assert b"" not in got
    return b"".join(got), frame


@given(ARGUMENT.filter(lambda text: "\n" not in text))
def test_a_quoted_word_is_one_word(word: str) -> None:
    """Whatever it holds, a shell reads exactly it."""
    assert shlex.split(quote(word)) == [word]


def test_what_shells_read_differently_stands_outside_of_quotes() -> None:
    """A backslash, an exclamation mark and a quote are written as all shells read them."""
    assert quote("a\\b!c'd $e") == "'a'\\\\'b'\\!'c'\"'\"'d $e'"
    assert (quote(""), quote("plain-1.2/x")) == ("''", "plain-1.2/x")


@settings(max_examples=30)
@given(st.lists(ARGUMENT, min_size=1))
def test_a_shell_reads_exactly_the_arguments(argv: list[str]) -> None:
    """New lines too, of which csh has none inside of quotes, arrive as they are."""
    script = line(["printf", "%s\\0", *argv])
    assert "\n" not in script
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=20)
    assert done.stdout == "".join(f"{word}\0" for word in argv).encode()


def test_a_line_does_not_hold_its_mark() -> None:
    """A shell that repeats what it reads can't be taken for the command."""
    mark = new_mark()
    for root in ((), ("sudo", "-n", "--")):
        sent = framed(["true"], mark, root=root)
        assert mark in sent
        assert not any(mark + sign in sent for sign in "?<>")
    assert mark != new_mark()


def test_a_nul_byte_is_refused() -> None:
    """What no program can be given is refused before it is sent."""
    with pytest.raises(HostError, match="NUL byte"):
        framed(["echo", "a\0b"], MARK)


@given(st.binary(), st.binary(), st.binary(), st.integers(0, 255), st.integers(1, 40))
def test_only_what_stands_between_the_marks_counts(
    before: bytes, output: bytes, after: bytes, code: int, cut: int
) -> None:
    """However the bytes come in, noise around the output is left out and no byte of it is lost."""
    mark = MARK.encode()
    said = before + mark + b"<" + output + mark + b">%d;" % code + after
    got, frame = taken(said, cut)
    assert (got, frame.begun, frame.code, frame.noise) == (output, True, code, before)


@pytest.mark.parametrize("cut", [1, 5, 1000])
def test_half_a_mark_is_output(cut: int) -> None:
    """What looks like the beginning of a mark is the command's when it is none."""
    said = f"{MARK}<{MARK}{MARK}<{MARK[:5]}".encode()
    got, frame = taken(said, cut)
    assert (got, frame.code) == (f"{MARK}{MARK}<{MARK[:5]}".encode(), None)


def test_output_is_passed_on_at_once() -> None:
    """Only the beginning of a mark is held back: a log that is followed appears line by line."""
    got: list[bytes] = []
    frame = Unframed(MARK, got.append)
    frame.feed(f"{MARK}<one\n".encode())
    assert got == [b"one\n"]
    frame.feed(f"two{MARK[:1]}".encode())
    assert got == [b"one\n", b"two"]


@given(st.text("0123456789abcdef>;x").filter(lambda text: MARK not in text), st.integers(1, 8))
def test_what_is_held_back_comes_when_nothing_more_does(output: str, cut: int) -> None:
    """Somebody may wait for it before they say more; no byte of it comes twice."""
    got: list[bytes] = []
    frame = Unframed(MARK, got.append)
    frame.feed(f"{MARK}<".encode())
    for at in range(0, len(output), cut):
        frame.feed(output[at : at + cut].encode())
        frame.quiet()
        assert not frame.holds
        assert b"".join(got) == output[: at + cut].encode()
    frame.feed(f"{MARK}>7;".encode())
    frame.close()
    assert (b"".join(got), frame.code) == (output.encode(), 7)


@pytest.mark.parametrize("cut", range(1, len(MARK) + 1))
def test_a_mark_with_a_pause_in_it_is_one(cut: int) -> None:
    """Its beginning has been passed on by then; the code is known."""
    got: list[bytes] = []
    frame, end = Unframed(MARK, got.append), f"{MARK}>7;after"
    frame.feed(f"{MARK}<out".encode())
    frame.feed(end[:cut].encode())
    frame.quiet()
    frame.feed(end[cut:].encode())
    frame.close()
    assert (b"".join(got), frame.code) == (f"out{MARK[:cut]}".encode(), 7)


def test_the_words_of_sudo_are_told_from_the_shells() -> None:
    """After the mark of the question the words are sudo's; what came before is not kept."""
    _, frame = taken(f"welcome\n{MARK}?sudo: a password is required\n".encode(), 3)
    assert (frame.asked, frame.begun) == (True, False)
    assert frame.noise == b"sudo: a password is required\n"


def test_noise_without_end_is_not_kept() -> None:
    """Of a shell that talks and talks only the last words are kept."""
    _, frame = taken(b"x" * 100_000 + b"end", 4096)
    assert len(frame.noise) <= 8192
    assert frame.noise.endswith(b"end")
