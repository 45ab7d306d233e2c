"""A value that never shows itself."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """A text that prints as ``***`` in every form but ``reveal()``.

    It can't be pickled, and ``json`` refuses it, so it can't reach a file by accident.

    Args:
        text: the secret itself.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; the one way out, so that one search finds every use."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret can't be pickled or copied; pass its name instead")
