"""A small image with one of everything that a bill tells of."""

from __future__ import annotations

import json
from pathlib import Path

from slipway.bills.declared import Declared
from slipway.images.description import image
from slipway.images.values import Image, Layer, LayerPath
from slipway.supply.locks import DebianLock, GoLock, Package, PythonLock, Wheel
from slipway.supply.needs import Locks

SITE = "app/lib/python3.13/site-packages"
DEB_SHA, WHEEL_SHA = "d" * 64, "e" * 64
CONTROL = """Package: libfoo1
Source: foo (1.2-3)
Version: 1.2-3+b1
Architecture: amd64
Description: it
"""
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: us
License: GPL-2+ and Expat

License: Expat
 text
"""
METADATA = "Metadata-Version: 2.4\nName: Bar_Baz\nVersion: 2.0\nLicense-Expression: MIT\n\nIt.\n"
SBOM = {
    "components": [
        {"name": "Bar_Baz", "version": "2.0", "purl": "pkg:pypi/bar-baz@2.0"},
        {
            "name": "libsub",
            "version": "3",
            "purl": "pkg:rpm/centos/libsub@3",
            "licenses": [{"license": {"id": "Zlib"}}],
        },
        {"name": "without a purl"},
    ]
}
OPENSSL = Declared(
    "bar-baz",
    "pkg:generic/openssl",
    ("bar_baz.libs/libcrypto-*",),
    pattern=r"OpenSSL (\d+\.\d+\.\d+)",
    licence="Apache-2.0",
    where="inside[0]",
)
SUB = Declared("bar-baz", "", ("bar_baz.libs/libsub-*",), bill="libsub", where="inside[1]")
DECLARED = (OPENSSL, SUB)


def go_program(modules: str, go: str = "go1.24.4") -> bytes:
    """A file with Go's build information, as the linker writes it."""

    def string(text: bytes) -> bytes:
        low, high = len(text) & 0x7F, len(text) >> 7
        return (bytes([low | 0x80, high]) if high else bytes([low])) + text

    marked = b"m" * 16 + modules.encode() + b"n" * 16
    header = b"\xff Go buildinf:" + bytes([8, 2]) + bytes(16)
    return b"\x7fELF" + bytes(60) + header + string(go.encode()) + string(marked)


MODULES = "path\tx.y/probe\nmod\tx.y/probe\tv1.0.0\t\ndep\tz.w/lib\tv0.2.0\th1:a=\n"


def files() -> dict[str, bytes]:
    """The image's files by path."""
    return {
        "usr/lib/os-release": b'ID=debian\nVERSION_ID="13"\n',
        "var/lib/dpkg/status.d/libfoo1": CONTROL.encode(),
        "var/lib/dpkg/status.d/libfoo1.md5sums": b"",
        "usr/share/doc/libfoo1/copyright": COPYRIGHT.encode(),
        f"{SITE}/bar_baz-2.0.dist-info/METADATA": METADATA.encode(),
        f"{SITE}/bar_baz-2.0.dist-info/sboms/x.cdx.json": json.dumps(SBOM).encode(),
        f"{SITE}/bar_baz.libs/libcrypto-1.so.3": b"\x7fELF \0OpenSSL 3.5.9 29 Sep\0",
        f"{SITE}/bar_baz.libs/libsub-2.so.1": b"\x7fELF",
        "usr/bin/probe": go_program(MODULES),
        "usr/bin/plain": b"\x7fELF without Go",
    }


def image_at(folder: Path, content: dict[str, bytes] | None = None, role: str = "api") -> Image:
    """An image of these files, which lie below a folder."""
    for path, data in (files() if content is None else content).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    strip = f"^{folder}".replace("-", r"\-")
    layer = Layer("sha256:" + "a" * 64, 2048, "all", (LayerPath(str(folder), strip),))
    return image("app", role, "amd64", {"Cmd": [role]}, (layer,))


def locks() -> Locks:
    """Locks that name what the image holds."""
    package = Package("libfoo1", "1.2-3+b1", "foo", "debian", "trixie", "pool/a.deb", 1, DEB_SHA)
    wheel = Wheel("bar-baz", "2.0", "bar_baz-2.0-py3-none-any.whl", 1, WHEEL_SHA)
    return Locks(
        DebianLock({}, (), {"libfoo1": package}, {}, ""),
        PythonLock({}, "3.13", {"bar-baz": wheel}, {}),
        GoLock("", "", ""),
    )
