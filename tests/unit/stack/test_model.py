"""What a stack tells of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slipway.stack.model import ADDRESS, Stack, data_variable, own_variables, unbuilt


def stack(services: dict[str, Any], **document: Any) -> Stack:
    """A stack of these services."""
    return Stack("demo", "u", {"services": services, **document}, {})


def test_services_that_must_run_before() -> None:
    """Those of those count, too; in the files' order, each once, also where they go in a ring."""
    needs = {"a": ["d", "x", "f"], "b": ["c"], "c": ["b"], "d": ["b", "c"], "e": [], "f": []}
    found = stack({name: {"depends_on": {key: {} for key in of}} for name, of in needs.items()})
    assert found.dependencies("a") == ("b", "c", "d", "f")
    assert found.dependencies("b") == ("b", "c")
    assert found.dependencies("e") == ()
    assert stack({"a": {"depends_on": None}}).dependencies("a") == ()


def test_work_that_ends_is_what_another_waits_for() -> None:
    """Only a wait for success makes a service one that ends."""
    waits = {
        "a": {"depends_on": {"job": {"condition": "service_completed_successfully"}}},
        "b": {"depends_on": {"db": {"condition": "service_healthy"}, "odd": {}}},
        "c": {"depends_on": {"job": {"condition": "service_started"}}},
    }
    found = stack({**waits, "job": {}, "db": {}, "odd": {"depends_on": None}})
    assert [name for name in found.services if found.ends(name)] == ["job"]


def test_networks_profiles_and_configs() -> None:
    """Each is read from where Compose's long form has it; what is not there is none."""
    found = stack(
        {"a": {"networks": {"m": None, "n": {}}}, "b": {"profiles": ["p"]}, "c": {"profiles": []}},
        configs={"f": {"file": "./f"}, "t": {"content": "x"}, "e": {"external": True}},
    )
    assert found.networks_of("a") == ("m", "n")
    assert found.networks_of("b") == ()
    assert found.standing == ("a", "c")
    assert found.config_files() == {"f": "./f"}
    assert found.config_texts() == {"t": "x"}
    assert (stack({}).config_files(), stack({}).config_texts()) == ({}, {})


def test_variables_of_slipways_own() -> None:
    """They are named after role and application, in letters that a shell takes for a name."""
    assert own_variables("my-demo", ["api", "a-b"], app_dir="/pool/x") == {
        "API_IMAGE": "image.of.api.unbuilt",
        "A_B_IMAGE": "image.of.a-b.unbuilt",
        "MY_DEMO_SECRETS": "/pool/x/secrets",
        "MY_DEMO_ADDRESS": ADDRESS,
    }
    assert data_variable("my-demo") == "MY_DEMO_DATA"


def test_the_hosts_address_is_put_in_once_it_is_known() -> None:
    """In the services and in the URL; until then what stands for it stays."""
    found = replace(stack({"s": {"environment": {"A": ADDRESS}}}), url=f"https://{ADDRESS}:1")
    assert found.with_images({}).url == found.url
    known = found.with_images({}, "[fd00::1]")
    assert known.services["s"] == {"environment": {"A": "[fd00::1]"}}
    assert known.url == "https://[fd00::1]:1"


def test_references_are_put_in_at_any_depth() -> None:
    """In lists and maps, never in keys; what is no text stays."""
    name = unbuilt("a")
    body = {"l": [f"x {name}", {"m": name}, 1, None, "unbuilt"], name: True}
    found = stack({"s": body}).with_images({"a": "demo/a:1", "b": "demo/b:1"})
    assert found.services["s"] == {
        "l": ["x demo/a:1", {"m": "demo/a:1"}, 1, None, "unbuilt"],
        name: True,
    }
