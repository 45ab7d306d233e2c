"""Download files in parallel: resumed, retried, and hashed before anybody else sees them.

httpx is imported when something is downloaded: a command that lacks nothing goes without it.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import FetchError
from slipway.report import Progress

if TYPE_CHECKING:
    import httpx

PARALLEL = 6
_TRIES = 4
_CHUNK = 1 << 16
_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(frozen=True, slots=True)
class Download:
    """A file to fetch.

    Attributes:
        name: file name to store it under.
        places: addresses to try, best first.
        size: bytes.
        sha256: hex, of the bytes.
    """

    name: str
    places: tuple[str, ...]
    size: int
    sha256: str


class Absent(str):
    """The reason for a file that every mirror says it does not have, as against one not reached."""


def client() -> httpx.Client:
    """An HTTP client that trusts the system's certificate bundle and uses its proxy settings."""
    import httpx

    context = ssl.create_default_context()
    timeout = httpx.Timeout(60, connect=20)
    return httpx.Client(verify=context, timeout=timeout, follow_redirects=True)


def hash_file(path: Path) -> str:
    """The hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_all(
    downloads: Sequence[Download],
    folder: Path,
    progress: Progress,
    *,
    make_client: Callable[[], httpx.Client] = client,
) -> tuple[list[Path], dict[str, str]]:
    """Fetch files into ``folder``.

    A file that is there whole is not fetched again; one that is there in part is resumed.

    Returns:
        The paths of the files that came, and for the others name to reason (an :class:`Absent`
        for a file that no mirror has).

    Raises:
        FetchError: a file came whole but has other bytes than the locked ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    gone: dict[str, str] = {}
    came: list[Path] = []
    with make_client() as http, ThreadPoolExecutor(PARALLEL) as pool:
        jobs = {d.name: pool.submit(_fetch, http, d, folder, progress) for d in downloads}
        for name, job in jobs.items():
            result = job.result()
            if isinstance(result, Path):
                came.append(result)
            else:
                gone[name] = result
    return came, gone


def _fetch(http: httpx.Client, wanted: Download, folder: Path, progress: Progress) -> Path | str:
    target = folder / wanted.name
    if target.exists() and hash_file(target) == wanted.sha256:
        progress.advance(wanted.size, wanted.name)
        return target
    reasons: list[str] = []
    for place in wanted.places:
        result = _try(http, place, wanted, target, progress)
        if isinstance(result, Path):
            return result
        reasons.append(result)
    told = ", then ".join(reasons) or "no place to fetch it from is known"
    gone = bool(reasons) and all(isinstance(reason, Absent) for reason in reasons)
    return Absent(told) if gone else told


def _try(
    http: httpx.Client, place: str, wanted: Download, target: Path, progress: Progress
) -> Path | str:
    """Fetch a file from one place, again after a break; the file, or the reason."""
    import httpx

    reason = ""
    for _ in range(_TRIES):
        try:
            return _fetch_from(http, place, wanted, target, progress)
        except httpx.HTTPStatusError as error:
            code = error.response.status_code
            reason = f"the mirror answers {code}"
            if code in _NOT_THERE:
                return Absent(reason)
            if code < 500:
                return reason
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
    return reason


def _fetch_from(
    http: httpx.Client, place: str, wanted: Download, target: Path, progress: Progress
) -> Path:
    import httpx

    part = target.with_name(target.name + ".part")
    start = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={start}-"} if 0 < start < wanted.size else {}
    with http.stream("GET", place, headers=headers) as answer:
        answer.raise_for_status()
        resumed = answer.status_code == HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_raw(_CHUNK):
                file.write(chunk)
                progress.advance(len(chunk), wanted.name)
    found = hash_file(part)
    if found != wanted.sha256:
        size = part.stat().st_size
        part.unlink()
        if size < wanted.size:
            raise httpx.ReadError(f"it ended after {size} of {wanted.size} bytes")
        raise FetchError(
            f"{wanted.name} came with other bytes than the locked ones; it was thrown away",
            details=[f"locked  sha256 {wanted.sha256}", f"fetched sha256 {found}"],
            hint="try again; if it stays so, the mirror or the lock has been tampered with",
            stage="fetch",
        )
    part.replace(target)
    return target


def total(downloads: Iterable[Download]) -> int:
    """The bytes of all of them."""
    return sum(download.size for download in downloads)
