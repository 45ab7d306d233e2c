"""The one Compose file a host gets."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.composing import stack as read_stack
from tests.unit.demo import APP, COMPOSE, wanted

from slipway.errors import ConfigError
from slipway.stack.model import Stack
from slipway.stack.render import (
    CONFIG_LABEL,
    ROLE_LABEL,
    HostFile,
    Rendered,
    host_file,
    json_as_yaml,
    render,
)

#: What services of one shape have always had as their :data:`CONFIG_LABEL`.
LABELS = {"a": "70624e5bb730ded1", "b": "73372e055a311cac"}


def rendered(
    text: str = COMPOSE, *, secret: int = 1, edge: bytes = b"e", web: str = "demo/web:1"
) -> Rendered:
    """The sample stack's file."""
    images = {"web": web, "db": "demo/db:1"}
    files = {"edge": host_file("./edge.cfg", edge)}
    versions = {"db_password": secret, "acl": secret}
    return render(wanted(text).stack, images=images, files=files, secrets=versions, app_dir=APP)


def test_images_files_and_secrets_are_pinned() -> None:
    """Images are references, configs and secrets absolute paths that change with the content."""
    document = json.loads(rendered().text)
    assert document["name"] == "demo"
    assert document["services"]["web"]["image"] == "demo/web:1"
    sha = host_file("./edge.cfg", b"e").sha256
    assert document["configs"]["edge"]["file"] == f"{APP}/files/{sha[:12]}/edge.cfg"
    assert document["secrets"]["db_password"]["file"] == f"{APP}/secrets/db_password/1"
    assert document["services"]["web"]["labels"][ROLE_LABEL] == "web"


def test_a_file_lies_under_the_hash_of_its_content() -> None:
    """As a program elsewhere than as a text: who may execute it is part of what it is."""
    text, program = host_file("./a/edge.cfg", b"x"), host_file("edge.cfg", b"x", program=True)
    assert text == HostFile("edge.cfg", hashlib.sha256(b"x").hexdigest())
    assert program == HostFile("edge.cfg", hashlib.sha256(b"x\0program").hexdigest(), True)
    assert text.path("/a") == f"/a/files/{text.sha256[:12]}/edge.cfg"


def plain(**document: Any) -> Rendered:
    """The file of a stack made by hand, without roles."""
    stack = Stack("demo", "u", document, {"a": "web"} if "a" in document["services"] else {})
    return render(
        stack,
        images={"web": "demo/web:1"},
        files={"f": host_file("f", b"x")},
        secrets={"s": 2},
        app_dir=APP,
    )


def test_the_file_is_named_by_its_bytes() -> None:
    """A release is recognized by the hash of its text."""
    made = plain(services={"a": {}})
    assert made.sha256 == hashlib.sha256(made.text).hexdigest()


def test_labels_are_those_of_every_version_of_slipway() -> None:
    """A label that is made in another way would start all containers of all hosts anew."""
    body = {
        "image": "x",
        "environment": {"É": "$1"},
        "labels": {"own": "1"},
        "networks": {"n": None, "o": {}},
        "configs": [{"source": "f"}, {"source": "gone"}],
        "secrets": [{"source": "s"}],
        "volumes": [{"source": "v"}, {"source": ""}, {"type": "tmpfs"}],
    }
    made = plain(
        services={"a": body, "b": {"image": "y"}},
        networks={"n": {"name": "demo_n", "driver": "bridge"}, "unused": {}},
        volumes={"v": {"name": "demo_v", "driver": "local"}, "w": {"external": True}, "x": None},
        configs={"f": {"content": "c"}, "e": {"external": True}},
        secrets={"s": {"environment": "S", "name": "demo_s"}, "t": {"external": True}},
    )
    document = json.loads(made.text)
    assert document["name"] == "demo"
    assert made.hashes == LABELS
    assert made.networks == {"n": "69e61cf50c29e921", "unused": "44136fa355b3678a"}
    assert made.volumes == {"v": "12eb47de4bb99688", "x": "44136fa355b3678a"}
    assert document["services"]["a"]["labels"] == {
        "own": "1",
        CONFIG_LABEL: LABELS["a"],
        ROLE_LABEL: "web",
    }
    assert document["services"]["a"]["image"] == "demo/web:1"
    assert document["services"]["a"]["environment"] == {"É": "$$1"}
    assert document["services"]["b"] == {"image": "y", "labels": {CONFIG_LABEL: LABELS["b"]}}
    sha = hashlib.sha256(b"x").hexdigest()
    assert document["configs"] == {
        "f": {"file": f"{APP}/files/{sha[:12]}/f"},
        "e": {"external": True},
    }
    assert document["secrets"] == {
        "s": {"file": f"{APP}/secrets/s/2", "name": "demo_s"},
        "t": {"external": True},
    }


@pytest.mark.parametrize(
    ("kind", "other"),
    [("networks", {"name": "other"}), ("networks", {"driver": "x"}), ("volumes", {"driver": "x"})],
)
def test_a_definition_is_more_than_its_name(kind: str, other: dict[str, str]) -> None:
    """What says nothing is left out at any depth; what says something counts."""
    services = {"b": {"image": "y"}}
    empty = {"name": "demo_n", "driver": "", "labels": {}, "ipam": {"config": [], "x": {"y": None}}}
    ones = [{"name": "demo_n"}, empty, {"name": "demo_n", **other}]
    base, same, changed = (
        getattr(plain(services=services, **{kind: {"n": o}}), kind) for o in ones
    )
    assert base == same != changed


def test_a_volume_of_another_name_is_another_volume() -> None:
    """Docker makes it beside the old one, so its definition is not changed."""
    made = [plain(services={"b": {}}, volumes={"v": {"name": name}}).volumes for name in "xy"]
    assert made[0] == made[1]


def test_json_is_read_alike_by_all() -> None:
    """Sorted, with line ends, in characters themselves but for those that YAML forbids."""
    assert json_as_yaml({"b": 1, "a": ["é\x7f\ufeff\u2028"]}) == (
        '{\n "a": [\n  "é\\u007f\\ufeff\\u2028"\n ],\n "b": 1\n}\n'
    )


def test_dollars_are_doubled_in_values_alone() -> None:
    """In lists and maps, never in keys; what is no text stays."""
    made = plain(services={"b": {"image": "y", "command": ["$a", 1, {"$k": "$$"}]}})
    command = json.loads(made.text)["services"]["b"]["command"]
    assert command == ["$$a", 1, {"$k": "$$$$"}]


def test_label_changes_with_what_shapes_the_container() -> None:
    """A changed config, secret or setting changes the label of just the services that use it."""
    base = rendered().hashes
    assert rendered().hashes == base
    by_edge = rendered(edge=b"f").hashes
    assert {name for name in base if base[name] != by_edge[name]} == {"web"}
    by_secret = rendered(secret=2).hashes
    assert {name for name in base if base[name] != by_secret[name]} == {"db"}
    by_text = rendered(COMPOSE.replace("hello", "bye")).hashes
    assert {name for name in base if base[name] != by_text[name]} == {"web"}


def test_label_does_not_change_with_the_image() -> None:
    """A new image is seen by its digest; the label stays, so that reasons can be told apart."""
    assert rendered(web="demo/web:2").hashes == rendered().hashes
    assert rendered(web="demo/web:2").sha256 != rendered().sha256


def test_label_is_in_the_file() -> None:
    """What the hashes say is what the containers will carry."""
    made = rendered()
    services = json.loads(made.text)["services"]
    assert {n: body["labels"][CONFIG_LABEL] for n, body in services.items()} == made.hashes


def test_order_of_keys_does_not_matter() -> None:
    """The same stack written in another order is the same file."""
    head, services = COMPOSE.split("services:\n", 1)
    start = services.index("  db:")
    end = services.index("  job:")
    moved = services[start:end] + services[:start] + services[end:]
    assert rendered(f"{head}services:\n{moved}").text == rendered().text


def test_unknown_role_is_named() -> None:
    """A role without an image is a configuration error."""
    with pytest.raises(ConfigError) as caught:
        render(wanted().stack, images={"web": "w"}, files={}, secrets={}, app_dir=APP)
    assert caught.value.details == ("the stack: services.db: there is no role db",)
    with pytest.raises(ConfigError) as caught:
        render(wanted().stack, images={}, files={}, secrets={}, app_dir=APP)
    assert len(caught.value.details) == 3


def test_inline_configs_are_files_on_the_host() -> None:
    """A config whose content stands in the Compose file is a file there: old ones know no other."""
    text = COMPOSE.replace("{ file: ./edge.cfg }", "{ content: 'listen $$${PORT:-80}' }")
    stack = wanted(text).stack
    assert stack.config_texts() == {"edge": "listen $80"}
    files = {"edge": host_file("edge", b"listen $80")}
    images = {"web": "w", "db": "d"}
    made = render(stack, images=images, files=files, secrets={}, app_dir=APP)
    config = json.loads(made.text)["configs"]["edge"]
    assert config == {"file": files["edge"].path(APP), "name": "demo_edge"}


def test_the_same_files_make_the_same_text() -> None:
    """Rendering depends on nothing but the files: not on Go's or Python's order of maps."""
    texts = {rendered(COMPOSE + f"x-n: {n}\n").text for n in range(8)}
    assert len(texts) == 1


# Each example starts a program twice.
@settings(max_examples=15)
@given(st.text(st.characters(codec="utf-8")), st.sampled_from(["a$b", "$$", "${X}", "100 $"]))
def test_values_survive_the_hosts_own_interpolation(text: str, dollars: str) -> None:
    """Compose on the host, which fills in variables again, sees exactly the values meant."""
    value = text + dollars
    body: dict[str, Any] = {"image": "i", "environment": {"V": value.replace("$", "$$")}}
    source: dict[str, Any] = {
        "x-slipway": {"application": "demo", "url": "u"},
        "services": {"a": body},
    }
    stack = read_stack([("f", json_as_yaml(source))])
    assert stack.services["a"]["environment"]["V"] == value
    made = render(stack, images={}, files={}, secrets={}, app_dir=APP)
    text = json_as_yaml({**source, "services": json.loads(made.text)["services"]})
    again = read_stack([("f", text)])
    assert again.services["a"]["environment"]["V"] == value


def test_definitions_have_a_hash_that_says_what_they_say() -> None:
    """A network's or volume's hash changes with its definition, not with how it is written; its
    services' labels change with it, and what others made has none."""
    text = COMPOSE.replace("depends_on: [db]\n    configs", "networks: [n]\n    configs")
    text += "networks: {n: %s}\nvolumes: {v: {}, w: {external: true}}\n"
    definitions = ("{}", "{internal: false, labels: {}}", "{internal: true}")
    base, same, other = (rendered(text % body) for body in definitions)
    assert set(base.networks) == {"n", "default"}
    assert set(base.volumes) == {"v"}
    assert base.networks == same.networks
    assert base.networks["n"] != other.networks["n"]
    assert base.networks["default"] == other.networks["default"]
    changed = {name for name in base.hashes if base.hashes[name] != other.hashes[name]}
    assert changed == {"web"}
