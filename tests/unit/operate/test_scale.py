"""Other numbers of containers: kept over deploys, checked first, gone back from when they fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.demo import COMPOSE, World, wanted, world

from slipway.act.deploy import deploy
from slipway.commandline import gathered
from slipway.errors import ConfigError, DeployError
from slipway.hosts.facts import Facts
from slipway.operate.scale import counts_text, parse_counts, read_counts, scale
from slipway.operate.status import read_status
from slipway.plan.scale import check_capacity
from slipway.stack.limits import Limits, in_bytes, limits

TEXT = COMPOSE.replace("x-slipway: { role: db }", "x-slipway: { role: db, roll: beside }").replace(
    "stop_grace_period: 20s", "deploy: { resources: { limits: { memory: 1G, cpus: '2' } } }"
)


def deployed() -> World:
    """A host with a stack whose db may be there several times."""
    made = world()
    deploy(wanted(TEXT), made.doors, "token")
    files = {f"/pool/demo/{path}": data for path, data in made.folder.files.items()}
    made.host.files.update(files)
    return made


def numbers(made: World) -> list[str]:
    """The db's containers."""
    return [one.id for one in made.engine.running if one.service == "db"]


def test_more_are_started_beside_and_kept_over_deploys() -> None:
    """The one that runs goes on; a deploy afterwards, and one of another image, keep to it."""
    made = deployed()
    before = numbers(made)
    result = scale(made.doors, "me", "token", {"db": 3})
    assert result.outcome.outcome == "scaled"
    assert len(numbers(made)) == 3
    assert set(before) < set(numbers(made))
    assert read_status(made.doors).well
    assert deploy(wanted(TEXT), made.doors, "token").outcome.outcome == "unchanged"
    made.clock.seconds += 60
    deploy(wanted(TEXT, db="2"), made.doors, "token")
    assert len(numbers(made)) == 3
    assert {c.image_id for c in made.engine.running if c.service == "db"} == {"sha256:config-db-2"}


def test_fewer_end_and_the_composes_own_number_is_not_kept() -> None:
    """With the number of the Compose file again the host keeps none."""
    made = deployed()
    scale(made.doors, "me", "token", {"db": 3})
    assert "scale.json" in made.folder.files
    kept = numbers(made)
    scale(made.doors, "me", "token", {"db": 1})
    assert set(numbers(made)) < set(kept)
    assert len(numbers(made)) == 1
    assert "scale.json" not in made.folder.files
    assert deploy(wanted(TEXT), made.doors, "token").outcome.outcome == "unchanged"


def test_the_same_number_changes_nothing() -> None:
    """What is so already is no work for the host."""
    made = deployed()
    runs = len(made.runner.requests)
    assert scale(made.doors, "me", "token", {"db": 1}).outcome.outcome == "unchanged"
    assert len(made.runner.requests) == runs


def test_what_fails_is_as_it_was() -> None:
    """New ones that don't get well go again, with the number; the one that ran is untouched."""
    made = deployed()
    before = numbers(made)
    new = made.engine._new
    made.engine._new = lambda *words: replace(new(*words), health="unhealthy")  # type: ignore[method-assign]
    with pytest.raises(DeployError, match="is serving again") as caught:
        scale(made.doors, "me", "token", {"db": 2})
    assert caught.value.exit_code == 5
    assert numbers(made) == before
    assert "scale.json" not in made.folder.files


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"nope": 2}, "there is no service nope"),
        ({"db": 0}, "has at least one container"),
        ({"web": 2}, "side by side"),
    ],
)
def test_what_can_not_be_is_refused(counts: dict[str, int], said: str) -> None:
    """Before anything is changed, and with the services that can."""
    made = deployed()
    runs, files = len(made.runner.requests), dict(made.folder.files)
    with pytest.raises(ConfigError, match=said):
        scale(made.doors, "me", "token", counts)
    assert (len(made.runner.requests), made.folder.files) == (runs, files)


def test_limits_beyond_the_hosts_memory_are_refused() -> None:
    """With figures; fewer than before never are. Processors are only warned of."""
    stack = wanted(TEXT).stack
    small = Facts("26", "2", memory=2 << 30, processors=4)
    assert check_capacity("nas", small, stack, stack.scaled({"db": 2})) == ""
    with pytest.raises(DeployError, match=r"3.2 GB .* nas has 2.1 GB") as caught:
        check_capacity("nas", small, stack, stack.scaled({"db": 3}))
    assert "db: 3 of 1.1 GB" in caught.value.details
    assert check_capacity("nas", small, stack.scaled({"db": 5}), stack.scaled({"db": 3})) == ""
    roomy = replace(small, memory=64 << 30)
    assert "6 processors" in check_capacity("nas", roomy, stack, stack.scaled({"db": 3}))
    silent = replace(small, memory=0, processors=0)
    assert check_capacity("nas", silent, stack, stack.scaled({"db": 99})) == ""


def test_the_numbers_are_shown() -> None:
    """Without numbers the command shows those there are, and what they may take."""
    made = deployed()
    scale(made.doors, "me", "token", {"db": 2})
    counts = read_counts(made.doors)
    (db,) = (one for one in counts.services if one.service == "db")
    assert (db.containers, db.running, db.said, db.memory) == (2, 2, 1, 1 << 30)
    assert counts.memory_needed == 2 << 30
    assert "2 (Compose: 1)" in counts_text(counts)


def test_numbers_on_the_command_line() -> None:
    """A bare word behind scale is its own, not another task."""
    assert gathered(["inv", "scale", "--host", "nas", "worker=3", "api=2", "--json"]) == [
        "inv", "scale", "--host", "nas", "--set", "worker=3", "--set", "api=2", "--json",
    ]  # fmt: skip
    assert gathered(["inv", "exec", "api", "--", "scale", "a=1"])[-1] == "a=1"
    assert gathered(["inv", "logs", "a=1"]) == ["inv", "logs", "a=1"]
    assert parse_counts(["worker=3", "api=0"]) == {"worker": 3, "api": 0}
    with pytest.raises(ConfigError, match="worker: more than one number was given"):
        parse_counts(["worker=2", "api=2", "worker=3"])
    with pytest.raises(ConfigError, match="worker=x should be"):
        parse_counts(["worker=x", "=3"])


@pytest.mark.parametrize(
    ("said", "number"), [("512M", 512 << 20), ("536870912", 512 << 20), (0, 0), ("1.5gb", 3 << 29)]
)
def test_bytes_as_compose_writes_them(said: object, number: int) -> None:
    """Its units are powers of 1024."""
    assert in_bytes(said) == number


def test_limits_in_both_forms() -> None:
    """Those of `deploy`, and the older ones beside it."""
    new = {"deploy": {"resources": {"limits": {"cpus": 0.5, "memory": "1024", "pids": 3}}}}
    assert limits(new) == Limits(1024, 0.5, 3)
    assert limits({"mem_limit": "1k", "cpus": 0.5, "pids_limit": 3}) == Limits(1024, 0.5, 3)
    assert limits({}) == Limits()
