"""ffmpeg's command lines.  Pure: what is asked for in, arguments out.

Every piece of a film is encoded to the same size, rate and codecs, which every browser plays, so
that pieces are joined without encoding them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from langflix.domain.captions import Canvas
from langflix.media.fonts import Font
from langflix.media.process import progress_flags

LANDSCAPE = Canvas(1280, 720)
PORTRAIT = Canvas(720, 1280)
THREADS = 2
SAMPLE_RATE = 48_000
BACKGROUND = "0x14213d"
#: Containers that an upload may be.  A playlist or a list of files is none: it would open files
#: that are not the job's.
FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,m4v,flv,asf"


@dataclass(frozen=True, slots=True)
class Look:
    """How a piece looks: its size, frames per second, and the script drawn over it, if any."""

    canvas: Canvas
    rate: float
    script: str | None = None
    font: Font | None = None

    def drawn(self) -> tuple[str, ...]:
        """Return the filter that draws the script; its file's name is relative, so unquoted."""
        if self.script is None or self.font is None:
            return ()
        return (f"ass=filename={self.script}:fontsdir={self.font.directory}",)


def probe(program: Path, video: Path) -> tuple[str, ...]:
    """Return the command that describes a video: without an output ffmpeg prints and exits 1."""
    return (str(program), "-hide_banner", "-nostdin", *_input(video))


def cut(
    program: Path, video: Path, start_ms: int, end_ms: int, sound: bool, look: Look, to: Path
) -> tuple[str, ...]:
    """Return the command that cuts a piece out of a film.

    The seek stands before the input, so ffmpeg jumps to the key frame before it and decodes from
    there: fast, and exact because the piece is encoded anew.  A film without sound gets silence.
    """
    sounds = ("-map", "0:a:0") if sound else ("-map", "1:a:0")
    return (
        *_start(program),
        *("-ss", _seconds(start_ms), *_input(video)),
        *(() if sound else ("-f", "lavfi", "-i", f"anullsrc=r={SAMPLE_RATE}:cl=stereo")),
        *("-t", _seconds(end_ms - start_ms), "-map", "0:V:0", *sounds),
        *("-vf", ",".join((*_fit(look), *look.drawn())), "-af", "aresample=async=1,apad"),
        *_coding(look),
        *_end(to),
    )


def card(program: Path, length_ms: int, look: Look, to: Path) -> tuple[str, ...]:
    """Return the command that makes a silent title card."""
    size = f"{look.canvas.width}x{look.canvas.height}"
    return (
        *_start(program),
        *("-f", "lavfi", "-i", f"color=c={BACKGROUND}:s={size}:r={look.rate:g}"),
        *("-f", "lavfi", "-i", f"anullsrc=r={SAMPLE_RATE}:cl=stereo"),
        *("-t", _seconds(length_ms), "-map", "0:v:0", "-map", "1:a:0"),
        *("-vf", ",".join(("setsar=1", "format=yuv420p", *look.drawn()))),
        *_coding(look),
        *_end(to),
    )


def join(program: Path, listing: str, to: Path) -> tuple[str, ...]:
    """Return the command that joins the pieces in ``listing`` (see :func:`list_of`)."""
    return (
        *_start(program),
        *("-f", "concat", "-safe", "0", "-protocol_whitelist", "file", "-i", listing),
        *("-map", "0:v:0", "-map", "0:a:0", "-c", "copy"),
        *_end(to),
    )


def list_of(pieces: Sequence[Path]) -> str:
    """Return the text of a list of files for :func:`join`."""
    quoted = (str(piece).replace("'", "'\\''") for piece in pieces)
    return "\n".join(("ffconcat version 1.0", *(f"file '{path}'" for path in quoted), ""))


def _start(program: Path) -> tuple[str, ...]:
    quiet = ("-hide_banner", "-nostdin", "-v", "error", "-y")
    return (str(program), *quiet, *progress_flags(), "-filter_threads", str(THREADS))


def _input(video: Path) -> tuple[str, ...]:
    only = ("-protocol_whitelist", "file", "-format_whitelist", FORMATS)
    return (*only, "-threads", str(THREADS), "-i", f"file:{video}")


def _fit(look: Look) -> tuple[str, ...]:
    width, height = look.canvas.width, look.canvas.height
    return (
        "scale=trunc(iw*sar/2)*2:trunc(ih/2)*2",
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2",
        f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2",
        "setsar=1",
        f"fps={look.rate:g}",
        "format=yuv420p",
    )


def _coding(look: Look) -> tuple[str, ...]:
    return (
        *("-threads", str(THREADS), "-c:v", "libx264", "-preset", "veryfast", "-crf", "23"),
        *("-profile:v", "high", "-g", f"{look.rate * 2:.0f}", "-video_track_timescale", "90000"),
        *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", str(SAMPLE_RATE)),
    )


def _end(to: Path) -> tuple[str, ...]:
    plain = ("-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1")
    return (*plain, "-movflags", "+faststart", "-f", "mp4", f"file:{to}")


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
