"""What whoever follows hears of a run at which nobody works, or somebody who does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.runner import follow as follows
from slipway.runner.follow import follow
from slipway.runner.spool import Spool

RUN = "20260101-000000-abcdef"


class Held:
    """A lease whose holder has given no sign for some seconds."""

    silence, ends, freed = 0.0, False, False

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def silent(self) -> float:
        """For how long there was none."""
        return self.silence

    def outlive(self) -> bool:
        """End it."""
        return self.ends

    def held(self) -> bool:
        """Whether it has it still."""
        return not self.freed


@pytest.mark.parametrize(
    ("changes", "heard"),
    [
        ({"silence": 2.0}, []),
        ({"silence": 31.4}, [{"event": "silent", "seconds": 31}]),
        ({"silence": 61.0, "ends": True},
         [{"event": "silent", "seconds": 61, "ended": True}, {"event": "lost"}]),
        ({"freed": True}, [{"event": "lost"}]),
    ],
)  # fmt: skip
def test_a_run_without_an_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    heard: list[dict[str, object]],
) -> None:
    """A frozen process is told of, ended in the end, and then the run is as a lost one."""
    spool = Spool(str(tmp_path), RUN)
    spool.make({"holder": {}})
    monkeypatch.setattr(follows, "_FOLLOW_S", 0.1)
    monkeypatch.setattr(follows, "Lease", type("Lease", (Held,), changes))
    assert follow(str(tmp_path), RUN, 0) == heard
    spool.write("end.json", {"outcome": "done"})
    assert follow(str(tmp_path), RUN, 0) == []
