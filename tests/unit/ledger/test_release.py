"""Releases are read back as they were written, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.demo import image, wanted

from slipway.act.outcome import Outcome, PartTime, StepTime
from slipway.errors import DeployError
from slipway.ledger.records import Records
from slipway.ledger.release import Database, Release, ReleaseImage, as_json
from slipway.plan.draft import draft
from slipway.plan.wanted import Seen
from slipway.runner.expected import Expected
from slipway.runner.roll import Rolling
from slipway.stack.model import Piped

RELEASE = draft(wanted(), Seen(), datetime(2026, 1, 2, tzinfo=UTC)).release


def test_release_survives_its_file() -> None:
    """A release is the same after writing and reading."""
    full = replace(
        RELEASE,
        previous="before",
        migrations="ab",
        revisions=("0001", "0002"),
        networks={"inner": "1"},
        volumes={"pile": "2"},
        rolling=(Rolling("web", 2, "h", ("sha256:c", "sha256:m"), 11, 10, True),),
        edge={"service": "edge", "socket": "/run/admin.sock"},
        soak=(15.0, 0.05),
        verify="/health",
        trust="/data/root.pem",
        checked=("web",),
        expected=(Expected("db", 1, 5), Expected("web", 2, 11, True)),
        database=Database(
            Piped("db", ("pg_dump", "app")), Piped("tool", ("psql", "app")), ("web", "worker")
        ),
    )
    for release in (RELEASE, full):
        assert Release.from_json(as_json(release.to_json()), "f") == release


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"format": None}, {"images": []}, {"hashes": {"a": 1}}, {"id": 3},
        {"secrets": {"a": "1"}}, {"files": "x"}, {"soak": ["x", 1]}, {"soak": [1]}, {"soak": 3},
    ],
)  # fmt: skip
def test_other_formats_are_refused(change: dict[str, object]) -> None:
    """A file of another format or shape is an error that says so, never a guess."""
    text = json.dumps({**RELEASE.to_json(), **change}).encode()
    with pytest.raises(DeployError, match="not a release this version") as caught:
        Release.from_json(text, "nas:/x/release.json")
    assert all(line.startswith("nas:/x/release.json: ") for line in caught.value.details)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[1]", b"null"])
def test_damaged_file_is_an_error(text: bytes) -> None:
    """A damaged record is an error that says what to do, not a traceback."""
    with pytest.raises(DeployError) as caught:
        Release.from_json(text, "f")
    assert caught.value.stage == "read"
    assert caught.value.hint


def test_an_error_of_a_record_says_what_to_do() -> None:
    """A damaged one may be removed unless it is needed; a newer one has its own reader."""
    with pytest.raises(DeployError) as caught:
        Release.from_json(b"{", "f")
    assert caught.value.message.startswith("f is no JSON: ")
    assert caught.value.hint == (
        "restore it; or remove its folder there, and for the live release the link `current` as "
        "well, and deploy anew"
    )
    other = {**RELEASE.to_json(), "format": 2, "checked": "web"}
    with pytest.raises(DeployError) as caught:
        Release.from_json(json.dumps(other).encode(), "f")
    assert caught.value.details == (
        "f: format: should be 1, got 2; another version wrote it",
        "f: checked: should be a list of strings, got 'web'",
    )
    assert (caught.value.hint, caught.value.stage) == (
        "use the version of slipway that wrote it", "read",
    )  # fmt: skip


def test_an_image_is_known_by_either_of_its_ids() -> None:
    """Docker's image stores name it differently; its layers are what removing it may free."""
    built = image("web")
    kept = ReleaseImage.of(built)
    assert kept == ReleaseImage(
        "demo/web:1",
        "sha256:config-web-1",
        "sha256:manifest-web-1",
        {"sha256:base": 1000, "sha256:web1": 50},
    )
    ids = (built.config_digest, built.manifest_digest, built.layers[0].digest)
    assert [kept.is_id(one) for one in ids] == [True, True, False]


def test_a_record_from_before_a_field_is_read() -> None:
    """What it could not say yet has the value that keeps to what was done then."""
    since = (
        "migrations", "previous", "revisions", "networks", "volumes", "edge", "soak", "verify",
        "trust",
        "checked", "database",
    )  # fmt: skip
    old = {name: value for name, value in RELEASE.to_json().items() if name not in since}
    old["expected"] = {"web": {"containers": 2, "deadline_s": 11}}
    rolled = {"containers": 2, "config": "h", "images": ["c"], "deadline_s": 11, "drain_s": 10}
    old["rolling"] = {"web": rolled}
    assert Release.from_json(as_json(old), "f") == replace(
        RELEASE,
        migrations="",
        previous=None,
        revisions=(),
        expected=(Expected("web", 2, 11, False),),
        networks={},
        volumes={},
        rolling=(Rolling("web", 2, "h", ("c",), 11, 10, False),),
        edge={},
        soak=(0.0, 1.0),
        verify="/",
        trust="",
        checked=(),
        database=Database(Piped(), Piped(), ()),
    )


def test_what_is_kept_can_be_read_and_compared() -> None:
    """The same bytes for the same content, whatever order it was made in, and in every script."""
    assert as_json({"b": "größe", "a": [1]}) == '{\n "a": [\n  1\n ],\n "b": "größe"\n}\n'.encode()


def test_live_release_without_a_record_is_an_error() -> None:
    """A link to a release that has no record is reported, with what to do."""
    with pytest.raises(DeployError, match="holds no record") as caught:
        _ = Records((), "gone").live
    assert caught.value.hint


def test_outcome_json() -> None:
    """Seconds are rounded to milliseconds, steps keep their order."""
    outcome = Outcome(
        "r", "deployed", "u", 1, 2, 1.23456,
        (StepTime("plan", 0.00049), StepTime("roll", 5.4321, (PartTime("web", "start", 2.3456),))),
        3,
        predicted_s={"db": 4.0}, downtime_s={"db": 2.5}, failed_over=("web",), resumed=2,
    )  # fmt: skip
    assert outcome.to_json() == {
        "release": "r",
        "outcome": "deployed",
        "url": "u",
        "bytes_sent": 1,
        "containers_touched": 2,
        "seconds": 1.235,
        "steps": [
            {"name": "plan", "seconds": 0.0, "parts": []},
            {
                "name": "roll",
                "seconds": 5.432,
                "parts": [{"service": "web", "name": "start", "seconds": 2.346}],
            },
        ],
        "round_trips": 3,
        "downtime_s": {"predicted": {"db": 4.0}, "seen": {"db": 2.5}},
        "failed_over": ["web"],
        "resumed": 2,
        "subject": "",
    }
