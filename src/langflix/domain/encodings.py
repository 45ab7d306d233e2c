"""Bytes to text, for files that don't say how they were written.

Subtitles come in whatever their maker's machine used.  A byte order mark decides; then valid
UTF-8 is UTF-8, since other encodings look like it by chance alone; then every second byte being
zero means UTF-16; then charset-normalizer weighs the lines that are not ASCII.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

#: The marks, longest first: UTF-32's little endian mark starts with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WESTERN = "cp1252"
#: What subtitles without a mark are written in: Korean, Japanese, Chinese, western, middle
#: European, Cyrillic, Greek, Turkish.
CANDIDATES = (
    *("cp949", "cp932", "euc_jp", "gb18030", "big5", WESTERN, "cp1250", "cp1251", "cp1253"),
    *("cp1254", "koi8_r"),
)
#: Bytes of the sample that is weighed: weighing takes time, and more says nothing new.
SAMPLE_BYTES = 16 * 2**10
#: A line of it has no more, whatever the file.
_LINE_BYTES = 400
_ASCII = bytes(range(128))
#: A handful of single accented letters in plain text: too few to weigh, and mostly western.
_FEW_ACCENTS = re.compile(rb"[\x00-\x7f]*(?:[\x80-\xff][\x00-\x7f]+){1,7}[\x80-\xff]?")


def decode(data: bytes) -> str:
    """Return the text of ``data``; bytes that fit nowhere become U+FFFD, none is fatal."""
    return data.decode(detect(data), errors="replace").removeprefix("\ufeff")


def detect(data: bytes) -> str:
    """Return the name of the encoding that ``data`` is most likely in."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return _utf16(data) or "utf-8"
    return _utf16(data) or _weighed(data)


def _utf16(data: bytes) -> str | None:
    """Return UTF-16 with its order when the bytes' zeros show it: markup and times are ASCII."""
    sample = data[: SAMPLE_BYTES // 2 * 2]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    enough = max(4, len(sample) // 2 // 4)
    if odd >= enough and even * 8 < odd:
        return "utf-16-le"
    if even >= enough and odd * 8 < even:
        return "utf-16-be"
    return None


def _weighed(data: bytes) -> str:
    # Here, not above: the API's image has no subtitle to read and not this package.
    import charset_normalizer

    sample = _sample(data)
    if sample.translate(None, _ASCII) and not _FEW_ACCENTS.fullmatch(sample):
        found = charset_normalizer.from_bytes(
            sample, cp_isolation=list(CANDIDATES), enable_fallback=False
        )
        best = found.best()
        if best is not None:
            # Of equals the library takes any, and western is what most files are.
            same = (one.encoding for one in found if _weight(one) == _weight(best))
            return WESTERN if WESTERN in same else str(best.encoding)
    return WESTERN


def _weight(match: CharsetMatch) -> tuple[float, float]:
    return match.chaos, match.coherence


def _sample(data: bytes) -> bytes:
    """Return lines with bytes beyond ASCII, whole as long as they are of a sane length."""
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if not line.isascii():
            lines.append(line[:_LINE_BYTES])
            size += len(lines[-1]) + 1
        if size > SAMPLE_BYTES:
            break
    return b"\n".join(lines)
