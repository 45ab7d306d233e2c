"""What we read of ELF files is what pyelftools reads; and how links and rings are walked."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.supply.elf_files import make_elf

from slipway.supply import elf
from slipway.supply.elf import Elf

_PATHS = st.one_of(
    st.none(),
    st.lists(
        st.sampled_from(["$ORIGIN", "${ORIGIN}/libs", "$ORIGIN/../libs", "$ORIGIN/more", ""]),
        max_size=2,
    ).map(":".join),
)
_NAMES = [f"libslip{letter}.so.1" for letter in "abcde"]


def by_pyelftools(data: bytes) -> Elf:
    """The dynamic section as pyelftools reads it; of the two search paths, as ld.so(8) says."""
    needed, soname, rpath, runpath, interpreter = [], "", "", None, ""
    segment: Any
    tag: Any
    for segment in ELFFile(io.BytesIO(data)).iter_segments():
        if segment.header.p_type == "PT_INTERP":
            interpreter = segment.get_interp_name()
        if not isinstance(segment, DynamicSegment):
            continue
        for tag in segment.iter_tags():
            if tag.entry.d_tag == "DT_NEEDED":
                needed.append(tag.needed)
            elif tag.entry.d_tag == "DT_SONAME":
                soname = tag.soname
            elif tag.entry.d_tag == "DT_RPATH":
                rpath = tag.rpath
            elif tag.entry.d_tag == "DT_RUNPATH":
                runpath = tag.runpath
    own = tuple(filter(None, rpath.split(":"))) if runpath is None else ()
    ran = None if runpath is None else tuple(filter(None, runpath.split(":")))
    return Elf(tuple(needed), soname, own, ran, interpreter)


@given(
    st.lists(st.sampled_from(_NAMES), unique=True, max_size=3),
    st.sampled_from(["", "libmine.so.3"]),
    _PATHS,
    _PATHS,
)
def test_read_as_pyelftools_reads(
    needed: list[str], soname: str, rpath: str | None, runpath: str | None
) -> None:
    """Every field of a file is the one that pyelftools finds, with any of both search paths."""
    data = make_elf(needed, soname, rpath=rpath, runpath=runpath)

    assert elf.parse(data) == by_pyelftools(data)


def test_real_files_read_as_pyelftools_reads() -> None:
    """This Python, and its modules read as pyelftools reads them."""
    files = [Path(sys.executable).resolve()]
    files += sorted(Path(os.__file__).parent.glob("lib-dynload/*.so"))[:20]
    for file in files:
        data = file.read_bytes()
        assert elf.parse(data) == by_pyelftools(data), file


def test_links_are_followed() -> None:
    """A library named by a link, in a folder that is a link, is found as the file it is."""
    tree = elf.Tree(
        ["/usr/lib/x/libz.so.1.3"],
        {"/lib": "usr/lib", "/usr/lib/y": "./x", "/usr/lib/x/libz.so.1": "../x/libz.so.1.3"},
    )

    assert tree.locate("/lib/y/libz.so.1") == "/usr/lib/x/libz.so.1.3"
    assert tree.locate("/lib/y/../x/./libz.so.1.3") == "/usr/lib/x/libz.so.1.3"
    assert tree.locate("/lib/y/libz.so.2") is None


def test_a_ring_of_links_ends() -> None:
    """Links that lead to each other lead nowhere."""
    assert elf.Tree([], {"/a": "b", "/b": "a"}).locate("/a") is None


def test_libraries_that_load_each_other() -> None:
    """A ring of libraries that nothing loads is looked at as well."""
    files = {"/x/a.so": Elf(("b.so", "lost.so"), runpath=("/x",)),
             "/x/b.so": Elf(("a.so",), runpath=("/x",))}  # fmt: skip

    assert [item.name for item in elf.missing(files, elf.Tree(files, {}))] == ["lost.so"]


def test_each_program_counts() -> None:
    """A library that one program hands a search path is still missed by one that doesn't."""
    files = {
        "/bin/one": Elf(("a.so",), rpath=("/x",), interpreter="/ld"),
        "/bin/two": Elf(("a.so",), runpath=("/x",), interpreter="/ld"),
        "/x/a.so": Elf(("b.so",)),
        "/x/b.so": Elf(),
    }

    (item,) = elf.missing(files, elf.Tree(files, {}))

    assert (item.path, item.name, item.folders) == ("/x/a.so", "b.so", elf.DEFAULT_FOLDERS)
