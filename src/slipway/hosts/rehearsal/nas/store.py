"""The pools, datasets and snapshots there are; kept in a hidden folder of each pool.

A pool is a folder in the folder of pools, a dataset one in its parent's, a snapshot a copy of its
files.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from . import copies
from .settings import Settings

Table = dict[str, Any]
APPS = "ix-apps"
_guard = threading.RLock()


class Store:
    """What there is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def pools(self) -> list[str]:
        """The names of the pools."""
        found = self._settings.pools.iterdir()
        return sorted(path.name for path in found if path.is_dir() and path.name[0] != ".")

    def datasets(self) -> dict[str, Table]:
        """All datasets, pools' roots among them: name to what is kept of it."""
        found: dict[str, Table] = {}
        for pool in self.pools():
            found[pool] = {"created": 0, "properties": {}, "user_properties": {}}
            found |= self._read(pool)["datasets"]
        return dict(sorted(found.items()))

    def snapshots(self) -> list[Table]:
        """All snapshots, in the order in which they were taken."""
        found = [one for pool in self.pools() for one in self._read(pool)["snapshots"]]
        return sorted(found, key=lambda one: int(one["txg"]))

    def folder(self, dataset: str) -> Path:
        """Where a dataset is mounted."""
        pool, _, rest = dataset.partition("/")
        first, _, inner = rest.partition("/")
        if first == APPS:
            return self._settings.apps / inner
        return self._settings.pools / pool / rest

    def children(self, dataset: str) -> list[str]:
        """The datasets right below a dataset."""
        return [one for one in self.datasets() if one.rpartition("/")[0] == dataset]

    def below(self, dataset: str) -> list[str]:
        """A dataset and all below it."""
        inner = f"{dataset}/"
        return [one for one in self.datasets() if one == dataset or one.startswith(inner)]

    def add(self, dataset: str, kept: Table) -> None:
        """One more dataset; its folder is made, for root alone to write."""
        with _guard:
            state = self._read(dataset)
            state["datasets"][dataset] = {"created": int(time.time()), **kept}
            self._write(dataset, state)
        folder = self.folder(dataset)
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)

    def change(self, dataset: str, **kept: object) -> None:
        """Keep something else of a dataset."""
        with _guard:
            state = self._read(dataset)
            if dataset in state["datasets"]:
                state["datasets"][dataset] |= kept
                self._write(dataset, state)

    def remove(self, dataset: str) -> None:
        """One less, with all below it, its files and its snapshots."""
        gone = self.below(dataset)
        for snapshot in self.snapshots():
            if snapshot["dataset"] in gone:
                self.forget(snapshot)
        with _guard:
            state = self._read(dataset)
            for one in gone:
                state["datasets"].pop(one, None)
            self._write(dataset, state)
        shutil.rmtree(self.folder(dataset), ignore_errors=True)

    def snap(self, dataset: str, name: str, properties: Table) -> Table:
        """Take a snapshot.

        Raises:
            CallError: there is no room for it.
        """
        inner = [one.rpartition("/")[2] for one in self.children(dataset)]
        with _guard:
            state = self._read(dataset)
            state["txg"] += 1
            kept = {
                "dataset": dataset,
                "name": name,
                "txg": state["txg"],
                "created": int(time.time()),
                "properties": properties,
                "held": False,
            }
            copies.take(self.folder(dataset), self._copy(kept), inner)
            state["snapshots"].append(kept)
            self._write(dataset, state)
            copies.show(self._copy(kept), self.folder(dataset), name)
        return kept

    def roll_back(self, snapshot: Table) -> None:
        """Make a dataset's files what they were."""
        dataset = snapshot["dataset"]
        inner = [one.rpartition("/")[2] for one in self.children(dataset)]
        copies.put_back(self._copy(snapshot), self.folder(dataset), inner)

    def hold(self, snapshot: Table, held: bool) -> None:
        """Keep a snapshot from being deleted, or no longer."""
        with _guard:
            state = self._read(snapshot["dataset"])
            for one in state["snapshots"]:
                if one["txg"] == snapshot["txg"]:
                    one["held"] = held
            self._write(snapshot["dataset"], state)

    def forget(self, snapshot: Table) -> None:
        """Delete a snapshot."""
        with _guard:
            state = self._read(snapshot["dataset"])
            state["snapshots"] = [
                one for one in state["snapshots"] if one["txg"] != snapshot["txg"]
            ]
            self._write(snapshot["dataset"], state)
        copies.hide(self.folder(snapshot["dataset"]), snapshot["name"])
        shutil.rmtree(self._copy(snapshot), ignore_errors=True)

    def _copy(self, snapshot: Table) -> Path:
        return self._hidden(snapshot["dataset"]) / "snapshots" / str(snapshot["txg"])

    def _hidden(self, dataset: str) -> Path:
        return self._settings.pools / dataset.partition("/")[0] / copies.HIDDEN

    def _read(self, dataset: str) -> Table:
        try:
            text = (self._hidden(dataset) / "state.json").read_text("utf-8")
        except FileNotFoundError:
            return {"datasets": {}, "snapshots": [], "txg": 1000}
        return dict(json.loads(text))

    def _write(self, dataset: str, state: Table) -> None:
        hidden = self._hidden(dataset)
        # What a snapshot holds can be read by whoever might read it then.
        hidden.mkdir(mode=0o711, exist_ok=True)
        beside = hidden / "state.json.new"
        beside.write_text(json.dumps(state, indent=1), "utf-8")
        beside.replace(hidden / "state.json")
