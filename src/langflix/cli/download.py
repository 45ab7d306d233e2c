"""``jobs download``: a lesson's files into a folder, each of them whole or not at all.

A file grows as a part beside its name and is renamed when it is whole.  What an earlier try left
is gone on with when the server still has the same content; a file that is there already is not
fetched again.  ``lesson.json`` is written last: where it lies, everything lies.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from langflix.cli import job, names, output, transfer
from langflix.cli.client import STRANGER, Client, Stream
from langflix.errors import InputError, LangflixError, MediaError, UnavailableError

#: How often one file is asked for before the download gives up, and the seconds in between.
TRIES = 4
PAUSE_S = 1.0
#: Called with how many bytes of the file are there.
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of a lesson: its name on the disk, its path in the API, its size in bytes."""

    name: str
    path: str
    size: int


def run(client: Client, arguments: argparse.Namespace) -> None:
    """Download a lesson and print which files it has."""
    lesson = _lesson(client, arguments.id)
    folder = Path(arguments.out or _folder_name(lesson["job"]))
    wanted = files(lesson)
    try:
        _claim(folder, arguments.id)
        _fetch(client, wanted, folder)
        _write(folder, lesson)
    except OSError as error:
        raise MediaError(f"{folder} cannot be written: {error.strerror}") from error
    told = [*(one.name for one in wanted), names.LESSON]
    if arguments.json:
        output.data_json({"folder": str(folder), "files": told})
    else:
        for name in told:
            output.data(str(folder / name))


def files(lesson: Mapping[str, Any]) -> list[Wanted]:
    """Return what there is to fetch of a lesson; raises UnavailableError when it is no lesson."""
    wanted = [
        Wanted(one["file"], one["url"], one["bytes"])
        for one in (*lesson["clips"], *lesson["videos"])
    ]
    if len({one.name for one in wanted}) < len(wanted) or any(
        not one.path.startswith("/") for one in wanted
    ):
        raise UnavailableError(STRANGER)
    return wanted


def fetch(client: Client, wanted: Wanted, folder: Path, told: Told) -> None:
    """Bring one file, in several tries when the connection breaks.

    Raises:
        ApiError: the API refused.
        UnavailableError: every try ended in the middle.
        OSError: the disk refused.

    """
    for left in reversed(range(TRIES)):
        try:
            _try(client, wanted, folder, told)
        except UnavailableError:
            if not left:
                raise
            time.sleep(PAUSE_S)
        else:
            for part in _parts(folder, wanted.name):
                part.unlink(missing_ok=True)
            return


def _lesson(client: Client, job_id: str) -> dict[str, Any]:
    path = job.path(job_id)
    found = client.get(path)
    if found["status"] != "DONE":
        raise LangflixError(f"job {job_id} is {found['status']}: there is no lesson to download")
    clips = client.get(f"{path}/clips")["clips"]
    videos = client.get(f"{path}/videos")["videos"]
    return {
        "job": found,
        **client.get(f"{path}/expressions"),
        "clips": [{**one, "file": names.clip(one["position"])} for one in clips],
        "videos": [{**one, "file": f"{names.safe(one['kind'])}.mp4"} for one in videos],
    }


def _folder_name(found: job.Job) -> str:
    return f"{names.safe(found['title'])} {found['id'][:8]}.lesson"


def _claim(folder: Path, job_id: str) -> None:
    """Make the folder; raises InputError when another lesson lies there."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        there = json.loads((folder / names.LESSON).read_text("utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        there = None
    of = there.get("job") if isinstance(there, dict) else None
    if not isinstance(of, dict) or of.get("id") != job_id:
        raise InputError(f"{folder} holds another lesson; name another folder with --out")


def _fetch(client: Client, wanted: Sequence[Wanted], folder: Path) -> None:
    total, before = sum(one.size for one in wanted), 0
    bar = output.Bytes("downloading")
    try:
        for one in wanted:
            fetch(client, one, folder, _above(before, total, bar))
            before += one.size
    finally:
        bar.end()


def _above(before: int, total: int, bar: output.Bytes) -> Told:
    return lambda done: bar(before + done, total)


def _try(client: Client, wanted: Wanted, folder: Path, told: Told) -> None:
    name, part = wanted.name, _left(folder, wanted.name)
    with client.stream(wanted.path, transfer.asked(part)) as answer:
        try:
            found = transfer.coming(answer.status, answer.headers, part)
        except ValueError as error:
            raise UnavailableError(f"{STRANGER}: {error}") from error
        if _is_there(folder / name, found):
            told(found.total)
            return
        path = folder / transfer.part_name(name, found.tag)
        path.touch()
        # Never emptied: whoever else writes to this part writes the same bytes to the same places.
        with path.open("r+b") as file:
            _copy(answer, file, found, name, told)
    if found.modified is not None:
        os.utime(path, (found.modified, found.modified))
    path.replace(folder / name)


def _copy(answer: Stream, file: BinaryIO, found: transfer.Coming, name: str, told: Told) -> None:
    done = file.seek(found.start)
    told(done)
    for chunk in answer.chunks():
        done += len(chunk)
        if done > found.total:
            raise UnavailableError(f"{name} is longer than the {found.total} bytes announced")
        file.write(chunk)
        told(done)
    if done < found.total:
        raise UnavailableError(f"{name} ended after {done} of {found.total} bytes")
    file.truncate(found.total)
    file.flush()
    os.fsync(file.fileno())


def _is_there(path: Path, found: transfer.Coming) -> bool:
    try:
        state = path.stat()
    except FileNotFoundError:
        return False
    return path.is_file() and transfer.kept(state.st_size, state.st_mtime, found)


def _parts(folder: Path, name: str) -> list[Path]:
    """Return what earlier tries left of a file, the youngest last."""
    found = folder.glob(f"{glob.escape(name)}.*{transfer.PART}")
    mine = [path for path in found if transfer.part_tag(name, path.name) is not None]
    return sorted(mine, key=lambda path: path.stat().st_mtime)


def _left(folder: Path, name: str) -> transfer.Part | None:
    parts = _parts(folder, name)
    if not parts:
        return None
    tag = transfer.part_tag(name, parts[-1].name) or ""
    return transfer.Part(tag, parts[-1].stat().st_size)


def _write(folder: Path, lesson: Mapping[str, Any]) -> None:
    part = folder / transfer.part_name(names.LESSON, "")
    part.write_text(json.dumps(lesson, ensure_ascii=False, indent=2) + "\n", "utf-8")
    part.replace(folder / names.LESSON)
