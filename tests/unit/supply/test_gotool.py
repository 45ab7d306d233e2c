"""The Go that builds: which one it is, what of it is kept, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from slipway.doors import Completed
from slipway.errors import FetchError, LockError
from slipway.supply import gotool, news
from slipway.testing import FakeShell

ROOT = Path(__file__).parents[3]
GO = Path("/first/bin/go")
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
