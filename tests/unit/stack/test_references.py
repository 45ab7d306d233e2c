"""Names in ``x-slipway`` that lead nowhere have their place told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slipway.stack.model import Edge, Migration, Piped, SecretSpec, Smoke, Stack
from slipway.stack.references import reference_problems

GOOD = Stack(
    "demo",
    "u",
    {
        "services": {
            "edge": {"image": "i"},
            "web": {"depends_on": {"db": {}}},
            "db": {"image": "i"},
            "job": {"image": "i", "profiles": ["p"], "depends_on": {"other": {}}},
            "other": {"image": "i", "profiles": ["p"]},
        },
        "secrets": {"key": {"file": "f"}, "theirs": {"external": True}},
    },
    {"web": "web"},
    rolled={"web": "edge", "db": "beside"},
    edge=Edge("edge", "/s"),
    secrets=(SecretSpec("key"), SecretSpec("acl", derive="redis-acl", source="key")),
    migration=Migration("job", dump=Piped("db"), restore=Piped("db")),
    smoke=Smoke(("x",), {"KEY_FILE": "key", "_2": "acl"}),
)


def wrong(**changed: Any) -> list[str]:
    """Where the problems of the stack are that has these fields in place of its own."""
    return [problem.where for problem in reference_problems(replace(GOOD, **changed))]


def test_a_good_stack_has_no_problems() -> None:
    """A secret that others made, a job that waits for another job, what rolls with an edge."""
    assert reference_problems(GOOD) == []
    nothing = Stack("demo", "u", {"services": {}}, {})
    assert reference_problems(nothing) == []


@pytest.mark.parametrize(
    ("secret", "count"),
    [
        (SecretSpec("x", derive="magic", source="key"), 1),
        (SecretSpec("x", derive="redis-acl", source="nobody"), 1),
        (SecretSpec("x", derive="redis-acl", source="key", generate=1), 1),
        (SecretSpec("x", derive="magic", source="nobody", generate=1), 3),
        (SecretSpec("x", source="nobody", generate=1), 0),
        (SecretSpec("x", derive="login", source="key", login="demo_app"), 0),
        (SecretSpec("x", derive="login", source="key"), 1),
        (SecretSpec("x", derive="login", source="key", login="a:b"), 1),
        (SecretSpec("x", derive="redis-acl", source="key", login="demo_app"), 1),
        (SecretSpec("x", optional=True), 0),
        (SecretSpec("x", optional=True, generate=8), 1),
    ],
)
def test_derived_secrets(secret: SecretSpec, count: int) -> None:
    """How, and of what, is checked where something is derived."""
    assert wrong(secrets=(*GOOD.secrets, secret)) == ["x-slipway.secrets.x"] * count


def test_secrets_are_declared() -> None:
    """Compose's and the smoke test's are among those of ``x-slipway``."""
    assert wrong(secrets=()) == [
        "secrets.key",
        "x-slipway.smoke.secrets.KEY_FILE",
        "x-slipway.smoke.secrets._2",
    ]


@pytest.mark.parametrize("name", ["1A", "A-B", "", "A B"])
def test_a_variable_has_a_name_that_a_shell_takes(name: str) -> None:
    """Anything else could not be set."""
    assert wrong(smoke=Smoke((), {name: "key"})) == [f"x-slipway.smoke.secrets.{name}"]


@pytest.mark.parametrize("service", ["nobody", "job"])
def test_services_that_are_named(service: str) -> None:
    """They are there; what something is run in also stands, but not what migrates."""
    piped = Piped(service, ("x",))
    found = wrong(edge=Edge(service, "/s"), migration=Migration(service, dump=piped, restore=piped))
    paths = ["edge.service", "migrate.service", "migrate.dump.service", "migrate.restore.service"]
    if service == "job":
        paths.remove("migrate.service")
    assert found == [f"x-slipway.{path}" for path in paths]


def test_what_rolls_needs_an_edge_and_is_none() -> None:
    """What rolls beside itself needs no edge; the edge can't be switched to by itself."""
    assert wrong(edge=Edge()) == ["services.web.x-slipway.roll"]
    assert wrong(rolled={"edge": "edge"}) == ["services.edge.x-slipway.roll"]
    assert wrong(rolled={"edge": "beside"}) == []


def test_a_service_has_an_image_or_a_role() -> None:
    """Every one, whether it stands or not."""
    assert wrong(roles={}) == ["services.web"]
    services = {"a": {"image": ""}, "b": {"profiles": ["p"]}}
    found = reference_problems(Stack("demo", "u", {"services": services}, {}))
    assert [problem.where for problem in found] == ["services.a", "services.b"]


@pytest.mark.parametrize(
    ("how", "count"), [({}, 1), ({"required": True}, 1), ({"required": False}, 0)]
)
def test_what_stands_waits_for_what_stands(how: dict[str, Any], count: int) -> None:
    """Unless Compose may do without."""
    services = {"a": {"image": "i", "depends_on": {"b": how}}, "b": {"image": "i", "profiles": [1]}}
    found = reference_problems(Stack("demo", "u", {"services": services}, {}))
    assert [problem.where for problem in found] == ["services.a.depends_on.b"] * count
