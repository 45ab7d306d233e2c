"""The Go that builds: the version that ``nix/go/go.mod`` names, made a folder in the store.

Go's proxies serve its own distributions as versions of a module, :data:`MODULE`, and Go fetches
them as it fetches any (``cmd/go/internal/toolchain`` and ``modfetch/toolchain.go`` in Go's source).
Without sums in ``go.sum`` Go takes none that its checksum database does not vouch for, whatever
``GOSUMDB`` says; with them Debian's Go, which fetches, needs no database (``checkModSum`` in
``modfetch/fetch.go``). A Go of 2026 asks the database all the same, and a failed question refuses.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.doors import Shell
from slipway.errors import FetchError, LockError
from slipway.supply import store

MODULE = "golang.org/toolchain"
NAME = "go-toolchain"
_LINE = re.compile(r"^toolchain[ \t]+(\S+)[ \t]*$", re.MULTILINE)
_RELEASE = re.compile(r"go(1\.\d+)\.(\d+)\Z")
_TOPS = frozenset({"LICENSE", "PATENTS", "VERSION", "bin", "go.env", "pkg", "src"})
#: How many lines, the newest among them, get fixes (Go's release policy).
_SUPPORTED = 2


class Unasked(FetchError):
    """Go's checksum database can't be asked, so nobody vouches for a toolchain."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Go in the store.

    Attributes:
        path: its store path.
        sha256: of its NAR, hex.
        sums: its lines of ``go.sum``.
    """

    path: str
    sha256: str
    sums: tuple[str, ...]

    @property
    def program(self) -> Path:
        """The ``go`` program."""
        return program(self.path)


def program(path: str) -> Path:
    """The ``go`` program of a toolchain's store path."""
    return Path(path) / "bin/go"


def named(folder: Path) -> str:
    """The version that a folder's ``go.mod`` names, such as ``go1.26.9``.

    Raises:
        LockError: it names none, or no release.
    """
    found = _LINE.search((folder / "go.mod").read_text("utf-8"))
    if found and _RELEASE.match(found[1]):
        return found[1]
    what = f"names {found[1]}, which is no release of Go" if found else "names no Go to build with"
    raise LockError(
        f"nix/go/go.mod {what}",
        hint="it takes a line such as `toolchain go1.26.9`, then ./inv lock --only go",
        stage="lock",
    )


def renamed(mod: str, version: str) -> str:
    """The text of a ``go.mod`` with another version of Go to build with."""
    return _LINE.sub(f"toolchain {version}", mod, count=1)


def sums_of(text: str, version: str) -> tuple[str, ...]:
    """The lines of a ``go.sum`` that are a version's of Go."""
    release = _release(version)
    return tuple(
        line
        for line in text.splitlines()
        if line.split(" ")[0] == MODULE and line.split(" ")[1].split("/")[0] == release
    )


def with_sums(text: str, sums: Iterable[str]) -> str:
    """The text of a ``go.sum`` with these lines as its only ones of a toolchain.

    ``go mod tidy`` takes them out, as no module needs them; they go where Go would sort them.
    """
    others = [line for line in text.splitlines() if line.split(" ")[0] != MODULE]
    lines = sorted([*others, *sums], key=lambda line: line.split(" ")[0])
    return "".join(f"{line}\n" for line in lines)


def _release(version: str) -> str:
    return f"v0.0.1-{version}.linux-amd64"


def obtain(shell: Shell, go: Path, version: str, sums: Sequence[str], scratch: Path) -> Toolchain:
    """Have a Go fetch another one, and add what of it builds to the store.

    Args:
        go: the program that fetches.
        version: of the other, such as ``go1.26.9``.
        sums: its lines of ``go.sum``; with none Go asks its checksum database.
        scratch: a folder to work in; what is made there is removed again.

    Raises:
        Unasked: there are no sums, and the database can't be asked.
        FetchError: it can't be had, or is not what the sums or the database say.
    """
    with _modules(scratch, sums) as folder:
        said = _ask(
            shell, go, folder, ["mod", "download", "-json", f"{MODULE}@{_release(version)}"]
        )
        if "Sum" not in said or "Zip" not in said:
            raise _refused(version, said.get("Error", ""))
        found = (f"{_key(version)} {said['Sum']}", f"{_key(version)}/go.mod {said['GoModSum']}")
        tree = folder / NAME
        _unpack(Path(said["Zip"]), tree)
        (path,) = store.add(shell, [tree], recursive=True)
        return Toolchain(path, store.nar_sha256(shell, path), found)


def _key(version: str) -> str:
    return f"{MODULE} {_release(version)}"


@contextmanager
def _modules(scratch: Path, sums: Sequence[str]) -> Iterator[Path]:
    """A module of no content, with a place for modules of its own: nothing fetched before counts.

    The locked Go that fetches is older than what the real ``go.mod`` asks for.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as temporary:
        folder = Path(temporary)
        (folder / "go.mod").write_text("module slipway.local/toolchain\n\ngo 1.21\n", "utf-8")
        (folder / "go.sum").write_text(with_sums("", sums), "utf-8")
        yield folder


def _ask(shell: Shell, go: Path, folder: Path, argv: Sequence[str]) -> dict[str, Any]:
    """What Go answers in JSON; where it answers nothing, what it complains of as ``Error``."""
    env = {
        "GOROOT": str(go.parent.parent),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        # Without the flag nobody could simply remove the folder.
        "GOFLAGS": "-modcacherw",
        "GOMODCACHE": str(folder / "modules"),
    }
    done = shell.run([str(go), *argv], timeout=900, env=env, cwd=str(folder), check=False)
    try:
        said = json.loads(done.text)
    except ValueError:
        said = {}
    return said if isinstance(said, dict) and said else {"Error": done.error_text}


def _refused(version: str, why: str) -> FetchError:
    details = [line.strip() for line in why.splitlines() if line.strip()]
    if "checksum mismatch" in why:
        return FetchError(
            f"Go {version[2:]} came with other bytes than go.sum or Go's checksum database says; "
            "nothing was built with it",
            details=details,
            hint="somebody tampered with the proxy or with go.sum: look at `git log nix/go/go.sum`",
            stage="fetch",
        )
    if "sumdb" in why or "checksum database" in why:
        return Unasked(
            f"nobody vouches for Go {version[2:]}: Go's checksum database can't be asked, and "
            "go.sum has no sums of it that would do",
            details=details,
            hint="let GOSUMDB name a database in reach, or GOPROXY a proxy that passes it on",
            stage="fetch",
        )
    return FetchError(
        f"Go {version[2:]}, which builds our programs, can't be had",
        details=details,
        hint="is the proxy that Go is set to reachable? `./inv lock --update --only go` takes the "
        "newest release that it has",
        stage="fetch",
    )


def _unpack(archive: Path, target: Path) -> None:
    """Unpack what builds, as Go itself would make a module's archive a toolchain.

    A module's archive has no executable bits, and ``go.mod`` inside of it is called ``_go.mod``.
    """
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            inside = name.partition(f"{MODULE}@")[2].split("/")[1:]
            if not kept(inside):
                continue
            file = "go.mod" if inside[-1] == "_go.mod" else inside[-1]
            path = target.joinpath(*inside[:-1], file)
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(name) as source, path.open("wb") as made:
                shutil.copyfileobj(source, made)
            runs = inside[0] == "bin" or inside[:2] == ["pkg", "tool"]
            path.chmod(0o755 if runs else 0o644)


def kept(inside: Sequence[str]) -> bool:
    """Whether a file of a distribution is one that building takes.

    Go's own programs are there as such, so their sources are not; no tests, and none of the
    folders that Go ignores.

    Args:
        inside: its path below the distribution, part by part.
    """
    if not inside or inside[0] not in _TOPS or ".." in inside or inside[:2] == ["src", "cmd"]:
        return False
    ignored = any(part == "testdata" or part.startswith("_") for part in inside[:-1])
    return not ignored and not inside[-1].endswith("_test.go")


def newest(shell: Shell, go: Path, version: str, scratch: Path) -> tuple[str, str | None]:
    """The newest release of a version's line, and a warning when the line gets no more fixes.

    Args:
        go: the program that asks.
        version: such as ``go1.26.9``.
        scratch: a folder to work in.

    Raises:
        FetchError: the proxy can't be asked.
    """
    with _modules(scratch, ()) as folder:
        said = _ask(shell, go, folder, ["list", "-m", "-versions", "-json", "toolchain"])
    if "Versions" not in said:
        raise FetchError(
            "Go's proxy does not say which releases of Go there are",
            details=str(said.get("Error", "")).splitlines(),
            hint="is the proxy that Go is set to reachable?",
            stage="lock",
        )
    return newest_of(version, said["Versions"])


def newest_of(version: str, versions: Iterable[str]) -> tuple[str, str | None]:
    """As :func:`newest`, of these versions; what is no release is none of them."""
    numbers = [_numbers(one) for one in (version, *versions) if _RELEASE.match(one)]
    line = _numbers(version)[0]
    last = max(number for number in numbers if number[0] == line)
    lines = sorted({number[0] for number in numbers})
    told = None
    if len(lines) - lines.index(line) > _SUPPORTED:
        told = (
            f"Go {line[0]}.{line[1]} gets no more fixes since Go {lines[-1][0]}.{lines[-1][1]} is "
            "out; name a newer one in nix/go/go.mod, then ./inv lock --only go"
        )
    return f"go{last[0][0]}.{last[0][1]}.{last[1]}", told


def _numbers(version: str) -> tuple[tuple[int, int], int]:
    """Line and patch: ``go1.26.9`` is ``((1, 26), 9)``."""
    major, minor, patch = (int(part) for part in version[2:].split("."))
    return (major, minor), patch
