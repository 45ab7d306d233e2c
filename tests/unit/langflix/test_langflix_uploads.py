"""The multipart form is taken apart in any chunks, and refused in every wrong shape."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langflix.api.problems import Problem
from langflix.api.uploads import MAX_TEXT, OVERHEAD_BYTES, Arrived, Wanted, receive

FILES = (Wanted("video", frozenset({".mp4"})), Wanted("subtitle", frozenset({".srt"})))
TEXTS = frozenset({"title", "level"})
BOUNDARY = "xyz"
HEADERS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(name: str, data: bytes, file_name: str | None = None) -> bytes:
    """Return one part of a form."""
    file = f'; filename="{file_name}"' if file_name is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    """Return a whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def send(
    body: bytes,
    directory: Path,
    step: int = 7,
    limit: int = 10**6,
    headers: Mapping[str, str] = HEADERS,
) -> Arrived:
    """Let a form arrive in chunks of ``step`` bytes."""

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), step):
            yield body[at : at + step]

    return asyncio.run(receive(chunks(), headers, FILES, directory, limit, TEXTS))


GOOD = (part("video", b"film", "a.mp4"), part("subtitle", b"text", "a.srt"))


@settings(max_examples=50)
@given(st.binary(min_size=1, max_size=300), st.binary(min_size=1, max_size=60), st.integers(1, 99))
def test_files_arrive_byte_for_byte(video: bytes, subtitle: bytes, step: int) -> None:
    """Whatever the chunks, the files on the disk are what was sent."""
    body = form(part("video", video, "a.mp4"), part("subtitle", subtitle, "b.srt"))
    with tempfile.TemporaryDirectory() as directory:
        got = send(body, Path(directory), step).files
        assert got["video"].path.read_bytes() == video
        assert got["subtitle"].path.read_bytes() == subtitle
        assert (got["video"].size, got["subtitle"].size) == (len(video), len(subtitle))
        assert got["video"].sha256 == hashlib.sha256(video).hexdigest()
        assert got["subtitle"].sha256 == hashlib.sha256(subtitle).hexdigest()


def test_text_fields_arrive_beside_the_files(tmp_path: Path) -> None:
    """Known text fields are returned as text, in any order with the files."""
    title = part("title", "Böse Films".encode())
    got = send(form(title, *GOOD, part("level", b"C1")), tmp_path)
    assert got.texts == {"title": "Böse Films", "level": "C1"}


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [("../../etc/x.mp4", "x.mp4"), ("C:\\films\\Böse.MP4", "Böse.MP4"), ("a\tb.mp4", "ab.mp4")],
)
def test_a_file_name_is_only_a_name(tmp_path: Path, given_name: str, kept: str) -> None:
    """Directories in a sender's file name never reach the disk."""
    got = send(form(part("video", b"v", given_name), GOOD[1]), tmp_path).files
    assert got["video"].name == kept
    assert got["video"].path == tmp_path / "video.mp4"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (form(GOOD[0]), 422, "subtitle: is missing"),
        (form(), 422, "video: is missing; subtitle: is missing"),
        (form(part("video", b"", "a.mp4"), GOOD[1]), 422, "video: is empty"),
        (form(*GOOD, GOOD[0]), 422, "video: is there twice"),
        (form(part("video", b"v"), GOOD[1]), 422, "only the files video and subtitle"),
        (form(part("other", b"v", "a.mp4")), 422, "only the files video and subtitle"),
        (form(part("video", b"v", "a.exe"), GOOD[1]), 422, "must end in one of .mp4"),
        (form(part("title", b"a"), part("title", b"b"), *GOOD), 422, "title: is there twice"),
        (form(part("title", b"a" * (MAX_TEXT + 1)), *GOOD), 422, "longer than"),
        (b"".join(GOOD), 400, "ends in the middle"),
        (b"no form at all", 400, "malformed"),
        (part("video" * 9999, b"v", "a.mp4"), 400, "header size"),
    ],
)
def test_a_wrong_form_is_refused(tmp_path: Path, body: bytes, status: int, reason: str) -> None:
    """Each mistake of the sender has its status and a sentence."""
    with pytest.raises(Problem, match=reason) as caught:
        send(body, tmp_path)
    assert caught.value.status == status


def test_too_much_is_refused_before_and_while_it_arrives(tmp_path: Path) -> None:
    """A told length is refused at once, an untold one when it gets too long."""
    with pytest.raises(Problem) as told:
        send(
            form(*GOOD),
            tmp_path,
            limit=10,
            headers={**HEADERS, "content-length": str(OVERHEAD_BYTES + 11)},
        )
    body = form(part("video", b"x" * (OVERHEAD_BYTES + 100), "a.mp4"), GOOD[1])
    with pytest.raises(Problem) as untold:
        send(body, tmp_path, step=4096, limit=10)
    assert (told.value.status, untold.value.status) == (413, 413)
    assert (tmp_path / "video.mp4").stat().st_size <= OVERHEAD_BYTES + 100


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data"])
def test_anything_but_a_form_is_refused(tmp_path: Path, kind: str) -> None:
    """Another content type, or a form without boundary, is 415."""
    with pytest.raises(Problem) as caught:
        send(form(*GOOD), tmp_path, headers={"content-type": kind})
    assert caught.value.status == 415
