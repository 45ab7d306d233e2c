"""Go's regular expressions, as far as a description of a layer needs them.

nix2container rewrites paths and picks owners with Go regular expressions. Python reads most of
them the same way, but not all; an expression that the two could read differently is refused,
because a layer built from a misread one would have another digest.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# ASCII punctuation is safe to escape in both; of the classes only \d and \w mean the same.
_ESCAPE: Final = r"\\[!-/:-@\[-`{-~dDwW]"
_CLASS: Final = rf"\[\^?(?:[^\[\]\\&|~^-]|-(?!-)|{_ESCAPE})+\]"
_TOKEN: Final = re.compile(
    rf"(?P<dollar>\$)|{_ESCAPE}|{_CLASS}|\(\?:|\((?!\?)|[|)^.]"
    r"|(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??(?![*+?{])|[^\\\[\](){}*+?|^$.]"
)


class UnsupportedRegex(ValueError):
    """The expression might mean something else in Go than here."""


class GoRegex:
    """A Go regular expression on file paths.

    Args:
        pattern: the expression.

    Raises:
        UnsupportedRegex: it is outside the part that Go and Python read alike.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = _compiled(pattern)

    def found_in(self, path: bytes) -> bool:
        """Whether it matches anywhere in ``path``."""
        return self._pattern.search(_text(path)) is not None

    def replaced(self, path: bytes, replacement: bytes) -> bytes:
        """``path`` with every match replaced by ``replacement``, taken as it is.

        As Go does it: after a match of nothing the search goes on one character later, and a
        match of nothing right after another match is left out. Python's own ``sub`` differs.
        """
        text = _text(path)
        parts: list[bytes] = []
        at = end = 0
        while at <= len(text) and (match := self._pattern.search(text, at)):
            parts.append(_bytes(text[end : match.start()]))
            if match.end() > end or match.start() == 0:
                parts.append(replacement)
            end = match.end()
            at = max(at + 1, end)
        return b"".join((*parts, _bytes(text[end:])))


# Images share layers, and so their rules.
@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise UnsupportedRegex(f"has {pattern[at : at + 6]!r}, which is not supported")
        # Go's $ is the end of the text; Python's also matches before a last line feed.
        parts.append(r"\Z" if token["dollar"] else token[0])
        at = token.end()
    try:
        return re.compile("".join(parts), re.ASCII)
    except re.error as error:
        raise UnsupportedRegex(f"is no regular expression: {error}") from error


def _text(path: bytes) -> str:
    # Each byte that is no UTF-8 counts as one character, in Go as here.
    return path.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
