"""Images that are pulled and deleted, logs that are followed, and who may do so; by release."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.integration.nas.bench import Nas, Refused, custom

from slipway.hosts.rehearsal.nas.people import KEEPER, KEEPER_ROLES, who

IMAGE = "r.lan:5000/home/api@sha256:1"
LOGIN = {"username": "anna", "password": "word"}


def _says(nas: Nas, **said: object) -> None:
    """What Docker says of a pull, by reference."""
    told = {IMAGE: said["of"]} if "of" in said else {}
    (nas.root / "docker/pull.json").write_text(json.dumps(told))


def _digests(nas: Nas) -> list[str]:
    return [one for row in nas.call("app.image.query") for one in row["repo_digests"]]


def test_an_image_is_pulled_by_its_digest(nas: Nas) -> None:
    """It is there by that name, which no tag is."""
    _says(nas)

    assert nas.job("app.image.pull", {"image": IMAGE}) is None

    (row,) = nas.call("app.image.query")
    assert (row["repo_tags"], row["repo_digests"], row["dangling"]) == ([], [IMAGE], False)


def test_a_login_is_shown_to_the_registry(nas: Nas) -> None:
    """Without it, or with half of it, nothing is pulled."""
    _says(nas, of={"r.lan:5000": {"auth": "YW5uYTp3b3Jk"}})  # anna:word, in base 64

    with pytest.raises(Refused, match="unauthorized"):
        nas.job("app.image.pull", {"image": IMAGE})
    with pytest.raises(Refused, match="Password is required when username is provided"):
        nas.job("app.image.pull", {"image": IMAGE, "auth_config": {**LOGIN, "password": ""}})
    nas.job("app.image.pull", {"image": IMAGE, "auth_config": LOGIN})

    assert _digests(nas) == [IMAGE]


def test_the_list_of_jobs_shows_the_login(nas: Nas) -> None:
    """It is no secret to the middleware, as a Compose file is; whoever administers can read it."""
    _says(nas)
    nas.job("app.image.pull", {"image": IMAGE, "auth_config": LOGIN})

    job = nas.call("core.get_jobs", [["method", "=", "app.image.pull"]])[-1]

    assert job["arguments"][0]["auth_config"]["password"] == "word"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Error response from daemon: manifest unknown", '404 Client Error .* \\("manifest unk'),
        ("Error response from daemon: connection refused", "500 Server Error .* refused"),
    ],
)
def test_what_docker_refuses_at_once_fails_the_job(nas: Nas, said: str, told: str) -> None:
    """In the words of Docker's Python client."""
    _says(nas, of=said)

    with pytest.raises(Refused, match=f"Failed to pull '{IMAGE}' image: {told}"):
        nas.job("app.image.pull", {"image": IMAGE})


def test_what_breaks_in_the_middle_is_taken_for_a_success(nas: Nas) -> None:
    """The line that says so is not read; the image is not there."""
    _says(nas, of="unexpected EOF")

    assert nas.job("app.image.pull", {"image": IMAGE}) is None
    assert _digests(nas) == []


def test_an_image_in_use_stays(nas: Nas) -> None:
    """Others go by their id alone."""
    _says(nas)
    nas.job("app.image.pull", {"image": IMAGE})
    nas.job("app.create", custom("web"))
    (used,) = (row["id"] for row in nas.call("app.image.query") if row["repo_tags"])
    (free,) = (row["id"] for row in nas.call("app.image.query") if row["repo_digests"])

    assert nas.call("app.image.delete", free) is True
    with pytest.raises(Refused, match=r"409 Client Error .* image is used"):
        nas.call("app.image.delete", used)
    with pytest.raises(Refused, match="does not exist"):
        nas.call("app.image.delete", free)


def test_the_last_lines_of_a_container(nas: Nas) -> None:
    """Each is an event of the source, with its time apart; an app that is stopped has none."""
    nas.job("app.create", custom("web"))
    (number,) = nas.call("app.container_ids", "web", {"alive_only": False})
    asked = json.dumps({"app_name": "web", "container_id": number, "tail_lines": 2})

    event: dict[str, Any] = nas.event(f"app.container_log_follow:{asked}", lambda: None)

    assert event["fields"] == {
        "data": "line 3\n", "timestamp": "2026-11-28 10:00:03.5+00:00",
    }  # fmt: skip


def test_a_keeper_may_what_deploys_by_the_api_take() -> None:
    """And administers nothing; what somebody else gave them goes over that."""
    person = who(0, {})
    assert person is not None and person.full_admin
    assert {"APPS_WRITE", "DOCKER_READ", "FILESYSTEM_ATTRS_WRITE"} <= set(KEEPER_ROLES)
    assert "FULL_ADMIN" not in KEEPER_ROLES and KEEPER not in ("root", "truenas_admin")


def test_who_may_only_look_can_not_pull(nas: Nas) -> None:
    """``daemon`` is an account of every machine."""
    _says(nas)
    nas.faults(privileges={"daemon": ["APPS_READ"]})
    read = nas.midclt("call", "app.image.query", uid=1)
    pulled = nas.midclt("call", "app.image.pull", json.dumps({"image": IMAGE}), uid=1)

    assert read.returncode == 0, read.stderr
    assert pulled.returncode == 1 and "Not authorized" in pulled.stderr
