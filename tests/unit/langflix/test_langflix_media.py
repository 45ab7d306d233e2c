"""ffmpeg's words and the files' places."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest

from langflix.errors import InputError, MediaError
from langflix.media import ffmpeg
from langflix.media.storage import ABANDONED_AFTER_S, Storage

PROBE = """Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/data/uploads/x/video.mp4':
  Duration: 01:02:05.31, start: 0.000000, bitrate: 1589 kb/s
  Stream #0:0[0x1](und): Video: h264 (Main) (avc1 / 0x31637661), yuv420p, 1280x720 [SAR 1:1], 25 fps
  Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, 5.1, fltp, 383 kb/s
At least one output file must be specified
"""


def test_a_film_is_read_from_ffmpegs_words() -> None:
    """Length, size and codecs come out of what ffmpeg prints about its input."""
    assert ffmpeg.parse_probe(PROBE) == ffmpeg.Film(3725310, 1280, 720, "h264", "aac")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no picture"),
        ("[in#0 @ 0x55d5] Error opening input: Invalid data found", "Invalid data"),
        ("file:/data/uploads/1/video.mp4: Invalid data found", "the file: Invalid data"),
        (PROBE.replace("01:02:05.31", "N/A"), "cannot be read"),
    ],
)
def test_what_is_no_film_is_told_without_paths(text: str, reason: str) -> None:
    """The reason is ffmpeg's own, without the server's paths and addresses."""
    with pytest.raises(InputError, match=reason) as caught:
        ffmpeg.parse_probe(text)
    assert "/data" not in str(caught.value)
    assert "0x55" not in str(caught.value)


def test_ffmpeg_is_kept_from_the_network_and_the_terminal() -> None:
    """Only files may be opened, nothing is read from the terminal, the seek precedes the input."""
    argv = ffmpeg.cut_command(Path("/f"), Path("/in.mp4"), 1500, 3000, Path("/out"))
    assert argv[argv.index("-protocol_whitelist") + 1] == "file"
    assert "-nostdin" in argv
    assert argv.index("-ss") < argv.index("-i")
    assert (argv[argv.index("-ss") + 1], argv[argv.index("-t") + 1]) == ("1.500", "1.500")


def test_a_missing_ffmpeg_is_named() -> None:
    """A wrong LANGFLIX_FFMPEG is told with its path."""
    with pytest.raises(MediaError, match="no ffmpeg at /nowhere"):
        ffmpeg.program(Path("/nowhere"))


@pytest.mark.parametrize("bad", ["..", "../x", "", "a/b", "A" * 36, str(uuid4()).upper()])
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
