"""What a switch does next, by example; tests/unit/runner/test_switch_model.py plays whole ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slipway.runner.containers import Container
from slipway.runner.edge import Server
from slipway.runner.roll import Rolling, fault, parts
from slipway.runner.switch import retiring, sessions, switching

NET = ("demo_default",)
API = Rolling("api", 1, "new", (), 30, 10, True)
OLD = Container(
    "api", "c1", "demo-api-1", "i1", "running", "healthy", config="old",
    addresses=((NET[0], "10.0.0.1"), ("other", "10.9.0.1")),
)  # fmt: skip
NEW = replace(OLD, id="c2", name="demo-api-2", config="new", addresses=((NET[0], "10.0.0.2"),))
STARTING = replace(NEW, health="starting")


def place(name: str, host: int, status: str, sessions: int = 0) -> Server:
    """A server of the backend at a container's address; 0 for the one of the configuration."""
    address = f"10.0.0.{host}:8000" if host else "127.0.0.1:8000"
    return Server("api", name, "abc".index(name) + 1, address, status, sessions)


A, B, C = place("a", 1, "UP"), place("b", 0, "MAINT"), place("c", 0, "MAINT")


def switch(*servers: Server, one: Rolling = API, containers: object = (OLD, NEW)) -> list[str]:
    """The commands, and what is waited for."""
    step = switching(one, containers, servers, NET)  # type: ignore[arg-type]
    return [*step.commands, *([f"wait: {step.waiting}"] if step.waiting else [])]


def retire(*servers: Server, containers: object = (OLD, NEW)) -> list[str]:
    """Likewise for the way home."""
    step = retiring(API, containers, servers, NET)  # type: ignore[arg-type]
    return [*step.commands, *([f"wait: {step.waiting}"] if step.waiting else [])]


REACH = "wait: the edge to reach the new api"
WELL = "wait: api to be well"
FIND = "wait: the edge to find api"


def taken(name: str, host: int) -> list[str]:
    """The commands that give a place to a container."""
    return [
        f"set server api/{name} addr 10.0.0.{host} port 8000",
        f"enable health api/{name}",
        f"set server api/{name} state drain",
    ]


def test_a_switch_step_by_step() -> None:
    """Given a place, well and checked, made ready, and only then the old one is given no more."""
    assert switch(A, B, C, containers=(OLD, STARTING)) == [*taken("b", 2), WELL]
    for status in ("DRAIN 1/3", "DOWN", "DRAIN"):
        assert switch(A, place("b", 2, status), C, containers=(OLD, STARTING)) == [WELL]
    assert switch(A, B, C) == [*taken("b", 2), REACH]
    assert switch(A, place("b", 2, "DRAIN 1/3"), C) == [REACH]
    assert switch(A, place("b", 2, "DOWN"), C) == [REACH]
    assert switch(A, place("b", 2, "DRAIN"), C) == [
        "set server api/b state ready", "set server api/a state drain",
    ]  # fmt: skip
    assert switch(A, place("b", 2, "UP"), C) == ["set server api/a state drain"]
    assert switch(place("a", 1, "DRAIN"), place("b", 2, "UP"), C) == []


def test_the_place_with_the_fewest_old_streams_is_taken() -> None:
    """Those of a former switch live on in it, but are counted."""
    assert switch(A, place("b", 7, "MAINT", 3), C) == [*taken("c", 2), REACH]
    busy = place("c", 8, "MAINT", 5)
    assert switch(A, place("b", 7, "MAINT", 3), busy) == [*taken("b", 2), REACH]


def test_a_place_that_was_left_is_taken_from_who_is_gone() -> None:
    """A switch that was broken off twice leaves no place free; maintenance first resets it."""
    left = (A, place("b", 7, "DOWN"), place("c", 8, "DRAIN"))
    assert switch(*left) == ["set server api/b state maint", *taken("b", 2), REACH]


def test_an_edge_that_was_restarted() -> None:
    """It may know the name of a container that is not well yet: somebody well is reached."""
    lost = place("a", 2, "DOWN")
    assert switch(lost, B, C, containers=(OLD, STARTING)) == [
        *taken("b", 1), "wait: api to be well",
    ]  # fmt: skip
    assert switch(lost, place("b", 1, "DRAIN"), C, containers=(OLD, STARTING)) == [
        "set server api/b state ready", "wait: api to be well",
    ]  # fmt: skip
    assert switch(place("a", 2, "UP"), B, C) == []


def test_going_back_is_one_command() -> None:
    """The old one is still there and checked: it is ready at once, then the new one isn't."""
    back = replace(API, config="old")
    a, b = place("a", 1, "DRAIN"), place("b", 2, "UP")
    assert switch(a, b, C, one=back) == [
        "set server api/a state ready", "set server api/b state drain",
    ]  # fmt: skip
    assert switch(place("a", 1, "UP"), b, C, one=back) == ["set server api/b state drain"]


def test_two_containers() -> None:
    """Each has a place of its own before the old ones are let go."""
    two, second = (
        replace(API, containers=2),
        replace(NEW, id="c3", addresses=((NET[0], "10.0.0.3"),)),
    )
    both = (OLD, NEW, second)
    assert switch(A, B, C, one=two, containers=both) == [*taken("b", 2), *taken("c", 3), REACH]
    assert switch(A, place("b", 2, "UP"), place("c", 3, "DRAIN"), one=two, containers=both) == [
        "set server api/c state ready", "set server api/a state drain",
    ]  # fmt: skip
    assert switch(A, place("b", 2, "DRAIN"), place("c", 3, "DOWN"), one=two, containers=both) == [
        "set server api/b state ready", REACH,
    ]  # fmt: skip
    assert switch(A, place("b", 2, "UP"), place("c", 3, "UP"), one=two, containers=both) == [
        "set server api/a state drain"
    ]


def test_more_containers_than_places() -> None:
    """Those that are reached are enough for the old one to go; the first place is next."""
    three = replace(API, containers=3)
    more = [replace(NEW, id=f"c{n}", addresses=((NET[0], f"10.0.0.{n}"),)) for n in (2, 3, 4)]
    places = (A, place("b", 2, "UP"), place("c", 3, "UP"))
    assert switch(*places, one=three, containers=(OLD, *more)) == ["set server api/a state drain"]
    step = retiring(three, (OLD, *more), (place("a", 1, "DRAIN"), *places[1:]), NET)
    assert "set server api/a addr 10.0.0.4 port 8000" in step.commands


def test_what_the_edge_does_not_know() -> None:
    """A worker is switched as soon as it is well, and so is a service without a backend."""
    beside = replace(API, behind=False)
    assert switch(one=beside, containers=(OLD, STARTING)) == ["wait: api to be well"]
    assert switch(one=beside) == switch() == []
    assert retiring(beside, (OLD, NEW), (), NET).done
    assert retire() == []


def test_home_again_step_by_step() -> None:
    """The first server is moved out of sight, checked, made ready; then the place is free."""
    b = place("b", 2, "UP")
    assert retire(place("a", 1, "DRAIN", 4), b, C) == [
        "set server api/a state maint",
        "set server api/a addr 10.0.0.2 port 8000",
        "set server api/a state drain",
        FIND,
    ]
    assert retire(place("a", 2, "DRAIN 1/3"), b, C) == [FIND]
    assert retire(place("a", 2, "MAINT"), b, C) == ["set server api/a state drain", FIND]
    assert retire(place("a", 2, "DRAIN"), b, C) == [
        "set server api/a state ready", "set server api/b state maint",
    ]  # fmt: skip
    assert retire(place("a", 2, "UP"), b, C) == ["set server api/b state maint"]
    assert retire(place("a", 2, "UP"), place("b", 2, "MAINT"), C) == []


def test_on_the_way_home_an_edge_was_restarted() -> None:
    """It gives requests to the old one again, which is ending: the new one is reached first."""
    assert retire(A, B, C) == [*taken("b", 2), REACH]
    assert retire(A, B, C, containers=(OLD, STARTING)) == [*taken("b", 2), WELL]


@pytest.mark.parametrize("state", ["created", "restarting", "exited", "dead", "paused"])
def test_what_does_not_run_is_not_what_is_wanted(state: str) -> None:
    """It is one of those to remove, so that another one is started."""
    found = parts(API, (OLD, replace(NEW, state=state)))
    assert (found.right, [one.id for one in found.old]) == ((), ["c1", "c2"])


def test_more_than_are_wanted_are_old() -> None:
    """Those that are well stay; one-off containers and other services are nobody's."""
    second = replace(NEW, id="c3", name="demo-api-3")
    others = (replace(NEW, id="c4", one_off=True), replace(NEW, id="c5", service="web"))
    found = parts(API, (OLD, STARTING, second, *others))
    assert [one.id for one in found.right] == ["c3"]
    assert [one.id for one in found.old] == ["c1", "c2"]


def test_the_image_tells_too() -> None:
    """A changed line of code changes the image and no definition."""
    by_image = replace(API, images=("i2", "m2"))
    assert parts(by_image, (OLD, NEW)).right == ()
    assert parts(by_image, (OLD, replace(NEW, image_id="m2"))).right != ()


def test_faults_are_the_new_ones() -> None:
    """An old container that ends is no reason to go back to it."""
    assert fault(API, (replace(OLD, state="exited"), NEW)) is None
    ended = replace(NEW, state="restarting", exit_code=3)
    assert fault(API, (OLD, ended)) == (ended, "exited with code 3 and is being restarted")


def test_requests_of_the_old_ones() -> None:
    """Those in free places that were theirs count as well: streams of the switch before."""
    servers = (place("a", 1, "DRAIN", 2), place("b", 2, "UP", 9), place("c", 1, "MAINT", 3))
    assert sessions(API, (OLD, NEW), servers, NET) == 5
    assert sessions(API, (NEW,), servers, NET) == 0


def test_its_json_form_comes_back() -> None:
    """A record, and a request, hold all of it."""
    full = Rolling("api", 2, "h", ("c", "m"), 30, 10, True)
    assert Rolling.from_json(full.to_json()) == full
