"""The one Compose file a host gets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.composing import stack as read_stack
from tests.unit.demo import APP, COMPOSE, wanted

from slipway.errors import ConfigError
from slipway.stack.render import (
    CONFIG_LABEL,
    ROLE_LABEL,
    Rendered,
    host_file,
    json_as_yaml,
    render,
)


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
    assert any("there is no role db" in line for line in caught.value.details)


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
