"""Makes a lesson of a film and a subtitle: the work of a job, with or without services.

What comes out: a clip for every expression with the subtitle drawn in, a landscape video of all of
them with title cards between, and a portrait short of the best.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from langflix.domain import captions, lesson, subtitles
from langflix.domain.lesson import ANYONE, Learner, Scorer, Section
from langflix.domain.subtitles import Cue
from langflix.errors import InputError, MediaError
from langflix.media import ffmpeg, fonts
from langflix.media.commands import LANDSCAPE, PORTRAIT, Look
from langflix.media.ffmpeg import Piece
from langflix.media.film import Film
from langflix.media.fonts import Font
from langflix.media.process import Tick

#: Called with how far the lesson is, in per cent, at least once a second and never with less than
#: before; what it raises ends it.
Progress = Callable[[int], None]
#: Called once with what the film is, before anything is cut.
Saw = Callable[[Film], None]

#: The share of the work that is done when the first cut begins.
PREPARED = 5
CARD_MS = 2500
#: The short has at most so many expressions and milliseconds.
SHORT_EXPRESSIONS = 3
SHORT_MS = 60_000
#: Pieces have the film's own frame rate within these; a film that tells none gets the last.
SLOWEST, FASTEST, USUAL = 10.0, 30.0, 25.0
NO_FONT = "no font was found on the worker, so the subtitle is not drawn in"
_WORK = ".work-"
_PART = f".*.mp4.{'?' * 32}.part"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a lesson's files belong, all in one directory; without ``lesson`` only clips."""

    clip: Callable[[int], Path]
    lesson: Path | None = None
    short: Path | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A lesson: each section with its clip's bytes, the film, and a remark for its owner."""

    sections: tuple[tuple[Section, int], ...]
    film: Film
    note: str | None


def make(
    program: Path,
    video: Path,
    subtitle: Path,
    places: Places,
    progress: Progress,
    scorer: Scorer,
    learner: Learner = ANYONE,
    saw: Saw | None = None,
) -> Made:
    """Choose the expressions, make clips and videos, return what was made.

    Raises:
        InputError: when the subtitle or the film cannot be used.
        MediaError: when ffmpeg or the disk fails.

    """
    cues = read_cues(subtitle)
    film = ffmpeg.probe(program, video)
    if saw is not None:
        saw(film)
    progress(1)
    candidates, told = scorer(lesson.inside(cues, film.duration_ms), learner)
    sections = lesson.plan(cues, film.duration_ms, learner=learner, candidates=candidates)
    font = fonts.find()
    notes = [note for note in (told, None if font else NO_FONT) if note]
    with _work_directory(places.clip(0).parent) as directory:
        meter = _Meter(progress, _total_ms(sections, places))
        studio = _Studio(program, video, film, cues, font, directory, meter)
        meter.add(0)
        made = tuple(
            (section, studio.clip(section, LANDSCAPE, places.clip(section.position)))
            for section in sections
        )
        if sections and places.lesson:
            studio.join_lesson(sections, places)
        if sections and places.short:
            studio.join_short(sections, places.short)
    return Made(made, film, "; ".join(notes) or None)


def read_cues(subtitle: Path) -> Sequence[Cue]:
    """Read and parse a subtitle file, no more of it than a subtitle may have."""
    try:
        with subtitle.open("rb") as file:
            data = file.read(subtitles.MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"the subtitle cannot be read: {error.strerror}") from error
    return subtitles.parse(data, subtitle.suffix)


def best(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Return the sections of the short: the best that fit, in the film's order."""
    ranked = sorted(sections, key=lambda one: (-one.expression.score, one.position))
    chosen: list[Section] = []
    for section in ranked[:SHORT_EXPRESSIONS]:
        if sum(map(_length_ms, chosen)) + _length_ms(section) <= SHORT_MS:
            chosen.append(section)
    return tuple(sorted(chosen, key=lambda one: one.position))


def frame_rate(film: Film) -> float:
    """Return the frames per second of everything made of ``film``."""
    return min(FASTEST, max(SLOWEST, film.frame_rate or USUAL))


class _Meter:
    """Turns milliseconds of film made so far into per cent, which never fall.

    Pieces alone count, none for more than its length, whatever ffmpeg says of it: sound may be
    longer than the picture. Joining them writes the same milliseconds again, copied in no time.
    """

    def __init__(self, progress: Progress, total_ms: int) -> None:
        self._progress, self._total_ms = progress, max(1, total_ms)
        self._done_ms = self._reached_ms = 0

    def piece(self, length_ms: int) -> Tick:
        """Return what is told of the milliseconds written of a piece of that length."""
        return lambda now_ms: self._tell(self._done_ms + min(now_ms, length_ms))

    def again(self, _: int) -> None:
        """Be told of milliseconds that are written once more."""
        self._tell(self._done_ms)

    def add(self, length_ms: int) -> None:
        """Count a piece that is there."""
        self._done_ms += length_ms
        self._tell(self._done_ms)

    def _tell(self, reached_ms: int) -> None:
        self._reached_ms = max(self._reached_ms, reached_ms)
        share = self._reached_ms / self._total_ms
        self._progress(min(99, PREPARED + int((100 - PREPARED) * share)))


@dataclass(frozen=True, slots=True)
class _Studio:
    """Makes pieces of one film in one working directory."""

    program: Path
    video: Path
    film: Film
    cues: Sequence[Cue]
    font: Font | None
    directory: Path
    meter: _Meter

    def clip(self, section: Section, canvas: captions.Canvas, to: Path) -> int:
        family = self.font.family if self.font else ""
        script = captions.for_clip(section, self.cues, canvas, family)
        sound = self.film.audio_codec is not None
        piece = Piece(self.video, section.clip_start_ms, section.clip_end_ms, sound)
        look = self._look(canvas, to.stem, script)
        tick = self.meter.piece(piece.length_ms)
        size = ffmpeg.cut(self.program, piece, look, to, tick, self.directory)
        self.meter.add(piece.length_ms)
        return size

    def join_lesson(self, sections: Sequence[Section], places: Places) -> None:
        pieces = []
        for section in sections:
            pieces += [self._card(section), places.clip(section.position)]
        if places.lesson:
            ffmpeg.join(self.program, pieces, places.lesson, self.meter.again, self.directory)

    def join_short(self, sections: Sequence[Section], to: Path) -> None:
        pieces = []
        for section in best(sections):
            pieces.append(self.directory / f"short-{section.position}.mp4")
            self.clip(section, PORTRAIT, pieces[-1])
        ffmpeg.join(self.program, pieces, to, self.meter.again, self.directory)

    def _card(self, section: Section) -> Path:
        to = self.directory / f"card-{section.position}.mp4"
        family = self.font.family if self.font else ""
        script = captions.for_card(section.expression, CARD_MS, LANDSCAPE, family)
        look = self._look(LANDSCAPE, to.stem, script)
        tick = self.meter.piece(CARD_MS)
        ffmpeg.card(self.program, CARD_MS, look, to, tick, self.directory)
        self.meter.add(CARD_MS)
        return to

    def _look(self, canvas: captions.Canvas, stem: str, script: str) -> Look:
        name = f"{stem}.ass"
        (self.directory / name).write_text(script, "utf-8")
        return Look(canvas, frame_rate(self.film), name, self.font)


def _length_ms(section: Section) -> int:
    return section.clip_end_ms - section.clip_start_ms


def _total_ms(sections: Sequence[Section], places: Places) -> int:
    total = sum(map(_length_ms, sections))
    total += len(sections) * CARD_MS if places.lesson else 0
    return total + (sum(map(_length_ms, best(sections))) if places.short else 0)


@contextmanager
def _work_directory(beside: Path) -> Iterator[Path]:
    """Give a directory for pieces beside the results; it and those of killed workers go."""
    try:
        beside.mkdir(parents=True, exist_ok=True)
        for left in (*beside.glob(f"{_WORK}*"), *beside.glob(_PART)):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        directory = Path(tempfile.mkdtemp(prefix=_WORK, dir=beside))
    except OSError as error:
        raise MediaError(f"clips cannot be written: {error.strerror}") from error
    try:
        yield directory
    except OSError as error:
        raise MediaError(f"a clip cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(directory, ignore_errors=True)
