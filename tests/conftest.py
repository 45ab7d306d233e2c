"""Which tests may run beside each other, when several processes share them.

Tests of one file share what they start, so a file stays together. Tests that boot hosts look at
the whole machine's mounts and namespaces, so all of them are one after the other; being the
longest they begin first.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
HOSTS = ("functional", "integration/rehearsal")
ORDER = ("hosts", "integration", "unit")


def group(path: Path) -> str:
    """Name what runs one after the other with a test file."""
    name = path.relative_to(TESTS).as_posix()
    return "hosts" if name.startswith(HOSTS) else name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark every test with its group, the longest first."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item.path)))
    items.sort(key=lambda item: ORDER.index(group(item.path).partition("/")[0]))
