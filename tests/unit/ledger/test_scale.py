"""The numbers of containers that a host is to have."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.ledger.test_release import RELEASE

from slipway.errors import DeployError
from slipway.ledger.scale import parse_scale, scale_text, scaled
from slipway.runner.expected import Expected
from slipway.runner.roll import Rolling


def test_numbers_survive_their_file() -> None:
    """They are the same after writing and reading."""
    for scale in ({}, {"web": 3, "worker": 0}):
        assert parse_scale(scale_text(scale).encode(), "f") == scale


def test_a_damaged_file_is_an_error() -> None:
    """Nobody guesses how many containers are wanted."""
    with pytest.raises(DeployError) as caught:
        parse_scale(b"{", "nas:/x/scale.json")
    assert caught.value.message.startswith("nas:/x/scale.json is no JSON: ")
    assert (caught.value.hint, caught.value.stage) == (
        "remove it there: then the Compose files say how many containers there are", "read",
    )  # fmt: skip


def test_another_format_is_refused_with_every_problem() -> None:
    """It names the file, and what in it can't be read."""
    with pytest.raises(DeployError) as caught:
        parse_scale(b'{"format": 2, "services": {"web": "3"}}', "f")
    error = caught.value
    assert (error.message, error.hint, error.stage, error.details) == (
        "f can't be read by this version of slipway",
        "use the version of slipway that wrote it, or remove the file there",
        "read",
        (
            "f: format: should be 1, got 2; another version wrote it",
            "f: services.web: should be a whole number, got '3'",
        ),
    )


def test_a_release_stands_with_the_numbers_of_the_host() -> None:
    """What is watched and what is rolled has them; a service that is not named keeps its own."""
    web, db = Rolling("web", 1, "h", (), 11, 10, True), Rolling("db", 2, "h", (), 11, 10, False)
    release = replace(
        RELEASE, expected=(Expected("web", 1, 11), Expected("db", 2, 5, True)), rolling=(web, db)
    )
    assert scaled(release, {"web": 3, "other": 9}) == replace(
        release,
        expected=(Expected("web", 3, 11), Expected("db", 2, 5, True)),
        rolling=(replace(web, containers=3), db),
    )
