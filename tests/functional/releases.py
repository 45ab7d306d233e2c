"""Deploy to stand-ins of every release of TrueNAS in every mode, and write a table of it.

python -m tests.functional.releases [EXPRESSION]

EXPRESSION picks cases as pytest's ``-k`` does, such as ``25.10 and app``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.functional.pages import Key, with_rows

from slipway.hosts.rehearsal.nasfiles import RELEASES
from slipway.stack.project import MODES

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/reference/stand-in.md"
TIMES = ("a changed line", "back", "stopped, started, deleted, deployed", "a reboot", "all")
HEAD = (
    f"| release | mode | passed | {' | '.join(TIMES)} |",
    f"| --- | --- | --- | {' | '.join(['---:'] * len(TIMES))} |",
)
ORDER = [(facts.version, mode) for facts in RELEASES.values() for mode in MODES]


class Seen:
    """What became of each case, for pytest.

    Attributes:
        rows: lines in Markdown by release and mode.
    """

    def __init__(self) -> None:
        self.rows: dict[Key, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a case's end."""
        said = dict(report.user_properties)
        if report.when == "call" and "release" in said:
            key = (str(said["release"]), str(said["mode"]))
            self.rows[key] = row(key, report.passed, said)


def row(key: Key, passed: bool, said: Mapping[str, object]) -> str:
    """A row in Markdown. Pure.

    Args:
        key: release and mode.
        passed: whether all was as it must be.
        said: seconds by what took them.
    """
    times = (f"{said[name]:.0f} s" if name in said else "" for name in TIMES)
    return "| " + " | ".join((*key, "yes" if passed else "**no**", *times)) + " |"


def main(argv: Sequence[str]) -> int:
    """Run the cases and write their rows."""
    seen = Seen()
    picked = ["-k", argv[0]] if argv else []
    tests = [str(ROOT / f"tests/functional/{name}.py") for name in ("test_truenas", "test_apponly")]
    code = pytest.main([*tests, "--long", "-q", "-n", "0", *picked], plugins=[seen])
    page = ROOT / PAGE
    page.write_text(with_rows(page.read_text("utf-8"), "releases", HEAD, seen.rows, ORDER), "utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
