"""What is sent, how often, and what a right answer is. Pure.

Uploads repeat one request under its idempotency key: the API takes in, hashes and compares the
whole body, and answers with the lesson that the first one made, so uploads load it without filling
the queue. Jobs are lessons of a tiny film, each under a key of its own.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

#: Says what is wrong with an answer's body; empty when nothing is.
Check = Callable[[bytes], str]
#: An answer to a plain request comes within this time, in seconds; on a machine that is kept busy
#: by others more may be allowed, to count what was dropped and not what was slow.
PATIENCE_S = 10.0
#: Slow senders take this long over a body, slow readers over an answer.
SLOW_S = 12.0
#: What a slow request may take beside its slowness.
SPARE_S = 20.0
#: How much of a film a player asks for at once.
RANGE_BYTES = 64 * 1024
PAGE_FILES = ("/", "/main.js", "/style.css", "/i18n.js", "/icon.svg")
_TAIL = 64


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of traffic and its share of all requests."""

    name: str
    share: float


#: ``kept`` reuses connections, ``fresh`` makes one for each request. A stream lives a minute and a
#: slow transfer a quarter of one, so a small share of requests is a good part of what is open.
KINDS = (
    Kind("api-kept", 0.36),
    Kind("api-fresh", 0.24),
    Kind("page-kept", 0.15),
    Kind("page-fresh", 0.10),
    Kind("range", 0.06),
    Kind("flower", 0.03),
    Kind("upload", 0.02),
    Kind("jobs-list", 0.02),
    Kind("range-slow", 0.006),
    Kind("events", 0.006),
    Kind("job", 0.004),
    Kind("upload-slow", 0.004),
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, and what has to come of it.

    Attributes:
        path: with the query.
        wrong: checks the body; a stream's is checked when the server ends it.
        status: the one that is right.
        fresh: by a connection of its own.
        body: what is sent; with ``send_s`` spread over so many seconds.
        read_s: the answer is read over so many seconds.
        limit_s: the answer is there by then; of a stream its head.
        stream: an event stream.
    """

    path: str
    wrong: Check
    method: str = "GET"
    status: int = 200
    fresh: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    send_s: float = 0.0
    read_s: float = 0.0
    limit_s: float = PATIENCE_S
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form that is ready to be sent."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a stack before the load, as right answers.

    Attributes:
        lesson: id of a lesson that is DONE.
        expressions: how many it has.
        clip_url: where a clip of it is.
        clip: the clip's bytes.
        pages: path of each file of the page to its content.
        form: the request that made the lesson, and its key.
        title: of the jobs that the load makes.
        tiny: a job's request.
    """

    lesson: str
    expressions: int
    clip_url: str
    clip: bytes
    pages: Mapping[str, bytes]
    form: Form
    key: str
    title: str
    tiny: Form


def arrivals(kinds: Sequence[Kind], rate: float) -> Iterator[tuple[float, str]]:
    """Give without end when a request is due, in seconds from the start, and of which kind.

    Each kind has a clock of its own; they start at different times.
    """

    def clock(kind: Kind, phase: float) -> Iterator[tuple[float, str]]:
        return (((number + phase) / (rate * kind.share), kind.name) for number in itertools.count())

    return heapq.merge(
        *(clock(kind, (at + 1) / (len(kinds) + 1)) for at, kind in enumerate(kinds) if kind.share)
    )


def requests(known: Known, patience_s: float = PATIENCE_S) -> dict[str, Iterator[Ask]]:
    """Return for each kind its requests, without end.

    Args:
        known: what right answers are.
        patience_s: how long an answer to a plain request may take; others have longer.

    """
    more = patience_s - PATIENCE_S
    api, pages = _api(known), _pages(known)
    whole = {"Range": "bytes=0-", "Accept-Encoding": "identity"}
    slowly = SLOW_S + SPARE_S
    named: dict[str, Sequence[Ask]] = {
        "api-kept": api,
        "api-fresh": [_fresh(one) for one in api],
        "page-kept": pages,
        "page-fresh": [_fresh(one) for one in pages],
        "range": _ranges(known),
        "flower": [Ask("/flower/healthcheck", same(b"OK"))],
        "upload": [_upload(known, 0.0)],
        "upload-slow": [_upload(known, SLOW_S)],
        "jobs-list": [Ask(listing(known.title), jobs_list)],
        "range-slow": [
            Ask(known.clip_url, same(known.clip), status=206, headers=whole, read_s=SLOW_S,
                limit_s=slowly),
        ],
        "events": [Ask("/api/v1/events", events, stream=True)],
    }  # fmt: skip
    repeated = {name: itertools.cycle(some) for name, some in named.items()}
    return {
        name: (replace(ask, limit_s=ask.limit_s + more) for ask in asks)
        for name, asks in {**repeated, "job": _jobs(known)}.items()
    }


def listing(title: str, offset: int = 0) -> str:
    """Return the path of a page of the jobs with a title, newest first; 200 are a page."""
    return f"/api/v1/jobs?q={title}&limit=200&offset={offset}"


def same(wanted: bytes) -> Check:
    """Return a check for exactly these bytes."""

    def check(body: bytes) -> str:
        if body == wanted:
            return ""
        return f"{len(body)} bytes that are not the {len(wanted)} expected: {body[:80]!r}"

    return check


def field_is(name: str, wanted: object) -> Check:
    """Return a check for a JSON object with a field of this value; of a list, of this length."""

    def check(body: bytes) -> str:
        try:
            value = json.loads(body)
        except ValueError:
            return f"no JSON: {body[:80]!r}"
        found = value.get(name) if isinstance(value, dict) else None
        found = len(found) if isinstance(found, list) else found
        return "" if found == wanted else f"{name} is {found!r} instead of {wanted!r}"

    return check


def jobs_list(body: bytes) -> str:
    """Check a list of jobs."""
    try:
        good = isinstance(json.loads(body)["jobs"], list)
    except (ValueError, KeyError, TypeError):
        good = False
    return "" if good else f"no list of jobs: {body[:80]!r}"


def events(body: bytes) -> str:
    """Check an event stream that has ended: it is whole to its last event."""
    if not body.startswith(b"retry:"):
        return f"no stream of ours: {body[:80]!r}"
    return "" if body.endswith(b"\n\n") else f"ends in an event: {body[-80:]!r}"


def ends_like(page: bytes) -> Check:
    """Return a check for a file of the page, of which another version may be another in the middle.

    Its end tells a whole file from a cut one, and from a page of an error.
    """
    end = page[-_TAIL:]

    def check(body: bytes) -> str:
        return "" if body.endswith(end) else f"ends in {body[-_TAIL:]!r} instead of {end!r}"

    return check


def _api(known: Known) -> list[Ask]:
    job = f"/api/v1/jobs/{known.lesson}"
    return [
        Ask("/health", field_is("status", "ok")),
        Ask("/api/v1/jobs?limit=20", jobs_list),
        Ask(job, field_is("status", "DONE")),
        Ask(f"{job}/expressions", field_is("expressions", known.expressions)),
        Ask("/api/v1/expressions?q=the&limit=1", field_is("expressions", 1)),
    ]


def _pages(known: Known) -> list[Ask]:
    return [Ask(path, ends_like(content)) for path, content in known.pages.items()]


def _ranges(known: Known) -> list[Ask]:
    asks = []
    for start in range(0, len(known.clip), RANGE_BYTES):
        piece = known.clip[start : start + RANGE_BYTES]
        wanted = f"bytes={start}-{start + len(piece) - 1}"
        headers = {"Range": wanted, "Accept-Encoding": "identity"}
        asks.append(Ask(known.clip_url, same(piece), status=206, headers=headers))
    return asks


def _upload(known: Known, send_s: float) -> Ask:
    headers = {"Content-Type": known.form.content_type, "Idempotency-Key": known.key}
    return Ask(
        "/api/v1/jobs",
        field_is("id", known.lesson),
        method="POST",
        status=202,
        headers=headers,
        body=known.form.body,
        send_s=send_s,
        limit_s=send_s + SPARE_S,
    )


def _jobs(known: Known) -> Iterator[Ask]:
    for number in itertools.count():
        headers = {
            "Content-Type": known.tiny.content_type,
            "Idempotency-Key": f"{known.title}-{number}",
        }
        yield Ask(
            "/api/v1/jobs",
            field_is("title", known.title),
            method="POST",
            status=202,
            headers=headers,
            body=known.tiny.body,
            limit_s=SPARE_S,
        )


def _fresh(ask: Ask) -> Ask:
    return Ask(ask.path, ask.wrong, status=ask.status, headers=ask.headers, fresh=True)
