"""The certificate that a stack shows, and who has to be trusted for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slipway.act.doors import Doors
from slipway.act.trust import read_roots, whose
from slipway.errors import ConfigError, DeployError, HostError
from slipway.ledger.release import Release

_ASK_S = 10.0
#: What renews itself does so long before: at 30 days (ACME) or 60 (the stack's own authority).
SOON_DAYS = 21


@dataclass(frozen=True, slots=True)
class Shown:
    """The certificate that a stack shows.

    Attributes:
        names: for whom it is, DNS names and addresses.
        issuer: who vouches for it.
        ends: when it ends, ISO 8601 in UTC.
        days: whole days until then; less than 0 once it has ended.
    """

    names: tuple[str, ...]
    issuer: str
    ends: str
    days: int

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "names": list(self.names),
            "issuer": self.issuer,
            "ends": self.ends,
            "days": self.days,
        }

    def __str__(self) -> str:
        return f"certificate of {self.issuer}, until {self.ends[:10]} ({self.days} days)"


def parse(der: bytes, now: datetime) -> Shown:
    """Read a certificate (RFC 5280). Pure.

    Args:
        der: its bytes.
        now: the time of day, in UTC.
    """
    from cryptography import x509

    read = x509.load_der_x509_certificate(der)
    ends = read.not_valid_after_utc
    issuer = read.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    who = str(issuer[0].value) if issuer else read.issuer.rfc4514_string()
    names, addresses = whose(read)
    return Shown((*names, *map(str, addresses)), who, ends.isoformat(), (ends - now).days)


def read_shown(doors: Doors, url: str | None) -> Shown | None:
    """The certificate that a stack shows; None where it speaks no TLS, or does not answer."""
    if not url or not url.startswith("https:"):
        return None
    der = doors.http.certificate(url, timeout=_ASK_S)
    return parse(der, doors.clock.now()) if der else None


def ends_soon(shown: Shown | None) -> tuple[str, ...]:
    """A warning about a certificate that ends soon, or has ended. Pure."""
    if shown is None or shown.days >= SOON_DAYS:
        return ()
    when = f"ends in {shown.days} days" if shown.days >= 0 else "has ended"
    return (
        f"the certificate of {shown.issuer} {when}, on {shown.ends[:10]}: supply the next one as "
        "tls_certificate, or see in ./inv logs --service certificate why it is not renewed",
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a person needs to trust a stack.

    Attributes:
        url: the stack's.
        shown: the certificate that it shows.
        roots: the certificate of the authority that has to be trusted, PEM; empty when devices
            trust it anyhow.
    """

    url: str
    shown: Shown
    roots: str

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {"url": self.url, **self.shown.to_json(), "root": self.roots or None}

    @property
    def talk(self) -> str:
        """What to do with it."""
        if not self.roots:
            return f"{self.url}: {self.shown}; nothing has to be imported"
        return (
            f"{self.url}: {self.shown}\n"
            "Import what is printed here as an authority on each device, once; docs/guides/https.md"
            " says where."
        )


def read_certificate(doors: Doors) -> Told:
    """What a person needs to trust the live stack.

    Raises:
        ConfigError: it speaks no TLS.
        DeployError: nothing is live there.
        HostError: it shows no certificate.
    """
    live = doors.folder.read().records.live
    if live is None:
        raise DeployError(
            f"nothing is live on {doors.host.name}, so there is no certificate",
            hint="./inv deploy",
            stage="certificate",
        )
    if not live.url.startswith("https:"):
        raise ConfigError(
            f"{live.url} has no certificate: it is reached without TLS",
            hint="add docker-compose.https.yml to `compose` in the host's table in "
            "deploy/hosts.toml or deploy/hosts.local.toml, then ./inv deploy",
            stage="certificate",
        )
    return _told(doors, live)


def _told(doors: Doors, live: Release) -> Told:
    shown = read_shown(doors, live.url)
    if shown is None:
        raise HostError(
            f"{live.url} shows no certificate from here",
            hint="./inv status shows whether its edge runs",
            stage="certificate",
        )
    return Told(live.url, shown, read_roots(doors, live.trust))
