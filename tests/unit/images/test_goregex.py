"""Go's regular expressions."""

from __future__ import annotations

import os

import pytest

from slipway.images.goregex import GoRegex, UnsupportedRegex

# What Go 1.26's regexp.ReplaceAll answers, recorded.
RECORDED = [
    ("a*", "baaac", "X", "XbXcX"),
    ("^/nix/store/x", "/nix/store/x/y", "", "/y"),
    ("a$", "a\na\n", "X", "a\na\n"),
    ("a$", "ba", "X", "bX"),
    (".", "é\udcffa", "-", "---"),
    ("[^/]+", "/é/b", "n", "/n/n"),
    (r"\w+", "é_a1", "W", "éW"),
    ("a*?", "aa", "X", "XaXaX"),
    ("(?:a|ab)c?", "abc", "X", "Xbc"),
    ("b*", "abb", "-", "-a-"),
    ("^", "ab", "/", "/ab"),
    ("x*", "", "y", "y"),
]


@pytest.mark.parametrize(("pattern", "path", "replacement", "expected"), RECORDED)
def test_replaces_as_go_does(pattern: str, path: str, replacement: str, expected: str) -> None:
    """A replacement gives what Go gives, also for empty matches and bytes that are no UTF-8."""
    replaced = GoRegex(pattern).replaced(os.fsencode(path), os.fsencode(replacement))
    assert replaced == os.fsencode(expected)


def test_finds_anywhere_in_the_path() -> None:
    """A rule's expression matches anywhere, not only at the start."""
    assert GoRegex("/bin/.").found_in(b"/nix/store/x/bin/y")
    assert not GoRegex("^/bin").found_in(b"/nix/store/x/bin/y")


@pytest.mark.parametrize(
    "pattern",
    [r"\Qa.b\E", r"\pL", r"\s", r"\z", "(?i)a", "(?P<n>a)", "[[:alpha:]]", "a{", "a**", "a++", "("],
)
def test_refuses_what_go_and_python_read_differently(pattern: str) -> None:
    """An expression outside the common part is refused, not guessed at."""
    with pytest.raises(UnsupportedRegex):
        GoRegex(pattern)


def test_accepts_an_escaped_store_path() -> None:
    """The escaped store paths that rewrites are made of are read."""
    pattern = r"^/nix/store/0abc-libstdc\+\+6-14\.2\.0_x~deb\?"
    assert GoRegex(pattern).replaced(b"/nix/store/0abc-libstdc++6-14.2.0_x~deb?/a", b"") == b"/a"
