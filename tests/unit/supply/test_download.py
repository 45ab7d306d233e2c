"""Downloads are resumed, retried and hashed; wrong bytes never get through."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from slipway.errors import FetchError
from slipway.report import Report
from slipway.supply.download import Absent, Download, fetch_all

BODY = bytes(range(256)) * 40
Handler = Callable[[httpx.Request], httpx.Response]


def wanted(body: bytes = BODY, places: tuple[str, ...] = ("http://m/a.deb",)) -> Download:
    return Download("a.deb", places, len(body), hashlib.sha256(body).hexdigest())


def answer(status: int, body: bytes) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(body))


def run(
    tmp_path: Path, handler: Handler, *downloads: Download
) -> tuple[list[Path], dict[str, str]]:
    def client() -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(handler))

    progress = Report(quiet=True).progress("x", 1)
    return fetch_all(downloads or (wanted(),), tmp_path, progress, make_client=client)


def test_whole(tmp_path: Path) -> None:
    """A file comes whole, under its name, with nothing else left in the folder."""
    came, gone = run(tmp_path, lambda _: answer(200, BODY))

    assert (came, gone) == ([tmp_path / "a.deb"], {})
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [BODY]


def test_resumed(tmp_path: Path) -> None:
    """What came before a break is not asked for again."""
    (tmp_path / "a.deb.part").write_bytes(BODY[:1000])
    ranges = []

    def handler(request: httpx.Request) -> httpx.Response:
        ranges.append(request.headers.get("Range"))
        return answer(206, BODY[1000:])

    came, _ = run(tmp_path, handler)

    assert ranges == ["bytes=1000-"]
    assert came[0].read_bytes() == BODY


def test_a_mirror_that_ignores_ranges(tmp_path: Path) -> None:
    """A whole answer to a range request replaces the part."""
    (tmp_path / "a.deb.part").write_bytes(b"old")

    came, _ = run(tmp_path, lambda _: answer(200, BODY))

    assert came[0].read_bytes() == BODY


def test_retried_after_a_cut(tmp_path: Path) -> None:
    """A transfer that ends early is tried again."""
    answers = [BODY[:10], BODY]

    came, _ = run(tmp_path, lambda _: answer(200, answers.pop(0)))

    assert came[0].read_bytes() == BODY
    assert answers == []


def test_wrong_bytes(tmp_path: Path) -> None:
    """Other bytes than the locked ones are thrown away and stop the fetch."""
    with pytest.raises(FetchError, match="other bytes") as caught:
        run(tmp_path, lambda _: answer(200, bytes(len(BODY))))

    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_second_place(tmp_path: Path) -> None:
    """What the mirror has no more comes from the next place."""

    def handler(request: httpx.Request) -> httpx.Response:
        gone = request.url.host == "m"
        return httpx.Response(404) if gone else answer(200, BODY)

    came, _ = run(tmp_path, handler, wanted(places=("http://m/a.deb", "http://snapshot/a.deb")))

    assert len(came) == 1


def test_gone(tmp_path: Path) -> None:
    """A file that nobody has is reported with the reason; the others come all the same."""
    other = Download("b.deb", ("http://m/b.deb",), 1, hashlib.sha256(b"b").hexdigest())

    def handler(request: httpx.Request) -> httpx.Response:
        found = request.url.path == "/b.deb"
        return answer(200, b"b") if found else httpx.Response(404)

    came, gone = run(tmp_path, handler, wanted(), other)

    assert [p.name for p in came] == ["b.deb"]
    assert gone == {"a.deb": "the mirror answers 404"}
    assert isinstance(gone["a.deb"], Absent)


@pytest.mark.parametrize("unreached", ["m", "snapshot"])
def test_one_that_does_not_answer_may_have_it(tmp_path: Path, unreached: str) -> None:
    """A file is gone only when every place said so; one that wasn't reached said nothing."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == unreached:
            raise httpx.ConnectError("no route")
        return httpx.Response(404)

    places = ("http://m/a.deb", "http://snapshot/a.deb")
    _, gone = run(tmp_path, handler, wanted(places=places))

    assert not isinstance(gone["a.deb"], Absent)
    assert "no route" in gone["a.deb"]
    assert "404" in gone["a.deb"]


def test_tries_are_bounded(tmp_path: Path) -> None:
    """A mirror that never answers is given up after four tries."""
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        raise httpx.ConnectError("no route")

    _, gone = run(tmp_path, handler)

    assert gone == {"a.deb": "no route"}
    assert not isinstance(gone["a.deb"], Absent)
    assert len(asked) == 4


def test_already_there(tmp_path: Path) -> None:
    """A file that waits with the right bytes is not asked for."""
    (tmp_path / "a.deb").write_bytes(BODY)

    came, _ = run(tmp_path, lambda _: httpx.Response(500))

    assert came == [tmp_path / "a.deb"]
