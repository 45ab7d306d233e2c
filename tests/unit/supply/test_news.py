"""What a new lock changes is told, with the changelogs' own words."""

from __future__ import annotations

import gzip
import io
import tarfile
from dataclasses import replace

from slipway.supply import news
from slipway.supply.locks import DebianLock, Package, PythonLock, Wheel

CHANGELOG = """foo (1.2-3+deb13u2) trixie-security; urgency=medium

  * Do not read past the end
    (CVE-2026-1111).
  * Say why.

 -- A B <a@b.c>  Thu, 26 Nov 2026 10:00:00 +0000

foo (1.2-3+deb13u1) trixie-security; urgency=medium

  * CVE-2026-2222

 -- A B <a@b.c>  Wed, 25 Nov 2026 10:00:00 +0000

foo (1.2-3) unstable; urgency=medium

  * CVE-2020-3333 long ago.

 -- A B <a@b.c>  Tue, 24 Nov 2020 10:00:00 +0000
"""


def deb(path: str, content: bytes) -> bytes:
    """A Debian package of one file (deb(5))."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        info = tarfile.TarInfo(path)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    data = tar.getvalue()
    return b"!<arch>\n" + f"{'data.tar':<48}{len(data):<10}`\n".encode() + data


def package(name: str, version: str) -> Package:
    return Package(name, version, "foo", "debian", "trixie", "pool/f.deb", 1, "a" * 64)


def lock(*packages: Package) -> DebianLock:
    return DebianLock({}, (), {one.name: one for one in packages}, {}, "")


def read(one: Package) -> bytes:
    return deb(f"./usr/share/doc/{one.name}/changelog.Debian.gz", gzip.compress(CHANGELOG.encode()))


def test_the_lines_of_all_versions_in_between() -> None:
    """Those since the locked one, and the holes they name; older ones are not told again."""
    old, new = lock(package("libfoo1", "1.2-3+b1")), lock(package("libfoo1", "1.2-3+deb13u2"))

    (one,) = news.of_debian(old, new, read)

    assert (one.names, one.old, one.new) == (("libfoo1",), "1.2-3+b1", "1.2-3+deb13u2")
    assert one.lines == (
        "1.2-3+deb13u2:", "  * Do not read past the end", "    (CVE-2026-1111).", "  * Say why.",
        "1.2-3+deb13u1:", "  * CVE-2026-2222",
    )  # fmt: skip
    assert one.holes == ("CVE-2026-1111", "CVE-2026-2222")


def test_packages_of_one_source_are_told_together() -> None:
    """Their changelog is the same, and one of them may have it in another's folder."""
    names = ("foo", "libfoo1")
    old = lock(*(package(name, "1.2-3") for name in names))
    new = lock(*(package(name, "1.2-3+deb13u1") for name in names))

    (one,) = news.of_debian(
        old, new, lambda one: read(one) if one.name == "libfoo1" else deb("./other", b"")
    )

    assert one.names == names
    assert one.lines


def test_what_comes_and_goes_has_no_changelog() -> None:
    """Nothing is read of a package that was not there before."""
    old, new = lock(package("gone", "1")), lock(replace(package("new", "2"), source="bar"))

    def refused(one: Package) -> bytes:
        raise AssertionError(one)

    bar, foo = news.of_debian(old, new, refused)

    assert (bar.old, bar.new, bar.lines) == ("", "2", ())
    assert (foo.names, foo.old, foo.new) == (("gone",), "1", "")


def test_a_changelog_that_is_damaged_or_absent_is_none() -> None:
    """The versions are told all the same."""
    path = "./usr/share/doc/foo/changelog.Debian.gz"

    assert news.changelog(deb(path, b"no gzip"), "foo") == ""
    assert news.changelog(deb(path, gzip.compress(b"x")[:-9]), "foo") == ""
    assert (
        news.changelog(deb("./usr/share/doc/foo/changelog.gz", gzip.compress(b"x")), "foo") == "x"
    )
    assert news.since("no changelog at all", "1") == ()
    assert news.since("", "1") == ()


def test_wheels_and_packages_of_the_environment() -> None:
    """Versions, what is new and what is gone."""
    a, b = (Wheel(name, "1", f"{name}-1-py3-none-any.whl", 1, "a" * 64) for name in "ab")
    old = PythonLock({}, "3.13", {"a": a, "b": b}, {})
    new = replace(old, wheels={"a": replace(a, version="2")})

    assert [(one.names, one.old, one.new) for one in news.of_python(old, new)] == [
        (("a",), "1", "2"), (("b",), "1", ""),
    ]  # fmt: skip
    (dev,) = news.of_requirements("a==1 \\\n    --hash=x\nb==3\n", "a==2 ; x\nb==3\n")
    assert (dev.lock, dev.names, dev.old, dev.new) == ("dev", ("a",), "1", "2")


def test_the_text_is_what_a_commit_may_say() -> None:
    """A paragraph each: versions, holes, lines; nothing changed is a sentence."""
    change = news.Change("debian", ("a", "b"), "1", "2", ("2:", "  * x"), ("CVE-2026-1111",))

    text = news.Update(
        (change, replace(change, names=("c",), old="", lines=(), holes=()))
    ).to_text()

    assert text == "a, b 1 → 2\n  mends CVE-2026-1111\n  2:\n    * x\n\nc — → 2"
    assert news.Update(()).to_text() == "every lock names the newest already"
    assert news.Update((change,)).to_json()["holes"] == ["CVE-2026-1111"]
