"""Which tests may run beside each other, when several processes share them; how patient they are.

Tests of one file share what they start, so a file stays together. Functional tests of several files
share a host with a stack on it, which takes most of a minute to make. What takes longest begins
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.telling import bytes_differ, last_words
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# How long an example takes tells of the machine's load and not of the code.
settings.register_profile("unhurried", deadline=None, print_blob=True)
settings.load_profile("unhurried")

TESTS = Path(__file__).resolve().parent
#: Groups that take minutes, the longest first.
LONG = (
    "functional/load/test_deploys_under_load.py",
    "functional/test_bad_input.py",
    "functional",
    "functional/more",
    "functional/test_apponly.py",
    "functional/test_pull.py",
    "functional/faults/test_faults.py",
    "integration/langflix/test_langflix_chaos.py",
    "integration/test_launcher.py",
)
#: Functional tests that have a stack of their own: with the others' they would take twice as long.
MORE = ("test_https", "test_other_hosts", "test_overlays", "test_page")


def group(path: Path) -> str:
    """Name what runs one after the other with a test file."""
    name = path.relative_to(TESTS).as_posix()
    if not name.startswith("functional/") or name in LONG:
        return name
    return "functional/more" if path.stem in MORE else "functional"


def rank(path: Path) -> tuple[int, str]:
    """Sort a test file by when its tests should begin: long ones, integration, unit."""
    name = group(path)
    return (LONG.index(name) if name in LONG else len(LONG), name.partition("/")[0])


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process whole groups of tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group(TESTS.parent / nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    """Hand tests out by groups."""
    return Groups(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the long ones be asked for."""
    parser.addoption("--long", action="store_true", help="run what takes minutes, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is long; begin with the longest groups where several processes share them."""
    if not config.getoption("--long"):
        reason = pytest.mark.skip(reason="shows again what others show: ./inv test --long")
        for item in items:
            if "long" in item.keywords:
                item.add_marker(reason)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.path))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Tell of long bytes where they differ."""
    if op == "==" and isinstance(left, bytes) and isinstance(right, bytes):
        return bytes_differ(left, right)
    return None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Name what failed once more, as the last thing that is written."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reports = [r for kind in ("failed", "error") for r in reporter.stats.get(kind, ())]
        for line in last_words([report.nodeid for report in reports]):
            reporter.write_line(line)
