"""nix2container's image descriptions."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import BuildError
from slipway.images.description import parse
from slipway.images.values import Image, LayerPath, Permission

DIGEST = f"sha256:{'4' * 64}"
BASE = f"/nix/store/{'0' * 32}-layer-base"

# As nix2container 1.0.0 writes it (Go's JSON; absent options are left out).
DESCRIPTION: dict[str, Any] = {
    "version": 1,
    "image-config": {"User": "568:568", "Cmd": ["api"], "ExposedPorts": {"8000/tcp": {}}},
    "layers": [
        {
            "digest": DIGEST,
            "size": 3584,
            "diff_ids": DIGEST,
            "paths": [
                {
                    "path": BASE,
                    "options": {
                        "rewrite": {"regex": f"^{BASE}", "repl": ""},
                        "perms": [
                            {
                                "regex": "/data",
                                "mode": "0755",
                                "uid": 568,
                                "gid": 569,
                                "uname": "apps",
                                "gname": "",
                            }
                        ],
                    },
                },
                {"path": "/nix/store/y-more"},
            ],
            "mediatype": "application/vnd.oci.image.layer.v1.tar",
        }
    ],
    "arch": "amd64",
}


def read(value: object) -> Image:
    return parse(json.dumps(value), application="app", role="api", file="image.json")


def changed(**fields: object) -> dict[str, Any]:
    """The description with fields of its layer replaced."""
    value = copy.deepcopy(DESCRIPTION)
    value["layers"][0].update(fields)
    return value


def test_a_description_becomes_values() -> None:
    """Digest, size, title, paths, rewrites and rules are all taken over."""
    (layer,) = read(DESCRIPTION).layers
    assert (layer.digest, layer.bytes, layer.title) == (DIGEST, 3584, "base")
    assert layer.paths == (
        LayerPath(
            BASE,
            f"^{BASE}",
            "",
            (Permission("/data", "0755", 568, 569, "apps", ""),),
        ),
        LayerPath("/nix/store/y-more"),
    )


def test_the_config_is_what_docker_reads() -> None:
    """The configuration has every field Docker asks for, and constant times."""
    image = read(DESCRIPTION)
    assert json.loads(image.config) == {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:01Z",
        "config": DESCRIPTION["image-config"],
        "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
        "history": [{"created": "1970-01-01T00:00:01Z", "created_by": "base"}],
    }


def test_the_manifest_points_at_config_and_layers() -> None:
    """Digests and sizes in the manifest are those of the bytes; the tag is the config's."""
    image = read(DESCRIPTION)
    config = hashlib.sha256(image.config).hexdigest()
    assert json.loads(image.manifest) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": f"sha256:{config}",
            "size": len(image.config),
        },
        "layers": [
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": DIGEST,
                "size": 3584,
            }
        ],
    }
    assert image.config_digest == f"sha256:{config}"
    assert image.manifest_digest == f"sha256:{hashlib.sha256(image.manifest).hexdigest()}"
    assert image.reference == f"app/api:{config[:12]}"


def test_the_order_of_keys_changes_nothing() -> None:
    """The same description written in another order is the same image."""
    shuffled = dict(reversed(DESCRIPTION.items()))
    shuffled["image-config"] = dict(reversed(DESCRIPTION["image-config"].items()))
    assert read(shuffled) == read(DESCRIPTION)


@pytest.mark.parametrize("version", [0, 2, "1", None, True, 1.5])
def test_another_version_is_refused(version: object) -> None:
    """Only version 1 is read; nothing else of another version is looked at."""
    with pytest.raises(BuildError) as caught:
        read({"version": version, "else": "unknown"})
    assert [line for line in caught.value.details if "image.json: version:" in line]


def test_a_later_nix2container_is_refused() -> None:
    """Versions after 1.0.0 keep the number but write other bytes; their fields give them away."""
    value = {**changed(History={"created_by": "base"}), "created": "0001-01-01T00:00:00Z"}
    with pytest.raises(BuildError) as caught:
        read(value)
    assert [line.split(": ")[1] for line in caught.value.details] == [
        "created",
        "layers[0].History",
    ]


def test_every_problem_is_named_with_its_place() -> None:
    """All problems come at once, each with its path in the file."""
    value = changed(
        digest="sha256:short",
        size=100,
        mediatype="application/vnd.oci.image.layer.v1.tar+gzip",
        **{"layer-path": "/x.tar"},
    )
    value["layers"][0]["paths"][0]["path"] = "relative"
    options = value["layers"][0]["paths"][0]["options"]
    options["rewrite"] = {"regex": r"\Qx", "repl": "$1"}
    options["perms"][0].update(mode="9", regex="(?i)x", uid=-1)
    value["image-config"] = []
    value["surprise"] = 1
    with pytest.raises(BuildError) as caught:
        read(value)
    places = {line.split(": ")[1] for line in caught.value.details}
    layer = "layers[0]"
    assert places == {
        "image-config",
        "surprise",
        f"{layer}.digest",
        f"{layer}.diff_ids",
        f"{layer}.size",
        f"{layer}.mediatype",
        f"{layer}.layer-path",
        f"{layer}.paths[0].path",
        f"{layer}.paths[0].options.rewrite.regex",
        f"{layer}.paths[0].options.rewrite.repl",
        f"{layer}.paths[0].options.perms[0].regex",
        f"{layer}.paths[0].options.perms[0].mode",
        f"{layer}.paths[0].options.perms[0].uid",
    }
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "\ud800"])
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    """Python's reader takes more than JSON is; such an image could not be written."""
    with pytest.raises(BuildError) as caught:
        read({**DESCRIPTION, "image-config": {"Env": [value]}})
    assert "can't be written as JSON" in caught.value.details[0]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(DESCRIPTION)), _json)
def test_no_value_of_a_field_gives_a_traceback(key: str, value: object) -> None:
    """Whatever stands in a field, the answer is an image or a BuildError."""
    try:
        read({**DESCRIPTION, key: value})
    except BuildError as error:
        assert error.details


@given(st.sampled_from(sorted(DESCRIPTION["layers"][0])), _json)
def test_no_value_of_a_layers_field_gives_a_traceback(key: str, value: object) -> None:
    """The same for the fields of a layer."""
    try:
        read(changed(**{key: value}))
    except BuildError as error:
        assert error.details


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff\xfe", "NaN"])
def test_what_is_no_description_is_refused(text: str | bytes) -> None:
    """Text that is no JSON object is refused in a sentence."""
    with pytest.raises(BuildError, match=r"the image description image\.json has"):
        parse(text, application="app", role="api", file="image.json")
