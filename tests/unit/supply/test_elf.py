"""The dynamic section of ELF files, and the closure computed from it."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import LockError
from slipway.supply import closure, deb, elf
from slipway.supply.deb import PackageFiles
from slipway.supply.elf import Elf


def make_elf(needed: list[str], soname: str = "", runpath: str = "") -> bytes:
    """A minimal 64-bit ELF file with a dynamic section."""
    strings, offsets = b"\0", {}
    for text in [*needed, soname, runpath]:
        offsets[text] = len(strings)
        strings += text.encode() + b"\0"
    entries = [(1, offsets[name]) for name in needed]
    entries += [(14, offsets[soname])] if soname else []
    entries += [(29, offsets[runpath])] if runpath else []
    start = 64 + 2 * 56
    length = (len(entries) + 2) * 16
    entries += [(5, 0x1000 + start + length), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    total = start + length + len(strings)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x1000, 0, total, total, 4096)
    dyn = struct.pack("<IIQQQQQQ", 2, 6, start, 0x1000 + start, 0, length, length, 8)
    return header + load + dyn + dynamic + strings


def test_reads_what_is_needed() -> None:
    """Needed names, own name and search folders come out as they were put in."""
    data = make_elf(["libc.so.6", "libz.so.1"], "libmine.so.3", "$ORIGIN/../libs:/opt")

    parsed = elf.parse(data)

    assert parsed == Elf(
        ("libc.so.6", "libz.so.1"), "libmine.so.3", ("$ORIGIN/../libs", "/opt"), ""
    )


def test_reads_a_real_program() -> None:
    """This Python needs the C library and names its loader."""
    parsed = elf.parse(Path(sys.executable).resolve().read_bytes())

    assert parsed is not None
    assert "libc.so.6" in parsed.needed
    assert "ld-linux" in parsed.interpreter


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Damaged files are None, never an exception."""
    elf.parse(data)


@given(st.data())
def test_damaged_elf(data: st.DataObject) -> None:
    """An ELF file with any byte changed or cut short never ends in an exception."""
    whole = bytearray(make_elf(["libc.so.6"], "x", "$ORIGIN"))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    elf.parse(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


def test_origin_is_expanded() -> None:
    """$ORIGIN stands for the file's own folder, before the default folders."""
    folders = elf.search_folders("/app/x/y.so", Elf((), "", ("$ORIGIN/../x.libs",), ""))

    assert folders[0] == "/app/x.libs"
    assert folders[1:] == elf.DEFAULT_FOLDERS


def test_unresolved_names_users() -> None:
    """A library that is nowhere is named with the files that need it."""
    files = {"/usr/bin/a": Elf(("libz.so.1", "libc.so.6"), "", (), "")}
    have = {"/usr/lib/x86_64-linux-gnu/libc.so.6"}

    assert elf.unresolved(files, have.__contains__) == {"libz.so.1": ("/usr/bin/a",)}


LIB = "/usr/lib/x86_64-linux-gnu"


def library(name: str, *needed: str) -> PackageFiles:
    path = f"{LIB}/{name}"
    return PackageFiles({path: Elf(needed, name, (), "")}, frozenset({path}))


CANDIDATES = {
    "tool": PackageFiles(
        {"/usr/bin/tool": Elf(("libtop.so.1",), "", (), "")}, frozenset({"/usr/bin/tool"})
    ),
    "libtop": library("libtop.so.1", "libdeep.so.2"),
    "libdeep": library("libdeep.so.2"),
    "unused": library("libunused.so.1"),
}


def test_closure_follows_libraries() -> None:
    """A package is taken for the libraries needed of it, and for nothing else."""
    assert closure.close(["tool"], CANDIDATES, where="image.x") == ("libdeep", "libtop", "tool")


def test_closure_leaves_what_is_below() -> None:
    """What a layer underneath offers is not taken again."""
    chosen = closure.close(["tool"], CANDIDATES, below=["libtop", "libdeep"], where="image.x")

    assert chosen == ("tool",)


def test_closure_names_what_is_missing() -> None:
    """A library that no package offers stops the lock with the file that needs it."""
    only = {"tool": CANDIDATES["tool"]}

    with pytest.raises(LockError) as caught:
        closure.close(["tool"], only, where="image.x")

    assert caught.value.details == (
        "/usr/bin/tool needs libtop.so.1, which no package of image.x offers",
    )


def test_wheels_find_their_own_libraries() -> None:
    """A library bundled in a wheel is found by the wheel's search path, not asked of Debian."""
    extra = {
        "/app/m/_x.so": Elf(("libown.so",), "", ("$ORIGIN/../m.libs",), ""),
        "/app/m.libs/libown.so": Elf(("libdeep.so.2",), "libown.so", (), ""),
    }

    assert closure.close([], CANDIDATES, extra=extra, where="layer.python") == ("libdeep",)


@pytest.mark.parametrize(
    ("path", "dropped"),
    [
        ("/usr/share/man/man1/a.1", True),
        ("/usr/share/manual", False),
        ("/etc/issue.net", True),
        ("/etc/x/issue", False),
    ],
)
def test_drop_globs(path: str, dropped: bool) -> None:
    """Two stars take a folder whole, one star stays inside it."""
    assert deb.is_dropped(path, ["usr/share/man/**", "etc/issue*"]) is dropped


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("./lib/x/libc.so", "/usr/lib/x/libc.so"),
        ("./lib64", "/usr/lib64"),
        ("./library/x", "/library/x"),
        ("./usr/bin/a", "/usr/bin/a"),
    ],
)
def test_usr_merge(path: str, expected: str) -> None:
    """Top folders that Debian merged into /usr are found there."""
    assert deb.merged(path) == expected
