"""Data are lost only when somebody said so."""

from __future__ import annotations

import io

import pytest

from slipway.app.sure import make_sure
from slipway.errors import ConfigError
from slipway.report import Report


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_said_or_typed() -> None:
    """By the flag nothing is asked; on a terminal the whole word counts."""
    talk = io.StringIO()
    report = Report(err=talk, out=io.StringIO())
    make_sure(report, io.StringIO(), said=True)
    assert not talk.getvalue()
    make_sure(report, Terminal("yes\n"), said=False)
    assert talk.getvalue() == "Go on? Type yes: "


@pytest.mark.parametrize("source", [Terminal("y\n"), Terminal(""), io.StringIO("yes\n")])
def test_else_nothing_is_done(source: io.StringIO) -> None:
    """Neither a half word, nor an end, nor what comes from no terminal."""
    report = Report(err=io.StringIO(), out=io.StringIO())
    with pytest.raises(ConfigError, match="nothing was changed"):
        make_sure(report, source, said=False)
