"""A certificate of an authority that speaks ACME: Pebble, Let's Encrypt's own server for tests.

It asks for the proof as Let's Encrypt does: by the name, at the port of the edge, which leads it to
the program that asked for the certificate.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from tests.integration.deploy.conftest import MakeRoom, running_edge
from tests.integration.deploy.edges import Edge
from tests.integration.deploy.rooms import APPS, House, wait_for
from tests.integration.deploy.test_edge_tls import PRIVATE, SITE, TLS, end, folder_of, keep, served

NAME = "lessons.example.org"
DIRECTORY = "https://127.0.0.1:14000/dir"
#: Where Pebble's servers listen, besides 14000.
MANAGEMENT, DNS, CONTROL = 15000, 8053, 8055


class Authority:
    """Pebble and its name server, in the edge's own network."""

    def __init__(self, house: House, folder: Path, *, life_s: int) -> None:
        self.folder = folder
        self._house = house
        self._make_key()
        profile = {"description": "of tests", "validityPeriod": life_s}
        settings = {
            "listenAddress": "127.0.0.1:14000",
            "managementListenAddress": f"127.0.0.1:{MANAGEMENT}",
            "certificate": str(folder / "server.pem"),
            "privateKey": str(folder / "server.key"),
            "httpPort": 8080,
            "tlsPort": 5001,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "domainBlocklist": ["blocked.example.org"],
            "certificateValidityPeriod": life_s,  # before Pebble 2.7
            "profiles": {"default": profile},
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))

    @property
    def root(self) -> Path:
        """Whoever trusts this believes the server."""
        return self.folder / "server.pem"

    def _make_key(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", self.folder / "server.key", "-out", self.root, "-days", "3",
             "-subj", "/CN=pebble", "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True,
        )  # fmt: skip

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve; proofs are asked for without delay."""
        names = ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                 "-dns01", f"127.0.0.1:{DNS}", "-management", f"127.0.0.1:{CONTROL}",
                 "-http01", "", "-https01", "", "-tlsalpn01", ""]  # fmt: skip
        server = ["pebble", "-config", str(self.folder / "pebble.json"),
                  "-dnsserver", f"127.0.0.1:{DNS}"]  # fmt: skip
        env = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "20"}
        with ExitStack() as stack, (self.folder / "log").open("ab") as log:
            with self._house.entered():
                for argv in (names, server):
                    started = subprocess.Popen(argv, stdout=log, stderr=log, env=env)
                    stack.callback(started.wait, 10)
                    stack.callback(started.kill)
            wait_for(lambda: "Listening on: " in self.said(), "Pebble to listen")
            yield

    def said(self) -> str:
        """What both wrote."""
        return (self.folder / "log").read_text()


@pytest.fixture
def acme(make_room: MakeRoom, programs: Mapping[str, Path], tmp_path: Path) -> Iterator[Edge]:
    """A running edge, whose certificate is that of an authority of its own so far."""

    def before(edge: Edge) -> None:
        edge.env |= TLS
        edge.names.known["certificate"] = "127.0.0.1"
        ask(edge, Authority(edge.room.house, tmp_path, life_s=1).root)

    with running_edge(make_room("edge"), programs, before) as made:
        yield made


def ask(edge: Edge, root: Path, **more: str) -> subprocess.Popen[bytes]:
    """Have a certificate kept, by ACME if that goes; the local one does not wait for that."""
    trusted = folder_of(edge, "/data/authority.pem")
    trusted.write_bytes(root.read_bytes())
    env = {
        "ACME_DIRECTORY": DIRECTORY,
        "ACME_NAMES": NAME,
        "LEGO_CA_CERTIFICATES": "/data/authority.pem",
        **more,
    }
    return keep(edge, f"{NAME},127.0.0.1", within_s=20, **env)


def issuer(edge: Edge) -> str:
    """Who vouches for what is served."""
    return certificate(edge).issuer.rfc4514_string()


def test_a_name_is_proved_and_its_certificate_renewed(acme: Edge, tmp_path: Path) -> None:
    """The local one first; then Pebble's through the edge, anew when two thirds are over.

    Who was asked for it first has failed, and is ended: the next one waits as long. The edge that
    runs serves each, and the local authority is none any more.
    """
    pid = acme.command("show info").split("Pid: ")[1].split()[0]
    assert "Authority of" in issuer(acme)
    assert (folder_of(acme, SITE) / "root.pem").exists()
    wait_for(lambda: "again in 30s" in acme.room.log.read_text(), "word of an authority away")
    end(acme, acme.room.started[1])

    made = Authority(acme.room.house, tmp_path, life_s=45)
    with made.running():
        ask(acme, made.root)
        wait_for(lambda: "Pebble" in issuer(acme), "Pebble's certificate")
        assert "again in 2m" not in acme.room.log.read_text()
        first = certificate(acme)
        assert first.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value.get_values_for_type(x509.DNSName) == [NAME]
        wait_for(lambda: shown(acme) == first.serial_number, "the edge to serve it")
        assert not (folder_of(acme, SITE) / "root.pem").exists()
        wait_for(lambda: certificate(acme).serial_number != first.serial_number, "a renewed one")
        second = certificate(acme).serial_number
        wait_for(lambda: shown(acme) == second, "the edge to serve the renewed one")
    assert acme.command("show info").split("Pid: ")[1].split()[0] == pid
    keys = {path.name for path in folder_of(acme, PRIVATE).iterdir()}
    mark = hashlib.sha256(DIRECTORY.encode()).hexdigest()[:8]
    assert {f"account-{mark}.pem", f"acme-{mark}.pem", "authority.pem"} <= keys
    tries = json.loads((folder_of(acme, PRIVATE) / f"acme-{mark}.tries.json").read_text())
    assert (tries["names"], tries["failures"]) == ([NAME], 0)


def test_a_name_that_is_refused_is_told_and_the_local_one_serves(
    acme: Edge, tmp_path: Path
) -> None:
    """The authority's own words, and when it is asked again."""
    end(acme, acme.room.started[1])
    made = Authority(acme.room.house, tmp_path, life_s=3600)
    with made.running():
        ask(acme, made.root, ACME_NAMES="blocked.example.org")
        wait_for(lambda: "again in 30s" in acme.room.log.read_text(), "word of it")
        wait_for(lambda: "rejectedIdentifier" in acme.room.log.read_text(), "its reason")
    assert "Authority of" in issuer(acme)


class Provider(BaseHTTPRequestHandler):
    """A provider of DNS that speaks lego's "httpreq": it tells Pebble's name server."""

    def do_POST(self) -> None:
        """Put a proof there, or take it away."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        verb = {"/present": "set-txt", "/cleanup": "clear-txt"}[self.path]
        told = {"host": asked["fqdn"], "value": asked["value"]}
        httpx.post(f"http://127.0.0.1:{CONTROL}/{verb}", json=told, trust_env=False)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def test_a_name_is_proved_by_its_dns(acme: Edge, tmp_path: Path) -> None:
    """By a provider whose settings are a secret; nothing asks the edge."""
    end(acme, acme.room.started[1])
    made = Authority(acme.room.house, tmp_path, life_s=3600)
    settings = folder_of(acme, "/data/dns")
    with acme.room.house.entered():
        server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    settings.write_text(f"HTTPREQ_ENDPOINT=http://127.0.0.1:{server.server_port}\n")
    os.chown(settings, APPS, APPS)

    def serve() -> None:
        with acme.room.house.entered():
            server.serve_forever(0.05)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with made.running():
            ask(acme, made.root, ACME_DNS="httpreq", ACME_DNS_FILE="/data/dns",
                ACME_DNS_RESOLVERS=f"127.0.0.1:{DNS}")  # fmt: skip
            wait_for(lambda: "Pebble" in issuer(acme), "Pebble's certificate")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "acme-challenge" not in acme.room.log.read_text()


def certificate(edge: Edge) -> x509.Certificate:
    """What is kept."""
    return x509.load_pem_x509_certificate((folder_of(edge, SITE) / "site.pem").read_bytes())


def shown(edge: Edge) -> int:
    """The serial number of what a client is shown, whoever vouches for it."""
    return served(edge, NAME, trusted=False).serial_number
