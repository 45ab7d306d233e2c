"""Merging Compose files; the parity test beside the real Compose covers the meaning."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slipway.stack.merge import merge
from slipway.stack.yamlfile import RESET, Override


def web(**body: Any) -> dict[str, Any]:
    """A document of one service."""
    return {"services": {"web": body}}


def merged(*bodies: dict[str, Any]) -> dict[str, Any]:
    """The service that several documents come to."""
    result: dict[str, Any] = merge([web(**body) for body in bodies])["services"]["web"]
    return result


def test_short_forms_become_maps() -> None:
    """Lists of KEY=VALUE, names of networks and dependencies are maps afterwards."""
    body = merged({"environment": ["A=1=2", "B"], "networks": ["n"], "depends_on": ["db"]})
    assert body["environment"] == {"A": "1=2", "B": None}
    assert body["networks"] == {"n": None}
    assert body["depends_on"] == {"db": {"condition": "service_started", "required": True}}


def test_lists_without_identity_are_joined() -> None:
    """Items of a list that has no rule are all kept."""
    assert merged({"group": ["a"]}, {"group": ["a", "b"]})["group"] == ["a", "a", "b"]


def test_mounts_are_told_apart_by_their_target() -> None:
    """A later mount on the same target takes the place of the earlier, in either form."""
    later = {"type": "bind", "source": "/z", "target": "/data/"}
    body = merged({"volumes": ["/a:/data:ro", "/b:/b"]}, {"volumes": [later]})
    assert body["volumes"] == [later, "/b:/b"]


def test_commands_are_replaced() -> None:
    """A command, an entrypoint and a health check's test are never joined."""
    first = {"command": ["a"], "entrypoint": ["b"], "healthcheck": {"test": ["CMD", "c"]}}
    second = {"command": "x", "entrypoint": ["y"], "healthcheck": {"test": "z"}}
    assert merged(first, second) == second


def test_reset_and_override() -> None:
    """``!reset`` removes, ``!override`` replaces, also where nothing was before."""
    first = {"ports": ["1:1"], "environment": {"A": "1"}, "image": "i"}
    second = {"ports": RESET, "environment": Override({"B": "2"}), "labels": RESET}
    assert merged(first, second) == {"environment": {"B": "2"}, "image": "i"}


def test_own_extension_is_merged_and_others_replaced() -> None:
    """``x-slipway`` merges as a map; Compose replaces other extensions."""
    result = merge([{"x-slipway": {"a": 1}, "x-y": {"a": 1}}, {"x-slipway": {"b": 2}, "x-y": {}}])
    assert result == {"x-slipway": {"a": 1, "b": 2}, "x-y": {}}


BODIES = st.fixed_dictionaries(
    {},
    optional={
        "image": st.sampled_from(["a", "b"]),
        "environment": st.dictionaries(st.sampled_from("ABC"), st.sampled_from(["1", "2"])),
        "ports": st.lists(st.sampled_from(["80:80", "127.0.0.1:80:80", "81:80/udp"])),
        "volumes": st.lists(st.sampled_from(["/a:/x", "/b:/x", "/c:/y"])),
        "cap_drop": st.lists(st.sampled_from(["ALL", "CHOWN"])),
        "command": st.lists(st.sampled_from(["p", "q"])),
        "networks": st.lists(st.sampled_from(["n", "m"]), unique=True),
    },
)


@given(BODIES, BODIES)
def test_merging_again_changes_nothing(first: dict[str, Any], second: dict[str, Any]) -> None:
    """A later file applied twice does what it does once."""
    once = merge([web(**first), web(**second)])
    assert merge([once, web(**second)]) == once


@given(st.lists(BODIES, min_size=1, max_size=4))
def test_grouping_does_not_matter(bodies: list[dict[str, Any]]) -> None:
    """Merging from the left in two parts gives what merging at once gives."""
    documents = [web(**body) for body in bodies]
    assert merge([merge(documents[:-1]), documents[-1]]) == merge(documents)


@given(BODIES, BODIES)
def test_inputs_are_left_alone(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Merging changes none of its arguments."""
    before = repr((first, second))
    merge([web(**first), web(**second)])
    assert repr((first, second)) == before
