"""Preflight names every reason at once, before anything is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.demo import wanted
from tests.unit.plan.full import FULL, planned, released, seen
from tests.unit.plan.stood import NETWORKED, NOW, running

from slipway.errors import DeployError
from slipway.hosts.facts import Facts
from slipway.hosts.networks import Network
from slipway.plan.draft import draft
from slipway.plan.needs import Needs, needs
from slipway.plan.preflight import check, findings, unconfined
from slipway.plan.wanted import Seen

GOOD = Facts(
    "26.1.5+dfsg1",
    "2.26.1-4",
    docker_free=10**10,
    app_free=10**10,
    listening=frozenset({22}),
)
NEEDS = Needs(10**6, frozenset({8080}), "/pool/app")


def problems(facts: Facts, needs: Needs) -> tuple[str, ...]:
    """What was found, a sentence each."""
    return tuple(one.what for one in findings(facts, needs))


def test_a_good_host_has_no_problem() -> None:
    """A recent Docker with room and free ports passes."""
    assert problems(GOOD, NEEDS) == ()
    check("nas", GOOD, NEEDS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"docker": "19.3.1"}, "Docker 19.3.1 is too old"),
        ({"compose": "2.3.3"}, "Docker Compose 2.3.3 is too old"),
        ({"compose": "1.29.2"}, "Docker Compose 1.29.2 is too old"),
        ({"architecture": "aarch64"}, "its processor is aarch64"),
        ({"docker_free": 10**8}, "100.0 MB are free for images; 102.0 MB are needed"),
        ({"app_free": 0}, "0 B are free at /pool/app"),
        ({"writable": False}, "/pool/app can't be written"),
        ({"listening": frozenset({8080})}, "port 8080 is in use by another program"),
    ],
)
def test_each_problem_has_its_sentence(change: dict[str, object], said: str) -> None:
    """What is wrong, and what would be right, is in the sentence."""
    (line,) = problems(replace(GOOD, **change), NEEDS)  # type: ignore[arg-type]
    assert said in line


@pytest.mark.parametrize(
    ("confined", "said"),
    [
        (None, []),
        ({"seccomp", "apparmor", "cgroupns"}, []),
        ({"seccomp", "selinux"}, []),
        ({"seccomp"}, ["neither AppArmor nor SELinux"]),
        ({"apparmor"}, ["does not filter containers' system calls"]),
        (set(), ["does not filter", "neither AppArmor nor SELinux"]),
    ],
)
def test_a_host_that_confines_less_is_named(confined: set[str] | None, said: list[str]) -> None:
    """A sentence for each of Docker's profiles that the host does without."""
    known = None if confined is None else frozenset(confined)
    lines = unconfined("nas", replace(GOOD, confined=known))
    assert len(lines) == len(said)
    assert all(one in line for one, line in zip(said, lines, strict=True))


def test_what_was_deployed_from_elsewhere_is_no_ground_to_build_on() -> None:
    """Another folder's containers are named by their file; a longer name is another folder."""
    files = {"/pool/app/releases/1/c.json", "/pool/application/c.json"}
    (line,) = problems(GOOD, replace(NEEDS, made_from=frozenset(files)))
    said = "deployed from /pool/application/c.json, not from /pool/app: take that one down first"
    assert said in line


def test_a_volume_that_would_lose_its_data_is_refused() -> None:
    """Only one that exists on the host with another definition; a new one can be made."""
    changed = replace(NEEDS, new_volumes=("pile", "other"))
    (line,) = problems(replace(GOOD, volumes=("pile", "more")), changed)
    assert "the volume pile exists with another definition" in line
    assert problems(replace(GOOD, volumes=("more",)), changed) == ()


def test_a_network_of_somebody_elses_is_left_alone() -> None:
    """Its name is the stack's, its labels are not: it is named, and never removed."""
    live = released(NETWORKED)
    there = (Network("demo_inner", "bridge", True, "demo"), Network("other", "bridge", True))
    for networks, count in ((there, 0), ((replace(there[0], project=""), there[1]), 1),
                            ((replace(there[0], project="neighbour"),), 1)):  # fmt: skip
        on = running(live)
        on = replace(on, engine=replace(on.engine, networks=networks))
        needed = needs(draft(wanted(NETWORKED), on, NOW))
        assert needed.foreign == ("demo_inner",) * count
    (line,) = problems(GOOD, replace(NEEDS, foreign=("demo_inner",)))
    assert "the network demo_inner is there already" in line


def test_more_containers_than_there_is_memory_for() -> None:
    """Refused by their numbers: what one of each takes is the Compose file's own affair."""
    limits = "{ replicas: 4, resources: { limits: { memory: 1G, cpus: '1' } } }"
    text = FULL.replace("{ replicas: 2 }", limits)
    small = replace(GOOD, memory=3 << 30, processors=2)
    made = planned(Seen(), text)
    (line,) = problems(small, replace(NEEDS, numbers=needs(made).numbers))
    assert "may take 4.3 GB of memory by their limits, and the host has 3.2 GB" in line
    assert needs(planned(Seen(), text.replace("replicas: 4", "replicas: 1"))).numbers is None
    # Once they are there, a deploy is not refused for them; the host's own numbers count.
    live = released(text)
    assert needs(planned(seen(live), text)).numbers is None
    more = needs(planned(seen(live, scale={"api": 5}), text)).numbers
    assert more is None
    fewer = text.replace("replicas: 4", "replicas: 1")
    held = replace(seen(released(fewer)).memory, scale={"api": 6})
    there = Seen(held, seen(released(fewer)).engine)
    assert needs(planned(there, fewer)).numbers is None


def test_all_problems_are_in_one_error() -> None:
    """The error names the first problem, counts the others and lists all; exit code 5."""
    bad = replace(GOOD, writable=False, architecture="arm", listening=frozenset({8080}))
    with pytest.raises(DeployError, match=r"and 2 more\); nothing was changed") as caught:
        check("nas", bad, NEEDS)
    assert caught.value.details == problems(bad, NEEDS)
    assert len(caught.value.details) == 3
    assert (caught.value.exit_code, caught.value.stage) == (5, "preflight")
    assert caught.value.hint == (
        "./inv host.doctor --host nas says how to mend each; then deploy again"
    )


def test_a_single_problem_is_not_counted() -> None:
    """The sentence stands alone, with its own hint."""
    with pytest.raises(DeployError) as caught:
        check("nas", replace(GOOD, writable=False), NEEDS)
    assert caught.value.message == (
        "nas can't take this deploy: /pool/app can't be written by the login user; "
        "nothing was changed"
    )
    assert "set sudo = true in the host's table" in str(caught.value.hint)


def test_who_has_a_port_is_named_where_that_is_known() -> None:
    """A deploy does not ask for that, the doctor does."""
    (found,) = findings(replace(GOOD, listening=frozenset({8080})), NEEDS, {8080: "nginx"})
    assert (found.code, found.what) == ("port-taken", "port 8080 is in use by nginx")


def test_just_enough_is_enough() -> None:
    """The oldest versions, and the last byte that is needed."""
    least = replace(GOOD, docker="20.10", compose="2.20", docker_free=102_000_000)
    assert problems(replace(least, app_free=20_000_000), NEEDS) == ()


def test_own_ports_are_no_problem() -> None:
    """A port that this application's own containers publish is free for it."""
    busy = replace(GOOD, listening=frozenset({8080}))
    assert problems(busy, replace(NEEDS, own_ports=frozenset({8080}))) == ()


def test_nothing_to_send_needs_no_room_for_images() -> None:
    """With no image to send a full image disk is no reason to refuse a repair."""
    assert problems(replace(GOOD, docker_free=0), replace(NEEDS, bytes_to_send=0)) == ()
