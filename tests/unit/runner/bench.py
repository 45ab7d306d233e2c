"""What the runner acts through, in memory, with its events and whatever is told to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.unit.demo import World, wanted, world

from slipway.act.deploy import make_draft
from slipway.ledger.entries import File, Source
from slipway.plan.actions import Action
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.runner.carry import Carrier
from slipway.runner.doors import Doors
from slipway.runner.failure import Failed

COMPOSE = "compose.json"


@dataclass
class Folder:
    """The application's folder.

    Attributes:
        live: the id of the live release.
        lines: path to the lines that were written to it.
        removed: paths.
    """

    made: World
    lines: dict[str, list[str]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where it lies."""
        return self.made.folder.path

    def current(self) -> str | None:
        """The live release."""
        return self.made.folder.live

    def link(self, path: str, target: str) -> None:
        """Lead ``current`` somewhere."""
        self.made.folder.link(path, target)

    def write(self, path: str, text: str) -> None:
        """Keep a text."""
        self.made.folder.put(path, text)

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return path in self.made.folder.files

    def append(self, path: str, line: str) -> None:
        """Keep a line."""
        self.lines.setdefault(path, []).append(line)

    def mark(self, path: str) -> None:
        """Keep an empty file."""
        self.made.folder.files[path] = b""

    def hand(self, folder: str, files: Mapping[str, str]) -> None:
        """Copy files."""
        self.made.folder.hand(folder, files)

    def remove(self, paths: Sequence[str]) -> None:
        """Forget files."""
        self.removed += paths
        self.made.folder.remove(paths)


@dataclass
class Clock:
    """Time that moves by sleeping."""

    seconds: float = 0.0

    def now(self) -> float:
        """The time."""
        return self.seconds

    def monotonic(self) -> float:
        """The time."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@dataclass
class Listener:
    """Whoever started it.

    Attributes:
        events: what was told.
        there: whether they do what takes their machine.
        fails: what they fail with.
        cancel_at: the number of the event after which they want the end.
        ignored: whether they are heeded no more.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    there: bool = True
    fails: str = ""
    cancel_at: int | None = None
    ignored: bool = False

    def tell(self, event: str, **fields: object) -> None:
        """Note an event."""
        self.events.append(json.loads(json.dumps({"event": event, **fields})))

    def heed(self) -> None:
        """Look whether the end is wanted."""
        if not self.ignored and self.cancel_at is not None and len(self.events) > self.cancel_at:
            raise Failed("interrupted", kind="interrupted")

    def ignore(self) -> None:
        """Heed no more."""
        self.ignored = True

    def turn(
        self, step: str, index: int, seconds: float, look: Callable[[], None] | None = None
    ) -> bool:
        """Let them do it."""
        self.tell("turn", step=step, index=index)
        if look and self.there:
            look()
        if self.fails:
            raise Failed(self.fails)
        return self.there

    def named(self, event: str) -> list[dict[str, Any]]:
        """The events of a name."""
        return [one for one in self.events if one["event"] == event]


@dataclass
class Bench:
    """A host on which the sample's Compose file and images are, and a carrier of actions.

    Attributes:
        made: the host.
        draft: the deploy they are of.
        listener: whoever listens.
        folder: the host's.
        clock: the host's.
    """

    made: World
    draft: Draft
    folder: Folder
    listener: Listener = field(default_factory=Listener)
    clock: Clock = field(default_factory=Clock)
    edge: Mapping[str, str] | None = None

    @property
    def doors(self) -> Doors:
        """What the runner acts through."""
        engine, datasets = self.made.engine, self.made.runner.datasets
        return Doors(engine, self.folder, self.clock, self.listener, engine.nas, datasets)

    @property
    def release(self) -> str:
        """Its id."""
        return self.draft.release.id

    def do(self, *actions: Action) -> Carrier:
        """Carry them out, after they went over a wire."""
        carrier = Carrier(self.doors, self.edge)
        carrier.carry_out("step", [sent(one) for one in actions])
        return carrier


def bench() -> Bench:
    """A fresh one."""
    made = world()
    planned = make_draft(wanted(), made.doors)
    name = f"releases/{planned.release.id}/{COMPOSE}"
    made.folder.write(
        (File(name, Source("compose", planned.release.id), 0o644),), lambda _: planned.rendered.text
    )
    made.engine.held = {one.reference: one for one in planned.wanted.images}
    return Bench(made, planned, Folder(made))


def sent(value: Action | Step) -> dict[str, Any]:
    """What arrives at the host."""
    form: dict[str, Any] = json.loads(json.dumps(value.to_json()))
    return form
