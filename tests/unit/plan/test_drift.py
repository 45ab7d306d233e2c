"""What somebody did to a container, or made in its place, is found and named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.plan.test_changes import NETWORKS, actions, containers, made_of, seen

from slipway.hosts.networks import Network, parse_networks
from slipway.operate.status import make_status
from slipway.plan.changes import make_plan
from slipway.plan.drift import differences
from slipway.plan.values import DefinitionChange, Plan
from slipway.runner.containers import Container, Made, parse_containers, veiled
from slipway.stack.shape import Shape, read_shapes

DOCUMENT = {
    "name": "demo",
    "networks": {"back": {"name": "demo_back", "internal": True}, "out": {"name": "theirs"}},
    "volumes": {"pile": {}},
    "configs": {"edge": {"file": "/app/files/1/edge.cfg"}, "said": {"content": "x"}},
    "secrets": {"key": {"file": "/app/secrets/key/1"}},
    "services": {
        "web": {
            "environment": {"GREETING": "a$$b", "COUNT": 3, "FROM_SHELL": None},
            "volumes": [
                {"type": "bind", "source": "/data/", "target": "/d"},
                {"type": "volume", "source": "pile", "target": "/p"},
                {"type": "tmpfs", "target": "/t"},
            ],
            "configs": [{"source": "edge", "target": "/etc/edge.cfg"}, {"source": "said"}],
            "secrets": [{"source": "key"}],
            "networks": {"back": None, "out": None},
            "restart": "unless-stopped",
            "deploy": {"resources": {"limits": {"memory": "1024", "cpus": 0.5, "pids": 9}}},
        },
        "alone": {"network_mode": "host", "deploy": {"restart_policy": {"condition": "any"}}},
        "plain": {},
    },
}
SHAPES = read_shapes(json.dumps(DOCUMENT).encode())
RIGHT = Made(
    environment=(("COUNT", veiled("3")), ("GREETING", veiled("a$b")), ("PATH", veiled("/bin"))),
    mounts=(
        ("/d", "/data"), ("/etc/edge.cfg", "/app/files/1/edge.cfg"), ("/images", "0" * 64),
        ("/p", "demo_pile"), ("/run/secrets/key", "/app/secrets/key/1"),
    ),
    networks=("demo_back", "theirs"),
    memory=1024,
    processors=0.5,
    processes=9,
    restart="unless-stopped",
)  # fmt: skip
WEB = Container("web", "id", "web-1", "i", "running", made=RIGHT)


def test_what_is_as_it_was_made_does_not_differ() -> None:
    """Variables of the image and volumes without a name are its own business."""
    assert differences(SHAPES["web"], WEB) == ()
    assert differences(SHAPES["web"], replace(WEB, made=None)) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"environment": RIGHT.environment[1:]}, "has no variable COUNT"),
        (
            {"environment": (("COUNT", veiled("4")), *RIGHT.environment[1:])},
            "has another value of the variable COUNT",
        ),
        ({"mounts": RIGHT.mounts[1:]}, "has nothing mounted at /d"),
        (
            {"mounts": (("/d", "/other"), *RIGHT.mounts[1:])},
            "has /other mounted at /d instead of /data",
        ),
        (
            {"mounts": (*RIGHT.mounts, ("/x", "/etc"))},
            "has /etc mounted at /x, which nobody asked for",
        ),
        ({"networks": ("demo_back",)}, "is not in the network theirs"),
        (
            {"networks": ("demo_back", "other", "theirs")},
            "is in the network other, which nobody asked for",
        ),
        ({"memory": 2048}, "may take 2.0 kB of memory instead of 1.0 kB"),
        ({"processors": 2.0}, "may take 2 processors instead of 0.5"),
        ({"processors": 0.75}, "may take 0.75 processors instead of 0.5"),
        ({"processes": 10}, "may have 10 processes instead of 9"),
        ({"restart": "no"}, "has the restart policy no instead of unless-stopped"),
    ],
)
def test_each_difference_has_its_words(change: dict[str, Any], said: str) -> None:
    """And no other is named beside it."""
    assert differences(SHAPES["web"], replace(WEB, made=replace(RIGHT, **change))) == (said,)


def test_limits_that_nobody_asked_for() -> None:
    """Those of another hand, where the Compose file has none."""
    made = Made(networks=("demo_default",), memory=7, processors=2.0)
    one = Container("plain", "id", "plain-1", "i", "running", made=made)
    assert differences(SHAPE, one) == (
        "may take 7 B of memory instead of no limit",
        "may take 2 processors instead of no limit",
    )


def test_no_value_is_ever_shown() -> None:
    """Neither in words nor in what is kept of a container."""
    made = replace(RIGHT, environment=(("COUNT", veiled("hush")), *RIGHT.environment[1:]))
    assert "hush" not in repr((differences(SHAPES["web"], replace(WEB, made=made)), made))


def test_a_limit_that_the_kernel_can_not_keep_is_no_difference() -> None:
    """Docker discards it and shows none."""
    made = replace(RIGHT, memory=0, processors=0.0, processes=0)
    assert differences(SHAPES["web"], replace(WEB, made=made)) == ()


def test_what_is_said_elsewhere_is_not_compared() -> None:
    """Networks of something else, and a restart policy in another form."""
    made = Made(networks=("host",), restart="always")
    one = Container("alone", "id", "a-1", "i", "running", made=made)
    assert differences(SHAPES["alone"], one) == ()
    assert SHAPES["plain"].networks == frozenset({"demo_default"})


def test_a_stopped_container_is_in_no_network() -> None:
    """That says nothing."""
    made = replace(RIGHT, networks=())
    assert differences(SHAPES["web"], replace(WEB, state="exited", made=made)) == ()


def test_what_docker_says_of_a_container() -> None:
    """The wide form of one line; null where there is nothing."""
    line = {
        "Id": "x", "Name": "/web-1", "Image": "i", "Status": "running", "Health": "",
        "Restarts": 0, "ExitCode": 0, "OOMKilled": False, "Service": "web", "OneOff": "False",
        "Config": "c", "File": "f", "Ports": {}, "Networks": {"demo_back": None},
        "Made": {
            "Env": ["A=b=c", "B="],
            "Mounts": [
                {"Type": "volume", "Name": "pile", "Source": "/var/x", "Destination": "/p"},
                {"Type": "bind", "Source": "/d", "Destination": "/e"},
                {"Type": "tmpfs", "Source": "", "Destination": "/t"},
            ],
            "Memory": 1, "NanoCpus": 1500000000, "PidsLimit": None, "Restart": {"Name": ""},
        },
    }  # fmt: skip
    (one,) = parse_containers(json.dumps(line))
    assert one.made == Made(
        (("A", veiled("b=c")), ("B", veiled(""))), (("/e", "/d"), ("/p", "pile")),
        ("demo_back",), 1, 1.5, 0, "no",
    )  # fmt: skip
    (narrow,) = parse_containers(json.dumps({**line, "Made": None}))
    assert narrow.made is None


def plan_of(there: tuple[Container, ...], shapes: dict[str, Shape], rolls: bool) -> Plan:
    """The plan of the live release on a host with these containers."""
    stack, release = made_of()
    if rolls:
        stack = replace(stack, rolled={"db": "beside"})
    return make_plan(stack, release, seen(there, release), bytes_to_send=0, shapes=shapes)


SHAPE = replace(SHAPES["plain"], networks=frozenset({"demo_default"}))


def test_a_deploy_heals_what_drifted_and_names_it() -> None:
    """Beside the old one where it rolls; the old one's id says that it must go."""
    _, release = made_of()
    good, bad = Made(networks=("demo_default",)), Made(networks=("demo_default",), memory=7)
    there = containers(release, web={"made": good}, db={"made": bad})
    for rolls, action in ((True, "roll"), (False, "recreate")):
        plan = plan_of(there, {"db": SHAPE, "web": SHAPE}, rolls)
        assert actions(plan)["web"] == ("keep", "unchanged")
        assert actions(plan)["db"] == (action, "may take 7 B of memory instead of no limit")
        assert [one.old for one in plan.containers] == [(), ("id-db",)]


def test_one_that_docker_started_again_is_replaced_where_that_costs_nothing() -> None:
    """Where it rolls; another one that is well is left and its restarts are named."""
    _, release = made_of()
    there = containers(release, db={"restarts": 2})
    said = "was started again 2 times by Docker"
    assert actions(plan_of(there, {}, rolls=True))["db"] == ("roll", said)
    assert actions(plan_of(there, {}, rolls=False))["db"] == ("keep", said)
    status = make_status("nas", release, there)
    assert [one.what for one in status.drift] == [said]


def test_an_unhealthy_one_is_drift() -> None:
    """Status names it like every other difference, also those of what it is made of."""
    _, release = made_of()
    there = containers(release, db={"health": "unhealthy", "made": Made(networks=("x",))})
    status = make_status("nas", release, there, {"db": SHAPE})
    assert [one.what for one in status.drift] == [
        "is in the network x, which nobody asked for", "is not in the network demo_default",
        "is unhealthy",
    ]  # fmt: skip


def test_a_network_that_somebody_made_anew_is_another() -> None:
    """One of the name that is not internal is made anew, with the services that are on it."""
    stack, release = made_of(NETWORKS)
    on = seen(containers(release), release)
    for there, count in (
        (Network("demo_inner", "bridge", True), 0), (Network("demo_inner", "bridge", False), 1),
        (Network("demo_outer", "macvlan", False), 0), (Network("x", "bridge", False), 0),
    ):  # fmt: skip
        state = replace(on, engine=replace(on.engine, networks=(there,)))
        made = make_plan(stack, release, state, bytes_to_send=0)
        assert len(made.definitions) == count, there
        if count:
            assert made.definitions[0] == DefinitionChange("network", "inner", "recreate", ("db",))


def test_networks_as_docker_lists_them() -> None:
    """All values are texts."""
    text = json.dumps({"Name": "a", "Driver": "bridge", "Internal": "true", "IPv6": "false"})
    assert parse_networks(text + "\n") == (Network("a", "bridge", True),)
    mine = json.loads(text) | {"Labels": "a=b,com.docker.compose.project=demo,c=d"}
    assert parse_networks(json.dumps(mine)) == (Network("a", "bridge", True, "demo"),)
