"""Other numbers of containers: what may be asked for, what is done, and the way back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.demo import wanted
from tests.unit.plan.full import FULL, UP, ill, kept, released, rolling, seen, with_containers

from slipway.errors import ConfigError, DeployError
from slipway.hosts.facts import Facts
from slipway.ledger.entries import Text
from slipway.operate.standing import with_scale
from slipway.plan.actions import Compose, Retire, Roll, Room, Watch, Write
from slipway.plan.scale import check_capacity, new_scale, only, steps
from slipway.plan.step import Belief, Step
from slipway.plan.values import ContainerChange, DefinitionChange, Plan
from slipway.plan.wanted import Seen
from slipway.runner.containers import fingerprint
from slipway.runner.expected import Expected
from slipway.stack.model import Stack


def scaled(before: Seen, fresh: dict[str, int], asked: dict[str, int]) -> tuple[Step, ...]:
    """The steps from a host's numbers to others."""
    made = only(kept(with_scale(before, fresh, asked)), asked)
    live = before.memory.records.live
    assert live is not None
    return steps(made, live, before.memory.scale)


def text(numbers: str) -> Write:
    """The host's numbers are written."""
    return Write((Text("scale.json", numbers),))


def test_more_containers_start_beside_and_are_reached() -> None:
    """Room for them is looked for first. Back, the number is the old one and so are they."""
    live = released()
    there = seen(live, scale={"worker": 2})
    before = replace(there, memory=replace(there.memory, scale={"worker": 2}))
    asked = {"api": 3}
    api = rolling(live)["api"]
    more = replace(api, containers=3)
    left = replace(api, kept=("api-1", "api-2"))
    assert scaled(before, {"worker": 2, "api": 3}, asked) == (
        Step(
            "room", "has the edge places for them?", do=(Room((more,)),),
            reason="nothing was changed",
        ),
        Step(
            "scale",
            "api=3, worker=2",
            Belief(live.id, fingerprint(there.engine.containers)),
            (
                text('{\n "format": 1,\n "services": {\n  "api": 3,\n  "worker": 2\n }\n}\n'),
                Roll(live.id, (more,)),
            ),
            (
                text('{\n "format": 1,\n "services": {\n  "worker": 2\n }\n}\n'),
                Roll(live.id, (left,)),
                Retire((left,)),
            ),
        ),
        Step(
            "retire", "end the containers that are too many when their work has ended",
            do=(Retire((more,)),),
            reason="the numbers are kept; what stays is ended by the next deploy",
        ),
    )  # fmt: skip


def test_back_to_those_that_were_well() -> None:
    """One that was ill before cannot be had again, and is not waited for."""
    live = released()
    before = ill(seen(live), "api-2")
    step = scaled(before, {"api": 3}, {"api": 3})[1]
    one = replace(rolling(live)["api"], containers=1, kept=("api-1",))
    assert step.undo == (text(""), Roll(live.id, (one,)), Retire((one,)))


def test_what_does_not_run_yet_is_brought_up() -> None:
    """Nothing that runs is made anew with it, and only its own containers are watched."""
    live = released()
    there = seen(live)
    left = [one for one in there.engine.containers if one.service != "worker"]
    made = scaled(with_containers(there, *left), {"worker": 2}, {"worker": 2})
    api, worker = (rolling(live)[name] for name in ("api", "worker"))
    assert [one.name for one in made] == ["room", "scale"]
    assert made[0].do == (Room((api,)),)
    assert made[1].about == "worker=2"
    assert made[1].do[1:] == (
        Compose(live.id, (*UP, "--no-recreate", "--scale", "worker=2", "worker"), 126.0),
        Watch((Expected("worker", 2, 11, config=worker.config, images=worker.images),)),
    )
    assert made[1].undo == (text(""), Compose(live.id, (*UP, "--no-recreate", "worker"), 126.0))


def test_what_has_ended_is_started_once_more() -> None:
    """With its further ones, and none made anew; it goes back to its number of before."""
    live = released()
    there = seen(live)
    ended = (
        replace(one, state="exited", exit_code=1) if one.service == "worker" else one
        for one in there.engine.containers
    )
    step = scaled(with_containers(there, *ended), {"worker": 2}, {"worker": 2})[-1]
    up = Compose(live.id, (*UP, "--no-recreate", "--scale", "worker=2", "worker"), 126.0)
    assert step.do[1] == up
    assert step.undo[1:] == (replace(up, arguments=(*UP, "--no-recreate", "worker")),)


def test_numbers_alone_are_written_and_nothing_else() -> None:
    """Those of the Compose files are kept nowhere."""
    before = seen(released(), scale={"worker": 1})
    (step,) = scaled(before, {}, {"worker": 1})
    assert step.about == "as the Compose files say"
    assert step.do == (text(""),)
    assert step.undo == (text('{\n "format": 1,\n "services": {\n  "worker": 1\n }\n}\n'),)


def test_only_what_is_asked_for_is_touched() -> None:
    """Whatever else differs on the host waits for a deploy."""
    made = kept(seen(released()))
    changes = (
        ContainerChange("api", "roll", "asked"),
        ContainerChange("beat", "recreate", "sick", 13.0),
    )
    networks = (DefinitionChange("network", "n", "recreate"),)
    found = only(replace(made, plan=Plan("r", 0, changes, (), networks)), {"api": 3})
    assert found == replace(
        made, plan=Plan("r", 0, (changes[0], ContainerChange("beat", "keep", "sick")))
    )


def test_numbers_are_kept_where_they_differ() -> None:
    """From the host's own and the wanted ones; sorted, without the Compose files' own."""
    stack = wanted(FULL).stack
    assert new_scale(stack, {"worker": 2, "api": 5, "gone": 2}, {"api": 2, "edge": 1}) == {
        "gone": 2,
        "worker": 2,
    }
    assert list(new_scale(stack, {"worker": 2}, {"api": 1, "edge": 3})) == ["api", "edge", "worker"]
    assert new_scale(stack, {"beat": 0}, {"beat": 1}) == {}


def test_all_that_can_not_be_is_refused_at_once() -> None:
    """With the services that could, and the way to see them."""
    stack = wanted(FULL).stack
    with pytest.raises(ConfigError) as caught:
        new_scale(stack, {}, {"nope": 2, "api": 0, "beat": 2, "beat2": 1, "job": 1, "worker": 2})
    error, able = caught.value, "edge, api, worker"
    assert error.message == (
        f"there is no service nope: those that can be scaled are {able}; nothing was changed"
    )
    assert error.details == (
        "api=0: a service of the stack has at least one container; `replicas: 0` in a Compose "
        "file leaves it out",
        "beat=2: the Compose file does not declare that several containers of it may be there side "
        f"by side (`x-slipway: {{roll: …}}`); those it does are {able}",
        f"there is no service beat2: those that can be scaled are {able}",
        f"there is no service job: those that can be scaled are {able}",
    )
    assert (error.stage, error.hint) == (
        "scale", "./inv scale shows the services and how many containers they have",
    )  # fmt: skip
    with pytest.raises(ConfigError, match="those that can be scaled are none;"):
        new_scale(wanted().stack, {}, {"nope": 1})


def test_what_the_containers_may_take_is_held_against_the_host() -> None:
    """All of it may be used; beyond it memory is refused, with figures, and processors are not."""
    limits = "deploy: { replicas: 2, resources: { limits: { memory: 1G, cpus: '1.5' } } }"
    stack = wanted(FULL.replace("deploy: { replicas: 2 }", limits)).stack

    def check(memory: int, processors: int, before: Stack, after: Stack) -> str:
        facts = Facts("26", "2", memory=memory << 30, processors=processors)
        return check_capacity("nas", facts, before, after)

    two, three, four = (stack.scaled({"api": number}) for number in (2, 3, 4))
    assert check(3, 0, two, three) == ""
    assert check(0, 6, two, four) == ""
    assert check(2, 4, three, three) == ""
    assert check(3, 2, three, three) == ""
    assert check(3, 4, two, three) == (
        "the containers may take 4.5 processors by their limits, and nas has 4: when all are busy, "
        "each gets less"
    )
    with pytest.raises(DeployError) as caught:
        check(2, 4, two, three)
    error = caught.value
    assert error.message == (
        "with these numbers the containers may take 3.2 GB of memory by their limits, and nas has "
        "2.1 GB; nothing was changed"
    )
    assert error.details == (
        "edge: 1 of 0 B", "api: 3 of 1.1 GB", "worker: 1 of 0 B", "beat: 1 of 0 B",
        "cache: 1 of 0 B", "db: 1 of 0 B",
    )  # fmt: skip
    assert (error.stage, error.hint) == (
        "scale", "fewer containers, or lower limits in the Compose files",
    )  # fmt: skip
