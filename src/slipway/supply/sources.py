"""The files that a build reads: which they are, what git says about them, what they hold.

A build reads them from the checkout's folder, not through git: what git does not know yet is in it,
what git ignores is not. A flake takes only what git knows, so the difference is named
(:func:`unknown_text`). Without ``.git``, as in an unpacked archive, everything counts.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from slipway.config import Config
from slipway.doors import Completed, Shell
from slipway.errors import CommandFailed, SupplyError

# Parts of the checkout that every evaluation reads, besides those that slipway.toml names.
_ALWAYS: Final = ("nix", "slipway.toml", "src/slipway/supply/elf.py")
_TOOLS: Final = ("nix", "slipway.toml")
_FLAKE: Final = ("flake.nix", "flake.lock")
#: Git for reading a checkout, also one of another user's: who runs its ``./inv`` trusts it already.
GIT: Final = ("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false")
_TIMEOUT_S: Final = 60.0
_NAMED: Final = 8
# As nix/lib/sources.nix has it; tests/cases/leftovers.json holds both to the same.
_LEFT_BEHIND: Final = re.compile(
    r"__pycache__|\.git|\.DS_Store|.*\.pyc|.*~|\..*\.sw[a-p]|\.#.*|#.*#", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a build reads.

    Attributes:
        paths: files and folders below the checkout, relative to it, sorted.
        unknown: files among them that git does not know yet; they are part of the build.
        left_out: files and folders among them that git ignores; they are not.
    """

    paths: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def source_paths(settings: Config) -> tuple[str, ...]:
    """The parts of a checkout that Nix reads; what isn't below them can't change a build. Pure."""
    files = [path for image in settings.images.values() for path in image.files.values()]
    return tuple(sorted({path.rstrip("/") for path in (*_ALWAYS, settings.source, *files)}))


def of_tools(sources: Sources) -> Sources:
    """The part of them that programs built for slipway itself follow from. Pure."""
    return Sources(
        tuple(path for path in sources.paths if path in _TOOLS),
        left_out=tuple(path for path in sources.left_out if path.split("/")[0] in _TOOLS),
    )


def read_sources(shell: Shell, root: Path, settings: Config) -> Sources:
    """Ask git about the files that a build reads.

    Args:
        shell: where git runs.
        root: the checkout.
        settings: ``slipway.toml``.

    Raises:
        SupplyError: there is a ``.git`` that git can't read, so that what it ignores, such as a
            file with a secret, can't be told from the rest.
    """
    paths = source_paths(settings)
    if not (root / ".git").exists() and not _inside_of_git(shell, root):
        return Sources(paths)
    # A flake's own files are named when git does not know them, though the build reads none.
    new = unknown_files(shell, root, (*paths, *_FLAKE))
    ignored = _listed(
        shell,
        root,
        *("--others", "--ignored", "--exclude-standard", "--directory", "--", *paths),
    )
    return Sources(
        paths,
        new,
        tuple(one.rstrip("/") for one in ignored if not _is_byte_code(one)),
    )


def unknown_files(shell: Shell, root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """The files below ``paths`` that git neither knows nor ignores, but for leftovers.

    Raises:
        SupplyError: git can't be run, or can't read the checkout.
    """
    new = _listed(shell, root, "--others", "--exclude-standard", "--", *paths)
    return tuple(one for one in new if not any(is_leftover(part) for part in one.split("/")))


def is_leftover(name: str) -> bool:
    """Whether a file of that name is left by a program or an editor and is part of no source."""
    return _LEFT_BEHIND.fullmatch(name) is not None


def unknown_text(unknown: Sequence[str]) -> str:
    """The warning about files that git does not know yet. Pure."""
    return (
        f"git does not know yet: {_few(unknown)}. ./inv builds with them; `nix build .#…` and a "
        "fresh clone go without them until `git add`"
    )


def ignored_text(left_out: Sequence[str]) -> str:
    """The warning about files that git ignores, and so does the build; empty for none. Pure.

    Hidden ones are where editors and tools keep what is theirs: nobody expects them in an image.
    """
    missed = [one for one in left_out if not one.rpartition("/")[2].startswith(".")]
    return f"git ignores, and so no image has: {_few(missed)}" if missed else ""


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def digest(root: Path, sources: Sources) -> str:
    """What all files of a build hold, as 64 hex digits: equal for the same names and bytes.

    Links are followed, so that what lies behind them counts too. Byte code does not count.

    Raises:
        SupplyError: a file can't be read.
    """
    total = hashlib.sha256()
    try:
        for path in sources.paths:
            for kind, name, content in _walk(str(root), path):
                total.update(f"{kind} {len(name)} {len(content)} ".encode())
                total.update(name)
                total.update(content)
    except OSError as error:
        raise SupplyError(
            f"{error.filename} can't be read: {error.strerror}; nothing was built",
            hint="every file that a build reads must be readable",
            stage="build",
        ) from error
    for path in sources.left_out:
        total.update(f"out {path}\0".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _walk(root: str, path: str, depth: int = 0) -> Iterator[tuple[str, bytes, bytes]]:
    """Kind, name and content of a path and of everything below it, in one order everywhere."""
    place, name = f"{root}/{path}", os.fsencode(path)
    found = _stat(place, follow=False)
    if found is not None and stat.S_ISLNK(found.st_mode):
        yield "link", name, os.fsencode(os.readlink(place))
        found = _stat(place, follow=True)
        if found is None or depth > 8:
            return
        depth += 1
    if found is None:
        yield "none", name, b""
    elif stat.S_ISDIR(found.st_mode):
        yield "folder", name, b""
        for child in sorted(os.listdir(place)):
            if not _is_byte_code(child) and child != ".git":
                yield from _walk(root, f"{path}/{child}", depth)
    elif stat.S_ISREG(found.st_mode):
        kind = "program" if os.access(place, os.X_OK) else "file"
        with open(place, "rb") as stream:
            yield kind, name, hashlib.sha256(stream.read()).digest()
    else:
        yield "none", name, b""


def _stat(place: str, *, follow: bool) -> os.stat_result | None:
    """What is there; None for nothing, and for a link that leads nowhere."""
    try:
        return os.stat(place, follow_symlinks=follow)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_byte_code(path: str) -> bool:
    return path.endswith(".pyc") or path.rstrip("/").rpartition("/")[2] == "__pycache__"


def _inside_of_git(shell: Shell, root: Path) -> bool:
    """Whether a checkout without a ``.git`` of its own is a folder that a repository has."""
    try:
        return bool(_git(shell, root, "ls-files", "--", "slipway.toml").stdout)
    except CommandFailed:
        return False


def _listed(shell: Shell, root: Path, *arguments: str) -> tuple[str, ...]:
    try:
        done = _git(shell, root, "ls-files", "-z", *arguments)
    except CommandFailed as error:
        raise SupplyError(
            f"git can't be run: {error.message}; what it ignores in this checkout is not known, so "
            "nothing was built",
            hint="install git",
            stage="build",
        ) from error
    if not done.ok:
        raise _unreadable(root, done.error_text)
    return tuple(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)


def _git(shell: Shell, root: Path, *arguments: str) -> Completed:
    return shell.run(
        [*GIT, *arguments],
        timeout=_TIMEOUT_S,
        cwd=str(root),
        env={"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        check=False,
    )


def _unreadable(root: Path, said: str) -> SupplyError:
    lines = [line for line in said.splitlines() if line.strip()]
    if "dubious ownership" in said or "safe.directory" in said:
        return SupplyError(
            f"{root} belongs to another user, so git does not read it; nothing was built",
            hint=f"git config --global --add safe.directory {shlex.quote(str(root))}",
            stage="build",
        )
    return SupplyError(
        "git can't read this checkout, and what it ignores must not get into an image; nothing was "
        "built",
        hint="git status",
        stage="build",
        details=lines[-5:],
    )
