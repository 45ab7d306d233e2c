"""Takes a multipart form apart while it arrives and writes its files to the disk as they come.

Starlette's own form parser keeps a file in memory and then in the temporary directory, which in
the images is memory too; a film must never be there.  Nothing here holds more than one chunk.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from langflix.api.problems import Problem
from langflix.errors import MediaError

MAX_NAME = 255
#: Bytes gathered before a thread is asked to write them.
WRITE_BYTES = 1024 * 1024
#: The longest value of a text field, in bytes.
MAX_TEXT = 2048
#: What the form's boundaries and headers may add to the files.
OVERHEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file field of the form: its name is also the stem of the file on the disk."""

    field: str
    endings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Received:
    """One file that has arrived."""

    name: str
    path: Path
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A whole form: its files and its text fields, by name."""

    files: Mapping[str, Received]
    texts: Mapping[str, str]


@dataclass(slots=True)
class _Target:
    file: BinaryIO
    digest: Any = field(default_factory=hashlib.sha256)


@dataclass(slots=True)
class _Part:
    headers: dict[str, str] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)


async def receive(
    chunks: AsyncIterator[bytes],
    headers: Mapping[str, str],
    wanted: tuple[Wanted, ...],
    directory: Path,
    max_bytes: int,
    texts: frozenset[str] = frozenset(),
) -> Arrived:
    """Write the form's files into ``directory`` and return them with its text fields.

    Raises:
        Problem: 400, 413, 415 or 422, saying what is wrong with the form.
        MediaError: when the disk refuses the bytes.

    """
    boundary = _boundary(headers.get("content-type", ""))
    _refuse_too_large(headers.get("content-length"), max_bytes)
    form = _Form(wanted, texts, directory, boundary)
    total = 0
    try:
        async for chunk in chunks:
            total += len(chunk)
            if total > max_bytes + OVERHEAD_BYTES:
                raise _too_large(max_bytes)
            form.feed(chunk)
            if form.pending >= WRITE_BYTES:
                await run_in_threadpool(form.write)
        await run_in_threadpool(form.finish)
    except FormParserError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the form is malformed: {error}") from error
    except ClientDisconnect as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "the sender left in the middle") from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "there is no room left for it" if full else error.strerror
        raise MediaError(f"the upload cannot be stored: {reason}") from error
    finally:
        form.close()
    return form.result()


class _Form:
    """The parser's callbacks gather bytes; :meth:`write` puts them on the disk."""

    def __init__(
        self, wanted: tuple[Wanted, ...], texts: frozenset[str], directory: Path, boundary: bytes
    ) -> None:
        self._wanted = {one.field: one for one in wanted}
        self._known_texts = texts
        self._texts: dict[str, bytearray] = {}
        self._text: bytearray | None = None
        self._directory = directory
        self._received: dict[str, Received] = {}
        self._part = _Part()
        self._field = ""
        self._target: _Target | None = None
        self._targets: dict[str, _Target] = {}
        self._buffer: list[tuple[_Target, bytes]] = []
        self._complete = False
        self.pending = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        self._parser.write(chunk)

    def write(self) -> None:
        buffered, self._buffer, self.pending = self._buffer, [], 0
        for target, data in buffered:
            target.file.write(data)
            target.digest.update(data)

    def finish(self) -> None:
        self._parser.finalize()
        self.write()
        for target in self._targets.values():
            target.file.flush()
        if not self._complete:
            raise Problem(HTTPStatus.BAD_REQUEST, "the form ends in the middle")

    def close(self) -> None:
        for target in self._targets.values():
            with suppress(OSError):  # what could not be flushed was told by finish()
                target.file.close()

    def result(self) -> Arrived:
        problems = [
            f"{name}: {'is empty' if name in self._received else 'is missing'}"
            for name in self._wanted
            if name not in self._received or self._received[name].size == 0
        ]
        if problems:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(problems))
        files = {
            name: replace(one, sha256=self._targets[name].digest.hexdigest())
            for name, one in self._received.items()
        }
        texts = {name: text.decode("utf-8", "replace") for name, text in self._texts.items()}
        return Arrived(files, texts)

    def _on_part_begin(self) -> None:
        self._part = _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _on_header_end(self) -> None:
        # As HTTP has it; browsers' UTF-8 file names come out of the options' bytes later.
        part = self._part
        part.headers[part.name.decode("latin-1").lower()] = part.value.decode("latin-1")
        part.name.clear()
        part.value.clear()

    def _on_headers_finished(self) -> None:
        disposition = self._part.headers.get("content-disposition", "")
        kind, options = parse_options_header(disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if kind == b"form-data" and name in self._known_texts and b"filename" not in options:
            if name in self._texts:
                raise _unprocessable(f"{name}: is there twice")
            self._text = self._texts[name] = bytearray()
            return
        wanted = self._wanted.get(name)
        if kind != b"form-data" or wanted is None or b"filename" not in options:
            known = " and ".join(self._wanted)
            raise _unprocessable(f"{name or 'a part'}: only the files {known} are wanted")
        if name in self._received:
            raise _unprocessable(f"{name}: is there twice")
        self._open(wanted, _base_name(options[b"filename"].decode("utf-8", "replace")))

    def _open(self, wanted: Wanted, file_name: str) -> None:
        ending = PurePosixPath(file_name).suffix.lower()
        if ending not in wanted.endings:
            accepted = ", ".join(sorted(wanted.endings))
            raise _unprocessable(f"{wanted.field}: the name must end in one of {accepted}")
        path = self._directory / f"{wanted.field}{ending}"
        self._target = self._targets[wanted.field] = _Target(path.open("xb"))
        self._field = wanted.field
        self._received[wanted.field] = Received(file_name[:MAX_NAME], path, 0)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._text is not None:
            self._text += data[start:end]
            if len(self._text) > MAX_TEXT:
                raise _unprocessable(f"a text field is longer than {MAX_TEXT} bytes")
            return
        if self._target is None:
            return
        self._buffer.append((self._target, data[start:end]))
        self.pending += end - start
        so_far = self._received[self._field]
        self._received[self._field] = replace(so_far, size=so_far.size + end - start)

    def _on_part_end(self) -> None:
        self._target = self._text = None

    def _on_end(self) -> None:
        self._complete = True


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        detail = "send multipart/form-data with the files video and subtitle"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    return boundary


def _refuse_too_large(content_length: str | None, max_bytes: int) -> None:
    told = content_length or ""
    if told.isascii() and told.isdigit() and int(told[:20]) > max_bytes + OVERHEAD_BYTES:
        raise _too_large(max_bytes)


def _base_name(file_name: str) -> str:
    base = PureWindowsPath(PurePosixPath(file_name).name).name
    return "".join(char for char in base if char.isprintable()) or "unnamed"


def _too_large(max_bytes: int) -> Problem:
    detail = f"the upload is larger than the {max_bytes} bytes that are accepted"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _unprocessable(detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
