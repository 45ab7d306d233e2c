"""What a request must be before the application sees it: asked of every route that there is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.routing import Route

from langflix.api import gate, lately
from langflix.api.app import create
from langflix.api.guesses import KEPT, MOST, WITHIN_S, Guesses
from langflix.api.lately import Lately
from langflix.api.problems import Problem
from langflix.settings import Settings

TOKEN = "a-token-of-the-tests-0123456789"
BEARER = {"authorization": f"Bearer {TOKEN}"}
#: What strangers may ask; everything else has to want the token.
OPEN = {
    "GET /health",
    "GET /health/detailed",
    "GET /ready",
    "GET /metrics",
    "GET /api/v1/session",
    "POST /api/v1/session",
    "DELETE /api/v1/session",
}


SILENCE: dict[str, object] = {"type": "silence"}


@dataclass
class Sender:
    """Somebody who sends a body piece by piece, and what was answered."""

    pieces: Sequence[bytes] = ()
    then: Mapping[str, object] | None = None
    taken: int = 0
    told: list[Any] = field(default_factory=list)

    async def receive(self) -> Any:
        """The next piece; after the last one what comes then."""
        self.taken += 1
        if self.taken <= len(self.pieces):
            more = self.taken < len(self.pieces) or self.then is not None
            return {"type": "http.request", "body": self.pieces[self.taken - 1], "more_body": more}
        return await asyncio.Event().wait() if self.then in (None, SILENCE) else self.then

    async def send(self, message: Any) -> None:
        """Note what is answered."""
        self.told.append(message)

    @property
    def status(self) -> int:
        """Of the answer."""
        return int(self.told[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer."""
        return {name.decode(): value.decode() for name, value in self.told[0]["headers"]}

    @property
    def json(self) -> Any:
        """The answer's body."""
        return json.loads(b"".join(one.get("body", b"") for one in self.told))


def ask(
    app: FastAPI,
    method: str,
    path: str,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    sender: Sender | None = None,
    query: bytes = b"",
) -> Sender:
    """Send one request, byte for byte as it is given here."""
    sender = sender or Sender()
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
        "client": ("192.0.2.1", 1),
        "server": ("test", 80),
    }
    asyncio.run(asyncio.wait_for(app(scope, sender.receive, sender.send), 30))
    return sender


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    """Give an application that wants a token, and none of whose services is there."""
    (tmp_path / "token").write_text(TOKEN)
    settings = Settings.from_env(
        {
            "LANGFLIX_DATABASE_URL": "postgresql+psycopg://langflix@127.0.0.1:1/langflix",
            "LANGFLIX_REDIS_URL": "redis://127.0.0.1:1/0",
            "LANGFLIX_DATA_DIR": str(tmp_path),
            "LANGFLIX_API_TOKEN_FILE": str(tmp_path / "token"),
        }
    )
    app = create(settings)
    yield app
    app.state.services.close()


def routes(app: FastAPI) -> dict[str, tuple[str, str]]:
    """Every operation by its name, as method and a path that reaches it."""
    filled = {
        "{job_id}": "00000000-0000-0000-0000-000000000000",
        "{clip_id}": "00000000-0000-0000-0000-000000000000",
        "{session_id}": "00000000-0000-0000-0000-000000000000",
        "{kind}": "lesson",
    }
    found = {}
    for route in plain(app.routes):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            path = route.path
            for name, value in filled.items():
                path = path.replace(name, value)
            found[f"{method} {route.path}"] = (method, path)
    assert {name for name in found if "openapi" not in name} == {
        f"{method.upper()} {path}"
        for path, ways in app.openapi()["paths"].items()
        for method in ways
    }
    return found


def plain(routes: Sequence[Any]) -> Iterator[Route | APIRoute]:
    """Every route, those of included routers too; one of another kind can't be asked here."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from plain(route.original_router.routes)
        else:
            assert isinstance(route, Route | APIRoute), route
            yield route


def test_every_route_wants_the_token_before_it_reads(app: FastAPI) -> None:
    """A stranger gets 401 from all but those that are named, and no byte of a body is taken."""
    there = routes(app)
    assert set(there) >= OPEN
    assert len(there) > len(OPEN) + 15
    for name, (method, path) in there.items():
        if name in OPEN:
            continue
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}):
            app.state.services.guesses._wrong.clear()
            sender = ask(app, method, path, {"content-length": "300000000", **headers})
            assert (sender.status, sender.taken) == (401, 0), name
            assert sender.headers["www-authenticate"] == "Bearer"
    for path in ("/nowhere", "/api/v1/nowhere", "/docs", "/api/v1/jobs/", "//api/v1/jobs"):
        assert ask(app, "GET", path).status == 401


def test_every_route_refuses_a_large_body(app: FastAPI) -> None:
    """By its length at once, and by its chunks at the limit; only an upload may be large."""
    for name, (method, path) in routes(app).items():
        if name == "POST /api/v1/jobs":
            continue
        told = ask(app, method, path, {"content-length": str(gate.MAX_BODY + 1), **BEARER})
        assert (told.status, told.taken) == (413, 0), name
        sender = Sender([b"[" * 8192] * 100, then={"type": "http.disconnect"})
        ask(app, method, path, {"transfer-encoding": "chunked", **BEARER}, sender)
        assert (sender.status, sender.taken) == (413, gate.MAX_BODY // 8192 + 1), name


def test_every_route_refuses_what_is_compressed_long_or_deep(app: FastAPI) -> None:
    """Whoever sends it, and the route never sees it."""
    deep = b'{"token": ' + b"[" * 60000
    many = [(f"x-{at}", "v") for at in range(gate.MAX_HEADERS + 1)]
    for name, (method, path) in routes(app).items():
        squeezed = ask(app, method, path, {"content-encoding": "gzip", **BEARER})
        assert (squeezed.status, squeezed.taken) == (415, 0), name
        long = ask(app, method, path, BEARER, query=b"q" * (gate.MAX_TARGET + 1))
        assert long.status == 414, name
        assert ask(app, method, path, many).status == 431, name
        assert ask(app, method, path, [("x", "v" * (gate.MAX_HEAD + 1))]).status == 431, name
        if name != "POST /api/v1/jobs":
            sender = ask(app, method, path, {"content-length": str(len(deep)), **BEARER},
                         Sender([deep]))  # fmt: skip
            assert (sender.status, sender.json["title"]) == (400, "Bad Request"), name


def test_a_slow_body_is_given_up(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that stops in the middle is answered, and one whose sender left is no defect."""
    monkeypatch.setattr(gate, "BODY_S", 0.05)
    stopped = Sender([b"{"], then=SILENCE)
    ask(app, "POST", "/api/v1/session", {"content-length": "9"}, stopped)
    assert stopped.status == 408
    left = Sender([b"{"], then={"type": "http.disconnect"})
    ask(app, "POST", "/api/v1/session", {"content-length": "9"}, left)
    assert left.status == 400


def test_an_upload_is_taken_apart_while_it_comes(app: FastAPI) -> None:
    """Its body is the route's to read: what is no form is refused by the route, unread."""
    sender = ask(app, "POST", "/api/v1/jobs", {"content-length": "9999999", **BEARER})
    assert (sender.status, sender.taken) == (415, 0)


def test_what_was_waited_for_arrives(app: FastAPI) -> None:
    """A body in pieces is the route's as a whole: a wrong token in it is a wrong token."""
    body = json.dumps({"token": "wrong"}).encode()
    headers = {"transfer-encoding": "chunked", "content-type": "application/json"}
    sender = Sender([body[:3], body[3:]])
    assert ask(app, "POST", "/api/v1/session", headers, sender).status == 401


def test_guesses_have_to_wait(app: FastAPI) -> None:
    """By header and by form they are counted together; what is right waits too, strangers don't."""
    wrong = {"authorization": "Bearer wrong"}
    body = json.dumps({"token": "wrong"}).encode()
    form = {"content-length": str(len(body)), "content-type": "application/json"}
    for _ in range(MOST // 2):
        assert ask(app, "GET", "/api/v1/jobs", wrong).status == 401
        assert ask(app, "POST", "/api/v1/session", form, Sender([body])).status == 401
    for sender in (
        ask(app, "GET", "/api/v1/jobs", wrong),
        ask(app, "GET", "/api/v1/jobs", BEARER),
        ask(app, "POST", "/api/v1/session", form, Sender([body])),
    ):
        assert sender.status == 429
        assert 1 <= int(sender.headers["retry-after"]) <= WITHIN_S
    assert ask(app, "GET", "/api/v1/jobs").status == 401
    assert ask(app, "GET", "/api/v1/session").status == 200


def test_a_wrong_token_is_told_wherever_it_is_shown(app: FastAPI) -> None:
    """By the status the edge counts guesses, so what is open refuses it too; nothing is read."""
    there = routes(app)
    for name in OPEN:
        method, path = there[name]
        app.state.services.guesses._wrong.clear()
        wrong = ask(app, method, path, {"authorization": "Bearer wrong", "content-length": "9"})
        assert (wrong.status, wrong.taken) == (401, 0), name
        for headers in ({}, BEARER, {"cookie": "langflix_sid=of-a-session-that-has-ended"}):
            assert ask(app, method, path, headers, Sender([b""])).status != 401, name


def test_health_is_told_while_nobody_can_say_whether_a_token_is_right(app: FastAPI) -> None:
    """A token with a name is looked up in the database, which is away here."""
    named = {"authorization": "Bearer langflix_" + "A" * 43}
    assert ask(app, "GET", "/health", named).json == {"status": "ok"}
    assert ask(app, "GET", "/ready", named).json == {"status": "failed"}
    assert ask(app, "GET", "/api/v1/session", named).status == 503


def test_guesses_are_counted_by_network_and_time() -> None:
    """Ten in a minute; the right token is none; one IPv6 network is one; memory has an end."""
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(3 * MOST):
        guesses.judge("192.0.2.1", right=True)
    for number in range(MOST):
        guesses.judge(f"2001:db8::{number}", right=False)
    guesses.judge("2001:db8:0:1::1", right=False)
    guesses.judge("192.0.2.1", right=False)
    now[0] = WITHIN_S - 10
    with pytest.raises(Problem) as caught:
        guesses.judge("2001:db8::99", right=True)
    assert caught.value.headers == {"Retry-After": "10"}
    now[0] = WITHIN_S
    guesses.judge("2001:db8::99", right=False)
    for number in range(2 * KEPT):
        guesses.judge(str(number), right=False)
    assert len(guesses._wrong) == KEPT


def test_strangers_are_told_the_state_alone(app: FastAPI) -> None:
    """Neither version, nor addresses, nor times; who shows the token is told everything."""
    assert ask(app, "GET", "/health").json == {"status": "ok"}
    for path in ("/ready", "/health/detailed"):
        assert ask(app, "GET", path).json == {"status": "failed"}
        assert ask(app, "GET", path, BEARER).json["checks"]["database"]["status"] == "failed"
    assert ask(app, "GET", "/api/v1/session").json["media_share"] is False
    assert ask(app, "GET", "/api/openapi.json").status == 401
    assert ask(app, "GET", "/api/openapi.json", BEARER).status == 200


def test_many_strangers_are_one_question() -> None:
    """For a second the last answer is given; while the next is sought, an older one."""
    now, asked = [0.0], []
    kept: Lately[int] = Lately(lambda: now[0])

    def answer() -> int:
        asked.append(1)
        if len(asked) == 2:  # somebody else comes meanwhile
            assert kept.get(answer) == 1
        return len(asked)

    assert [kept.get(answer) for _ in range(5)] == [1] * 5
    now[0] = lately.FRESH_S
    assert [kept.get(answer) for _ in range(5)] == [2] * 5


JSON = st.recursive(
    st.text() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@example(['"' + "[" * 99, "\\", "]" * 99], 1, False)
@example(["\\", '"'], gate.MAX_DEPTH, True)
@given(JSON, st.integers(gate.MAX_DEPTH - 6, gate.MAX_DEPTH + 2), st.booleans())
def test_depth_is_what_json_says(value: object, around: int, escaped: bool) -> None:
    """Brackets in texts and behind backslashes are none."""
    for _ in range(around):
        value = [value]
    text = json.dumps(value, ensure_ascii=escaped).encode()

    def depth(one: object) -> int:
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    assert gate.is_deep(text) == (depth(value) > gate.MAX_DEPTH)
