"""Real registries for tests: Debian's ``docker-registry``, which is distribution 2.8.

Importable by any kind of test; a functional one gives it the address by which its host reaches this
machine, and puts :attr:`RegistryServer.authority` where that host's Docker looks for it.
"""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest

_WAIT_S = 20.0


class RegistryServer:
    """A registry of its own, with its folder.

    Args:
        folder: for its data, settings, key and log.
        address: of this machine, where it listens.
        users: names and passwords; anybody may do anything when there are none.
        tls: speak TLS, with a certificate of its own for ``address``.
        token: settings of ``auth.token``, where logins are those of a token server.
        prefix: a program that starts it, with arguments.

    Attributes:
        host: server and port.
        authority: who vouches for it, PEM; only where it speaks TLS.
        data: where it keeps blobs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        address: str = "127.0.0.1",
        users: Mapping[str, str] | None = None,
        tls: bool = False,
        token: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.data = folder, folder / "data"
        self.authority = folder / "server.pem"
        self._address, self._prefix, self._tls = address, tuple(prefix), tls
        self.host = f"{address}:{_free_port(address)}"
        self._process: subprocess.Popen[bytes] | None = None
        http: dict[str, Any] = {"addr": self.host, "secret": "of this test"}
        if tls:
            self._make_key()
            http["tls"] = {
                "certificate": str(self.authority),
                "key": str(folder / "server.key"),
            }
        auth: dict[str, Any] = {"token": dict(token)} if token else {}
        if users:
            lines = [f"{user}:{_hashed(password)}" for user, password in users.items()]
            (folder / "users").write_text("\n".join(lines) + "\n")
            auth = {"htpasswd": {"realm": "tests", "path": str(folder / "users")}}
        settings = {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": str(self.data)}},
            "http": http,
            **({"auth": auth} if auth else {}),
        }
        # JSON is YAML.
        (folder / "config.yml").write_text(json.dumps(settings))

    @property
    def url(self) -> str:
        """The beginning of its URLs."""
        return f"{'https' if self._tls else 'http'}://{self.host}"

    def trust(self) -> ssl.SSLContext:
        """What believes it."""
        return ssl.create_default_context(cafile=self.authority if self._tls else None)

    def start(self) -> None:
        """Begin, and wait until it answers."""
        argv = (*self._prefix, "docker-registry", "serve", str(self.folder / "config.yml"))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)
        with httpx.Client(trust_env=False, verify=self.trust()) as client:
            end = time.monotonic() + _WAIT_S
            while True:
                try:
                    client.get(f"{self.url}/v2/")
                    return
                except httpx.TransportError:
                    assert time.monotonic() < end, f"no registry: {self.said()}"
                    assert self._process.poll() is None, f"the registry ended: {self.said()}"
                    time.sleep(0.05)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it."""
        self._end(signal.SIGTERM)

    def said(self) -> str:
        """The end of what it wrote."""
        return (self.folder / "log").read_text("utf-8", "replace")[-2000:]

    def blobs(self) -> int:
        """How many blobs it keeps, manifests among them."""
        return len(list((self.data / "docker/registry/v2/blobs").glob("*/*/*/data")))

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_WAIT_S)
            self._process = None

    def _make_key(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self.folder / "server.key", "-out", self.authority, "-days", "3",
             "-subj", "/CN=registry", "-addext", f"subjectAltName=IP:{self._address}"],
            check=True, capture_output=True,
        )  # fmt: skip


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[RegistryServer]:
    """A registry that answers, until the end; see :class:`RegistryServer`."""
    server = RegistryServer(folder, **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryServer]:
    """A registry of this machine that asks for no login, without TLS."""
    with running(tmp_path / "registry") as server:
        yield server


def _hashed(password: str) -> str:
    """As ``htpasswd -B`` does it, with few rounds."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


def _free_port(address: str) -> int:
    with socket.create_server((address, 0)) as found:
        return int(found.getsockname()[1])
