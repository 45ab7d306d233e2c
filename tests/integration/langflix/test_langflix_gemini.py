"""The Gemini scorer against a server of our own on the loopback address."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from langflix.domain import gemini as asked
from langflix.domain.lesson import Learner
from langflix.domain.subtitles import Cue
from langflix.scoring import gemini
from langflix.scoring.gemini import Gemini
from langflix.scoring.settings import GeminiSettings
from langflix.secret import Secret

KEY = "AIzaLocalKey"
CUES = [Cue(0, 900, "Make up your mind!"), Cue(1000, 2000, "Heavy rain again, isn't it?")]
ITEM = {
    "line": 1,
    "said": "Heavy rain",
    "phrase": "heavy rain",
    "kind": "collocation",
    "level": "B1",
    "translation": "폭우",
    "similar": ["downpour"],
}


def good(items: object = (ITEM,), asked_tokens: int = 100) -> bytes:
    """Return an answer of the API."""
    part = {"text": json.dumps(list(items) if isinstance(items, tuple) else items)}
    candidate = {"content": {"parts": [part]}, "finishReason": "STOP"}
    usage = {"promptTokenCount": asked_tokens, "candidatesTokenCount": 10}
    return json.dumps({"candidates": [candidate], "usageMetadata": usage}).encode()


@dataclass
class Fake:
    """A server that gives one answer after another, the last one for ever."""

    url: str = ""
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def scorer(self, **changes: object) -> Gemini:
        """Return a scorer that asks this server and does not really wait."""
        settings = GeminiSettings(Secret(KEY), self.url, "gemini-test", 0.10, 0.30, 2.50)
        return Gemini(replace(settings, **changes), wait=self.waits.append)  # type: ignore[arg-type]

    def then(self, status: int, body: bytes = b"", **headers: str) -> Fake:
        """Answer so, after what was said before."""
        self.answers.append((status, body, headers))
        return self


@pytest.fixture
def fake() -> Iterator[Fake]:
    """Run a fake of the API."""
    told = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told.requests.append((self.path, self.headers["x-goog-api-key"], body))
            status, data, headers = told.answers[min(len(told.requests), len(told.answers)) - 1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_good_answer_is_taken(fake: Fake) -> None:
    """The model's choice comes with translations and no remark; the key travels in a header."""
    found, note = fake.then(200, good()).scorer()(CUES, Learner())
    assert note is None
    assert [(one.phrase, one.translation) for one in found] == [("heavy rain", "폭우")]
    ((path, key, body),) = fake.requests
    assert (path, key) == ("/v1beta/models/gemini-test:generateContent", KEY)
    assert body["generationConfig"]["responseSchema"]["items"]["required"]


def test_a_busy_server_is_asked_again(fake: Fake) -> None:
    """Retries wait twice as long each time, or as long as the server says."""
    fake.then(503).then(429, retry_after="7").then(500).then(200, good())
    found, note = fake.scorer()(CUES, Learner())
    assert (len(found), note) == (1, None)
    assert fake.waits == [1.0, 7.0, 4.0]


@pytest.mark.parametrize(
    ("status", "body", "why", "times"),
    [
        (503, b"", "status 503", 4),
        (403, b'{"error": {"message": "bad AIzaLocalKey"}}', "does not accept the key", 1),
        (400, b"", "status 400", 1),
        (302, b"", "status 302", 1),
        (200, b"<html>", "no JSON", 1),
        (200, b"[" * 10**5, "no JSON", 1),
        (200, b"x" * (gemini.MAX_BYTES + 1), "more than", 1),
        (200, good([{"line": 99}]), "nothing in its answer fits", 1),
    ],
    ids=["ill", "key", "request", "moved", "html", "deep", "long", "nonsense"],
)
def test_without_an_answer_the_dictionary_chooses_and_says_so(
    fake: Fake, status: int, body: bytes, why: str, times: int
) -> None:
    """The lesson is made all the same, with a remark that names the reason and not the key."""
    found, note = fake.then(status, body, location="/x").scorer()(CUES, Learner())
    assert [one.phrase for one in found] == ["make up one's mind"]
    assert note is not None
    assert "the dictionary chose" in note
    assert why in note
    assert KEY not in note
    assert len(fake.requests) == times


def test_a_server_that_is_not_there_is_given_up(fake: Fake) -> None:
    """A refused connection is tried again, then told."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        found, note = fake.scorer(url=url)(CUES, Learner())
    assert found
    assert note is not None
    assert "cannot be reached" in note
    assert len(fake.waits) == gemini.RETRIES


def test_a_server_that_says_nothing_is_given_up(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence is bounded by a time-out."""
    monkeypatch.setattr(gemini, "READ_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        found, note = fake.scorer(url=url)(CUES, Learner())
    assert found
    assert note is not None
    assert "in time" in note


def test_no_wait_goes_past_the_lessons_time(fake: Fake) -> None:
    """When the time for all questions is over, none is asked again."""
    now = iter([0.0, *[gemini.LESSON_S * 2.0] * 9])
    scorer = replace(fake.then(503).scorer(), clock=lambda: next(now))
    assert scorer(CUES, Learner())[1]
    assert fake.waits == []


def test_a_lesson_costs_no_more_than_allowed(fake: Fake) -> None:
    """A question that might cost too much is not asked; what was found before is kept."""
    scorer = fake.then(200, good(asked_tokens=10**6)).scorer(max_cost=0.001)
    found, note = scorer(CUES, Learner())
    assert fake.requests == []
    assert note is not None
    assert "more than 0.00 USD" in note
    assert [one.phrase for one in found] == ["make up one's mind"]
    long = [replace(CUES[1], start_ms=at) for at in range(asked.CUES_PER_QUESTION + 1)]
    found, note = fake.scorer()([*long], Learner())
    assert len(fake.requests) == 1
    assert len(found) == 1
    assert note is not None
    assert "a part of the film only" in note
