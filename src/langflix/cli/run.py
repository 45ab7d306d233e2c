"""``run``: make a lesson of a film and a subtitle here, without database or queue.

The network is used only when ``GEMINI_API_KEY_FILE`` asks for it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from langflix.cli import names, output
from langflix.domain.lesson import Learner
from langflix.errors import InputError, MediaError
from langflix.media import ffmpeg, lesson
from langflix.media.lesson import Made, Places
from langflix.scoring import gemini
from langflix.settings import Settings


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Write the clips and ``lesson.json``; print the lesson."""
    settings = Settings.from_env(environ)
    video, subtitle = _file(arguments.video), _file(arguments.subtitle)
    out = Path(arguments.out) if arguments.out else video.with_name(f"{video.stem}.lesson")
    learner = Learner.parse(arguments.level, arguments.language)
    progress = output.Percent("making the lesson")
    try:
        out.mkdir(parents=True, exist_ok=True)
        program = ffmpeg.program(settings.ffmpeg)
        scorer = gemini.choose(environ)
        made = lesson.make(program, video, subtitle, _places(out), progress, scorer, learner)
        report = _report(out, made)
        (out / names.LESSON).write_text(
            json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf-8"
        )
    except OSError as error:
        raise MediaError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        progress.end()
    _print(report, arguments.json)
    if made.note:
        output.note(made.note)
    return 0


def _file(text: str) -> Path:
    path = Path(text).absolute()
    if not path.is_file():
        raise InputError(f"there is no file {text}")
    return path


def _places(out: Path) -> Places:
    return Places(lambda at: out / names.clip(at), out / "lesson.mp4", out / "short.mp4")


def _report(out: Path, made: Made) -> list[dict[str, object]]:
    return [
        {**section.to_json(), "clip": str(out / names.clip(section.position)), "clip_bytes": size}
        for section, size in made.sections
    ]


def _print(report: Sequence[dict[str, object]], as_json: bool) -> None:
    if as_json:
        output.data_json(report)
        return
    for one in report:
        output.data(f"{one['clip']}\t{one['level']}\t{one['phrase']}\t{one['dialogue']}")
    if not report:
        output.note("no expression of the dictionary is said in this film")
