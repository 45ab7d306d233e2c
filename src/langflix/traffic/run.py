"""The whole load against a stack: learn what is right, send, follow the jobs, leave nothing."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from langflix.errors import LangflixError, MediaError, UnavailableError
from langflix.media import ffmpeg
from langflix.traffic import count, kinds, pace
from langflix.traffic.ask import Asker
from langflix.traffic.count import Failed, Result
from langflix.traffic.kinds import Form, Known
from langflix.traffic.lessons import Book, Lessons, Made
from langflix.traffic.site import JOBS, POLL_S, Site

REQUEST_S = 30.0
FFMPEG_S = 60
#: After the load another job ends within this time, until all have.
SETTLE_S = 180.0
#: Sizes of films: of the one whose clips are downloaded, and of those of the jobs.
MIDDLE, TINY = "640:360", "64:36"
ENDLESS = frozenset({"events"})


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for.

    Attributes:
        url: the site.
        video: a short film.
        subtitle: its subtitle; the more expressions it has, the longer jobs take.
        rate: requests in a second, of all kinds.
        seconds: for so long at most; SIGTERM or SIGINT end it earlier.
        patience_s: how long an answer may take before it counts as failed.
    """

    url: str
    video: Path
    subtitle: Path
    rate: float
    seconds: float
    patience_s: float = kinds.PATIENCE_S


async def load(asked: Load, headers: Mapping[str, str], begins: Callable[[str], None]) -> Result:
    """Load a stack and return what came of it; what was made for it is deleted again.

    Args:
        asked: what to do.
        headers: sent with every request.
        begins: called with the time when the first request is due.

    Raises:
        MediaError: the film could not be made smaller.
        UnavailableError: the stack does not answer, before the load or after it.
        LangflixError: it refuses what the load rests on.

    """
    title = f"load-{secrets.token_hex(4)}"
    forms = [_form(title, film, asked.subtitle) for film in _films(asked.video)]
    tls = httpx.create_ssl_context()
    async with httpx.AsyncClient(
        base_url=asked.url, timeout=REQUEST_S, headers=headers, verify=tls, trust_env=False
    ) as http:
        site = Site(http)
        await _answers(http)
        try:
            known, wanted, before = await _learn(site, title, *forms)
            book = Book()
            with _told_to_stop() as stop:
                begins(began := pace.now())
                rows, lasted = await _send(asked, headers, known, book, stop)
            lessons = await _settle(site, book, title, wanted, before)
        except BaseException:
            with suppress(LangflixError):  # what ended the load is what has to be told
                await _clear(site, title)
            raise
        await _clear(site, title)
    return count.result(rows, lessons, began=began, seconds=lasted, rate=asked.rate)


async def _answers(http: httpx.AsyncClient) -> None:
    """See at once whether there is a stack; later it is waited for."""
    try:
        (await http.get("/health")).raise_for_status()
    except httpx.HTTPError as error:
        raise UnavailableError(f"{http.base_url} does not answer as LangFlix: {error}") from error


async def _clear(site: Site, title: str) -> None:
    for job in await site.jobs(title):
        await site.delete(f"{JOBS}/{job['id']}")


async def _learn(
    site: Site, title: str, middle: Form, tiny: Form
) -> tuple[Known, Made, tuple[str, ...]]:
    """Make a lesson of each film; return what is known then, and the ids of these jobs."""
    key = f"{title}-middle"
    lesson = (await site.post(JOBS, middle, key))["id"]
    first = (await site.post(JOBS, tiny, f"{title}-tiny"))["id"]
    for job in (lesson, first):
        await site.done(job)
    clips = (await site.get(f"{JOBS}/{lesson}/clips")).json()["clips"]
    url = clips[0]["url"]
    known = Known(
        lesson=lesson,
        expressions=(await site.made(lesson)).expressions,
        clip_url=url,
        clip=(await site.get(url)).content,
        pages={path: (await site.get(path)).content for path in kinds.PAGE_FILES},
        form=middle,
        key=key,
        title=title,
        tiny=tiny,
    )
    return known, await site.made(first), (lesson, first)


async def _send(
    asked: Load, headers: Mapping[str, str], known: Known, book: Book, stop: asyncio.Event
) -> tuple[list[count.Asked], float]:
    over, wanted = asyncio.Event(), kinds.requests(known, asked.patience_s)
    async with Asker(asked.url, headers) as asker:

        async def send(kind: str) -> float:
            try:
                at, body = await asker.ask(next(wanted[kind]), over)
            except Failed:
                book.unsure += kind == "job"
                raise
            if kind == "job":
                book.accept(json.loads(body)["id"])
            elif kind == "jobs-list":
                book.see(json.loads(body)["jobs"])
            return at

        due = kinds.arrivals(kinds.KINDS, asked.rate)
        return await pace.drive(due, send, asked.seconds, endless=ENDLESS, stop=stop, over=over)


async def _settle(
    site: Site, book: Book, title: str, wanted: Made, before: Collection[str]
) -> Lessons:
    """Wait until the jobs have ended, and look at each lesson."""
    clock = asyncio.get_running_loop().time
    book.see(await site.jobs(title))
    left, moved = len(book.open), clock()
    while left and clock() < moved + SETTLE_S:
        await asyncio.sleep(POLL_S)
        book.see(await site.jobs(title))
        if len(book.open) < left:
            left, moved = len(book.open), clock()
    there = [job for job in await site.jobs(title) if job["id"] not in before]
    for job in there:
        if job["status"] == "DONE":
            book.made(job["id"], await site.made(job["id"]))
    return book.close(there, wanted)


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """Give what is set by the first SIGTERM or SIGINT; the next one ends the process."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def told() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, told)
    try:
        yield stop
    finally:
        told()


def _form(title: str, film: bytes, subtitle: Path) -> Form:
    """Return the request for a lesson; httpx writes the form."""
    request = httpx.Request(
        "POST",
        "http://nowhere/",
        data={"title": title},
        files={"video": ("film.mp4", film), "subtitle": (subtitle.name, subtitle.read_bytes())},
    )
    return Form(request.headers["Content-Type"], request.read())


def _films(video: Path) -> tuple[bytes, bytes]:
    """Return the film in the two sizes."""
    with tempfile.TemporaryDirectory(prefix="langflix-load-") as folder:
        to = [Path(folder) / f"{name}.mp4" for name in ("middle", "tiny")]
        argv = [str(ffmpeg.program()), "-v", "error", "-nostdin", "-i", str(video)]
        for size, path in zip((MIDDLE, TINY), to, strict=True):
            argv += ["-vf", f"scale={size}", "-c:v", "libx264", "-preset", "veryfast", str(path)]
        done = subprocess.run(argv, capture_output=True, timeout=FFMPEG_S, check=False)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise MediaError(f"{video} can't be made smaller: {' '.join(said)}")
        middle, tiny = (path.read_bytes() for path in to)
    return middle, tiny
