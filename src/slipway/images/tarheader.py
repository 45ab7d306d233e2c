"""Tar headers, byte for byte as Go's ``archive/tar`` writes them when no format is asked for.

nix2container writes layers with that package, and a layer's digest covers its headers. Go writes
plain USTAR where every field fits, and else one PAX extended header (named ``PaxHeaders.0/…``)
before a USTAR-shaped one. Layout of the fields: POSIX.1-1988 (USTAR) and POSIX.1-2001 (PAX).
Times are not variable: nix2container 1.0.0 sets them to the epoch, second 0.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Final

from slipway.errors import BuildError

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
FILE: Final = b"0"
SYMLINK: Final = b"2"
DIRECTORY: Final = b"5"

_NAME, _PREFIX, _OWNER = 100, 155, 32
_OCTAL_8, _OCTAL_12 = 0o7777777, 0o77777777777
_MAX_RECORDS = 1 << 20
_MAX_MODE = 0o7777
_BEFORE_SUM, _AFTER_SUM = 148, 156
_SPACES = 8 * ord(" ")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a header says.

    Attributes:
        name: the path in the archive; folders have no slash at the end.
        kind: ``FILE``, ``SYMLINK`` or ``DIRECTORY``.
        mode: permission bits, with set-id and sticky bits.
        size: bytes of the content; 0 unless it is a file.
        link: where a symbolic link points to.
        uid: user id of the owner.
        gid: group id.
        uname: name of the owner.
        gname: name of the group.
    """

    name: bytes
    kind: bytes
    mode: int
    size: int = 0
    link: bytes = b""
    uid: int = 0
    gid: int = 0
    uname: bytes = b"root"
    gname: bytes = b"root"


def padding(size: int) -> int:
    """Zero bytes that follow a content of ``size`` bytes."""
    return -size % BLOCK


def header(entry: Entry) -> bytes:
    """The header blocks of ``entry``: one, or with a PAX header at least three.

    Raises:
        BuildError: no format that layers may have can say it.
    """
    if not 0 <= entry.mode <= _MAX_MODE or entry.uid < 0 or entry.gid < 0:
        raise BuildError(
            f"the mode {entry.mode:o} or owner {entry.uid}:{entry.gid} of "
            f"{_shown(entry.name)} can't be written into a layer",
            stage="layers",
        )
    split = _split(entry.name)
    records = _records(entry)
    if records and not (split and records.keys() == {b"path"}):
        return _extended(entry.name, records) + _block(entry, _ascii(entry.name), b"")
    prefix, name = split or (b"", entry.name)
    return _block(entry, name, prefix)


def _records(entry: Entry) -> dict[bytes, bytes]:
    """The PAX records for what a USTAR field can't hold."""
    texts = (
        (b"path", entry.name, _NAME),
        (b"linkpath", entry.link, _NAME),
        (b"uname", entry.uname, _OWNER),
        (b"gname", entry.gname, _OWNER),
    )
    numbers = (
        (b"uid", entry.uid, _OCTAL_8),
        (b"gid", entry.gid, _OCTAL_8),
        (b"size", entry.size, _OCTAL_12),
    )
    records = {key: text for key, text, room in texts if len(text) > room or not text.isascii()}
    records.update({key: b"%d" % number for key, number, most in numbers if number > most})
    return records


def _split(name: bytes) -> tuple[bytes, bytes] | None:
    """USTAR's prefix and name for a path too long for one field, or None when it has none.

    Go takes the last slash that leaves the prefix short enough; it does not try another one.
    """
    if len(name) <= _NAME or not name.isascii():
        return None
    slash = name.rfind(b"/", 0, _PREFIX + 1)
    if slash <= 0 or len(name) - slash - 1 > _NAME:
        return None
    return name[:slash], name[slash + 1 :]


def _extended(path: bytes, records: dict[bytes, bytes]) -> bytes:
    """A PAX extended header: its own header block, its records, its padding."""
    data = b"".join(_record(key, records[key]) for key in sorted(records))
    if len(data) > _MAX_RECORDS:
        raise BuildError(f"the path {_shown(path)} is too long for a layer", stage="layers")
    folder, file = posixpath.split(path)
    name = _ascii(_joined(folder, b"PaxHeaders.0", file))[:_NAME].rstrip(b"/")
    block = b"".join(
        (
            name.ljust(_NAME, b"\0"),
            b"0000000\0" * 3,
            b"%011o\0" % len(data),
            b"00000000000\0",
            b" " * 8,
            b"x",
            bytes(_NAME),
            b"ustar\x0000",
            bytes(247),
        )
    )
    return _summed(block) + data + bytes(padding(len(data)))


def _joined(folder: bytes, *names: bytes) -> bytes:
    path = posixpath.normpath(posixpath.join(folder, *(name for name in names if name)))
    return path[1:] if path.startswith(b"//") else path


def _record(key: bytes, value: bytes) -> bytes:
    """``LENGTH key=value`` and a line feed, where LENGTH counts its own digits too."""
    size = len(key) + len(value) + 3
    total = size + len(str(size))
    total = size + len(str(total))
    return b"%d %s=%s\n" % (total, key, value)


def _ascii(text: bytes) -> bytes:
    return text if text.isascii() else bytes(byte for byte in text if byte < 0x80)


def _field(text: bytes, room: int) -> bytes:
    """A text field: cut to its room; a cut that ends on a slash loses it, as in Go."""
    if len(text) <= room:
        return text.ljust(room, b"\0")
    cut = text[:room]
    if not cut.endswith(b"/"):
        return cut
    kept = len(cut[:-1].rstrip(b"/"))
    return cut[:kept] + b"\0" + cut[kept + 1 :]


def _octal(number: int, most: int, form: bytes) -> bytes:
    return form % (number if number <= most else 0)


def _block(entry: Entry, name: bytes, prefix: bytes) -> bytes:
    block = b"".join(
        (
            _field(name, _NAME),
            b"%07o\0" % entry.mode,
            _octal(entry.uid, _OCTAL_8, b"%07o\0"),
            _octal(entry.gid, _OCTAL_8, b"%07o\0"),
            _octal(entry.size, _OCTAL_12, b"%011o\0"),
            b"00000000000\0",
            b" " * 8,
            entry.kind,
            _field(_ascii(entry.link), _NAME),
            b"ustar\x0000",
            _field(_ascii(entry.uname), _OWNER),
            _field(_ascii(entry.gname), _OWNER),
            b"0000000\x000000000\0",
            prefix.ljust(_PREFIX, b"\0"),
            bytes(12),
        )
    )
    return _summed(block)


def _summed(block: bytes) -> bytes:
    """The block with its checksum, which is taken with spaces in the checksum's place."""
    return b"%b%06o\0 %b" % (block[:_BEFORE_SUM], sum(block), block[_AFTER_SUM:])


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
