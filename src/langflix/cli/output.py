"""Prints: data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys


def data(text: str) -> None:
    """Print what was asked for."""
    print(text)  # noqa: T201


def data_json(value: object) -> None:
    """Print what was asked for, as JSON."""
    data(json.dumps(value, ensure_ascii=False, indent=2))


def note(text: str) -> None:
    """Tell the person something beside the data."""
    print(text, file=sys.stderr)  # noqa: T201


class Percent:
    """A progress line that rewrites itself on a terminal and is silent elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._live = sys.stderr.isatty()

    def __call__(self, per_cent: int) -> None:
        """Show how far it is."""
        if self._live:
            sys.stderr.write(f"\r{self._what} {per_cent:3d} %")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
