"""A supplied certificate that would serve nobody is refused, with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from slipway.app.certificates import flaws, misses, see_whose_certificates
from slipway.errors import ConfigError
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY, OTHER = new_key(SECP256R1()), new_key(SECP256R1())
SPECS = (SecretSpec("tls", certificate=True, optional=True), SecretSpec("token", generate=32))


def certificate(
    key: EllipticCurvePrivateKey = KEY,
    *names: str,
    begins: datetime = NOW - timedelta(days=1),
    ends: datetime = NOW + timedelta(days=90),
) -> str:
    """A certificate, PEM."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        known = [
            x509.IPAddress(ip_address(one)) if one[0].isdigit() or ":" in one else x509.DNSName(one)
            for one in names
        ]
        made = made.add_extension(x509.SubjectAlternativeName(known), critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def secret(
    key: EllipticCurvePrivateKey = KEY,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    """A key, PEM."""
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


@pytest.mark.parametrize(
    "text",
    [certificate() + secret(), secret() + certificate(), f"\n{certificate()}\n{secret()}\n",
     certificate() + certificate(OTHER) + secret(),
     certificate() + secret(form=PrivateFormat.TraditionalOpenSSL)],
)  # fmt: skip
def test_a_good_one_has_no_flaw(text: str) -> None:
    """In any order, with its chain, with a key as older programs write it."""
    assert flaws(text, NOW) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("what?", ["has no certificate in PEM (BEGIN CERTIFICATE)"]),
        (secret(), ["has no certificate in PEM (BEGIN CERTIFICATE)"]),
        (certificate().replace("M", "!") + secret(), ["has no certificate in PEM"]),
        (certificate(), ["has no key in PEM (BEGIN PRIVATE KEY)"]),
        (certificate() + secret(OTHER), ["has the key of another certificate"]),
        (certificate(OTHER) + certificate() + secret(), ["does not begin with the certificate of"]),
        (certificate() + secret(encryption=BestAvailableEncryption(b"x")),
         ["has a key with a password"]),
        (certificate() + secret().replace("M", "Q"), ["has a key that can't be read"]),
        (certificate(ends=NOW) + secret(), ["has ended, on 2026-06-01"]),
        (certificate(begins=NOW + timedelta(days=2)) + secret(),
         ["is valid from 2026-06-03 on, and not yet"]),
        (certificate(ends=NOW - timedelta(hours=1)) + secret(OTHER),
         ["has ended, on 2026-05-31", "has the key of another certificate"]),
    ],
)  # fmt: skip
def test_every_flaw_is_told(text: str, says: list[str]) -> None:
    """And nothing of the key is."""
    found = flaws(text, NOW)
    assert len(found) == len(says)
    assert all(one.startswith(start) for one, start in zip(found, says, strict=True))


@pytest.mark.parametrize(
    ("names", "asked", "fits"),
    [
        (("nas.example",), "nas.example", True),
        (("nas.example",), "NAS.example", True),
        (("*.example",), "nas.example", True),
        (("*.example",), "a.nas.example", False),
        (("*.example",), "example", False),
        (("nas.example", "10.0.0.2"), "10.0.0.2", True),
        (("nas.example",), "10.0.0.2", False),
        (("fd00::1",), "fd00:0::1", True),
        ((), "x", False),
    ],
)
def test_of_whom_it_is(names: tuple[str, ...], asked: str, fits: bool) -> None:
    """By its names alone: what is written into its subject counts for no browser."""
    why = misses(certificate(KEY, *names), asked)
    assert (why == "") == fits
    assert (
        fits
        or why == f"is of {', '.join(names) or 'nobody'}, and not of {asked}, by which people come"
    )


def test_one_of_another_server_is_refused() -> None:
    """Where there is HTTPS and it is supplied; all else is nobody's business here."""
    text = certificate(KEY, "nas.example") + secret()
    given = {"tls": Secret(text), "token": Secret("x")}
    see_whose_certificates(SPECS, given, "https://nas.example:8443")
    see_whose_certificates(SPECS, given, "http://10.0.0.2")
    see_whose_certificates(SPECS, {"tls": Secret("")}, "https://10.0.0.2")
    see_whose_certificates(SPECS, {}, "https://10.0.0.2")
    with pytest.raises(ConfigError) as caught:
        see_whose_certificates(SPECS, given, "https://10.0.0.2:8443/x")
    (line,) = caught.value.details
    assert line.endswith("is of nas.example, and not of 10.0.0.2, by which people come")
