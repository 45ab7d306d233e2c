"""Tokens with names, in a real PostgreSQL: made, used as far as they let, revoked, expired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.integration.langflix.conftest import Stack
from tests.integration.langflix.test_langflix_sessions import (
    TOKEN,
    browser,
    guarded,
    rows,
    sign_in,
)

from slipway.app import tokens
from slipway.doors import Completed
from slipway.errors import ConfigError, HostError, SlipwayError
from slipway.operate.asking import answer_of

READ, UPLOAD, ADMIN = "read", "upload", "admin"
NOBODY = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def site(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """An API that wants a token, and that nobody else has one of."""
    with guarded(stack, tmp_path, TOKEN) as made:
        rows(made, "DELETE FROM tokens")
        rows(made, "DELETE FROM sessions")
        yield made


def bearer(site: Stack, token: str) -> httpx.Client:
    """Who shows a token with every request."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=site.url, timeout=30, headers=headers)


def made(site: Stack, name: str, scope: str, **more: int) -> str:
    """A new token."""
    with bearer(site, TOKEN) as owner:
        answer = owner.post("/api/v1/tokens", json={"name": name, "scope": scope, **more})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["name"], answer.json()["scope"]) == (name, scope)
    return str(answer.json()["token"])


@pytest.mark.parametrize(
    ("scope", "answers"),
    [(READ, (200, 403, 403, 403)), (UPLOAD, (200, 404, 403, 403)), (ADMIN, (200, 404, 200, 200))],
)
def test_a_token_lets_what_it_says(site: Stack, scope: str, answers: tuple[int, ...]) -> None:
    """Look, take a lesson away (of which there is none), see who is let in, and by which token."""
    token = made(site, "somebody", scope)
    with bearer(site, token) as client:
        asked = (
            client.get("/api/v1/jobs"),
            client.delete(f"/api/v1/jobs/{NOBODY}"),
            client.get("/api/v1/sessions"),
            client.get("/api/v1/tokens"),
        )
        assert client.get("/api/v1/session").json()["scope"] == scope
    assert tuple(answer.status_code for answer in asked) == answers
    refused = [answer for answer in asked if answer.status_code == 403]
    for answer in refused:
        assert answer.headers["content-type"] == "application/problem+json"
        assert f"this token lets {scope}" in answer.json()["detail"]


def test_an_upload_that_is_not_let_is_not_read(site: Stack) -> None:
    """Who may only look is refused before a byte of the film."""
    token = made(site, "viewer", READ)

    def endless() -> Iterator[bytes]:
        for _ in range(2000):
            yield b"x" * 65536

    with bearer(site, token) as client:
        try:
            answer = client.post("/api/v1/jobs", content=endless())
            assert answer.status_code == 403
        except (httpx.WriteError, httpx.RemoteProtocolError):
            pass  # It hung up while more was being sent.
        assert client.get("/api/v1/jobs").json()["total"] == 0


def test_a_browser_may_what_its_token_may_until_that_is_revoked(site: Stack) -> None:
    """Its session ends with the token; sessions by others go on."""
    token = made(site, "tablet", READ)
    with browser(site) as tablet, browser(site) as other:
        sign_in(tablet, token)
        sign_in(other)
        assert tablet.get("/api/v1/jobs").status_code == 200
        assert tablet.delete(f"/api/v1/jobs/{NOBODY}").status_code == 403
        assert tablet.get("/api/v1/session").json()["scope"] == READ
        assert other.delete("/api/v1/tokens/tablet").status_code == 204
        assert other.delete("/api/v1/tokens/tablet").status_code == 404
        assert tablet.get("/api/v1/jobs").status_code == 401
        assert other.get("/api/v1/jobs").status_code == 200
    with bearer(site, token) as client:
        assert client.get("/api/v1/jobs").status_code == 401


def test_one_that_has_expired_lets_nobody_in_and_makes_room(site: Stack) -> None:
    """Nor does a session that began with it; its name can be given again."""
    token = made(site, "guest", UPLOAD, days=1)
    with browser(site) as guest, bearer(site, token) as client:
        sign_in(guest, token)
        assert client.get("/api/v1/jobs").status_code == 200
        rows(site, "UPDATE tokens SET expires_at = now() - interval '1 second'")
        assert [one.get("/api/v1/jobs").status_code for one in (guest, client)] == [401, 401]
    with bearer(site, TOKEN) as owner:
        assert owner.get("/api/v1/tokens").json() == {"tokens": []}
    assert made(site, "guest", READ) != token


def test_the_database_can_not_show_it(site: Stack) -> None:
    """It has a hash, and so have the logs nothing; when it was used is told."""
    token = made(site, "backup", READ)
    with bearer(site, TOKEN) as owner, bearer(site, token) as client:
        (before,) = owner.get("/api/v1/tokens").json()["tokens"]
        client.get("/api/v1/jobs")
        (after,) = owner.get("/api/v1/tokens").json()["tokens"]
    assert before["last_used_at"] is None
    assert after["last_used_at"]
    assert "token" not in after
    assert token not in repr(rows(site, "SELECT * FROM tokens"))
    assert token not in site.log("api")


def test_what_can_not_be_made(site: Stack) -> None:
    """A name that is taken or none, a scope or a life that there isn't: each with its reason."""
    made(site, "one", READ)
    with bearer(site, TOKEN) as owner:
        for wish, status in (
            ({"name": "one", "scope": READ}, 409),
            ({"name": "a b", "scope": READ}, 422),
            ({"name": "two", "scope": "root"}, 422),
            ({"name": "two", "scope": READ, "days": 0}, 422),
            ({"name": "two"}, 422),
        ):
            assert owner.post("/api/v1/tokens", json=wish).status_code == status, wish
        assert len(owner.get("/api/v1/tokens").json()["tokens"]) == 1


def test_guesses_of_its_shape_have_to_wait(site: Stack) -> None:
    """After ten a minute, as any others."""
    token = made(site, "one", READ)
    guessed = token[:-1] + ("a" if token[-1] != "a" else "b")
    with bearer(site, guessed) as thief:
        answers = [thief.get("/api/v1/jobs").status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2


def test_by_the_command_line(site: Stack) -> None:
    """Made, used, listed and revoked there, too."""
    done = site.run("tokens", "add", "script", "--scope", UPLOAD, "--days", "30")
    token = done.stdout.strip()
    assert done.returncode == 0, done.stderr
    assert "this is shown once: the token script lets upload, until" in done.stderr
    with bearer(site, token) as client:
        assert client.get("/api/v1/jobs").status_code == 200
    listed = site.run("tokens", "list")
    assert listed.stdout.startswith("script\tupload\tused ")
    found = json.loads(site.run("tokens", "list", "--json").stdout)["tokens"]
    assert [one["name"] for one in found] == ["script"]
    again = site.run("tokens", "add", "script", "--scope", READ)
    assert (again.returncode, "already" in again.stderr) == (1, True)
    assert site.run("tokens", "revoke", "script").returncode == 0
    assert site.run("tokens", "revoke", "script").returncode == 1
    json_form = site.run("tokens", "add", "other", "--scope", READ, "--json")
    assert json.loads(json_form.stdout)["token"].startswith("langflix_")


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (("add", "one", "--scope", READ), ConfigError, "there is a token one already; nothing"),
        (("revoke", "nobody"), ConfigError, "there is no token nobody; nothing was changed"),
        (("add", "../x", "--scope", READ), ConfigError, "the name '../x' should be"),
        (("list", "--url", "http://127.0.0.1:9"), HostError, "http://127.0.0.1:9 does not answer"),
        (("burn",), HostError, "gave no answer: it ended with code 2"),
    ],
)
def test_what_it_refuses_is_what_tasks_take_for_that(
    site: Stack, words: tuple[str, ...], error: type[SlipwayError], said: str
) -> None:
    """A wrong name is the operator's, everything else the host's failure."""
    made(site, "one", READ)
    done = site.run("tokens", *words, "--json")
    told = Completed((), done.returncode, done.stdout.encode(), done.stderr.encode())
    with pytest.raises(error, match=said) as caught:
        answer_of(told, hint="look")
    assert "langflix:" not in caught.value.message


def test_what_it_answers_is_what_tasks_show(site: Stack) -> None:
    """A new token, the list with it, its end."""

    def asked(*words: str) -> dict[str, object]:
        done = site.run("tokens", *words, "--json")
        told = Completed((), done.returncode, done.stdout.encode(), done.stderr.encode())
        return answer_of(told, hint="look")

    new = tokens.made(asked("add", "one", "--scope", READ, "--days", "3"))
    assert new.text.startswith("langflix_")
    assert "the token one lets read, until 20" in new.talk
    assert tokens.listed(asked("list")).text.splitlines()[1].split()[:3] == ["one", "read", "never"]
    assert tokens.revoked(asked("revoke", "one")).json == {"revoked": "one"}
    assert tokens.listed(asked("list")).text == ""
