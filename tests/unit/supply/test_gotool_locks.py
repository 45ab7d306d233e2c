"""The Go that builds is locked, fetched and checked with the other inputs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway import config
from slipway.errors import FetchError
from slipway.report import Report
from slipway.supply import check, fetch, gomod, gotool, lock, nixtool, ready
from slipway.supply.locks import read_go
from slipway.supply.mirrors import Mirrors
from slipway.supply.needs import Needs
from slipway.supply.places import Places
from slipway.supply.store import StoreFile
from slipway.testing import FakeShell

ROOT = Path(__file__).parents[3]
CONFIG = config.load(ROOT)
LOCKS = fetch.read_locks(Places(ROOT))
GO = Path("/first/bin/go")
QUIET = Report(quiet=True)


def lacking(*files: StoreFile) -> FakeShell:
    shell = FakeShell()
    shell.on("nix-store", "--check-validity", reply="\n".join(file.path for file in files))
    shell.on("nix", reply=json.dumps({"substituters": {"value": []}}))
    return shell


def no_mirrors() -> Mirrors:
    raise AssertionError("mirrors were looked for")


def test_the_first_go_is_fetched_only_to_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the Go that builds in the store, as from a cache, Debian's is not missed."""
    first = LOCKS.debian.packages["golang-1.24-go"].file
    shell, needs = lacking(first, LOCKS.go.vendor), Needs(tools=True)
    vendored: list[Path] = []

    def vendor(_: Any, go: Path, *__: Any, **___: Any) -> str:
        vendored.append(go)
        return LOCKS.go.vendor_sha256

    monkeypatch.setattr(gomod, "vendor", vendor)
    fetch.fetch(shell, CONFIG, Places(ROOT), no_mirrors, QUIET, needs)

    assert vendored == [gotool.program(LOCKS.go.toolchain.path)]
    with pytest.raises(AssertionError, match="mirrors were looked for"):
        fetch.fetch(
            lacking(first, LOCKS.go.toolchain), CONFIG, Places(ROOT), no_mirrors, QUIET, needs
        )


@pytest.mark.parametrize("right", [True, False])
def test_a_fetched_go_is_the_locked_one(monkeypatch: pytest.MonkeyPatch, right: bool) -> None:
    """It is fetched with the sums of go.sum, and stops the fetch when it has another hash."""
    given: list[Any] = []

    def obtain(_: Any, go: Path, version: str, sums: Any, __: Path) -> gotool.Toolchain:
        given.append((go, version, sums))
        sha256 = LOCKS.go.toolchain_sha256 if right else "0" * 64
        return gotool.Toolchain("/nix/store/x", sha256, tuple(sums))

    monkeypatch.setattr(gotool, "obtain", obtain)
    monkeypatch.setattr(fetch, "unpacked_go", lambda *_: GO)
    places = Places(ROOT)

    def act() -> None:
        fetch.fetch(
            lacking(LOCKS.go.toolchain), CONFIG, places, no_mirrors, QUIET, Needs(tools=True)
        )

    if right:
        act()
    else:
        with pytest.raises(FetchError, match="other bytes than the locked ones"):
            act()

    version = gotool.named(places.go)
    sums = gotool.sums_of((places.go / "go.sum").read_text(), version)
    assert given == [(GO, version, sums)]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A checkout whose go.mod names an old Go, with programs that do as they should."""
    places = Places(tmp_path)
    for folder in (places.go, places.locks):
        folder.mkdir(parents=True)
    (places.locks / "debian.json").write_text((ROOT / "nix/locks/debian.json").read_text())
    (places.go / "go.mod").write_text("module m\n\ngo 1.99.0\n\ntoolchain go1.99.0\n")
    (places.go / "go.sum").write_text("a.b/c v1 h1:x=\n")
    monkeypatch.setattr(lock, "package_path", lambda *_: ROOT)
    monkeypatch.setattr(lock, "unpacked_go", lambda *_: GO)
    monkeypatch.setattr(gotool, "newest", lambda *_: ("go1.99.1", None))
    monkeypatch.setattr(gotool, "obtain", toolchain)
    monkeypatch.setattr(gomod, "vendor", tidied)
    return places


def toolchain(_: Any, __: Path, version: str, *___: Any) -> gotool.Toolchain:
    release = f"golang.org/toolchain v0.0.1-{version}.linux-amd64"
    return gotool.Toolchain("/t", "d" * 64, (f"{release} h1:one=", f"{release}/go.mod h1:two="))


def tidied(_: Any, go: Path, folder: Path, *, tidy: bool) -> str:
    """What ``go mod tidy`` does: it takes the sums of a toolchain out."""
    assert go == Path("/t/bin/go")
    if tidy:
        path = folder / "go.sum"
        path.write_text(gotool.with_sums(path.read_text(), ()) + "b.b/b v1 h1:y=\n")
    return "e" * 64


@pytest.mark.parametrize(("newest", "version"), [(True, "go1.99.1"), (False, "go1.99.0")])
def test_a_lock_names_its_go(checkout: Places, newest: bool, version: str) -> None:
    """An update moves go.mod to the newest release, another lock leaves it; go.sum has its sums."""
    done = lock.lock_go(FakeShell(), checkout, no_mirrors, QUIET, newest=newest)

    assert gotool.named(checkout.go) == version
    text = (checkout.go / "go.sum").read_text()
    assert len(gotool.sums_of(text, version)) == 2
    assert {"a.b/c v1 h1:x=", "b.b/b v1 h1:y="} <= set(text.splitlines())
    assert (done.toolchain_sha256, done.vendor_sha256) == ("d" * 64, "e" * 64)
    assert read_go(checkout.locks / "go.json") == done
    gomod.check(done, checkout.go)


def test_a_line_without_fixes_is_told(checkout: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locking the newest release of an old line goes on, with a warning."""
    warned: list[str] = []
    report = Report(quiet=True)
    monkeypatch.setattr(report, "warn", warned.append)
    monkeypatch.setattr(gotool, "newest", lambda *_: ("go1.99.1", "Go 1.99 gets no more fixes"))

    lock.lock_go(FakeShell(), checkout, no_mirrors, report, newest=True)

    assert warned == ["Go 1.99 gets no more fixes"]


def test_an_update_tells_of_the_newest_go(
    checkout: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update asks for the newest Go, and tells which one it is."""
    for name in ("slipway.toml", "requirements.txt", "nix/locks/python.json"):
        shutil.copy2(ROOT / name, checkout.root / name)
    monkeypatch.setattr(nixtool, "ensure", lambda *_: None)

    told = ready.update(FakeShell(), checkout.root, QUIET, ["go"])

    assert [(one.lock, one.old, one.new) for one in told.changes] == [("go", "1.99.0", "1.99.1")]


def test_a_lock_that_fails_changes_nothing(
    checkout: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules that can't be had leave go.mod and go.sum as they were."""
    before = [(checkout.go / name).read_text() for name in ("go.mod", "go.sum")]

    def vendor(*arguments: Any, tidy: bool) -> str:
        tidied(*arguments, tidy=tidy)
        raise FetchError("no module")

    monkeypatch.setattr(gomod, "vendor", vendor)
    with pytest.raises(FetchError, match="no module"):
        lock.lock_go(FakeShell(), checkout, no_mirrors, QUIET, newest=True)

    assert [(checkout.go / name).read_text() for name in ("go.mod", "go.sum")] == before
    assert not (checkout.locks / "go.json").exists()


Obtain = Callable[..., gotool.Toolchain]


def checked(places: Places, monkeypatch: pytest.MonkeyPatch, obtain: Obtain) -> list[Any]:
    """What a check of the checkout's lock finds."""
    done = lock.lock_go(FakeShell(), places, no_mirrors, QUIET)
    fresh = gotool.with_sums((places.go / "go.sum").read_text(), ())
    monkeypatch.setattr(check, "package_path", lambda *_: ROOT)
    monkeypatch.setattr(check, "unpacked_go", lambda *_: GO)
    monkeypatch.setattr(check, "bring", lambda *_: None)
    monkeypatch.setattr(gomod, "fresh_sums", lambda *_: (fresh, True))
    monkeypatch.setattr(gotool, "obtain", obtain)
    mirrors: Any = lambda: None  # noqa: E731
    return check._go(FakeShell(), places, replace(LOCKS, go=done), mirrors, QUIET)


def test_a_check_asks_who_vouches(checkout: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """It believes no locked sum, but where the database can't be asked; that is told then."""
    given: list[Any] = []

    def obtain(*arguments: Any) -> gotool.Toolchain:
        given.append(arguments[3])
        return toolchain(*arguments)

    assert checked(checkout, monkeypatch, obtain) == []
    assert given == [()]


def test_a_check_without_the_database(checkout: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database can't be asked the locked sums are held against the proxy's bytes."""
    given: list[Any] = []

    def obtain(*arguments: Any) -> gotool.Toolchain:
        given.append(arguments[3])
        if not arguments[3]:
            raise gotool.Unasked("nobody vouches")
        return toolchain(*arguments)

    assert checked(checkout, monkeypatch, obtain) == []
    assert [len(sums) for sums in given] == [0, 2]


@pytest.mark.parametrize("what", ["sums", "folder"])
def test_a_check_finds_a_falsified_go(
    checkout: Places, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Other sums than the database's are found, and so is another hash of the folder."""

    def obtain(*arguments: Any) -> gotool.Toolchain:
        if what == "folder":
            return replace(toolchain(*arguments), sha256="0" * 64)
        made = toolchain(*arguments)
        return replace(made, sums=(made.sums[0].replace("one", "evil"), made.sums[1]))

    (finding,) = checked(checkout, monkeypatch, obtain)

    assert finding.name == ("golang.org/toolchain" if what == "sums" else "go-toolchain")
