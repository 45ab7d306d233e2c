"""Which tests may run beside each other, when several processes share them.

Tests of one file share what they start, so a file stays together. Tests that boot hosts look at
the whole machine's mounts and namespaces, so all of them are one after the other; being the
longest they begin first.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).resolve().parent
HOSTS = ("functional", "integration/rehearsal")
ORDER = ("hosts", "integration", "unit")


def group(path: Path) -> str:
    """Name what runs one after the other with a test file."""
    name = path.relative_to(TESTS).as_posix()
    return "hosts" if name.startswith(HOSTS) else name


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process whole groups of tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group(TESTS.parent / nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    """Hand tests out by groups."""
    return Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest groups where several processes share the tests."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: ORDER.index(group(item.path).partition("/")[0]))
