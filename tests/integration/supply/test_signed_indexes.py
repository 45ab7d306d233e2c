"""apt checks an archive's signatures, and a package that was falsified is found in its index."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from slipway import config
from slipway.audit.debian import newer
from slipway.audit.values import Severity
from slipway.errors import FetchError, LockError
from slipway.report import Report
from slipway.shell import LocalShell
from slipway.supply import check, download, wheels
from slipway.supply.apt import Apt, suites
from slipway.supply.debian import as_download
from slipway.supply.locks import DebianLock, Package, Wheel
from slipway.supply.mirrors import Mirrors

CONFIG = config.load(Path(__file__).parents[3])
POOL = "pool/main/t/tool/tool_1.0_amd64.deb"
GOOD, EVIL = b"!<arch>\ngood", b"!<arch>\nevil"


class Quiet(SimpleHTTPRequestHandler):
    """A file server that says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def gpg(home: Path, *arguments: str, data: bytes = b"") -> bytes:
    argv = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    done = subprocess.run(
        [*argv, "--passphrase", "", *arguments],
        input=data,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return done.stdout


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def stanza(version: str) -> str:
    """The index entry of a version of the one package."""
    text = f"Package: tool\nVersion: {version}\nArchitecture: amd64\nFilename: {POOL}\n"
    return f"{text}Size: {len(GOOD)}\nSHA256: {sha256(GOOD)}\nDescription: a tool\n\n"


def publish_suite(folder: Path, home: Path, suite: str, text: bytes) -> None:
    """A suite with this index, signed."""
    index = folder / "main/binary-amd64/Packages.gz"
    index.parent.mkdir(parents=True, exist_ok=True)
    index.write_bytes(gzip.compress(text))
    release = f"Origin: Test\nSuite: {suite}\nCodename: {suite}\nComponents: main\n"
    release += "Architectures: amd64\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n"
    for name, data in (("Packages", text), ("Packages.gz", index.read_bytes())):
        release += f" {sha256(data)} {len(data)} main/binary-amd64/{name}\n"
    signed = folder / "InRelease"
    # A server tells its age by whole seconds, and apt asks only for what is newer.
    later = signed.stat().st_mtime + 60 if signed.exists() else time.time()
    signed.write_bytes(gpg(home, "--clearsign", data=release.encode()))
    os.utime(signed, (later, later))


def publish(root: Path, home: Path) -> None:
    """An archive with one package, signed."""
    for archive, suite in suites(CONFIG.release):
        text = stanza("1.0").encode() if suite == CONFIG.release else b""
        publish_suite(root / archive / "dists" / suite, home, suite, text)
    package = root / "debian" / POOL
    package.parent.mkdir(parents=True)
    package.write_bytes(GOOD)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[tuple[Path, Apt, Mirrors]]:
    """An archive on the loopback, and a private apt that trusts its key."""
    root, home, keys = tmp_path / "www", tmp_path / "gpg", tmp_path / "keys.gpg"
    home.mkdir(mode=0o700)
    gpg(home, "--quick-generate-key", "slipway test", "ed25519", "sign", "never")
    keys.write_bytes(gpg(home, "--export"))
    publish(root, home)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    mirrors = Mirrors(f"{base}/debian", f"{base}/debian-security")
    try:
        yield root, Apt(LocalShell(), tmp_path / "apt", CONFIG, mirrors, keyring=keys), mirrors
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


def lock_of(package: Package) -> DebianLock:
    return DebianLock({}, (), {"tool": package}, {"image.x": ("tool",)}, "0" * 64)


def test_a_falsified_package_is_found(archive: tuple[Path, Apt, Mirrors], tmp_path: Path) -> None:
    """Other bytes on the mirror, their hash in the lock: fetched, but no signed index has them."""
    root, apt, mirrors = archive
    apt.update()
    (honest,) = apt.listed({"tool"})
    falsified = replace(honest, sha256=sha256(EVIL), size=len(EVIL))
    (root / "debian" / POOL).write_bytes(EVIL)

    wanted = [as_download(falsified, mirrors, "")]
    progress = Report(quiet=True).progress("x", 1)
    came, gone = download.fetch_all(wanted, tmp_path / "downloads", progress)
    (finding,) = check.compare_debian(lock_of(falsified), apt.listed({"tool"}))

    assert gone == {} and came[0].read_bytes() == EVIL  # the lock alone does not save anybody
    assert sha256(GOOD) in finding.what and sha256(EVIL) in finding.what
    assert check.compare_debian(lock_of(honest), apt.listed({"tool"})) == []


def test_a_falsified_index_is_refused(archive: tuple[Path, Apt, Mirrors]) -> None:
    """An index whose bytes are not the signed ones is refused by apt."""
    root, apt, _ = archive
    index = root / "debian/dists" / CONFIG.release / "main/binary-amd64/Packages.gz"
    index.write_bytes(gzip.compress(gzip.decompress(index.read_bytes()).replace(b"1.0", b"6.6")))

    with pytest.raises(LockError, match="apt could not update"):
        apt.update()


def test_a_foreign_signature_is_refused(archive: tuple[Path, Apt, Mirrors], tmp_path: Path) -> None:
    """An archive that somebody else signed is refused by apt."""
    root, apt, _ = archive
    home = tmp_path / "other"
    home.mkdir(mode=0o700)
    gpg(home, "--quick-generate-key", "somebody else", "ed25519", "sign", "never")
    signed = root / "debian/dists" / CONFIG.release / "InRelease"
    text = signed.read_text().split("\n\n", 1)[1].split("-----BEGIN PGP SIGNATURE")[0]
    signed.write_bytes(gpg(home, "--clearsign", data=text.encode()))

    with pytest.raises(LockError, match="apt could not update"):
        apt.update()


def test_an_audit_sees_a_security_update(
    archive: tuple[Path, Apt, Mirrors], tmp_path: Path
) -> None:
    """What the security archive signs as newer is a finding; before that there was none."""
    root, apt, _ = archive
    apt.update()
    (locked,) = apt.listed({"tool"})
    assert newer(lock_of(locked), apt.listed({"tool"})) == []
    suite = f"{CONFIG.release}-security"
    folder = root / "debian-security/dists" / suite
    publish_suite(folder, tmp_path / "gpg", suite, stanza("1.0+deb13u1").encode())

    apt.update()
    (found,) = newer(lock_of(locked), apt.listed({"tool"}))

    assert (found.severity, found.fixed) == (Severity.HIGH, "1.0+deb13u1")
    assert found.where == ("image.x",)


def test_a_falsified_wheel_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that offers other bytes than the locked ones: pip takes them not, and says so."""
    wheel = tmp_path / "index/a-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("a-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n")
        file.writestr("a-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    locked = Wheel("a", "1.0", wheel.name, wheel.stat().st_size, sha256(wheel.read_bytes()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    (came,) = wheels.download(LocalShell(), [locked], "3.13", tmp_path / "good")
    assert came.read_bytes() == wheel.read_bytes()

    with zipfile.ZipFile(wheel, "a") as file:
        file.writestr("a/evil.py", "")

    with pytest.raises(FetchError, match="pip could not fetch the locked wheels") as caught:
        wheels.download(LocalShell(), [locked], "3.13", tmp_path / "evil")
    assert any("DO NOT MATCH" in line or "hash" in line.lower() for line in caught.value.details)
