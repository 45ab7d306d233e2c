"""The Go that builds: which one it is, what of it is kept, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway import config
from slipway.doors import Completed
from slipway.errors import FetchError, LockError
from slipway.report import Report
from slipway.supply import check, fetch, gomod, gotool, lock, news
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
ZIP = "golang.org/toolchain v0.0.1-go1.99.1.linux-amd64"
SUMS = (f"{ZIP} h1:one=", f"{ZIP}/go.mod h1:two=")


def test_the_committed_modules_name_it_and_have_its_sums() -> None:
    """The version stands in go.mod alone, and its two sums stand in go.sum where Go sorts them."""
    text = (ROOT / "nix/go/go.sum").read_text()

    sums = gotool.sums_of(text, gotool.named(ROOT / "nix/go"))

    assert len(sums) == 2
    assert gotool.with_sums(text, sums) == text
    assert gotool.with_sums(gotool.with_sums(text, ()), sums) == text
    assert gotool.sums_of(text, "go1.2.3") == ()


@pytest.mark.parametrize(
    ("mod", "what"),
    [
        ("module m\n\ngo 1.26.0\n", "names no Go to build with"),
        ("module m\n\ntoolchain default\n", "names default, which is no release of Go"),
        ("module m\n\ntoolchain go1.27rc1\n", "names go1.27rc1, which is no release of Go"),
    ],
)
def test_what_names_no_release_is_refused(tmp_path: Path, mod: str, what: str) -> None:
    """A go.mod has to name the very Go that builds."""
    (tmp_path / "go.mod").write_text(mod)

    with pytest.raises(LockError, match=what):
        gotool.named(tmp_path)


def test_another_version_is_named_and_nothing_else_changes() -> None:
    """Only the line of the Go that builds is another."""
    text = "go 1.26.0\n\ntoolchain go1.26.8\n\n// toolchain go1.26.8 is not it\n"

    assert gotool.renamed(text, "go1.26.9") == text.replace(
        "\ntoolchain go1.26.8", "\ntoolchain go1.26.9"
    )


def test_other_sums_of_it_are_replaced() -> None:
    """Of toolchains only the sums of the one that builds stay."""
    old = "a.b/c v1 h1:x=\ngolang.org/toolchain v0.0.1-go1.1.1.linux-amd64 h1:y=\nz.z/z v1 h1:z=\n"

    assert gotool.with_sums(old, SUMS).splitlines() == ["a.b/c v1 h1:x=", *SUMS, "z.z/z v1 h1:z="]


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("VERSION", True),
        ("bin/go", True),
        ("pkg/tool/linux_amd64/compile", True),
        ("src/_go.mod", True),
        ("src/net/http/server.go", True),
        ("src/net/http/server_test.go", False),
        ("src/net/http/testdata/file", False),
        ("src/crypto/md5/_asm/md5block_amd64_asm.go", False),
        ("src/cmd/go/main.go", False),
        ("test/fixedbugs/bug1.go", False),
        ("lib/time/zoneinfo.zip", False),
        ("src/../../outside", False),
    ],
)
def test_what_builds_is_kept(path: str, kept: bool) -> None:
    """The programs and the library are, tests and the sources of the programs are not."""
    assert gotool.kept(path.split("/")) is kept


@pytest.mark.parametrize(
    ("versions", "newest", "warned"),
    [
        (["go1.26.9"], "go1.26.9", False),
        (["go1.26.10", "go1.26.9", "go1.26.11rc1", "go1.27.4"], "go1.26.10", False),
        (["go1.24.4", "go1.26.3"], "go1.26.8", False),
        (["go1.27.0", "go1.28.0"], "go1.26.8", True),
        (["go1.27.0", "go1.28rc1"], "go1.26.8", False),
    ],
)
def test_the_newest_release_of_a_line(versions: list[str], newest: str, warned: bool) -> None:
    """The highest number counts, and never an older one; two lines later a warning comes."""
    found, told = gotool.newest_of("go1.26.8", versions)

    assert found == newest
    assert bool(told) is warned


def archive() -> bytes:
    """A toolchain as Go's proxies serve it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for path in ("bin/go", "src/_go.mod", "src/a/a.go", "src/a/a_test.go", "doc/x"):
            zipped.writestr(f"golang.org/toolchain@v0.0.1-go1.99.1.linux-amd64/{path}", path)
    return made.getvalue()


class Machine(FakeShell):
    """A shell with a Go that downloads :func:`archive`, and a store that takes it."""

    def __init__(self, tmp_path: Path, said: dict[str, str] | None = None) -> None:
        super().__init__()
        file = tmp_path / "t.zip"
        file.write_bytes(archive())
        good = {"Zip": str(file), "Sum": "h1:one=", "GoModSum": "h1:two="}
        self.added: dict[str, tuple[str, int]] = {}
        self.known: list[str] = []
        self.on(str(GO), "mod", "download", reply=json.dumps(said or good))
        self.on("nix-store", "--add-fixed", reply=self.add)
        self.on("nix-hash", reply="d" * 64)

    def run(self, argv: Any, **keywords: Any) -> Completed:
        """Note what Go knows of sums."""
        if argv[0] == str(GO):
            self.known = (Path(keywords["cwd"]) / "go.sum").read_text().splitlines()
        return super().run(argv, **keywords)

    def add(self, call: tuple[str, ...], _: bytes) -> str:
        tree = Path(call[-1])
        self.added = {
            path.relative_to(tree).as_posix(): (path.read_text(), path.stat().st_mode & 0o777)
            for path in tree.rglob("*")
            if path.is_file()
        }
        return f"/nix/store/x-{tree.name}"


def test_a_toolchain_is_made_as_go_makes_it(tmp_path: Path) -> None:
    """Programs can be run, go.mod has its name, and nothing is left behind."""
    shell, scratch = Machine(tmp_path), tmp_path / "scratch"

    made = gotool.obtain(shell, GO, "go1.99.1", SUMS, scratch)

    assert shell.added == {
        "bin/go": ("bin/go", 0o755),
        "src/go.mod": ("src/_go.mod", 0o644),
        "src/a/a.go": ("src/a/a.go", 0o644),
    }
    assert made == gotool.Toolchain("/nix/store/x-go-toolchain", "d" * 64, SUMS)
    assert made.program == Path("/nix/store/x-go-toolchain/bin/go")
    assert shell.known == list(SUMS)
    assert list(scratch.iterdir()) == []
    given = shell.environments[0]
    assert given["GOTOOLCHAIN"] == "local"
    assert Path(given["GOMODCACHE"]).is_relative_to(scratch)


@pytest.mark.parametrize(
    ("why", "message", "kind"),
    [
        ("verifying x: checksum mismatch\n\tdownloaded: h1:a=", "other bytes", FetchError),
        ("initializing sumdb.Client: refused", "nobody vouches for Go 1.99.1", gotool.Unasked),
        ("checksum database disabled by GOSUMDB=off", "nobody vouches", gotool.Unasked),
        ("404 Not Found", "Go 1.99.1, which builds our programs, can't be had", FetchError),
    ],
)
def test_what_nobody_vouches_for_is_refused(
    tmp_path: Path, why: str, message: str, kind: type[FetchError]
) -> None:
    """Each reason has its sentence, and nothing gets into the store."""
    shell = Machine(tmp_path, {"Path": "golang.org/toolchain", "Error": why})

    with pytest.raises(FetchError, match=message) as caught:
        gotool.obtain(shell, GO, "go1.99.1", (), tmp_path)

    assert type(caught.value) is kind
    assert caught.value.details[0] == why.splitlines()[0]
    assert caught.value.hint
    assert shell.added == {}


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


def test_another_go_is_news() -> None:
    """An update tells the version before and the new one, and nothing when it is the same."""
    (change,) = news.of_go("go1.26.8", "go1.26.9")

    assert (change.lock, change.names, change.old, change.new) == (
        "go",
        ("go",),
        "1.26.8",
        "1.26.9",
    )
    assert news.of_go("go1.26.9", "go1.26.9") == []
