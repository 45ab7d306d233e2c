"""Prints: data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import time

#: A line of progress is not drawn more often than this, in seconds.
REDRAW_S = 0.1


def data(text: str) -> None:
    """Print what was asked for; at once, for who reads may be a program that waits for it."""
    print(text, flush=True)  # noqa: T201


def data_json(value: object) -> None:
    """Print what was asked for, as JSON."""
    data(json.dumps(value, ensure_ascii=False, indent=2))


def json_line(value: object) -> None:
    """Print one of several values as JSON that has a line of its own."""
    data(json.dumps(value, ensure_ascii=False))


def note(text: str) -> None:
    """Tell the person something beside the data."""
    print(text, file=sys.stderr)  # noqa: T201


def size(number: float) -> str:
    """Return a number of bytes for people; steps of a thousand, as disks are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.95 or unit == "GB":
            break
        number /= 1000
    return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"


def transfer(done: int, total: int, new: int, seconds: float) -> str:
    """Say how far a transfer is.

    Args:
        done: bytes that are there.
        total: bytes that there will be.
        new: those of ``done`` that came now, and not in an earlier try.
        seconds: how long ``new`` took.

    """
    per_cent = 100 * done // total if total else 100
    rate = f"  {size(new / seconds)}/s" if seconds > 0 else ""
    return f"{size(done)} of {size(total)}  {per_cent} %{rate}"


class _Line:
    """A line that rewrites itself on a terminal; elsewhere nothing is written."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._live = sys.stderr.isatty()
        self._drawn_at = -REDRAW_S

    def end(self) -> None:
        """Leave the line."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _due(self) -> bool:
        now = time.monotonic()
        if not self._live or now - self._drawn_at < REDRAW_S:
            return False
        self._drawn_at = now
        return True

    def _draw(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{self._what}  {text}")
        sys.stderr.flush()


class Percent(_Line):
    """Shows per cent."""

    def __call__(self, per_cent: int) -> None:
        """Show how far it is."""
        if self._due():
            self._draw(f"{per_cent:3d} %")


class Bytes(_Line):
    """Shows bytes, per cent and the rate of a transfer."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self._before: int | None = None
        self._began = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` bytes are there; the first call says where it begins."""
        if self._before is None:
            self._before, self._began = done, time.monotonic()
        if self._due():
            new = done - self._before
            self._draw(transfer(done, total, new, time.monotonic() - self._began))
