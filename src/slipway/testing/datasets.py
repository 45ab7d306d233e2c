"""Datasets in memory, as far as the runner asks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from slipway.runner.failure import Failed


@dataclass
class FakeDatasets:
    """A :class:`slipway.runner.doors.Datasets` of one dataset with one value for its content.

    Attributes:
        content: what lies there.
        taken: number (``dataset@name``) to the content of then.
        held: numbers of those that can't be destroyed.
        asked: everything that was asked for.
        full: why nothing more can be taken; empty when it can.
        narrow: whether there is too little room to put something back.
        broken: names from which nothing can be put back; what was there is lost meanwhile.
    """

    content: str = ""
    taken: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    full: str = ""
    broken: set[str] = field(default_factory=set)
    narrow: bool = False

    def take(self, by: str, dataset: str, name: str) -> None:
        """Keep the content."""
        self.asked.append(("take", by, f"{dataset}@{name}"))
        if self.full or f"{dataset}@{name}" in self.taken:
            raise Failed(f"no snapshot of {dataset} could be taken: {self.full or 'it is there'}")
        self.taken[f"{dataset}@{name}"] = self.content

    def destroy(self, by: str, dataset: str, name: str) -> str:
        """Forget one that is not held."""
        number = f"{dataset}@{name}"
        self.asked.append(("destroy", by, number))
        if number in self.held:
            return f"cannot destroy '{number}': dataset is busy"
        self.taken.pop(number, None)
        return ""

    def revert(self, by: str, dataset: str, name: str) -> None:
        """Have the content of then, unless it is none of the newest."""
        number = f"{dataset}@{name}"
        self.asked.append(("revert", by, number))
        if name in self.broken or number != next(reversed(self.taken), ""):
            raise Failed(f"the data could not be made what they were at {number}")
        self.content = self.taken[number]

    def put_back(
        self, paths: Sequence[str], name: str, heed: Callable[[], None], *, room: bool
    ) -> None:
        """Have the content of then."""
        if room and self.narrow:
            raise Failed("there is too little room")
        self.asked.append(("put back", *paths, name))
        heed()
        found = [each for one, each in self.taken.items() if one.endswith(f"@{name}")]
        if name in self.broken or not found:
            self.content = "half"
            raise Failed("not all of it could be put back")
        self.content = found[0]
