"""The dynamic section of ELF files, and the closure computed from it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.supply.elf_files import make_elf

from slipway.supply import closure, contents, elf
from slipway.supply.closure import Closed
from slipway.supply.contents import Contents
from slipway.supply.elf import Elf


def test_reads_what_is_needed() -> None:
    """Needed names, own name and search folders come out as they were put in."""
    data = make_elf(["libc.so.6", "libz.so.1"], "libmine.so.3", runpath="$ORIGIN/../libs:/opt")

    parsed = elf.parse(data)

    assert parsed == Elf(
        ("libc.so.6", "libz.so.1"), "libmine.so.3", runpath=("$ORIGIN/../libs", "/opt")
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
    whole = bytearray(make_elf(["libc.so.6"], "x", rpath="$ORIGIN"))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    elf.parse(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


LIB = "/usr/lib/x86_64-linux-gnu"


def library(name: str, *needed: str) -> Contents:
    path = f"{LIB}/{name}"
    return Contents({path: Elf(needed, name)}, frozenset({path}), {})


CANDIDATES = {
    "tool": Contents({"/usr/bin/tool": Elf(("libtop.so.1",))}, frozenset({"/usr/bin/tool"}), {}),
    "libtop": library("libtop.so.1", "libdeep.so.2"),
    "libdeep": library("libdeep.so.2"),
    "unused": library("libunused.so.1"),
}


def test_closure_follows_libraries() -> None:
    """A package is taken for the libraries needed of it, and for nothing else."""
    closed = closure.close(["tool"], CANDIDATES, where="image.x")

    assert closed == Closed(("libdeep", "libtop", "tool"), ())


def test_closure_leaves_what_is_below() -> None:
    """What a layer underneath offers is not taken again."""
    closed = closure.close(["tool"], CANDIDATES, below=["libtop", "libdeep"], where="image.x")

    assert closed == Closed(("tool",), ())


def test_closure_names_what_is_missing() -> None:
    """A library that no package offers is told with the file that needs it."""
    only = {"tool": CANDIDATES["tool"]}

    closed = closure.close(["tool"], only, where="image.x")

    assert closed.problems == (
        "/usr/bin/tool needs libtop.so.1, which no package of image.x offers",
    )


def test_wheels_find_their_own_libraries() -> None:
    """A library bundled in a wheel is found by the wheel's search path, not asked of Debian."""
    extra = {
        "/app/m/_x.so": Elf(("libown.so",), runpath=("$ORIGIN/../m.libs",)),
        "/app/m.libs/libown.so": Elf(("libdeep.so.2",), "libown.so"),
    }

    closed = closure.close([], CANDIDATES, extra=extra, where="layer.python")

    assert closed == Closed(("libdeep",), ())


def test_bundled_libraries_of_bundled_libraries() -> None:
    """What a wheel's module hands on by DT_RPATH is found by the libraries that it loads."""
    module = Elf(("liba.so",), rpath=("$ORIGIN/../m.libs",))
    bundled = {"/app/m.libs/liba.so": Elf(("libb.so",)), "/app/m.libs/libb.so": Elf()}

    handed = closure.close([], {}, extra={"/app/m/_x.so": module, **bundled}, where="x")
    own = replace(module, rpath=(), runpath=module.rpath)
    kept = closure.close([], {}, extra={"/app/m/_x.so": own, **bundled}, where="x")

    assert handed.problems == ()
    assert kept.problems == ("/app/m.libs/liba.so needs libb.so, which no package of x offers",)


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
    assert contents.is_dropped(path, ["usr/share/man/**", "etc/issue*"]) is dropped


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
    assert contents.merged(path) == expected
