"""What people see: lines on standard error, data on standard output.

Nothing else in slipway prints. Colours appear only on a terminal and never carry meaning alone;
``NO_COLOR`` is obeyed. Progress is redrawn in place on a terminal and printed as a line now and
then elsewhere, so that a log stays readable. Where nothing moves for a while, that is shown, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TextIO

from slipway.errors import SlipwayError

_REDRAW_S = 0.1
#: Seconds between two lines of a count where that is no terminal.
LOG_LINE_S = 5.0
#: Seconds between two looks whether a count stands still.
LOOK_S = 1.0


def human_bytes(count: int) -> str:
    """A byte count for people: ``1.5 MB`` (powers of 1000, as disks and networks are sold)."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: the loop returns at GB")


def table(rows: Sequence[Sequence[str]], *, head: Sequence[str]) -> str:
    """Columns padded to the widest cell, with a heading line."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join(lines)


class Progress(Protocol):
    """A running count that somebody may be watching."""

    def advance(self, amount: int, note: str = "") -> None:
        """Count ``amount`` more; ``note`` says what is being worked on."""

    def expect(self, amount: int) -> None:
        """There are ``amount`` more to count than was thought."""

    def still(self) -> None:
        """Show for how long nothing was counted, when nothing was shown for a while."""

    def done(self) -> None:
        """Finish the line."""


@contextmanager
def alive(progress: Progress, every_s: float = LOOK_S) -> Iterator[None]:
    """Have a count be shown also while nothing is counted: work may stand, or a host may be busy.

    Args:
        progress: the count.
        every_s: seconds between two looks.
    """
    over = threading.Event()

    def look() -> None:
        while not over.wait(every_s):
            progress.still()

    thread = threading.Thread(target=look, name="slipway-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Report:
    """Talk to the person at the terminal.

    Args:
        err: where talk goes.
        out: where data goes.
        quiet: say nothing but warnings and errors.
        now: seconds, by a clock that only grows.
    """

    def __init__(
        self,
        *,
        err: TextIO | None = None,
        out: TextIO | None = None,
        quiet: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._err = err if err is not None else sys.stderr
        self._out = out if out is not None else sys.stdout
        self._quiet = quiet
        self._now = now
        self.on_terminal = self._err.isatty()
        self._colour = self.on_terminal and "NO_COLOR" not in os.environ

    def paint(self, text: str, code: str) -> str:
        """``text`` in an ANSI colour where that is wanted."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def say(self, text: str) -> None:
        """One line of talk."""
        if not self._quiet:
            self.put(f"{text}\n")

    def step(self, name: str, text: str = "") -> None:
        """The start of a step of work."""
        self.say(f"{self.paint(name, '1;36')}{'  ' + text if text else ''}")

    def warn(self, text: str) -> None:
        """Something a person should know, though work goes on."""
        self.put(f"{self.paint('warning:', '1;33')} {text}\n")

    def error(self, error: SlipwayError) -> None:
        """A failure, its details and its hint."""
        lines = [f"{self.paint('error:', '1;31')} {error.message}"]
        if error.stage:
            lines.append(f"  stage: {error.stage}")
        lines += [f"  {line}" for line in error.details]
        if error.hint:
            lines.append(f"{self.paint('hint:', '1;32')} {error.hint}")
        self.put("".join(f"{line}\n" for line in lines))

    def put(self, text: str) -> None:
        """Talk as it is. Where nobody listens any more, work goes on without a listener."""
        with contextlib.suppress(OSError):
            self._err.write(text)
            self._err.flush()

    def data(self, value: object) -> None:
        """A JSON document on standard output."""
        print(json.dumps(value, indent=2, ensure_ascii=False), file=self._out, flush=True)

    def text(self, text: str) -> None:
        """A text a person asked for, such as a table, on standard output."""
        print(text, file=self._out, flush=True)

    def progress(self, label: str, total: int, *, unit: str = "bytes") -> Progress:
        """A count from 0 to ``total`` in ``unit`` (``bytes`` are shown as kB, MB, GB)."""
        return _Counter(self, label, total, unit, self._now) if not self._quiet else _Silent()


class _Silent:
    def advance(self, amount: int, note: str = "") -> None:
        """Count without showing."""

    def expect(self, amount: int) -> None:
        """Nothing is shown."""

    def still(self) -> None:
        """Nothing is shown."""

    def done(self) -> None:
        """Nothing was shown."""


class _Counter:
    def __init__(
        self, report: Report, label: str, total: int, unit: str, now: Callable[[], float]
    ) -> None:
        self._report, self._now = report, now
        self._label, self._total, self._unit = label, total, unit
        self._count = 0
        self._note = ""
        self._shown_at = self._moved_at = self._started = now()
        # Whoever counts and whoever looks whether it stands are two threads.
        self._drawing = threading.Lock()

    def advance(self, amount: int, note: str = "") -> None:
        """Count, and redraw when the last drawing is old enough."""
        with self._drawing:
            self._count += amount
            self._note = note or self._note
            self._moved_at = self._now()
            if self._due(_REDRAW_S):
                self._redraw(self._note)

    def expect(self, amount: int) -> None:
        """Count up to more."""
        self._total += amount

    def still(self) -> None:
        """Draw again, with for how long nothing was counted where that is long."""
        with self._drawing:
            waiting = self._now() - self._moved_at
            if self._due(LOOK_S):
                is_long = waiting >= LOG_LINE_S
                self._redraw(f"waiting for {waiting:.0f} s" if is_long else self._note)

    def _due(self, redraw_s: float) -> bool:
        """Whether the last drawing is old enough."""
        interval = redraw_s if self._report.on_terminal else LOG_LINE_S
        return self._now() - self._shown_at >= interval

    def _redraw(self, note: str) -> None:
        self._draw(note, end="" if self._report.on_terminal else "\n")

    def done(self) -> None:
        """Draw the last state and end the line."""
        self._draw(f"in {self._now() - self._started:.1f} s", end="\n")

    def _draw(self, note: str, *, end: str) -> None:
        self._shown_at = self._now()
        if self._unit == "bytes":
            count, total = human_bytes(self._count), human_bytes(self._total)
        else:
            count, total = str(self._count), f"{self._total} {self._unit}"
        share = f" {100 * self._count // self._total:3d} %" if self._total else ""
        start = "\r\x1b[K" if self._report.on_terminal else ""
        text = f"{start}  {self._label}  {count} of {total}{share}  {note}".rstrip()
        self._report.put(text + end)


class Building:
    """Shows what Nix builds, from the lines it says; call it with each line.

    Args:
        report: where it is shown.
    """

    _LINE = re.compile(r"^(?:building|checking outputs of) '/nix/store/[a-z0-9]{32}-(.+)\.drv'")

    def __init__(self, report: Report) -> None:
        self._report = report
        self._count = 0

    def __call__(self, line: str) -> None:
        """Show the derivation that a line names; other lines are passed over."""
        if found := self._LINE.match(line):
            self._count += 1
            self._report.say(f"  building {self._count}: {found[1]}")
