"""Downloads: what is asked for, what is gone on with, what files are called."""

from __future__ import annotations

import io
import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.langflix.fake_api import Asked, Told, fake_api

from langflix.cli import download, names, output, transfer
from langflix.cli.client import Client
from langflix.cli.download import Wanted
from langflix.cli.transfer import Coming, Part
from langflix.errors import InputError, UnavailableError

CONTENT = bytes(range(256)) * 40
DATE, SECONDS = "Sat, 01 Aug 2026 10:00:00 GMT", 1785578400
HEADERS = {"etag": '"abc"', "last-modified": DATE}


def test_what_is_asked_for() -> None:
    """Without a part all of the file; with one, from its last byte, if the content is the same."""
    assert transfer.asked(None) == transfer.asked(Part("abc", 0)) == {}
    assert transfer.asked(Part("abc", 10)) == {"Range": "bytes=9-", "If-Range": '"abc"'}


def test_what_comes() -> None:
    """All of it is 200 with a length; the rest is 206 that fits the part."""
    length = {**HEADERS, "content-length": "100"}
    assert transfer.coming(200, length, None) == Coming(0, 100, "abc", SECONDS)
    assert transfer.coming(200, {"content-length": "100"}, None) == Coming(0, 100, "", None)
    weak = {"content-length": "1", "etag": 'W/"abc"', "last-modified": "never"}
    assert transfer.coming(200, weak, Part("abc", 10)) == Coming(0, 1, "", None)
    rest = {**HEADERS, "content-range": "bytes 9-99/100"}
    assert transfer.coming(206, rest, Part("abc", 10)) == Coming(9, 100, "abc", SECONDS)


@pytest.mark.parametrize(
    ("status", "headers", "part"),
    [
        (200, HEADERS, None),
        (200, {**HEADERS, "content-length": "-1"}, None),
        (302, {**HEADERS, "content-length": "1"}, None),
        (206, {**HEADERS, "content-range": "bytes 9-99/100"}, None),
        (206, {**HEADERS, "content-range": "bytes 9-98/100"}, Part("abc", 10)),
        (206, {**HEADERS, "content-range": "bytes 8-99/100"}, Part("abc", 10)),
        (206, {**HEADERS, "content-range": "bytes 9-99/*"}, Part("abc", 10)),
        (206, {**HEADERS, "content-range": "bytes 9-99/100"}, Part("abd", 10)),
        (206, HEADERS, Part("abc", 10)),
    ],
)
def test_what_does_not_fit(status: int, headers: dict[str, str], part: Part | None) -> None:
    """An answer to something else, or without a length, is refused."""
    with pytest.raises(ValueError, match=r"status|long|rest"):
        transfer.coming(status, headers, part)


@given(st.text(max_size=300))
def test_a_safe_name_stays_where_it_is_put(text: str) -> None:
    """It is one name on every system, not hidden, not empty, and short; doing it again is idle."""
    name = names.safe(text)
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name
    assert name.isprintable() and name[0] not in " ." and name[-1] not in " ."
    assert 0 < len(name.encode()) <= names.MAX_BYTES
    assert names.safe(name) == name


def test_a_safe_name_is_still_read() -> None:
    """Letters of any language stay."""
    assert names.safe("..\\a/b: 큰 버니?\n") == "_a_b_ 큰 버니_"
    assert names.safe("../..") == "_"
    assert names.safe("...") == "lesson"


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_a_part_tells_its_tag(tag: str) -> None:
    """The name of a part says of which file and of which content it is."""
    assert transfer.part_tag("a.mp4", transfer.part_name("a.mp4", tag)) == tag
    assert transfer.part_tag("a.mp4", transfer.part_name("b.mp4", tag)) is None
    assert transfer.part_tag("a.mp4", transfer.part_name("a.mp4", "")) is None


def serve(asked: Asked, tag: str = '"abc"', cut: int | None = None) -> Told:
    """Answer with CONTENT, or the range of it, as the API does."""
    headers = {"ETag": tag, "Last-Modified": DATE}
    if "range" in asked.headers and asked.headers.get("if-range") == tag:
        start = int(asked.headers["range"].removeprefix("bytes=").removesuffix("-"))
        span = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        return Told(CONTENT[start:], 206, {**headers, "Content-Range": span}, cut)
    return Told(CONTENT, 200, headers, cut)


WANTED = Wanted("a.mp4", "/a", len(CONTENT))


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing between tries."""
    monkeypatch.setattr(download, "PAUSE_S", 0)


def test_a_broken_download_goes_on(tmp_path: Path) -> None:
    """Cut off twice, a file comes in three answers, each where the last one stopped."""
    told: list[int] = []
    cuts = [3000, 3000, None]
    with fake_api(lambda asked: serve(asked, cut=cuts.pop(0))) as api:
        download.fetch(Client(api.url), WANTED, tmp_path, told.append)
    assert [one.headers.get("range") for one in api.asked] == [
        None,
        "bytes=2999-",
        "bytes=5998-",
    ]
    assert (tmp_path / "a.mp4").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert told[-1] == len(CONTENT)


def test_nothing_or_all(tmp_path: Path) -> None:
    """A download that breaks each time leaves the file of before, and a part."""
    (tmp_path / "a.mp4").write_bytes(b"before")
    with fake_api(lambda asked: serve(asked, cut=100)) as api:
        with pytest.raises(UnavailableError, match=f"of {len(CONTENT)} bytes"):
            download.fetch(Client(api.url), WANTED, tmp_path, lambda _: None)
    assert len(api.asked) == download.TRIES
    assert (tmp_path / "a.mp4").read_bytes() == b"before"
    assert (tmp_path / "a.mp4.abc.part").read_bytes() == CONTENT[: 4 * 99 + 1]


def test_a_part_of_other_content_is_left_alone(tmp_path: Path) -> None:
    """When the server has something else by now, all of that is fetched and no byte is mixed."""
    (tmp_path / "a.mp4.old.part").write_bytes(b"old" * 100)
    with fake_api(serve) as api:
        download.fetch(Client(api.url), WANTED, tmp_path, lambda _: None)
    assert api.asked[0].headers["if-range"] == '"old"'
    assert (tmp_path / "a.mp4").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_whole_part_needs_one_byte(tmp_path: Path) -> None:
    """A part that lacked only its new name gets it."""
    (tmp_path / "a.mp4.abc.part").write_bytes(CONTENT)
    with fake_api(serve) as api:
        download.fetch(Client(api.url), WANTED, tmp_path, lambda _: None)
    assert [one.headers["range"] for one in api.asked] == [f"bytes={len(CONTENT) - 1}-"]
    assert (tmp_path / "a.mp4").read_bytes() == CONTENT


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    """Size and date tell that a file is the server's; with another date it is fetched."""
    file = tmp_path / "a.mp4"
    with fake_api(serve) as api:
        download.fetch(Client(api.url), WANTED, tmp_path, lambda _: None)
        file.write_bytes(b"#" * len(CONTENT))
        os.utime(file, (SECONDS, SECONDS))
        download.fetch(Client(api.url), WANTED, tmp_path, lambda _: None)
        assert file.read_bytes() == b"#" * len(CONTENT)
        os.utime(file, (SECONDS + 1, SECONDS + 1))
        download.fetch(Client(api.url), WANTED, tmp_path, lambda _: None)
    assert file.read_bytes() == CONTENT


def test_content_without_a_tag_is_never_gone_on_with(tmp_path: Path) -> None:
    """A weak tag does not stand for bytes: each try begins at the start."""
    cuts = [3000, None]
    with fake_api(lambda asked: serve(asked, 'W/"abc"', cuts.pop(0))) as api:
        download.fetch(Client(api.url), WANTED, tmp_path, lambda _: None)
    assert [one.headers.get("range") for one in api.asked] == [None, None]
    assert (tmp_path / "a.mp4").read_bytes() == CONTENT


def test_a_lesson_that_names_a_file_twice_is_none() -> None:
    """What would overwrite itself, or lies elsewhere, is refused before anything is fetched."""
    one = {"file": "a.mp4", "url": "/a", "bytes": 1}
    assert download.files({"clips": [one], "videos": []}) == [Wanted("a.mp4", "/a", 1)]
    for clips in ([one, one], [{**one, "url": "http://elsewhere/a"}]):
        with pytest.raises(UnavailableError):
            download.files({"clips": clips, "videos": []})


def test_a_film_that_cannot_be_read_is_the_films_fault(tmp_path: Path) -> None:
    """What goes wrong with a file while it is sent is not told of the API."""
    with fake_api(lambda _: Told()) as api:
        with pytest.raises(InputError, match="cannot be read"):
            Client(api.url).upload("/", {"video": tmp_path}, {}, lambda done, total: None)


def test_progress_for_people() -> None:
    """Bytes, per cent, and the rate of what came now."""
    assert output.transfer(0, 0, 0, 0) == "0 B of 0 B  100 %"
    assert output.transfer(1_500_000, 6_000_000, 500_000, 2) == (
        "1.5 MB of 6.0 MB  25 %  250.0 kB/s"
    )
    assert [output.size(number) for number in (999, 1000, 999_960, 5e9, 5e12)] == [
        *("999 B", "1.0 kB", "1.0 MB", "5.0 GB", "5000.0 GB"),
    ]


def test_progress_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard error is a file, nothing is drawn."""
    bar = output.Bytes("sending")
    bar(1, 2)
    bar.end()
    assert capsys.readouterr().err == ""


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line rewrites itself, and leaves nothing; what an earlier try brought is no rate."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(output, "REDRAW_S", 0)
    monkeypatch.setattr("time.monotonic", iter((0.0, 10.0, 10.0, 10.0, 12.0, 12.0)).__next__)
    bar = output.Bytes("downloading")
    bar(4_000_000, 10_000_000)
    bar(5_000_000, 10_000_000)
    bar.end()
    first, second, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert first == "downloading  4.0 MB of 10.0 MB  40 %"
    assert second == "downloading  5.0 MB of 10.0 MB  50 %  500.0 kB/s"
    assert last == ""
