"""The edge speaks TLS: what it offers, what it tells of who asks, how a certificate is renewed."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from tests.integration.deploy.conftest import MakeRoom, filled, running_edge
from tests.integration.deploy.edges import Edge, Load
from tests.integration.deploy.rooms import APPS, wait_for

NAMES = "lessons.home.arpa,127.0.0.1"
SITE, PRIVATE = "/data/site", "/data/private"
TLS = {
    "EDGE_CERTIFICATE": f"{SITE}/site.pem",
    "EDGE_ADMIN": "/run/haproxy/admin.sock",
    "EDGE_HTTPS_PORT": "443",
    "EDGE_HSTS": "max-age=31536000",
    "EDGE_PROXIES": "127.0.0.7 127.0.0.9/32",
    "EDGE_PROXY_PROTOCOL": "127.0.0.8",
}
HEAD = "GET /api/x HTTP/1.1\r\nHost: films\r\nConnection: close\r\n"


def folder_of(edge: Edge, path: str) -> Path:
    """Where a folder of the room's lies on this machine."""
    (shared,) = (source for source, target in edge.room.binds.items() if target == "/data")
    return shared / path.removeprefix("/data/")


def keep(
    edge: Edge, names: str = NAMES, *, within_s: float = 120, **more: str
) -> subprocess.Popen[bytes]:
    """Have a certificate kept; the program that does, once there is one."""
    for path in (SITE, PRIVATE):
        folder = folder_of(edge, path)
        folder.mkdir(exist_ok=True)
        os.chown(folder, APPS, APPS)
    started = edge.room.start(
        ["/data/certificate", "keep", SITE, PRIVATE], env={"CERTIFICATE_NAMES": names, **more}
    )
    wait_for((folder_of(edge, SITE) / "site.pem").exists, "a certificate", seconds=within_s)
    return started


@pytest.fixture
def tls(make_room: MakeRoom, programs: Mapping[str, Path]) -> Iterator[Edge]:
    """A running edge with a certificate, and every backend up."""

    def before(edge: Edge) -> None:
        edge.env |= TLS
        keep(edge)

    with running_edge(make_room("edge"), programs, before) as made:
        yield filled(made)


def end(edge: Edge, process: subprocess.Popen[bytes]) -> None:
    """Have a program of the room end."""
    os.kill(edge.room.leader(process), signal.SIGTERM)
    process.wait(20)


def trust(edge: Edge, **how: ssl.TLSVersion) -> ssl.SSLContext:
    """A device that trusts the stack's own authority, and nobody else."""
    context = ssl.create_default_context(cafile=str(folder_of(edge, SITE) / "root.pem"))
    for name, value in how.items():
        setattr(context, name, value)
    return context


@contextmanager
def secure(edge: Edge, source: str = "127.0.0.1") -> Iterator[httpx.Client]:
    """A client of the port for TLS."""
    with edge.room.house.entered():
        way = httpx.HTTPTransport(local_address=source, verify=trust(edge))
        with httpx.Client(base_url="https://127.0.0.1:8443", timeout=15, transport=way) as client:
            yield client


def served(
    edge: Edge, name: str = "lessons.home.arpa", *, trusted: bool = True
) -> x509.Certificate:
    """The certificate that is shown to a device, which may look whom to trust."""
    context = trust(edge) if trusted else ssl._create_unverified_context()
    with (
        edge.plain(port=8443) as plain,
        context.wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        return x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")


def told(edge: Edge, lines: str, source: str, first: bytes = b"") -> str:
    """What the API hears of a bare request."""
    with edge.plain(source) as plain:
        plain.sendall(first + (HEAD + lines + "\r\n").encode())
        return b"".join(iter(lambda: plain.recv(65536), b"")).decode().lower()


def test_a_device_that_trusts_the_authority_is_let_in(tls: Edge) -> None:
    """By name and by address; the API hears that it was TLS, and a browser to remember that."""
    with secure(tls) as client:
        answer = client.get("/api/x")
    assert answer.status_code == 200
    assert answer.json()["headers"]["x-forwarded-proto"] == "https"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    names = served(tls).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["lessons.home.arpa"]


def test_others_are_not_fooled(tls: Edge) -> None:
    """Without the root, or for another name, a device refuses."""
    with tls.room.house.entered(), pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY"):
        httpx.get("https://127.0.0.1:8443/", trust_env=False)
    with tls.plain(port=8443) as plain, pytest.raises(ssl.SSLCertVerificationError):
        trust(tls).wrap_socket(plain, server_hostname="bank.example.com")


def test_what_is_spoken(tls: Edge) -> None:
    """HTTP/2 is offered first; TLS 1.3 and 1.2 are spoken, and nothing older."""
    spoken = {}
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = trust(tls, minimum_version=version, maximum_version=version)
        context.set_alpn_protocols(["http/1.1", "h2"])
        with (
            tls.plain(port=8443) as plain,
            context.wrap_socket(plain, server_hostname="lessons.home.arpa") as wrapped,
        ):
            spoken[wrapped.version()] = wrapped.selected_alpn_protocol()
    assert spoken == {"TLSv1.2": "h2", "TLSv1.3": "h2"}
    with tls.plain(port=8443) as plain, pytest.raises(ssl.SSLError):
        with pytest.warns(DeprecationWarning):
            old = trust(tls, minimum_version=ssl.TLSVersion.TLSv1)
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.wrap_socket(plain, server_hostname="lessons.home.arpa")


@pytest.mark.parametrize(
    ("port", "place"), [("8443", "https://films:8443/a/b?c=d"), ("443", "https://films/a/b?c=d")]
)
def test_who_comes_without_tls_is_sent_on(
    make_room: MakeRoom, programs: Mapping[str, Path], port: str, place: str
) -> None:
    """To the same path, by any method; the proofs that ACME asks for are answered where it asks."""

    def before(edge: Edge) -> None:
        edge.env |= {**TLS, "EDGE_HTTPS_PORT": port}
        keep(edge)

    with running_edge(make_room("edge"), programs, before) as edge, edge.client() as client:
        for method in ("GET", "POST"):
            answer = client.request(method, "/a/b?c=d", headers={"Host": "films:8080"})
            assert (answer.status_code, answer.headers["Location"]) == (308, place)
            assert "Strict-Transport-Security" not in answer.headers
        proof = client.get("/.well-known/acme-challenge/x")
        assert (proof.status_code, proof.text) == (503, "No proof is asked for now.")


def test_proxies_are_believed_by_their_address(tls: Edge) -> None:
    """Of one that is named the client and its scheme; of anybody else neither."""
    lines = "X-Forwarded-For: 198.51.100.1, 203.0.113.5\r\nX-Forwarded-Proto: http, https\r\n"
    heard = told(tls, lines, "127.0.0.9")
    assert '"x-forwarded-for": "203.0.113.5"' in heard
    assert '"x-forwarded-proto": "https"' in heard
    assert "strict-transport-security: max-age=31536000" in heard
    assert "308 permanent redirect" in told(tls, lines, "127.0.0.1")
    with secure(tls) as client:
        told_by = client.get("/api/x", headers={"X-Forwarded-For": "203.0.113.5"}).json()
    assert told_by["headers"]["x-forwarded-for"] == "127.0.0.1"
    for lines in (
        "X-Forwarded-Proto: https\r\n",
        "X-Forwarded-For: nobody\r\nX-Forwarded-Proto: https\r\n",
    ):
        assert '"x-forwarded-for": "127.0.0.7"' in told(tls, lines, "127.0.0.7")


def test_the_proxy_protocol_is_spoken_with_whom_it_is_named(tls: Edge) -> None:
    """The client's address comes before the request; from others that is no request at all."""
    first = b"PROXY TCP4 203.0.113.6 127.0.0.1 4711 8080\r\n"
    context = trust(tls)
    with tls.plain("127.0.0.8", 8443) as plain:
        plain.sendall(first)
        with context.wrap_socket(plain, server_hostname="lessons.home.arpa") as wrapped:
            wrapped.sendall((HEAD + "\r\n").encode())
            heard = b"".join(iter(lambda: wrapped.recv(65536), b"")).decode()
    assert '"x-forwarded-for": "203.0.113.6"' in heard
    assert told(tls, "", "127.0.0.1", first).startswith("http/1.1 400")


def test_guesses_count_for_who_made_them(tls: Edge) -> None:
    """Behind one proxy one person's wrong tokens keep nobody else out."""
    tls.backends["api"].status = 401

    def guess(client: str) -> str:
        lines = f"X-Forwarded-For: {client}\r\nX-Forwarded-Proto: https\r\nAuthorization: x\r\n"
        return told(tls, lines, "127.0.0.9")[9:12]

    assert [guess("203.0.113.5") for _ in range(11)] == ["401"] * 10 + ["429"]
    assert guess("203.0.113.6") == "401"


def changed(edge: Edge, before: int) -> bool:
    """Whether another certificate is served."""
    return served(edge).serial_number != before


def test_a_renewed_certificate_is_served_without_a_request_lost(tls: Edge) -> None:
    """Twice under load; the edge that runs is the same, and so are its connections."""

    pid = tls.command("show info").split("Pid: ")[1].split()[0]
    load = Load(tls, client=secure)
    private = folder_of(tls, PRIVATE)
    with load.running():
        for _ in range(2):
            before = served(tls).serial_number
            (private / "local.pem").unlink()  # it is made anew, as when it is due
            wait_for(partial(changed, tls, before), "another one")
            load.go_on()
    assert set(load.codes) == {200}
    assert tls.command("show info").split("Pid: ")[1].split()[0] == pid


def test_what_is_no_certificate_is_not_served(tls: Edge) -> None:
    """The edge goes on with the one before, and says so once."""
    site = folder_of(tls, SITE) / "site.pem"
    before = served(tls).serial_number
    broken = site.with_name("new")
    broken.write_text("nonsense\n")
    os.chown(broken, APPS, APPS)
    end(tls, tls.room.started[1])  # it would mend that
    shutil.move(broken, site)
    wait_for(lambda: "is not served" in tls.room.log.read_text(), "word of it")
    time.sleep(5)
    assert tls.room.log.read_text().count("is not served") == 1
    assert served(tls).serial_number == before


def test_two_edges_speak_it_while_one_takes_over(tls: Edge) -> None:
    """Connections go to either; the first one ends, and none is refused."""
    load, old = Load(tls, client=secure), tls.process
    with load.running():
        tls.begin()
        for name in ("api", "frontend", "flower"):
            tls.wait(f"{name}/a", "UP")
        load.go_on()
        assert old is not None
        os.kill(tls.room.leader(old), signal.SIGUSR1)  # as the Compose file's stop_signal
        old.wait(60)
        load.go_on()
    assert set(load.codes) == {200}


def test_the_program_checks_what_is_kept(tls: Edge) -> None:
    """As the Compose file's health check does."""
    code, said = tls.room.run(["/data/certificate", "check", SITE])
    assert code == 0
    assert "lessons.home.arpa" in said
