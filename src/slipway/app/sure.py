"""Before data are lost: a word of the person, on the terminal or on the command line."""

from __future__ import annotations

from typing import TextIO

from slipway.errors import ConfigError
from slipway.report import Report

_WORD = "yes"


def make_sure(report: Report, source: TextIO, *, said: bool) -> None:
    """Go on only when somebody wants it.

    Args:
        report: where the question goes.
        source: where the answer comes from; nothing is asked of what is no terminal.
        said: whether it was said on the command line already.

    Raises:
        ConfigError: nobody said so; nothing was changed.
    """
    if said:
        return
    if source.isatty():
        report.put(f"Go on? Type {_WORD}: ")
        if source.readline().strip() == _WORD:
            return
        raise ConfigError("that was no yes; nothing was changed", stage="plan")
    raise ConfigError(
        "data would be lost, and there is no terminal to ask on; nothing was changed",
        hint="--yes says that it is meant",
        stage="plan",
    )
