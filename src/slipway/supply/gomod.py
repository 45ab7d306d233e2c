"""Go modules: locked by Go's own ``go.mod`` and ``go.sum``, vendored by the Go that builds them.

That one is fetched by Debian's static Go from the lock (:mod:`slipway.supply.gotool`), so that
nothing depends on what the machine has. Modules come from the proxy that Go is set to.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import CommandFailed, FetchError
from slipway.supply import deb, store
from slipway.supply.locks import GoLock


def modules_hash(folder: Path) -> str:
    """The hash of ``go.mod`` and ``go.sum``, hex."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        path = folder / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def unpack_go(packages: Sequence[Path], target: Path) -> Path:
    """Unpack Debian's Go and return the path of its ``go`` program."""
    for package in packages:
        with deb.open_data(package.read_bytes()) as tar:
            deb.extract(tar, (member for member in tar if _is_kept(member)), target)
    return next((target / "usr/lib").glob("go-*/bin/go"))


def _is_kept(member: tarfile.TarInfo) -> bool:
    inside = ".." not in member.name.split("/") and not member.name.startswith("/")
    return inside and "/share/doc/" not in member.name


def vendor(shell: Shell, go: Path, folder: Path, *, tidy: bool) -> str:
    """Vendor the modules of ``folder`` and add the tree to the store.

    Args:
        go: the program to run.
        folder: where ``go.mod`` is.
        tidy: bring ``go.mod`` and ``go.sum`` up to date first (when locking).

    Returns:
        The tree's NAR hash, hex.

    Raises:
        FetchError: a module can't be had, or its hash is not the one in ``go.sum``.
    """
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "go-vendor"
        flags = "-mod=mod" if tidy else "-mod=readonly"
        try:
            if tidy:
                _go(shell, go, ["mod", "tidy"], folder, flags)
            _go(shell, go, ["mod", "vendor", "-o", str(tree)], folder, flags)
        except CommandFailed as error:
            raise _failed(error) from error
        (path,) = store.add(shell, [tree], recursive=True)
        return store.nar_sha256(shell, path)


def _go(
    shell: Shell, go: Path, argv: Sequence[str], folder: Path, flags: str, **variables: str
) -> None:
    env = {"GOROOT": str(go.parent.parent), "GOTOOLCHAIN": "local", "GOWORK": "off"}
    env |= {"GOFLAGS": flags, **variables}
    shell.run([str(go), *argv], timeout=900, env=env, cwd=str(folder))


def _failed(error: CommandFailed) -> FetchError:
    return FetchError(
        "Go could not fetch the locked modules",
        details=error.details,
        hint="is the proxy that Go is set to reachable?",
        stage="fetch",
    )


def fresh_sums(shell: Shell, go: Path, folder: Path, cache: Path) -> tuple[str, bool]:
    """The ``go.sum`` that Go writes for ``go.mod`` when it has none.

    Args:
        go: the program to run.
        folder: where ``go.mod`` is.
        cache: where modules are kept; only ever filled here, so that no locked sum was believed.

    Returns:
        Its text, and whether Go's checksum database vouched for it. Where that can't be reached
        the sums are those of what the proxy sends.

    Raises:
        FetchError: a module can't be had.
    """
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "modules"
        shutil.copytree(folder, copy)
        (copy / "go.sum").unlink(missing_ok=True)
        # Without the last flag nobody could simply remove the folder.
        flags, own = "-mod=mod -modcacherw", {"GOMODCACHE": str(cache)}
        vouched = True
        try:
            try:
                _go(shell, go, ["mod", "tidy"], copy, flags, **own)
            except CommandFailed as error:
                if not any("sumdb" in line for line in error.details):
                    raise
                vouched = False
                _go(shell, go, ["mod", "tidy"], copy, flags, **own, GOSUMDB="off")
        except CommandFailed as error:
            raise _failed(error) from error
        return (copy / "go.sum").read_text("utf-8"), vouched


def check(lock: GoLock, folder: Path) -> None:
    """Refuse a lock that was made for another ``go.mod``.

    Raises:
        FetchError: it was.
    """
    if lock.modules_sha256 != modules_hash(folder):
        raise FetchError(
            "nix/go/go.mod or go.sum changed since the lock was made",
            hint="./inv lock --only go",
            stage="fetch",
        )
