"""What a deploy does, as a small closed set of values. Pure.

An action names images, files and secrets and never holds their bytes, so that a list of actions can
be printed, compared, kept, and carried out by whoever has the bytes. :attr:`where` tells who does
it: ``host`` is the runner there (:mod:`slipway.runner`), with what the host has; ``here`` takes
this machine: its Nix store, its files and programs, its view of the stack.

They stand in one file, each a dozen lines, so that the set can be seen to be closed; those that
belong to a subject with rules of its own stand there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from slipway.ledger.entries import Entry, Link, Text, entry_json
from slipway.plan.pulling import Pull
from slipway.plan.registering import Redeploy, Register, Stop, Unregister
from slipway.plan.snapshotting import Forget, Revert, Rewind, Snapshot
from slipway.runner.expected import Expected
from slipway.runner.roll import Rolling

ASK_S = 60.0
RUN_S = 300.0
_SPARE_S = 15.0


@dataclass(frozen=True, slots=True)
class Load:
    """Bring images to the host's engine.

    Attributes:
        references: the images.
        bytes_to_send: of their layers that the host lacks, before compression.
    """

    where: ClassVar[str] = "here"
    references: tuple[str, ...]
    bytes_to_send: int

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "load",
            "where": self.where,
            "references": list(self.references),
            "bytes_to_send": self.bytes_to_send,
        }


@dataclass(frozen=True, slots=True)
class Write:
    """Write into the application's folder, in order.

    Attributes:
        entries: what. The host itself can write links and texts; other contents come from here.
    """

    entries: tuple[Entry, ...]

    @property
    def where(self) -> str:
        """Who does it."""
        return "host" if all(isinstance(one, Link | Text) for one in self.entries) else "here"

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        entries = [entry_json(entry) for entry in self.entries]
        return {"action": "write", "where": self.where, "entries": entries}


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove what is ours.

    Attributes:
        images: references; one that a container uses stays.
        networks: names in Compose's file.
        paths: below the application's folder.
        bytes: that the images' removal frees.
    """

    where: ClassVar[str] = "host"
    images: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    bytes: int = 0

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "remove",
            "where": self.where,
            "images": list(self.images),
            "networks": list(self.networks),
            "paths": list(self.paths),
            "bytes": self.bytes,
        }


@dataclass(frozen=True, slots=True)
class Compose:
    """Run Compose with a release's file.

    Attributes:
        release: whose file.
        arguments: Compose's.
        timeout_s: seconds after which it is stopped.
        failed: what a failure is, a clause such as ``the migration failed``; empty lets the
            containers speak.
        gate: whether an empty JSON list on its standard output means that the actions after it
            in this step have nothing to do.
        output: a file below the application's folder that takes its standard output; or empty.
        input: such a file that is its standard input; or empty.
        needs: such a file without which there is nothing to do; or empty.
    """

    where: ClassVar[str] = "host"
    release: str
    arguments: tuple[str, ...]
    timeout_s: float
    failed: str = ""
    gate: bool = False
    output: str = ""
    input: str = ""
    needs: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "compose",
            "where": self.where,
            "release": self.release,
            "arguments": list(self.arguments),
            "timeout_s": self.timeout_s,
            "failed": self.failed,
            "gate": self.gate,
            "output": self.output,
            "input": self.input,
            "needs": self.needs,
        }


@dataclass(frozen=True, slots=True)
class Watch:
    """Watch services until they are well.

    Attributes:
        expected: what they should come to.
    """

    where: ClassVar[str] = "host"
    expected: tuple[Expected, ...]

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {"action": "watch", "where": self.where, "expected": _expected(self.expected)}


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a URL until it answers 200.

    Attributes:
        url: the stack's, as people reach it.
        trust: path on the host of a certificate that vouches for the stack's; empty for none.
    """

    where: ClassVar[str] = "here"
    url: str
    trust: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        limit = {"timeout_s": ASK_S + _SPARE_S}
        return {
            "action": "ask",
            "where": self.where,
            "url": self.url,
            "trust": self.trust,
            **limit,
        }


@dataclass(frozen=True, slots=True)
class Run:
    """Run a program on this machine.

    Attributes:
        argv: program and arguments.
        secrets: environment variable, secret's name and version: while it runs, the variable
            names a file that holds the secret.
        trust: as for :class:`Ask`.
    """

    where: ClassVar[str] = "here"
    argv: tuple[str, ...]
    secrets: tuple[tuple[str, str, int], ...] = ()
    trust: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "run",
            "where": self.where,
            "argv": list(self.argv),
            "secrets": {name: f"{secret}/{version}" for name, secret, version in self.secrets},
            "trust": self.trust,
            "timeout_s": RUN_S + _SPARE_S,
        }


@dataclass(frozen=True, slots=True)
class Start:
    """Start new containers beside the old ones; :class:`Roll` goes on from there.

    Attributes:
        release: whose file.
        services: those to start.
    """

    where: ClassVar[str] = "host"
    release: str
    services: tuple[Rolling, ...]

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "start",
            "where": self.where,
            "release": self.release,
            "services": [one.to_json() for one in self.services],
        }


@dataclass(frozen=True, slots=True)
class Roll:
    """Start new containers beside the old ones, and bring all requests to them.

    Attributes:
        release: whose file.
        services: those to roll.
    """

    where: ClassVar[str] = "host"
    release: str
    services: tuple[Rolling, ...]

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "roll",
            "where": self.where,
            "release": self.release,
            "services": [one.to_json() for one in self.services],
        }


@dataclass(frozen=True, slots=True)
class Retire:
    """End the containers that :class:`Roll` left beside the new ones.

    Attributes:
        services: those that were rolled.
    """

    where: ClassVar[str] = "host"
    services: tuple[Rolling, ...]

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        services = [one.to_json() for one in self.services]
        return {"action": "retire", "where": self.where, "services": services}


@dataclass(frozen=True, slots=True)
class Count:
    """Tell how many requests the edge has."""

    where: ClassVar[str] = "host"

    def to_json(self) -> dict[str, object]:
        """The action's name."""
        return {"action": "count", "where": self.where}


@dataclass(frozen=True, slots=True)
class Room:
    """See whether the edge has a place for each container that is wanted.

    Attributes:
        services: those that requests reach through it.
    """

    where: ClassVar[str] = "host"
    services: tuple[Rolling, ...]

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        services = [one.to_json() for one in self.services]
        return {"action": "room", "where": self.where, "services": services}


@dataclass(frozen=True, slots=True)
class Soak:
    """Watch for a while what is live now: restarts, health, the edge's error rate.

    Attributes:
        expected: the services, with what marks the containers that count.
        seconds: how long.
        errors: share of the edge's answers, 0 to 1, that may be 5xx.
    """

    where: ClassVar[str] = "host"
    expected: tuple[Expected, ...]
    seconds: float
    errors: float

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "soak",
            "where": self.where,
            "expected": _expected(self.expected),
            "seconds": self.seconds,
            "errors": self.errors,
        }


@dataclass(frozen=True, slots=True)
class Hand:
    """Let a service have these versions of secrets, and have it take them.

    Attributes:
        service: the service.
        files: name of a file in the folder that it reads, and the file below the application's
            folder that is copied there; all others go.
        command: program and arguments, run in each of its containers; empty for none.
    """

    where: ClassVar[str] = "host"
    service: str
    files: tuple[tuple[str, str], ...]
    command: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "hand",
            "where": self.where,
            "service": self.service,
            "files": dict(self.files),
            "command": list(self.command),
        }


@dataclass(frozen=True, slots=True)
class Check:
    """Run services' own health checks at once, in all of their running containers.

    Attributes:
        checks: service, and program and arguments of its check.
        expected: the services, with what marks the containers that count; empty for all.
    """

    where: ClassVar[str] = "host"
    checks: tuple[tuple[str, tuple[str, ...]], ...]
    expected: tuple[Expected, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        checks = {name: list(argv) for name, argv in self.checks}
        return {
            "action": "check",
            "where": self.where,
            "checks": checks,
            "expected": _expected(self.expected),
        }


def _expected(wanted: tuple[Expected, ...]) -> list[dict[str, object]]:
    return [
        {
            "service": one.service,
            **one.to_json(),
            "config": one.config,
            "images": list(one.images),
        }
        for one in wanted
    ]


Action = (
    Load | Pull | Write | Remove | Compose | Watch | Ask | Run
    | Start | Roll | Retire | Room | Count | Soak | Check | Hand | Register | Unregister
    | Redeploy | Stop | Snapshot | Forget | Rewind | Revert
)  # fmt: skip
