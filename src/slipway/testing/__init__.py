"""Fakes that fit slipway's doors: they keep all in memory and show what was asked of them."""

from slipway.testing.datasets import FakeDatasets
from slipway.testing.doors import FakeClock, FakeHost, FakeHttp, FakeShell
from slipway.testing.engine import FakeEngine
from slipway.testing.folder import FakeFolder
from slipway.testing.nas import FakeNas
from slipway.testing.runner import FakeRunner

__all__ = [
    "FakeClock",
    "FakeDatasets",
    "FakeEngine",
    "FakeFolder",
    "FakeHost",
    "FakeHttp",
    "FakeNas",
    "FakeRunner",
    "FakeShell",
]
