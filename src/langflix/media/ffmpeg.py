"""Runs ffmpeg: what a film is, and one clip of it.

The program is the one that the wheel ``imageio-ffmpeg`` carries (there is no ffprobe in it), or
the one that ``LANGFLIX_FFMPEG`` names.  It runs with a time limit, few threads, no standard input,
and may open files only: a playlist inside an upload cannot make it ask the network.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from langflix.errors import InputError, MediaError

PROBE_TIMEOUT_S = 60
#: A clip is at most half a minute long; encoding it takes seconds.
CUT_TIMEOUT_S = 300
THREADS = 2
MAX_HEIGHT = 720

_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")
_VIDEO = re.compile(r"Stream #\d+:\d+.*?: Video: (\w+).*? (\d{2,5})x(\d{2,5})")
_AUDIO = re.compile(r"Stream #\d+:\d+.*?: Audio: (\w+)")


@dataclass(frozen=True, slots=True)
class Film:
    """What ffmpeg says about a video; length in milliseconds, size in pixels."""

    duration_ms: int
    width: int
    height: int
    video_codec: str
    audio_codec: str | None


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
    # Without an output ffmpeg prints what it found and exits with 1.
    argv = [str(ffmpeg), "-hide_banner", "-nostdin", *_input(video)]
    return parse_probe(_run(argv, PROBE_TIMEOUT_S).stderr)


def parse_probe(text: str) -> Film:
    """Read ffmpeg's description of its input; raises InputError when it is no film."""
    picture = _VIDEO.search(text)
    length = _DURATION.search(text)
    if picture is None or length is None:
        raise InputError(f"the video cannot be read: {_reason(text)}")
    hours, minutes, seconds = length.groups()
    sound = _AUDIO.search(text)
    return Film(
        duration_ms=round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000),
        width=int(picture[2]),
        height=int(picture[3]),
        video_codec=picture[1],
        audio_codec=sound[1] if sound else None,
    )


def cut(ffmpeg: Path, video: Path, start_ms: int, end_ms: int, to: Path) -> int:
    """Cut a clip and return its size in bytes; ``to`` appears whole or not at all.

    Raises:
        InputError: when the film is broken there.
        MediaError: when the clip cannot be written.

    """
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(f".{to.name}.part")
    try:
        done = _run(cut_command(ffmpeg, video, start_ms, end_ms, part), CUT_TIMEOUT_S)
        size = part.stat().st_size if part.exists() else 0
        if done.returncode != 0 and "No space left" in done.stderr:
            raise MediaError("the disk is full")
        if done.returncode != 0 or size == 0:
            where = f"{start_ms / 1000:.1f} s to {end_ms / 1000:.1f} s"
            raise InputError(f"the video cannot be cut from {where}: {_reason(done.stderr)}")
        part.rename(to)
    finally:
        part.unlink(missing_ok=True)
    return size


def cut_command(ffmpeg: Path, video: Path, start_ms: int, end_ms: int, to: Path) -> tuple[str, ...]:
    """Return the command that cuts a clip which every browser plays.

    The seek stands before the input, so ffmpeg jumps to the key frame before it and decodes from
    there: fast, and exact because the clip is encoded anew.
    """
    smaller = f"scale=-2:'min({MAX_HEIGHT},trunc(ih/2)*2)'"
    return (
        str(ffmpeg),
        *("-hide_banner", "-nostdin", "-v", "error", "-y", "-threads", str(THREADS)),
        *("-ss", f"{start_ms / 1000:.3f}", *_input(video)),
        *("-t", f"{(end_ms - start_ms) / 1000:.3f}"),
        *("-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn", "-map_metadata", "-1"),
        *("-vf", smaller, "-threads", str(THREADS)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "128k", "-ac", "2"),
        *("-movflags", "+faststart", "-f", "mp4", str(to)),
    )


def _input(video: Path) -> tuple[str, ...]:
    return ("-protocol_whitelist", "file", "-i", f"file:{video}")


def _run(argv: tuple[str, ...] | list[str], timeout_s: int) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"ffmpeg did not finish with the video in {timeout_s} s") from error
    except OSError as error:
        raise MediaError(f"ffmpeg does not start: {error.strerror}") from error


def _reason(text: str) -> str:
    """Return ffmpeg's last line that says something, without paths and addresses."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("At least one output file")]
    last = told[-1] if told else "it has no picture"
    without_address = re.sub(r"\[[^\]]*@ 0x[0-9a-f]+\]\s*", "", last)
    return re.sub(r"(?:file:)?/\S+?(?=[:'\s]|$)", "the file", without_address)[:300]
