"""Images as people and programs read them."""

from __future__ import annotations

import json

from tests.unit.images.sample_images import image_of, layer

from slipway.images.summary import summary, summary_text

BASE, APP = layer("a", 2048, "base"), layer("b", 5_000_192, "application")
IMAGES = (image_of("api", BASE, APP), image_of("edge", BASE))


def test_the_json_form_is_exactly_the_agreed_one() -> None:
    """Other programs rely on these names and on nothing else being there."""
    api, edge = IMAGES
    assert json.loads(json.dumps(summary(IMAGES))) == [
        {
            "role": "api",
            "reference": api.reference,
            "config_digest": api.config_digest,
            "manifest_digest": api.manifest_digest,
            "bytes": 5_002_240,
            "layers": [
                {
                    "digest": BASE.digest,
                    "bytes": 2048,
                    "title": "base",
                    "roles": ["api", "edge"],
                },
                {
                    "digest": APP.digest,
                    "bytes": 5_000_192,
                    "title": "application",
                    "roles": ["api"],
                },
            ],
        },
        {
            "role": "edge",
            "reference": edge.reference,
            "config_digest": edge.config_digest,
            "manifest_digest": edge.manifest_digest,
            "bytes": 2048,
            "layers": [
                {"digest": BASE.digest, "bytes": 2048, "title": "base", "roles": ["api", "edge"]}
            ],
        },
    ]


def test_the_text_names_each_layer_once() -> None:
    """The table of layers shows a shared one once, with the roles that share it."""
    text = summary_text(IMAGES)
    assert text.count("aaaaaaaaaaaa") == 1
    assert "api, edge" in text
    assert text.splitlines()[-1] == "2 layers, 5.0 MB in all"
