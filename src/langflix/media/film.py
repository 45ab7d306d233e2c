"""What a film is, from what ffmpeg prints about its input (the wheel has no ffprobe)."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from langflix.errors import InputError

#: A picture of more pixels (4K has 4096 times 2304) would need more memory than a worker has.
MAX_PIXELS = 4096 * 2304
MAX_DURATION_MS = 24 * 3600 * 1000

_CONTAINER = re.compile(r"Input #0, ([\w,]{1,80}), from")
_DURATION = re.compile(r"Duration: (\d{1,4}):(\d\d):(\d\d(?:\.\d{1,9})?)")
_BIT_RATE = re.compile(r"bitrate: (\d{1,9}) kb/s")
_STREAM = re.compile(
    r"Stream #0:(\d{1,4})[^:\n]{0,40}?(?:\((\w{2,3})\))?: (Video|Audio): (\w+)(.*)"
)
#: Said whatever happens: without an output, and where only libass's own fonts are.
_SAYS_NOTHING = ("At least one output file", "Fontconfig error")
_SIZE = re.compile(r"\b(\d{2,5})x(\d{2,5})\b")
_FRAMES = re.compile(r"([\d.]{1,9})(k?) (?:fps|tbr)\b")
_SAMPLES = re.compile(r"\b(\d{4,6}) Hz, ([^,\n]{1,40})")


@dataclass(frozen=True, slots=True)
class Film:
    """A video: length in milliseconds, size in pixels, rates per second (bits in thousands)."""

    duration_ms: int
    width: int
    height: int
    video_codec: str
    audio_codec: str | None
    container: str = ""
    bit_rate_kbps: int | None = None
    frame_rate: float | None = None
    sample_rate: int | None = None
    channels: str | None = None
    languages: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return it as JSON-ready data."""
        return {**asdict(self), "languages": list(self.languages)}


def parse(text: str) -> Film:
    """Read ffmpeg's description of its input; raises InputError when it is no film to cut."""
    streams = _STREAM.findall(text)
    picture = next((one for one in streams if one[2] == "Video" and not _is_cover(one[4])), None)
    size = _SIZE.search(picture[4]) if picture else None
    length = _DURATION.search(text)
    if picture is None or size is None or length is None:
        raise InputError(f"the video cannot be read: {reason(text)}")
    width, height = int(size[1]), int(size[2])
    duration_ms = _milliseconds(length)
    if width * height > MAX_PIXELS:
        raise InputError(f"the video has {width}x{height} pixels; 4K is the most")
    if not 0 < duration_ms <= MAX_DURATION_MS:
        raise InputError(f"the video lasts {duration_ms / 1000:.1f} s, which no film does")
    sounds = [one for one in streams if one[2] == "Audio"]
    samples = _SAMPLES.search(sounds[0][4]) if sounds else None
    container, bit_rate = _CONTAINER.search(text), _BIT_RATE.search(text)
    return Film(
        duration_ms=duration_ms,
        width=width,
        height=height,
        video_codec=picture[3],
        audio_codec=sounds[0][3] if sounds else None,
        container=container[1] if container else "",
        bit_rate_kbps=int(bit_rate[1]) if bit_rate else None,
        frame_rate=_frame_rate(picture[4]),
        sample_rate=int(samples[1]) if samples else None,
        channels=samples[2].strip() if samples else None,
        languages=tuple(dict.fromkeys(one[1] for one in sounds if one[1] not in ("", "und"))),
    )


def reason(text: str, otherwise: str = "it has no picture") -> str:
    """Return ffmpeg's last line that says something, without paths and addresses."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(_SAYS_NOTHING)]
    last = told[-1] if told else otherwise
    without_address = re.sub(r"\[[^\]]*@ 0x[0-9a-f]+\]\s*", "", last)
    return re.sub(r"(?:file:)?/\S+?(?=[:'\s]|$)", "the file", without_address)[:300]


def _is_cover(described: str) -> bool:
    return "(attached pic)" in described


def _milliseconds(length: re.Match[str]) -> int:
    hours, minutes, seconds = length.groups()
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000)


def _frame_rate(described: str) -> float | None:
    found = _FRAMES.search(described)
    if found is None:
        return None
    try:
        return float(found[1]) * (1000 if found[2] else 1)
    except ValueError:
        return None
