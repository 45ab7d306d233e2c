"""Asks a Gemini model for expressions; when that fails, the dictionary chooses, and says so."""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langflix.domain import gemini
from langflix.domain.expressions import Expression
from langflix.domain.gemini import BadAnswer
from langflix.domain.lesson import Learner, Scorer
from langflix.domain.subtitles import Cue
from langflix.scoring.dictionary import Dictionary
from langflix.scoring.settings import GeminiSettings

log = logging.getLogger(__name__)

CONNECT_S = 10
#: The model writes for up to half a minute.
READ_S = 60
#: All questions of a lesson, with what they wait for, in seconds.
LESSON_S = 240
RETRIES = 3
#: Seconds before the first retry; each later one waits twice as long.
BACKOFF_S = 1.0
#: Longer than this the server need not tell us to wait.
MAX_WAIT_S = 30.0
#: Bytes of an answer at most.
MAX_BYTES = 2**20
#: The server is busy or ill; everything else it says will stay as it is.
PASSING = frozenset({408, 429, 500, 502, 503, 504})


class NoAnswer(Exception):
    """The model cannot be asked; the text says why and holds no secret."""


class _Passing(NoAnswer):
    """It may answer when asked again, after ``wait_s`` seconds if the server said so."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


@dataclass(slots=True)
class _Purse:
    """What one lesson may cost and has cost so far, in US dollars."""

    settings: GeminiSettings
    spent: float = field(default=0.0)

    def allow(self, body: Mapping[str, Any]) -> None:
        at_most = self.settings.cost(*gemini.tokens_at_most(body))
        if self.spent + at_most > self.settings.max_cost:
            raise NoAnswer(f"the lesson would cost more than {self.settings.max_cost:.2f} USD")

    def pay(self, body: Mapping[str, Any], answer: object) -> None:
        used = gemini.tokens_used(answer)
        # An answer that names no price is taken to cost the most it can.
        self.spent += self.settings.cost(*(used or gemini.tokens_at_most(body)))


@dataclass(frozen=True, slots=True)
class Gemini:
    """A scorer; see :data:`langflix.domain.lesson.Scorer`.

    Attributes:
        settings: how to ask.
        otherwise: who chooses when there is no answer.
        wait: sleeps for so many seconds; a door for tests.
        clock: seconds that only grow; another one.

    """

    settings: GeminiSettings
    otherwise: Scorer = field(default_factory=Dictionary)
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def __call__(
        self, cues: Sequence[Cue], learner: Learner
    ) -> tuple[Sequence[Expression], str | None]:
        """Return the model's choice; the dictionary's, with a remark, where it gave none."""
        found, why = self._ask_all(cues, learner)
        if why is None:
            return found, None
        log.warning("gemini gave no answer", extra={"event": "gemini.failed", "reason": why})
        if found:
            return found, f"the Gemini API was asked about a part of the film only: {why}"
        chosen, _ = self.otherwise(cues, learner)
        return chosen, f"the dictionary chose, not the Gemini API: {why}"

    def _ask_all(
        self, cues: Sequence[Cue], learner: Learner
    ) -> tuple[list[Expression], str | None]:
        # Here, not above: a worker without a key needs none of it.
        import httpx

        found: list[Expression] = []
        purse, deadline = _Purse(self.settings), self.clock() + LESSON_S
        limits = httpx.Timeout(READ_S, connect=CONNECT_S)
        try:
            with httpx.Client(timeout=limits, verify=ssl.create_default_context()) as client:
                for part in gemini.questions(cues):
                    body = gemini.question(part, learner)
                    answer = self._ask(client, body, purse, deadline)
                    found += gemini.read(answer, part, learner)
        except (NoAnswer, BadAnswer) as error:
            return found, str(error)
        finally:
            told = {"event": "gemini.asked", "usd": round(purse.spent, 5), "found": len(found)}
            log.info("gemini was asked", extra=told)
        return found, None

    def _ask(self, client: Any, body: Mapping[str, Any], purse: _Purse, deadline: float) -> object:
        pause = BACKOFF_S
        for left in range(RETRIES, -1, -1):
            purse.allow(body)
            try:
                answer = self._post(client, body, deadline)
            except _Passing as error:
                wait_s = min(MAX_WAIT_S, max(pause, error.wait_s or 0.0))
                if not left or self.clock() + wait_s > deadline:
                    raise
                self.wait(wait_s)
                pause *= 2
                continue
            purse.pay(body, answer)
            return answer
        raise AssertionError("the last round returns or raises")

    def _post(self, client: Any, body: Mapping[str, Any], deadline: float) -> object:
        import httpx

        url = f"{self.settings.url}/v1beta/models/{self.settings.model}:generateContent"
        headers = {"x-goog-api-key": self.settings.key.reveal()}
        try:
            with client.stream("POST", url, headers=headers, json=body) as reply:
                data = self._bounded(reply, deadline)
        except httpx.TimeoutException as error:
            raise _Passing("it did not answer in time") from error
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise _Passing(f"it cannot be reached ({type(error).__name__})") from error
        if reply.status_code in PASSING:
            why = f"it answered with status {reply.status_code}"
            raise _Passing(why, _seconds(reply.headers.get("retry-after", "")))
        if reply.status_code in (401, 403):
            raise NoAnswer("it does not accept the key")
        if reply.status_code != 200:
            raise NoAnswer(f"it answered with status {reply.status_code}")
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise NoAnswer("its answer is no JSON") from error

    def _bounded(self, reply: Any, deadline: float) -> bytes:
        data = bytearray()
        for piece in reply.iter_bytes():
            data += piece
            if len(data) > MAX_BYTES:
                raise NoAnswer(f"its answer has more than {MAX_BYTES} bytes")
            if self.clock() > deadline:
                raise NoAnswer(f"its answer was not there after {LESSON_S} s")
        return bytes(data)


def choose(environ: Mapping[str, str]) -> Scorer:
    """Return the scorer that the environment asks for; raises SettingsError."""
    settings = GeminiSettings.from_env(environ)
    return Gemini(settings) if settings else Dictionary()


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
