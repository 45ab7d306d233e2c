"""Doing with ffmpeg: what a film is, a piece of it, a title card, pieces joined.

The program is the one that the wheel ``imageio-ffmpeg`` carries, or the one that
``LANGFLIX_FFMPEG`` names.  It runs with limits (:mod:`langflix.media.process`), no standard input,
and may open files only.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from langflix.errors import InputError, MediaError
from langflix.media import commands, film
from langflix.media.commands import Look
from langflix.media.film import Film
from langflix.media.process import Done, Limits, Tick, run

PROBE_LIMITS = Limits(60, 60)
#: A piece is at most half a minute long; encoding it takes seconds.
CUT_LIMITS = Limits(600, 120)
JOIN_LIMITS = Limits(600, 120)
#: A piece has at least this share of its frames, or the film is broken there.
WHOLE_ENOUGH = 0.25


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a film, in milliseconds from its start."""

    video: Path
    start_ms: int
    end_ms: int
    sound: bool

    @property
    def length_ms(self) -> int:
        """Return how long it is."""
        return self.end_ms - self.start_ms


def program(override: Path | None = None) -> Path:
    """Return the ffmpeg to run; raises MediaError when there is none."""
    if override is not None:
        if not override.is_file():
            raise MediaError(f"there is no ffmpeg at {override}")
        return override
    import imageio_ffmpeg

    return Path(imageio_ffmpeg.get_ffmpeg_exe())


def probe(ffmpeg: Path, video: Path) -> Film:
    """Return what ``video`` is; raises InputError when it is no film that can be cut."""
    return film.parse(run(commands.probe(ffmpeg, video), PROBE_LIMITS).said)


def cut(ffmpeg: Path, piece: Piece, look: Look, to: Path, tick: Tick, directory: Path) -> int:
    """Cut a piece and return its size in bytes; ``to`` appears whole or not at all.

    Raises:
        InputError: when the film is broken there.
        MediaError: when the piece cannot be written.

    """
    where = f"{piece.start_ms / 1000:.1f} s to {piece.end_ms / 1000:.1f} s"
    wanted = piece.length_ms * look.rate / 1000

    def command(part: Path) -> tuple[str, ...]:
        start, end = piece.start_ms, piece.end_ms
        return commands.cut(ffmpeg, piece.video, start, end, piece.sound, look, part)

    def check(done: Done) -> None:
        if done.returncode != 0:
            raise InputError(f"the video cannot be cut from {where}: {_told(done)}")
        if done.frames < max(1, wanted * WHOLE_ENOUGH):
            raise InputError(f"the video is broken or cut off: no picture from {where}")

    return _write(to, command, check, CUT_LIMITS, tick, directory)


def card(ffmpeg: Path, length_ms: int, look: Look, to: Path, tick: Tick, directory: Path) -> int:
    """Make a title card and return its size in bytes; raises MediaError when it cannot be made."""
    return _write(
        to,
        lambda part: commands.card(ffmpeg, length_ms, look, part),
        lambda done: _must(done, "a title card cannot be made"),
        CUT_LIMITS,
        tick,
        directory,
    )


def join(ffmpeg: Path, pieces: Sequence[Path], to: Path, tick: Tick, directory: Path) -> int:
    """Join pieces and return the size in bytes; raises MediaError when that fails."""
    listing = directory / f"{uuid4().hex}.txt"
    listing.write_text(commands.list_of(pieces), "utf-8")
    return _write(
        to,
        lambda part: commands.join(ffmpeg, listing.name, part),
        lambda done: _must(done, "the clips cannot be joined"),
        JOIN_LIMITS,
        tick,
        directory,
    )


def _must(done: Done, failed: str) -> None:
    if done.returncode != 0:
        raise MediaError(f"{failed}: {_told(done)}")


def _told(done: Done) -> str:
    code = done.returncode
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return film.reason(done.said, f"ffmpeg {how} and said nothing")


def _write(
    to: Path,
    command: Callable[[Path], Sequence[str]],
    check: Callable[[Done], None],
    limits: Limits,
    tick: Tick,
    directory: Path,
) -> int:
    # The name is new each time: an ffmpeg that outlives its killed worker must not meet another.
    part = to.with_name(f".{to.name}.{uuid4().hex}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        done = run(command(part), limits, tick, directory)
        if done.returncode != 0 and "No space left" in done.said:
            raise MediaError("the disk is full")
        if done.returncode == -signal.SIGKILL:
            raise MediaError("ffmpeg was killed, most likely because memory ran out")
        check(done)
        size = part.stat().st_size
        part.rename(to)
    except OSError as error:
        raise MediaError(f"a clip cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return size
