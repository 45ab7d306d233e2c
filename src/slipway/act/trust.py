"""Whom to believe that a stack is who it says, besides the authorities that the system trusts.

A stack with an authority of its own keeps that one's certificate on its host. It is read the way
that commands go, so whoever is between here and the stack's port can't put another in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.act.doors import Doors
from slipway.doors import Http
from slipway.errors import DeployError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_READ_TIMEOUT_S = 30.0


def read_roots(doors: Doors, path: str) -> str:
    """The certificates in a file of the host, PEM; empty when there is none.

    Args:
        doors: the host's.
        path: the file's; empty for none.

    Raises:
        HostUnreachable: the host can't be asked.
    """
    if not path:
        return ""
    done = doors.host.run(("cat", path), timeout=_READ_TIMEOUT_S, check=False)
    return done.text if done.ok else ""


def trusting(doors: Doors, path: str) -> Http:
    """Requests that believe whom that file vouches for, too.

    Raises:
        HostUnreachable: the host can't be asked.
        DeployError: what is in the file is no certificate.
    """
    roots = read_roots(doors, path)
    try:
        return doors.http.trusting(roots) if roots else doors.http
    except ValueError as error:
        raise DeployError(
            f"{path} on {doors.host.name} should be a certificate (PEM): {error}",
            hint="remove it there: who made it makes it anew",
        ) from error


def whose(certificate: Certificate) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """The names and the addresses (of :mod:`ipaddress`) that a certificate is of.

    Those alone count: what its subject says is read by no browser.
    """
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    return (
        tuple(found.get_values_for_type(x509.DNSName)),
        tuple(found.get_values_for_type(x509.IPAddress)),
    )
