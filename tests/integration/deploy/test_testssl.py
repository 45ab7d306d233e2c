"""What testssl.sh, which tries what is known against TLS, has to say of the edge."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.integration.deploy.conftest import MakeRoom, filled, running_edge
from tests.integration.deploy.edges import Edge
from tests.integration.deploy.rooms import APPS
from tests.integration.deploy.test_edge_tls import TLS, folder_of, keep

NAME = "lessons.home.arpa"
#: A certificate of somebody's own authority, which can revoke what it has vouched for.
REVOKED_AT = "http://127.0.0.1/revoked.crl"
_PEM = serialization.Encoding.PEM


def named(name: str) -> x509.Name:
    """A subject."""
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, by: tuple[str, ec.EllipticCurvePrivateKey]
) -> bytes:
    """One for a name, or of an authority where it vouches for itself."""
    issuer, signer = by
    now, own = datetime.now(UTC), name == issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=80))
        .add_extension(x509.BasicConstraints(own, None), critical=True)
        .add_extension(
            x509.KeyUsage(not own, False, False, False, False, own, own, False, False),
            critical=True,
        )
    )
    if not own:
        place = x509.DistributionPoint(
            [x509.UniformResourceIdentifier(REVOKED_AT)], None, None, None
        )
        builder = (
            builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.CRLDistributionPoints([place]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
    return builder.sign(signer, hashes.SHA256()).public_bytes(_PEM)


@pytest.fixture
def supplied(make_room: MakeRoom, programs: Mapping[str, Path], tmp_path: Path) -> Iterator[Edge]:
    """A running edge with a certificate that somebody supplied."""
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = certificate("Somebody's authority", root, ("Somebody's authority", root))
    (tmp_path / "root.pem").write_bytes(authority)
    text = certificate(NAME, key, ("Somebody's authority", root)) + key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def before(edge: Edge) -> None:
        edge.env |= TLS
        file = folder_of(edge, "/data/supplied.pem")
        file.write_bytes(text)
        os.chown(file, APPS, APPS)
        keep(edge, NAME, CERTIFICATE_FILE="/data/supplied.pem")

    with running_edge(make_room("edge"), programs, before) as made:
        yield filled(made)


@pytest.mark.long  # tests/integration/deploy/test_edge_tls.py
def test_nothing_is_found_above_low(supplied: Edge, tmp_path: Path) -> None:
    """Protocols, ciphers, the certificate, headers, and every attack that has a name."""
    found = tmp_path / "found.json"
    with supplied.room.house.entered():
        done = subprocess.run(
            ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--jsonfile", str(found),
             "--add-ca", str(tmp_path / "root.pem"), "--ip", "127.0.0.1", f"{NAME}:8443"],
            capture_output=True,
            timeout=900,
            check=False,
        )  # fmt: skip
    assert found.exists(), done.stdout.decode() + done.stderr.decode()
    rows = json.loads(found.read_text())
    assert len(rows) > 100
    bad = [row for row in rows if row["severity"] not in ("OK", "INFO", "LOW")]
    assert bad == [], bad
    assert {"TLS1_3", "heartbleed", "BREACH", "cert_chain_of_trust"} <= {row["id"] for row in rows}
