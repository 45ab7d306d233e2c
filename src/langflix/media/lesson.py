"""Makes a lesson of a film and a subtitle: the work of a job, with or without services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from langflix.domain import lesson, subtitles
from langflix.domain.lesson import Section
from langflix.errors import InputError
from langflix.media import ffmpeg

#: Called with how far the lesson is, in per cent.
Progress = Callable[[int], None]
#: Says where the clip of a position belongs.
ClipPath = Callable[[int], Path]

#: The share of the work that is done when the first cut begins.
PREPARED = 5


def make(
    program: Path, video: Path, subtitle: Path, clip_path: ClipPath, progress: Progress
) -> Sequence[tuple[Section, int]]:
    """Choose the expressions, cut their clips, return each section with its clip's bytes.

    Raises:
        InputError: when the subtitle or the film cannot be used.
        MediaError: when ffmpeg or the disk fails.

    """
    cues = read_cues(subtitle)
    film = ffmpeg.probe(program, video)
    sections = lesson.plan(cues, film.duration_ms)
    progress(PREPARED)
    made = []
    for section in sections:
        to = clip_path(section.position)
        size = ffmpeg.cut(program, video, section.clip_start_ms, section.clip_end_ms, to)
        made.append((section, size))
        progress(PREPARED + (100 - PREPARED) * len(made) // (len(sections) + 1))
    return made


def read_cues(subtitle: Path) -> Sequence[subtitles.Cue]:
    """Read and parse a subtitle file, no more of it than a subtitle may have."""
    try:
        with subtitle.open("rb") as file:
            data = file.read(subtitles.MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"the subtitle cannot be read: {error.strerror}") from error
    return subtitles.parse(data, subtitle.suffix)
