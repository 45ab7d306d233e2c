"""Where data lie, as far as snapshots can be taken there."""

from __future__ import annotations

from slipway.act.doors import Doors
from slipway.hosts.dataset import Place, find_place


def place_of(doors: Doors, path: str) -> Place | str:
    """The dataset at a path, or why there are no snapshots of it.

    Raises:
        HostError: the host can't be asked.
    """
    return find_place(doors.host, path)
