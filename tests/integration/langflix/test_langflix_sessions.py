"""Sessions of browsers, in a real PostgreSQL: begun, listed, ended, expired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.integration.langflix.conftest import DATABASE_PASSWORD, Stack, free_port

from langflix.api.who import COOKIE, SECURE_COOKIE

TOKEN, OTHER = "the-first-token-0123456789", "the-second-token-0123456789"


@contextmanager
def guarded(stack: Stack, folder: Path, token: str, before: str = "") -> Iterator[Stack]:
    """Run an API on the stack's database that wants a token, or the one that it wanted before."""
    (folder / "token").write_text(token)
    (folder / "before").write_text(before)
    environ = {
        **stack.environ,
        "LANGFLIX_PORT": str(free_port()),
        "LANGFLIX_API_TOKEN_FILE": str(folder / "token"),
        "LANGFLIX_API_TOKEN_BEFORE_FILE": str(folder / "before"),
    }
    made = Stack({**environ, "LANGFLIX_URL": f"http://127.0.0.1:{environ['LANGFLIX_PORT']}"},
                 stack.home)  # fmt: skip
    with made.role("api"):
        yield made


def browser(stack: Stack, name: str = "a browser") -> httpx.Client:
    """A browser that has not signed in."""
    return httpx.Client(base_url=stack.url, timeout=30, headers={"User-Agent": name})


def sign_in(client: httpx.Client, token: str = TOKEN) -> str:
    """Sign in; what the cookie holds."""
    assert client.post("/api/v1/session", json={"token": token}).status_code == 204
    return client.cookies[COOKIE]


def rows(stack: Stack, query: str = "SELECT * FROM sessions") -> list[tuple[object, ...]]:
    """What the database has, or did."""
    dsn = stack.environ["LANGFLIX_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(dsn, password=DATABASE_PASSWORD) as connection:
        done = connection.execute(query.encode())
        return done.fetchall() if done.description else []


@pytest.fixture
def site(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """An API that wants a token."""
    with guarded(stack, tmp_path, TOKEN) as made:
        rows(made, "DELETE FROM sessions")
        yield made


def test_a_cookie_is_random_and_for_this_site_alone(site: Stack) -> None:
    """Each sign-in has another; scripts don't see it, other sites don't send it."""
    with browser(site) as one:
        answers = [one.post("/api/v1/session", json={"token": TOKEN}) for _ in range(2)]
        over_tls = one.post(
            "/api/v1/session", json={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"}
        )
    first, second = (answer.headers["set-cookie"] for answer in answers)
    assert first != second
    words = {word.strip().lower() for word in first.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", "max-age=2592000"} <= words
    assert "secure" not in words
    assert [line.split("=")[0] for line in over_tls.headers.get_list("set-cookie")] == [
        COOKIE,  # is forgotten
        SECURE_COOKIE,
    ]
    assert "; secure" in over_tls.headers.get_list("set-cookie")[1].lower()


def test_over_https_only_its_own_cookie_counts(site: Stack) -> None:
    """One that a neighbour could have set lets nobody in; signing out ends both sessions."""
    over_tls = {"X-Forwarded-Proto": "https"}
    with browser(site) as one:
        plain = sign_in(one)
        one.cookies.clear()
        begun = one.post("/api/v1/session", json={"token": TOKEN}, headers=over_tls)
        secure = begun.headers.get_list("set-cookie")[1].partition("=")[2].partition(";")[0]
        one.cookies.clear()

        def heard(cookie: str, **more: str) -> int:
            return one.get("/api/v1/jobs", headers={"Cookie": cookie, **more}).status_code

        assert heard(f"{COOKIE}={plain}") == 200
        assert heard(f"{COOKIE}={plain}", **over_tls) == 401
        assert heard(f"{SECURE_COOKIE}={secure}") == 401
        assert heard(f"{SECURE_COOKIE}={secure}", **over_tls) == 200
        both = f"{COOKIE}={plain}; {SECURE_COOKIE}={secure}"
        assert heard(both, **over_tls) == 200
        gone = one.delete("/api/v1/session", headers={"Cookie": both, **over_tls})
        assert gone.status_code == 204
        assert heard(both) == heard(both, **over_tls) == 401
    assert rows(site) == []


def test_the_database_can_not_be_the_browser(site: Stack) -> None:
    """It has a hash of the cookie and no token, and neither is in the logs."""
    with browser(site) as one:
        cookie = sign_in(one)
    kept = repr(rows(site))
    assert "a browser" in kept
    for secret in (cookie, TOKEN):
        assert secret not in kept
        assert secret not in site.log("api")


def test_signing_out_ends_the_session_for_whoever_has_the_cookie(site: Stack) -> None:
    """A copied cookie is worth nothing after it; another browser stays signed in."""
    with browser(site) as one, browser(site) as other, browser(site) as thief:
        thief.cookies[COOKIE] = sign_in(one)
        sign_in(other)
        assert thief.get("/api/v1/jobs").status_code == 200
        assert one.delete("/api/v1/session").status_code == 204
        assert COOKIE not in one.cookies
        assert [who.get("/api/v1/jobs").status_code for who in (one, thief, other)] == [
            401,
            401,
            200,
        ]
        assert thief.get("/api/v1/session").json()["allowed"] is False


def test_sessions_are_listed_and_ended(site: Stack) -> None:
    """By the API and by the command line; one, or all."""
    with browser(site, "one") as one, browser(site, "two") as two, browser(site, "three") as three:
        for client in (one, two, three):
            sign_in(client)
        listed = two.get("/api/v1/sessions").json()["sessions"]
        assert {each["agent"]: each["current"] for each in listed} == {
            "one": False,
            "two": True,
            "three": False,
        }
        ids = {each["agent"]: each["id"] for each in listed}
        assert two.delete(f"/api/v1/sessions/{ids['one']}").status_code == 204
        assert two.delete(f"/api/v1/sessions/{ids['one']}").status_code == 404
        assert [who.get("/api/v1/jobs").status_code for who in (one, two)] == [401, 200]
        told = site.run("sessions", "list", "--json")
        assert {each["agent"] for each in json.loads(told.stdout)["sessions"]} == {"two", "three"}
        assert "three" in site.run("sessions", "list").stdout
        assert site.run("sessions", "end", ids["three"]).returncode == 0
        assert [who.get("/api/v1/jobs").status_code for who in (two, three)] == [200, 401]
        assert site.run("sessions", "end").returncode == 1
        assert site.run("sessions", "end", "x").returncode == 1
        assert site.run("sessions", "end", "--all").returncode == 0
        assert two.get("/api/v1/jobs").status_code == 401
    assert rows(site) == []


def test_a_session_expires(site: Stack) -> None:
    """After its time it lets nobody in, and the next sign-in takes its row away."""
    with browser(site) as one, browser(site) as other:
        sign_in(one)
        rows(site, "UPDATE sessions SET expires_at = now() - interval '1 second'")
        assert one.get("/api/v1/jobs").status_code == 401
        sign_in(other)
        assert [each["current"] for each in other.get("/api/v1/sessions").json()["sessions"]] == [
            True
        ]
    assert len(rows(site)) == 1


def test_the_last_use_is_noted_now_and_then(site: Stack) -> None:
    """Not with every request, and right to ten minutes."""
    with browser(site) as one:
        sign_in(one)
        for ago, is_noted in (("5 minutes", False), ("11 minutes", True)):
            rows(site, f"UPDATE sessions SET last_used_at = now() - interval '{ago}'")
            assert one.get("/api/v1/jobs").status_code == 200
            late = "SELECT last_used_at > now() - interval '1 minute' FROM sessions"
            assert rows(site, late) == [(is_noted,)]


def test_another_token_ends_the_sessions_of_the_old_one(
    stack: Stack, site: Stack, tmp_path: Path
) -> None:
    """Who had signed in with a token that is withdrawn is out; so is one that made up a cookie."""
    with browser(site) as one:
        cookie = sign_in(one)
    (tmp_path / "other").mkdir()
    with guarded(stack, tmp_path / "other", OTHER) as newer, browser(newer) as client:
        for tried in (cookie, "A" * 43, "x' OR 1=1 --", "", "é" * 43):
            header = {"Cookie": f"{COOKIE}={tried}".encode()}
            assert client.get("/api/v1/jobs", headers=header).status_code == 401  # type: ignore[arg-type]
        sign_in(client, OTHER)
        listed = client.get("/api/v1/sessions").json()["sessions"]
        assert [each["current"] for each in listed] == [True]


def test_the_token_of_before_lets_in_beside_its_successor(
    stack: Stack, site: Stack, tmp_path: Path
) -> None:
    """Nobody is kept out by the change: neither who shows it nor who signed in with it."""
    with browser(site) as one:
        cookie = sign_in(one)
    (tmp_path / "other").mkdir()
    with guarded(stack, tmp_path / "other", OTHER, before=TOKEN) as newer, browser(newer) as client:
        assert client.get("/api/v1/jobs").status_code == 401
        for shown in (OTHER, TOKEN):
            header = {"Authorization": f"Bearer {shown}"}
            assert client.get("/api/v1/jobs", headers=header).status_code == 200
        client.cookies[COOKIE] = cookie
        assert client.get("/api/v1/sessions").status_code == 200
