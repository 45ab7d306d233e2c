"""Have other numbers of containers than the Compose files say, kept over deploys; or show them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipway.act.doors import Doors
from slipway.act.outcome import Outcome, Result
from slipway.act.progress import Progress
from slipway.act.rights import need_docker
from slipway.act.seeing import see
from slipway.errors import ConfigError
from slipway.operate.standing import (
    Task,
    carried_out,
    compose_of,
    live_draft,
    live_of,
    observe,
    standing_of,
    with_scale,
)
from slipway.plan.counts import demand
from slipway.plan.recorded import stack_of
from slipway.plan.scale import NAME, check_capacity, new_scale, only, steps
from slipway.report import human_bytes, table
from slipway.runner.containers import standing
from slipway.stack.health import replicas
from slipway.stack.limits import limits

_COUNT = re.compile(r"([A-Za-z0-9._-]+)=([0-9]{1,4})\Z")


@dataclass(frozen=True, slots=True)
class Count:
    """How many containers a service has.

    Attributes:
        service: its name.
        containers: how many are wanted.
        running: how many run.
        said: how many the Compose files say.
        memory: bytes that one of them may take; 0 for no limit.
        processors: likewise.
    """

    service: str
    containers: int
    running: int
    said: int
    memory: int
    processors: float

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "service": self.service,
            "containers": self.containers,
            "running": self.running,
            "said": self.said,
            "memory": self.memory,
            "processors": self.processors,
        }


@dataclass(frozen=True, slots=True)
class Counts:
    """How many containers there are, and what they may take of the host.

    Attributes:
        host: its name.
        memory: bytes it has; 0 when it doesn't say.
        processors: how many it has; likewise.
        memory_needed: bytes that all containers may take by their limits.
        processors_needed: likewise.
        services: each one that stands.
    """

    host: str
    memory: int
    processors: int
    memory_needed: int
    processors_needed: float
    services: tuple[Count, ...]

    def to_json(self) -> dict[str, object]:
        """What ``scale --json`` prints."""
        return {
            "host": self.host,
            "memory": self.memory,
            "processors": self.processors,
            "memory_needed": self.memory_needed,
            "processors_needed": self.processors_needed,
            "services": [one.to_json() for one in self.services],
        }


def parse_counts(words: Sequence[str]) -> dict[str, int]:
    """What the command line says: ``worker=3``, several of them. Pure.

    Raises:
        ConfigError: a word is something else, or a service has two numbers; all are named.
    """
    wrong = [word for word in words if not _COUNT.match(word)]
    if wrong:
        raise ConfigError(
            f"{wrong[0]} should be a service and a number, such as worker=3; nothing was done",
            details=[f"{word} as well" for word in wrong[1:]],
            hint="./inv scale shows the services",
            stage="config",
        )
    named = [word.partition("=")[0] for word in words]
    twice = dict.fromkeys(name for name in named if named.count(name) > 1)
    if twice:
        raise ConfigError(
            f"{', '.join(twice)}: more than one number was given; nothing was done",
            hint="one number for each service, such as worker=3",
            stage="config",
        )
    return {found[1]: int(found[2]) for word in words if (found := _COUNT.match(word))}


def scale(
    doors: Doors, who: str, token: str, wanted: Mapping[str, int], *, wait: bool = False
) -> Result:
    """Have other numbers of containers.

    Args:
        doors: what to act through.
        who: user and machine.
        token: letters and digits that no other run uses.
        wanted: service to number; others stay as they are.
        wait: wait until whoever is at work there has ended.

    Raises:
        ConfigError: a service isn't there, or can't be there as often.
        DeployError: the host can't have as many, or it failed; what ran before runs.
        DeployBroken: it failed, and what ran before could not be put back.
    """
    need_docker(
        doors,
        "another number of containers while the stack runs",
        "say `deploy: {replicas: N}` of the service in deploy/docker-compose.override.yml, then "
        "./inv deploy",
    )
    progress = Progress(doors, doors.clock.monotonic())
    doors.report.step("plan", doors.host.name)
    seen = observe(doors, who, wait=wait)
    live, held = standing_of(doors, seen), seen.memory.scale
    compose = compose_of(doors, live)
    plain = stack_of(live, json.loads(compose))
    fresh = new_scale(plain, held, wanted)
    facts = doors.engine.facts(doors.folder.path)
    before, after = plain.scaled(held), plain.scaled(fresh)
    if warning := check_capacity(doors.host.name, facts, before, after):
        doors.report.warn(warning)
    draft = only(live_draft(doors, who, with_scale(seen, fresh, wanted), compose), wanted)
    if fresh == held and not draft.plan.touched:
        outcome = Outcome(live.id, "unchanged", live.url, 0, 0, progress.seconds, ())
        return Result(outcome, live, seen.engine.identified)
    about = ", ".join(f"{name}={count}" for name, count in wanted.items())
    intent = {"scale": dict(fresh)}
    task = Task(NAME, f"scale {about}", "scaled", NAME, intent, about)
    return carried_out(progress, draft, steps(draft, live, held), task, token)


def read_counts(doors: Doors) -> Counts:
    """How many containers there are now.

    Raises:
        DeployError: nothing is deployed.
    """
    seen = see(doors)
    live = live_of(doors, seen.memory.records)
    plain = stack_of(live, json.loads(compose_of(doors, live)))
    facts = doors.engine.facts(doors.folder.path)
    counted = plain.scaled(seen.memory.scale)
    running = Counter(
        one.service for one in standing(seen.engine.containers) if one.state == "running"
    )
    memory, processors = demand(counted)
    services = []
    for name in plain.standing:
        body = plain.services[name]
        one = limits(body)
        number = replicas(counted.services[name])
        services.append(
            Count(name, number, running[name], replicas(body), one.memory, one.processors)
        )
    return Counts(
        doors.host.name, facts.memory, facts.processors, memory, processors, tuple(services)
    )


def counts_text(counts: Counts) -> str:
    """The numbers for people."""
    rows = [
        (
            one.service,
            str(one.containers) + ("" if one.containers == one.said else f" (Compose: {one.said})"),
            str(one.running),
            human_bytes(one.memory) if one.memory else "no limit",
            f"{one.processors:g}" if one.processors else "no limit",
        )
        for one in counts.services
    ]
    head = ("service", "containers", "running", "memory each", "processors each")
    total = (
        f"all together may take {human_bytes(counts.memory_needed)} of "
        f"{human_bytes(counts.memory)} memory and {counts.processors_needed:g} of "
        f"{counts.processors} processors of {counts.host}"
    )
    return "\n".join((table(rows, head=head), "", total))
