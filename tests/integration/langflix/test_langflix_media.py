"""Lessons made by the real ffmpeg, of good films and broken ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.langflix.conftest import SUBTITLE

from langflix.domain import captions
from langflix.domain.lesson import Learner
from langflix.errors import InputError, LangflixError, MediaError
from langflix.media import ffmpeg, fonts, lesson, process
from langflix.media.commands import LANDSCAPE, Look
from langflix.media.ffmpeg import Piece
from langflix.media.lesson import Places
from langflix.media.process import Limits
from langflix.scoring.dictionary import Dictionary

DICTIONARY = Dictionary()


class Cancelled(Exception):
    """What a cancelled job's progress raises."""


def places(out: Path) -> Places:
    """Put everything into one directory."""
    return Places(lambda at: out / f"{at}.mp4", out / "lesson.mp4", out / "short.mp4")


def ignore(_: int) -> None:
    """Take no interest in progress."""


def frame(video: Path, at_s: float, to: Path, crop: str = "iw:ih:0:0") -> bytes:
    """Return a part of a picture of a video, in shades of grey."""
    argv = [str(ffmpeg.program()), "-v", "error", "-y", "-ss", f"{at_s}", "-i", str(video)]
    picture = ["-frames:v", "1", "-vf", f"crop={crop},format=gray", "-f", "rawvideo", str(to)]
    subprocess.run([*argv, *picture], check=True, timeout=60)
    return to.read_bytes()


@pytest.fixture(scope="module")
def film(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the sample film as MP4 whose index stands at its end, so that cutting it breaks it."""
    to = tmp_path_factory.mktemp("film") / "film.mp4"
    argv = [str(ffmpeg.program()), "-v", "error", "-i", str(clip), "-c", "copy", str(to)]
    subprocess.run(argv, check=True, timeout=60)
    return to


def test_a_lesson_has_clips_a_video_and_a_short(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each expression has a clip, all of them are in the lesson, the best in the short.

    All that ffmpeg says is told, as on a machine where everything takes its time.
    """
    monkeypatch.setattr(process, "TICK_S", 0.001)
    told: list[int] = []
    subtitle = tmp_path / "film.vtt"
    text = SUBTITLE.read_text("utf-8").replace(",", ".")
    subtitle.write_text("WEBVTT\n\n" + text, "utf-16")
    out = tmp_path / "o'ut"
    learner = Learner("A2", "ko")
    made = lesson.make(
        ffmpeg.program(), film, subtitle, places(out), told.append, DICTIONARY, learner
    )
    assert len(made.sections) == 3
    assert made.note is None, "apt-get install fonts-wqy-microhei wordnet-base"
    assert sorted(path.name for path in out.iterdir()) == [
        *("0.mp4", "1.mp4", "2.mp4", "lesson.mp4", "short.mp4"),
    ]
    lengths = [section.clip_end_ms - section.clip_start_ms for section, _ in made.sections]
    clips = [ffmpeg.probe(ffmpeg.program(), out / f"{at}.mp4") for at in range(3)]
    for one, wanted in zip(clips, lengths, strict=True):
        assert abs(one.duration_ms - wanted) < 100
        assert (one.width, one.height, one.video_codec, one.audio_codec) == (
            *(1280, 720, "h264", "aac"),
        )
    whole = ffmpeg.probe(ffmpeg.program(), out / "lesson.mp4")
    assert abs(whole.duration_ms - sum(lengths) - 3 * lesson.CARD_MS) < 500
    short = ffmpeg.probe(ffmpeg.program(), out / "short.mp4")
    assert (short.width, short.height) == (720, 1280)
    assert told == sorted(told)
    assert told[-1] == 99


def test_text_of_four_scripts_is_drawn(tmp_path: Path) -> None:
    """Latin, Hangul, Kana and Han each leave their own mark, and no box in place of a letter."""
    font = fonts.find()
    assert font is not None, "apt-get install fonts-wqy-microhei"
    seen = {}
    for text in ("", "Éa", "한글", "かな", "漢字", "\U0010fffd\U0010fffd"):
        events = [captions._event(0, 1000, "Card", text)] if text else []
        (tmp_path / "x.ass").write_text(captions._script(LANDSCAPE, font.family, events), "utf-8")
        look = Look(LANDSCAPE, 10.0, "x.ass", font)
        to = tmp_path / "card.mp4"
        ffmpeg.card(ffmpeg.program(), 500, look, to, ignore, tmp_path)
        seen[text] = frame(to, 0, tmp_path / "grey")
    assert len(set(seen.values())) == len(seen)


def test_the_subtitle_is_burned_in_and_the_seek_is_exact(film: Path, tmp_path: Path) -> None:
    """A piece shows the same picture as the film at that time, but for the line at its foot."""
    font = fonts.find()
    assert font is not None, "apt-get install fonts-wqy-microhei"
    event = captions._event(0, 1000, "Said", "Hello")
    (tmp_path / "x.ass").write_text(captions._script(LANDSCAPE, font.family, [event]), "utf-8")
    piece, to = Piece(film, 3000, 4000, True), tmp_path / "piece.mp4"
    look = Look(LANDSCAPE, 25.0, "x.ass", font)
    ffmpeg.cut(ffmpeg.program(), piece, look, to, ignore, tmp_path)

    def differ(at_s: float, crop: str) -> float:
        mine = frame(to, 0.2, tmp_path / "mine", crop)
        its = frame(film, at_s, tmp_path / "its", crop)
        return sum(abs(a - b) for a, b in zip(mine, its, strict=True)) / len(mine)

    head, foot = "iw:ih/2:0:0", "iw/4:ih/8:iw*3/8:ih*13/16"
    assert differ(3.2, head) < 3
    assert differ(3.2, head) < differ(2.2, head)
    assert differ(3.2, foot) > 3


def test_a_silent_portrait_film_fits(tmp_path: Path) -> None:
    """A film without sound, of another shape, becomes clips like any other."""
    video = tmp_path / "film.mkv"
    source = ["-f", "lavfi", "-i", "testsrc2=size=360x640:rate=50:duration=3"]
    argv = [str(ffmpeg.program()), "-v", "error", *source, "-c:v", "libx264", str(video)]
    subprocess.run(argv, check=True, timeout=60)
    subtitle = tmp_path / "film.srt"
    subtitle.write_text("1\n00:00:00,500 --> 00:00:02,000\nI put up with it for him.\n")
    made = lesson.make(
        ffmpeg.program(), video, subtitle, places(tmp_path / "out"), ignore, DICTIONARY
    )
    found = ffmpeg.probe(ffmpeg.program(), tmp_path / "out" / "0.mp4")
    assert (found.width, found.height, found.audio_codec) == (1280, 720, "aac")
    assert found.frame_rate == 30.0
    assert made.film.audio_codec is None


def test_a_cancelled_job_ends_its_ffmpeg(film: Path, tmp_path: Path) -> None:
    """What progress raises comes out, ffmpeg is gone, and nothing half made stays."""
    calls = 0

    def cancel(per_cent: int) -> None:
        nonlocal calls
        calls += 1
        if per_cent >= lesson.PREPARED:
            raise Cancelled

    out = tmp_path / "out"
    with pytest.raises(Cancelled):
        lesson.make(ffmpeg.program(), film, SUBTITLE, places(out), cancel, DICTIONARY)
    assert calls
    assert list(out.iterdir()) == []


def sleeper(tmp_path: Path, body: str) -> tuple[str, ...]:
    """Return a command that stands for an ffmpeg."""
    script = tmp_path / "ffmpeg.py"
    script.write_text(
        f"import os, sys, time\nopen({str(tmp_path / 'pid')!r}, 'w')"
        f".write(str(os.getpid()))\n{body}\n"
    )
    return (sys.executable, str(script))


def alive(tmp_path: Path) -> bool:
    """Say whether the command still runs."""
    return Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_a_running_ffmpeg_is_killed_by_its_tick(tmp_path: Path) -> None:
    """An exception out of the tick leaves no process behind."""

    def tick(_: int) -> None:
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            raise Cancelled

    with pytest.raises(Cancelled):
        process.run(sleeper(tmp_path, "time.sleep(300)"), Limits(60, 60), tick)
    assert not alive(tmp_path)


@pytest.mark.parametrize(
    ("body", "limits", "reason"),
    [
        ("time.sleep(300)", Limits(60, 1.5), "got no further"),
        (
            "while True: print(f'out_time_us={time.time_ns()}', flush=True); time.sleep(.1)",
            Limits(1.5, 60),
            "did not finish",
        ),
        ("while True: sys.stderr.write('x' * 9999)", Limits(60, 1.5), "got no further"),
    ],
    ids=["stuck", "endless", "chatty"],
)
def test_an_ffmpeg_that_does_not_end_is_ended(
    tmp_path: Path, body: str, limits: Limits, reason: str
) -> None:
    """Time, headway and what is kept of its words are bounded."""
    with pytest.raises(InputError, match=reason):
        process.run(sleeper(tmp_path, body), limits)
    assert not alive(tmp_path)


def test_an_ffmpeg_that_wants_all_memory_gets_an_error(tmp_path: Path) -> None:
    """The address space is bounded, so a bomb ends itself and not the worker."""
    body = f"time.sleep(.5)\nbytearray({process.MAX_MEMORY})"
    done = process.run(sleeper(tmp_path, body), Limits(60, 60))
    assert done.returncode != 0
    assert "MemoryError" in done.said


def test_a_killed_ffmpeg_is_not_the_films_fault(film: Path, tmp_path: Path) -> None:
    """When the system ends ffmpeg for want of memory, the reason says that."""
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    look = Look(LANDSCAPE, 25.0)
    with pytest.raises(MediaError, match="memory ran out"):
        ffmpeg.cut(program, Piece(film, 0, 1000, True), look, tmp_path / "o.mp4", ignore, tmp_path)
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("exit 255", "ended with code 255 and said nothing"),
        ("kill -15 $$", "was ended by signal 15 and said nothing"),
        ("echo too much >&2; exit 1", "too much"),
    ],
)
def test_how_ffmpeg_ended_is_told(tmp_path: Path, end: str, said: str) -> None:
    """Also where it leaves no word: what ended it is then the only trace."""
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{end}\n")
    program.chmod(0o755)
    with pytest.raises(MediaError, match=said):
        ffmpeg.card(program, 1000, Look(LANDSCAPE, 25.0), tmp_path / "o.mp4", ignore, tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_film_without_its_index_is_refused(film: Path, tmp_path: Path, share: float) -> None:
    """An MP4 whose end is missing fails with a reason and leaves nothing."""
    cut = tmp_path / "film.mp4"
    data = film.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match="cannot be read"):
        lesson.make(ffmpeg.program(), cut, SUBTITLE, places(tmp_path / "out"), ignore, DICTIONARY)
    assert not (tmp_path / "out").exists()


def test_a_film_that_breaks_off_is_told(film: Path, tmp_path: Path) -> None:
    """An index that promises more than the file has ends as a reason, not as an empty clip."""
    front = tmp_path / "front.mp4"
    argv = [str(ffmpeg.program()), "-v", "error", "-i", str(film), "-c", "copy"]
    subprocess.run([*argv, "-movflags", "+faststart", str(front)], check=True, timeout=60)
    front.write_bytes(front.read_bytes()[: front.stat().st_size // 2])
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"broken or cut off|cannot be cut"):
        lesson.make(ffmpeg.program(), front, SUBTITLE, places(out), ignore, DICTIONARY)
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{film}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {film}\n",
        "ffconcat version 1.0\nfile neighbour.mp4\n",
    ],
    ids=["playlist", "list", "relative list"],
)
def test_a_list_of_other_files_is_no_film(film: Path, tmp_path: Path, text: str) -> None:
    """An upload cannot make ffmpeg read files that are not its own."""
    shutil.copy(film, tmp_path / "neighbour.mp4")
    video = tmp_path / "video.mp4"
    video.write_text(text.format(film=film))
    with pytest.raises(InputError, match="cannot be read"):
        ffmpeg.probe(ffmpeg.program(), video)


def test_a_full_or_missing_directory_is_told(film: Path, tmp_path: Path) -> None:
    """Where clips cannot be written, the disk is named and not the film."""
    (tmp_path / "out").write_text("")
    with pytest.raises(MediaError, match="cannot be written"):
        lesson.make(ffmpeg.program(), film, SUBTITLE, places(tmp_path / "out"), ignore, DICTIONARY)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    wounds=st.lists(
        st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=400)), min_size=1, max_size=8
    ),
    kept=st.floats(0.3, 1),
)
def test_damaged_films_end_with_clips_or_a_reason(
    film: Path, tmp_path: Path, wounds: list[tuple[float, bytes]], kept: float
) -> None:
    """No damage crashes or stops the work, and nothing is written outside its directory."""
    data = bytearray(film.read_bytes())
    for where, put in wounds:
        at = int(where * len(data))
        data[at : at + len(put)] = put[: len(data) - at]
    home = tmp_path / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    (home / "film.mp4").write_bytes(data[: max(1, int(len(data) * kept))])
    started = time.monotonic()
    try:
        made = lesson.make(
            ffmpeg.program(),
            home / "film.mp4",
            SUBTITLE,
            Places(lambda at: home / "out" / f"{at}.mp4"),
            ignore,
            DICTIONARY,
        )
    except LangflixError as error:
        assert 0 < len(str(error)) < 500
        assert str(tmp_path) not in str(error)
    else:
        assert len(made.sections) == 3
    assert time.monotonic() - started < ffmpeg.CUT_LIMITS.time_s
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    assert not list(home.glob("out/.*"))
