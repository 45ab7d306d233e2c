"""The progress bar of ``midclt -j``, on standard error.

Source: ``truenas_api_client/utils.py`` of the client.
"""

from __future__ import annotations

import sys
from typing import Any

_WIDTH = 40


class ProgressBar:
    """Two lines that are drawn anew at each change."""

    def __init__(self) -> None:
        self._share = 0.0
        self._text = ""
        self._used = False

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._used:
            self._draw()
            sys.stderr.write("\n")

    def follow(self, job: dict[str, Any]) -> None:
        """A job's change."""
        self.update(job["progress"]["percent"], job["progress"]["description"])

    def update(self, percent: float | None, text: str | None) -> None:
        """Show how far it is, and what it does."""
        if not self._used:
            sys.stderr.write("\n")
            self._used = True
        if percent:
            self._share = percent / 100
        if text:
            self._text = text
        self._draw()

    def finish(self) -> None:
        """It is done."""
        self._share = 1

    def _draw(self) -> None:
        filled = int(self._share * _WIDTH)
        bar = "#" * filled + "_" * (_WIDTH - filled)
        sys.stderr.write("\033[2K\033[A\033[2K\r")
        sys.stderr.write(f"Status: {(self._text or '(none)').strip()}\n")
        sys.stderr.write(f"Total Progress: [{bar}] {self._share:.2%}")
        sys.stderr.flush()
