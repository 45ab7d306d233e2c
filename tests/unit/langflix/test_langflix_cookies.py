"""Which cookie a browser gets and which one counts, over HTTP and over HTTPS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import nullcontext
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from langflix.api import sessions as routes
from langflix.api import who
from langflix.api.app import create
from langflix.settings import Settings

TOKEN = "a-token-of-the-tests-0123456789"
PLAIN, SECURE = "http://films", "https://films"
NAMES = {PLAIN: who.COOKIE, SECURE: who.SECURE_COOKIE}
#: What somebody else might have begun a session with.
FOREIGN = "A" * 43


class Table:
    """The sessions that the database would have: hash of the cookie to the token's name."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    def add(self, _db: object, secret_hash: str, token: str, _address: str, _agent: str) -> None:
        """As :func:`langflix.data.sessions.add`."""
        self.rows[secret_hash] = token

    def use(self, _db: object, secret_hash: str, _tokens: object) -> object:
        """As :func:`langflix.data.sessions.use`."""
        token = self.rows.get(secret_hash)
        return token and SimpleNamespace(token=token, id="an id")

    def end_shown(self, _db: object, secret_hashes: list[str]) -> None:
        """As :func:`langflix.data.sessions.end_shown`."""
        for one in secret_hashes:
            self.rows.pop(one, None)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """The database's table, which is played."""
    made = Table()
    for name in ("add", "use", "end_shown"):
        monkeypatch.setattr(f"langflix.data.sessions.{name}", getattr(made, name))
    monkeypatch.setattr("langflix.data.tokens.living", lambda db: [])
    for module in (who, routes):
        monkeypatch.setattr(module, "session", lambda engine: nullcontext())
    return made


@pytest.fixture
def app(tmp_path: Path, table: Table) -> Iterator[FastAPI]:
    """An application that wants a token."""
    (tmp_path / "token").write_text(TOKEN)
    made = create(
        Settings.from_env(
            {
                "LANGFLIX_DATABASE_URL": "postgresql+psycopg://langflix@127.0.0.1:1/langflix",
                "LANGFLIX_REDIS_URL": "redis://127.0.0.1:1/0",
                "LANGFLIX_DATA_DIR": str(tmp_path),
                "LANGFLIX_API_TOKEN_FILE": str(tmp_path / "token"),
            }
        )
    )
    yield made
    made.state.services.close()


def browse(app: FastAPI, does: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]) -> None:
    """Do something in a browser, which keeps cookies and sends none that is secure over HTTP."""

    async def run() -> None:
        way = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=way) as client:
            await does(client)

    asyncio.run(run())


async def sign_in(client: httpx.AsyncClient, site: str) -> httpx.Response:
    """Sign in with the token."""
    answer = await client.post(f"{site}/api/v1/session", json={"token": TOKEN})
    assert answer.status_code == 204
    return answer


async def allowed(client: httpx.AsyncClient, site: str, **more: str) -> bool:
    """Whether the page would be let in; a cookie that lets nobody in is no wrong token."""
    answer = await client.get(f"{site}/api/v1/session", headers=more)
    assert answer.status_code == 200
    return bool(answer.json()["allowed"])


def lines(answer: httpx.Response) -> dict[str, Any]:
    """The cookies that an answer sets, by name."""
    found: dict[str, Any] = {}
    for line in answer.headers.get_list("set-cookie"):
        found |= SimpleCookie(line)
    return found


def test_each_scheme_has_a_cookie_of_its_own(app: FastAPI) -> None:
    """Over HTTPS one that only this host can set, and only so; over HTTP one that is no such."""

    async def does(client: httpx.AsyncClient) -> None:
        secure, plain = lines(await sign_in(client, SECURE)), lines(await sign_in(client, PLAIN))
        begun = secure[who.SECURE_COOKIE]
        assert who.SECURE_COOKIE.startswith("__Host-")
        assert (begun["secure"], begun["path"], begun["domain"]) == (True, "/", "")
        assert (begun["httponly"], begun["samesite"]) == (True, "strict")
        assert set(plain) == {who.COOKIE}
        assert not plain[who.COOKIE]["secure"]

    browse(app, does)


def test_who_goes_back_to_http_signs_in_again(app: FastAPI) -> None:
    """Nothing that was set over HTTPS stands where HTTP's cookie comes, an earlier one neither."""

    async def does(client: httpx.AsyncClient) -> None:
        over_tls = lines(await sign_in(client, SECURE))
        assert over_tls.pop(who.SECURE_COOKIE)
        assert {name: int(one["max-age"]) for name, one in over_tls.items()} == {who.COOKIE: 0}
        assert await allowed(client, SECURE)
        assert not await allowed(client, PLAIN)
        await sign_in(client, PLAIN)
        assert await allowed(client, PLAIN)
        assert await allowed(client, SECURE)

    browse(app, does)


@pytest.mark.parametrize("site", NAMES)
def test_only_the_scheme_s_own_cookie_counts(app: FastAPI, table: Table, site: str) -> None:
    """Over HTTPS nobody is let into a session that was put into the plain cookie."""
    table.add(
        None, who.digest(FOREIGN), who.fingerprint(app.state.services.settings.api_token), "", ""
    )

    async def does(client: httpx.AsyncClient) -> None:
        for name in NAMES.values():
            is_own = name == NAMES[site]
            shown = {"cookie": f"{name}={FOREIGN}"}
            assert await allowed(client, site, **shown) == is_own
            met = await client.get(f"{site}/api/v1/nowhere", headers=shown)
            assert met.status_code == (404 if is_own else 401)

    browse(app, does)


def test_signing_out_ends_both(app: FastAPI, table: Table) -> None:
    """Neither cookie stays, and neither session: a copy of them lets nobody in."""

    async def does(client: httpx.AsyncClient) -> None:
        await sign_in(client, SECURE)
        await sign_in(client, PLAIN)
        assert len(table.rows) == 2
        told = await client.delete(f"{SECURE}/api/v1/session")
        assert {name: one["max-age"] for name, one in lines(told).items()} == dict.fromkeys(
            NAMES.values(), "0"
        )
        assert lines(told)[who.SECURE_COOKIE]["secure"]  # else a browser would refuse the line
        assert table.rows == {}
        assert not client.cookies

    browse(app, does)
