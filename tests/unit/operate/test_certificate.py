"""What a stack's certificate is, when it ends, and whom to trust for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.demo import World, wanted, world

from slipway.act.deploy import deploy
from slipway.doors import Answer
from slipway.errors import ConfigError, DeployError, HostError
from slipway.operate.certificate import ends_soon, parse, read_certificate, read_shown
from slipway.operate.status import read_status, status_text
from slipway.testing import FakeHttp

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://nas:8443"
ROOT = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"


def certificate(days: int, *, issuer: str = "Authority of nas", names: bool = True) -> bytes:
    """One that ends after so many days and a bit, DER."""
    key, ends = ec.generate_private_key(ec.SECP256R1()), NOW + timedelta(days=days, hours=5)
    who = [x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)] if issuer else []
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name(who or [x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=180))
        .not_valid_after(ends)
    )
    if names:
        both = [x509.DNSName("nas.local"), x509.IPAddress(ip_address("10.0.0.7"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(both), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def live(days: int | None, url: str = URL) -> World:
    """A host with the sample stack live, which shows a certificate, or does not answer."""
    made = world()
    named = wanted()
    trusted = replace(named.stack, trust="certificate/root.pem")
    made.host.on("cat", "/pool/demo/data/certificate/root.pem", reply=ROOT)
    made.shell.on("smoke", url, reply=b"")
    shown = {} if days is None else {url: certificate(days)}
    well = {url + trusted.verify_path: [Answer(200, b"")]}
    made.doors = replace(made.doors, http=FakeHttp(well, certificates=shown))
    deploy(replace(named, stack=trusted, url=url), made.doors, "token")
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})
    return made


def test_what_it_says() -> None:
    """Names, who vouches, and whole days; what has no name or no common one is read, too."""
    shown = parse(certificate(30), NOW)
    assert (shown.names, shown.issuer, shown.days) == (
        ("nas.local", "10.0.0.7"), "Authority of nas", 30,
    )  # fmt: skip
    assert str(shown) == "certificate of Authority of nas, until 2026-01-31 (30 days)"
    bare = parse(certificate(-1, issuer="", names=False), NOW)
    assert (bare.names, bare.issuer, bare.days) == ((), "C=DE", -1)


@pytest.mark.parametrize(
    ("days", "says"),
    [(21, ""), (20, "ends in 20 days"), (0, "ends in 0 days"), (-1, "has ended, on 2025-12-31")],
)
def test_the_end_is_warned_of_three_weeks_before(days: int, says: str) -> None:
    """With who vouches for it and what to do."""
    found = ends_soon(parse(certificate(days), NOW))
    assert len(found) == bool(says)
    assert all(says in line and "./inv logs --service certificate" in line for line in found)
    assert ends_soon(None) == ()


def test_status_shows_it() -> None:
    """For people and for programs; a stack without TLS, or that is mute, has none."""
    made = live(3)
    status = read_status(made.doors)
    assert status.to_json()["certificate"] == parse(certificate(3), NOW).to_json() | {
        "ends": status.certificate.ends if status.certificate else ""
    }
    text = status_text(status)
    assert f"{URL}\ncertificate of Authority of nas, until 2026-01-04 (3 days)" in text
    assert "ends in 3 days" in text
    assert read_status(live(None).doors).to_json()["certificate"] is None
    plain = live(3, "http://nas:8080")
    assert read_shown(plain.doors, "http://nas:8080") is None


def test_what_a_device_has_to_trust() -> None:
    """The authority's certificate from the host; nothing where the system's authorities vouch."""
    made = live(30)
    told = read_certificate(made.doors)
    assert told.roots == ROOT
    assert told.to_json()["root"] == ROOT
    assert "Import what is printed" in told.talk
    assert "nothing has to be imported" in replace(told, roots="").talk
    assert replace(told, roots="").to_json()["root"] is None


def test_why_there_is_none() -> None:
    """Nothing is live, it speaks no TLS, it does not answer: each with what to do."""
    with pytest.raises(DeployError, match="nothing is live"):
        read_certificate(world().doors)
    with pytest.raises(ConfigError, match="reached without TLS") as caught:
        read_certificate(live(3, "http://nas:8080").doors)
    assert "docker-compose.https.yml" in str(caught.value.hint)
    with pytest.raises(HostError, match="shows no certificate"):
        read_certificate(live(None).doors)
