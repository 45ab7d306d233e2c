"""A real Go fetches another one from a proxy, and takes none that nobody vouches for."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from slipway.errors import FetchError
from slipway.shell import LocalShell
from slipway.supply import gotool
from slipway.supply.fetch import read_locks
from slipway.supply.lock import go_packages, unpacked_go
from slipway.supply.places import Places

ROOT = Path(__file__).parents[3]
LOCKS = read_locks(Places(ROOT))
RELEASE, NEWER = "v0.0.1-go1.99.1.linux-amd64", "v0.0.1-go1.99.2.linux-amd64"
FILES = {"VERSION": b"go1.99.1\n", "bin/go": b"#!/bin/sh\n", "src/_go.mod": b"module std\n"}
MOD = b"module golang.org/toolchain\n"


class Quiet(SimpleHTTPRequestHandler):
    """A file server that says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def h1(files: dict[str, bytes]) -> str:
    """Go's hash of files (``golang.org/x/mod/sumdb/dirhash``, ``Hash1``)."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def archive(files: dict[str, bytes]) -> tuple[bytes, str]:
    """A module's archive of these files, and its sum."""
    named = {f"golang.org/toolchain@{RELEASE}/{name}": data for name, data in files.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name, data in named.items():
            zipped.writestr(name, data)
    return made.getvalue(), h1(named)


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a proxy on loopback that has one release of Go; there is no database."""
    folder = tmp_path / "proxy"
    served = folder / "golang.org/toolchain/@v"
    served.mkdir(parents=True)
    served.joinpath("list").write_text(f"{RELEASE}\n{NEWER}\n")
    for release in (RELEASE, NEWER):
        said = json.dumps({"Version": release, "Time": "2026-01-01T00:00:00Z"})
        served.joinpath(f"{release}.info").write_text(said)
    served.joinpath(f"{RELEASE}.mod").write_bytes(MOD)
    served.joinpath(f"{RELEASE}.zip").write_bytes(archive(FILES)[0])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GOPROXY", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("GOSUMDB", "off")
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def first() -> Path:
    """Debian's Go, which fetches."""
    if not all(Path(package.file.path).exists() for package in go_packages(LOCKS.debian)):
        pytest.skip("Debian's Go is not in the store: a cache had the one that builds")
    return unpacked_go(LOCKS.debian, Places(ROOT))


def sums() -> tuple[str, str]:
    """What ``go.sum`` says of the release."""
    key = f"golang.org/toolchain {RELEASE}"
    return f"{key} {archive(FILES)[1]}", f"{key}/go.mod {h1({'go.mod': MOD})}"


@pytest.fixture(params=["first", "builds"])
def go(request: pytest.FixtureRequest) -> Path:
    """Any Go: the one that fetches, and the one that builds."""
    if request.param == "builds":
        return gotool.program(LOCKS.go.toolchain.path)
    found: Path = request.getfixturevalue("first")
    return found


def test_a_go_whose_sums_are_locked_needs_no_database(
    proxy: Path, first: Path, tmp_path: Path
) -> None:
    """With its sums in go.sum it comes into the store, though no database can be asked."""
    assert proxy.exists()

    made = gotool.obtain(LocalShell(), first, "go1.99.1", sums(), tmp_path / "scratch")

    try:
        tree = Path(made.path)
        found = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
        assert found == {"VERSION", "bin/go", "src/go.mod"}
        assert made.program.stat().st_mode & 0o111
        assert made.sums == sums()
    finally:
        subprocess.run(
            ["nix-store", "--delete", made.path], check=True, timeout=120, capture_output=True
        )


def test_a_go_that_nobody_vouches_for_is_refused(proxy: Path, go: Path, tmp_path: Path) -> None:
    """Without sums and without the database no byte of it gets into the store."""
    assert proxy.exists()

    with pytest.raises(gotool.Unasked, match=r"nobody vouches for Go 1\.99\.1"):
        gotool.obtain(LocalShell(), go, "go1.99.1", (), tmp_path)
    with pytest.raises(gotool.Unasked, match=r"nobody vouches for Go 1\.99\.1"):
        gotool.obtain(LocalShell(), go, "go1.99.1", sums()[:1], tmp_path)


def test_a_falsified_go_is_refused(proxy: Path, first: Path, tmp_path: Path) -> None:
    """One with another byte than its sum says is refused, and the error has both sums."""
    evil, found = archive(FILES | {"bin/go": b"#!/bin/evil\n"})
    proxy.joinpath(f"{RELEASE}.zip").write_bytes(evil)

    with pytest.raises(FetchError, match=r"other bytes than go\.sum") as caught:
        gotool.obtain(LocalShell(), first, "go1.99.1", sums(), tmp_path)

    assert any(found in line for line in caught.value.details)


def test_a_go_that_the_proxy_lacks_can_not_be_had(proxy: Path, go: Path, tmp_path: Path) -> None:
    """It is said so, with the proxy's answer."""
    assert proxy.exists()

    with pytest.raises(FetchError, match=r"Go 1\.99\.3, which .*, can't be had"):
        gotool.obtain(LocalShell(), go, "go1.99.3", (), tmp_path)


def test_the_newest_release_is_asked_of_the_proxy(
    proxy: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of the proxy tells it; a proxy that can't be reached is told."""
    assert proxy.exists()
    assert gotool.newest(LocalShell(), go, "go1.99.1", tmp_path) == ("go1.99.2", None)

    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:1")
    with pytest.raises(FetchError, match="does not say which releases"):
        gotool.newest(LocalShell(), go, "go1.99.1", tmp_path)


def test_the_locked_go_is_the_one_that_go_mod_names() -> None:
    """What lies in the store under the locked hash says the very version."""
    done = subprocess.run(
        [str(gotool.program(LOCKS.go.toolchain.path)), "version"],
        env={"GOTOOLCHAIN": "local"},
        check=True,
        capture_output=True,
        timeout=60,
    )

    assert done.stdout.decode().split()[2] == gotool.named(ROOT / "nix/go")
