"""ffmpeg's words and the files' places."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langflix.domain import captions
from langflix.domain.expressions import find
from langflix.domain.lesson import Section, local
from langflix.domain.subtitles import Cue
from langflix.errors import InputError, MediaError
from langflix.media import commands, ffmpeg, film, fonts, lesson
from langflix.media.commands import LANDSCAPE, PORTRAIT, Look
from langflix.media.fonts import Font
from langflix.media.process import Progress
from langflix.media.storage import ABANDONED_AFTER_S, Storage

PROBE = """Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/data/uploads/x/video.mp4':
  Duration: 01:02:05.31, start: 0.000000, bitrate: 1589 kb/s
  Stream #0:0[0x1](und): Video: h264 (Main) (avc1 / 0x31637661), yuv420p, 1280x720 [SAR 1:1], 25 fps
  Stream #0:1[0x2](eng): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, 5.1, fltp, 383 kb/s
At least one output file must be specified
"""


def test_a_film_is_read_from_ffmpegs_words() -> None:
    """Length, size, codecs, rates and languages come out of what ffmpeg prints about its input."""
    assert film.parse(PROBE) == film.Film(
        *(3725310, 1280, 720, "h264", "aac", "mov,mp4,m4a,3gp,3g2,mj2", 1589, 25.0, 48000, "5.1"),
        languages=("eng",),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no picture"),
        ("[in#0 @ 0x55d5] Error opening input: Invalid data found", "Invalid data"),
        ("file:/data/uploads/1/video.mp4: Invalid data found", "the file: Invalid data"),
        ("Invalid data found\nFontconfig error: Cannot load default config file", "Invalid data"),
        (PROBE.replace("01:02:05.31", "N/A"), "cannot be read"),
        (PROBE.replace("25 fps", "25 fps (attached pic)"), "cannot be read"),
        (PROBE.replace("1280x720", "7680x4320"), "7680x4320 pixels"),
        (PROBE.replace("01:02:05.31", "00:00:00.00"), "no film"),
        (PROBE.replace("01:02:05.31", "9000:00:00.00"), "no film"),
    ],
)
def test_what_is_no_film_is_told_without_paths(text: str, reason: str) -> None:
    """The reason is ffmpeg's own, without the server's paths and addresses."""
    with pytest.raises(InputError, match=reason) as caught:
        film.parse(text)
    assert "/data" not in str(caught.value)
    assert "0x55" not in str(caught.value)


@given(st.text(max_size=300) | st.lists(st.sampled_from(PROBE.split(" "))).map(" ".join))
def test_any_words_are_a_film_or_a_reason(text: str) -> None:
    """Whatever ffmpeg prints, reading it gives a film within bounds or one sentence."""
    try:
        found = film.parse(text)
    except InputError as error:
        assert 0 < len(str(error)) < 400
        return
    assert 0 < found.duration_ms <= film.MAX_DURATION_MS
    assert 10.0 <= lesson.frame_rate(found) <= 30.0


def test_ffmpeg_is_kept_from_the_network_and_the_terminal() -> None:
    """Only files that are films may be opened, nothing is read from the terminal."""
    look = Look(LANDSCAPE, 25.0, "x.ass", Font("Some Font", Path("/fonts")))
    argv = commands.cut(Path("/f"), Path("/in.mp4"), 1500, 3000, True, look, Path("/out"))
    assert argv[argv.index("-protocol_whitelist") + 1] == "file"
    formats = argv[argv.index("-format_whitelist") + 1].split(",")
    assert not {"hls", "concat", "dash", "image2", "lavfi"} & set(formats)
    assert "-nostdin" in argv
    assert argv.index("-ss") < argv.index("-i")
    assert (argv[argv.index("-ss") + 1], argv[argv.index("-t") + 1]) == ("1.500", "1.500")
    assert "ass=filename=x.ass:fontsdir=/fonts" in argv[argv.index("-vf") + 1]


def test_a_silent_film_gets_silence_and_no_font_no_text() -> None:
    """Pieces are alike, so that they can be joined: each has a sound track."""
    look = Look(LANDSCAPE, 25.0, "x.ass", None)
    argv = commands.cut(Path("/f"), Path("/in.mp4"), 0, 1000, False, look, Path("/out"))
    assert any(word.startswith("anullsrc") for word in argv)
    assert "ass=" not in " ".join(argv)


def test_names_in_a_list_are_quoted() -> None:
    """A quote in a directory's name ends no name in a list of files."""
    assert commands.list_of([Path("/it's/a.mp4")]).splitlines()[1] == "file '/it'\\''s/a.mp4'"


@given(st.lists(st.integers(0, 10**7), min_size=1), st.integers(1, 50))
def test_progress_is_read_in_pieces(times: list[int], size: int) -> None:
    """However the pipe cuts ffmpeg's lines, the last time and frame count are known."""
    lines = "".join(f"frame={at}\nout_time_us={at}000\nspeed=N/A\n" for at in times).encode()
    progress = Progress()
    moved = [progress.feed(lines[at : at + size]) for at in range(0, len(lines), size)]
    assert (progress.frames, progress.written_ms) == (times[-1], times[-1])
    assert any(moved) or set(times) == {0}
    assert not progress.feed(b"out_time_us=N/A\nframe=-1\nframe=" + b"9" * 99 + b"\n")


def test_the_best_font_is_found(tmp_path: Path) -> None:
    """A font is taken where it lies; without one there is none."""
    assert fonts.find(tmp_path) is None
    for directory, file, family in reversed(fonts.KNOWN):
        place = tmp_path / directory.removeprefix("/")
        place.mkdir(parents=True)
        (place / file).touch()
        assert fonts.find(tmp_path) == Font(family, place)


def section(position: int, score: float, start_ms: int, end_ms: int) -> Section:
    """Make a section of a lesson."""
    (one,) = find([Cue(start_ms, end_ms, "You can't put up with it")])
    return Section(position, replace(one, score=score), start_ms, end_ms)


def test_the_short_has_the_best_that_fit() -> None:
    """Three at most, a minute at most, in the film's order."""
    sections = [section(at, at / 10, at * 40_000, at * 40_000 + 25_000) for at in range(5)]
    assert [one.position for one in lesson.best(sections)] == [3, 4]
    assert [one.position for one in lesson.best([section(at, 0.5, 0, 1) for at in range(5)])] == [
        *(0, 1, 2),
    ]
    assert lesson.best([]) == ()


@given(st.lists(st.integers(0, 10**6), max_size=8))
def test_told_progress_never_falls(written_ms: list[int]) -> None:
    """Whatever ffmpeg says it has written of a piece; joining them is no headway, as it is copied.

    The lesson is joined before the short is made, so 99 must be told at the end only.
    """
    said = "1\n00:00:0{at},000 --> 00:00:0{at},900\nI can't put up with it.\n\n"
    told: list[int] = []

    def write(*given: Any) -> int:
        *_, tick, _ = given
        for now_ms in written_ms:
            tick(now_ms)
        return 1

    def join(*given: Any) -> int:
        before = told[-1]
        write(*given)
        assert told[-1] == before
        return 1

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        out = Path(folder)
        (out / "film.srt").write_text("".join(said.format(at=at) for at in (1, 5, 9)))
        patch.setattr(ffmpeg, "probe", lambda *_: film.parse(PROBE))
        for name, fake in (("cut", write), ("card", write), ("join", join)):
            patch.setattr(ffmpeg, name, fake)
        made = lesson.make(
            Path("/ffmpeg"),
            out / "film.mp4",
            out / "film.srt",
            lesson.Places(lambda at: out / f"{at}.mp4", out / "lesson.mp4", out / "short.mp4"),
            told.append,
            lambda cues, learner: (local(cues, learner), None),
        )
    assert made.sections
    assert told == sorted(told)
    assert (told[:2], told[-1]) == ([1, lesson.PREPARED], 99)


def test_a_caption_marks_the_expression() -> None:
    """All that is said in a clip is drawn when it is said, the expression in colour."""
    one = section(0, 1, 5000, 6000)
    cues = [Cue(1000, 2000, "Before"), Cue(5000, 6000, one.expression.dialogue)]
    cues += [Cue(5500, 9000, "Overlap"), Cue(6000, 7000, "After")]
    script = captions.for_clip(one, cues, LANDSCAPE, "Some Font")
    said = [line for line in script.splitlines() if line.startswith("Dialogue")]
    assert [line.split(",")[1:4] for line in said] == [
        ["0:00:00.00", "0:00:01.00", "Said"],
        ["0:00:00.50", "0:00:01.00", "Said"],
    ]
    assert "can't {\\c&H00D7FF&}put up with{\\c&HFFFFFF&} it" in said[0]
    assert "Some Font" in script
    assert "Head" in captions.for_clip(one, cues, PORTRAIT, "F").split("[Events]")[1]


@given(st.text(max_size=400))
def test_no_text_becomes_markup(text: str) -> None:
    """Whatever is said, it opens no override, ends no line and adds no event."""
    shown = captions.plain(text)
    assert "\n" not in shown
    assert "\r" not in shown
    bare = shown.replace("\\{", "").replace("\\}", "")
    assert "{" not in bare
    assert "}" not in bare
    assert all(f"\\{char}" not in bare for char in "Nnh")


def test_a_missing_ffmpeg_is_named() -> None:
    """A wrong LANGFLIX_FFMPEG is told with its path."""
    with pytest.raises(MediaError, match="no ffmpeg at /nowhere"):
        ffmpeg.program(Path("/nowhere"))


@pytest.mark.parametrize(
    "bad", ["..", "../x", "", "a/b", "A" * 36, "ADA54BD1-58E6-4C49-96DD-D14644805D54"]
)
def test_only_ids_name_directories(tmp_path: Path, bad: str) -> None:
    """Nothing but an id of our own making becomes part of a path."""
    storage = Storage(tmp_path)
    for use in (storage.remove_upload, storage.remove_clips, storage.upload):
        with pytest.raises(ValueError):
            use(bad)
    with pytest.raises(ValueError):
        storage.clip(str(uuid4()), bad)


def test_an_upload_arrives_is_kept_and_removed(tmp_path: Path) -> None:
    """An arriving upload is no job's until it is kept; removing it leaves nothing."""
    storage, job_id = Storage(tmp_path), str(uuid4())
    incoming = storage.incoming()
    (incoming / "video.mp4").write_bytes(b"v")
    (incoming / "subtitle.srt").write_bytes(b"s")
    assert storage.uploaded_jobs() == []
    storage.keep(incoming, job_id)
    assert storage.uploaded_jobs() == [job_id]
    assert storage.upload(job_id).video.read_bytes() == b"v"
    assert storage.remove_upload(job_id)
    assert not storage.remove_upload(job_id)
    assert list(storage.uploads.iterdir()) == []
    with pytest.raises(MediaError, match="not on the disk"):
        storage.upload(job_id)


def test_an_abandoned_upload_is_known_by_its_last_byte(tmp_path: Path) -> None:
    """An upload still being written is not abandoned, however long ago it began."""
    storage = Storage(tmp_path)
    old, busy = storage.incoming(), storage.incoming()
    (busy / "video.mp4").write_bytes(b"v")
    for path in (old, busy):
        os.utime(path, (0, 0))
    assert storage.abandoned() == [old]
    assert len(storage.abandoned(now=(busy / "video.mp4").stat().st_mtime + 10**6)) == 2
    assert ABANDONED_AFTER_S > 3600


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The probe says which directory fails and why."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="cannot be written"):
        Storage(tmp_path / "file").probe()
    assert Storage(tmp_path / "new").probe()["free_bytes"] > 0
