"""What is wrong with a certificate that an operator supplies, before anything serves it.

What is supplied is PEM (RFC 7468): the certificate, those that vouch for it, and the key, in any
order but for the certificate itself, which is the first one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from slipway.act.trust import whose
from slipway.errors import ConfigError, Problem
from slipway.secret import Secret
from slipway.stack.model import SecretSpec

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


def flaws(text: str, now: datetime) -> tuple[str, ...]:
    """Every reason for which nobody would be served with it; no reason repeats any of the key.

    Args:
        text: what is supplied.
        now: the time, with its zone.
    """
    chain = _chain(text)
    if not chain:
        return ("has no certificate in PEM (BEGIN CERTIFICATE)",)
    return (*_times(chain[0], now), *_key_flaws(text, chain))


def misses(text: str, name: str) -> str:
    """Why a certificate is not of the server that people ask for; empty where it is.

    A name with a star stands for one label, the first (RFC 9525, 6.3).

    Args:
        text: what is supplied, without flaws.
        name: a host name, in ASCII, or an address.
    """
    names, addresses = whose(_chain(text)[0])
    try:
        fits = ip_address(name.strip("[]")) in addresses
    except ValueError:
        rest = name.lower().partition(".")[2]
        fits = bool({name.lower(), f"*.{rest}"} & {one.lower() for one in names})
    if fits:
        return ""
    of = ", ".join([*names, *map(str, addresses)]) or "nobody"
    return f"is of {of}, and not of {name}, by which people come"


def see_whose_certificates(
    specs: Sequence[SecretSpec], supplied: Mapping[str, Secret], url: str
) -> None:
    """Refuse a certificate that is of another server than the one that people ask for.

    Args:
        specs: the secrets of the stack.
        supplied: the operator's values.
        url: the stack's.

    Raises:
        ConfigError: it is; nothing was changed.
    """
    server = urlsplit(url)
    values = {
        one.name: supplied.get(one.name, Secret("")).reveal() for one in specs if one.certificate
    }
    problems = [
        Problem(name, why)
        for name, text in values.items()
        if text and server.scheme == "https" and (why := misses(text, server.hostname or ""))
    ]
    if problems:
        raise ConfigError.from_problems(
            "deploy/secrets",
            problems,
            hint="supply one that is of that name, or have people come by one that it is of: `url` "
            "of x-slipway, in deploy/docker-compose*.yml",
        )


def _chain(text: str) -> list[Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return []


def _times(certificate: Certificate, now: datetime) -> list[str]:
    found = []
    if certificate.not_valid_after_utc <= now:
        found.append(f"has ended, on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if certificate.not_valid_before_utc > now:
        found.append(f"is valid from {certificate.not_valid_before_utc:%Y-%m-%d} on, and not yet")
    return found


def _key_flaws(text: str, chain: list[Certificate]) -> list[str]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    block = _KEY.search(text)
    if not block:
        return ["has no key in PEM (BEGIN PRIVATE KEY)"]
    try:
        public = load_pem_private_key(block[0].encode(), None).public_key()
    except TypeError:
        return ["has a key with a password, which nobody types where it is used"]
    except (ValueError, UnsupportedAlgorithm):
        return ["has a key that can't be read"]
    if chain[0].public_key() == public:
        return []
    if any(one.public_key() == public for one in chain):
        return ["does not begin with the certificate of its key, but with another of the chain"]
    return ["has the key of another certificate"]
