"""What a login user of a TrueNAS may do by its middleware."""

from __future__ import annotations

import re
from collections.abc import Mapping

from slipway.doors import Host
from slipway.hosts.middleware import Middleware

_ROLE = re.compile(r"[A-Z][A-Z0-9_]+")
#: A user of TrueNAS' own groups of administrators may do everything.
FULL_ADMIN = "FULL_ADMIN"


def read_roles(host: Host) -> frozenset[str]:
    """Ask a TrueNAS who is logged in there, in one round trip.

    Raises:
        NasRefused: whoever logs in may ask nothing.
        HostError: it is no TrueNAS, or can't be asked.
    """
    return roles_of(Middleware(host).call("auth.me"))


def roles_of(me: object) -> frozenset[str]:
    """The roles in what ``auth.me`` answers. Pure.

    They are a set, for which JSON has no form of its own: they are taken from whatever it was
    written as.
    """
    privilege = me.get("privilege") if isinstance(me, Mapping) else None
    roles = privilege.get("roles") if isinstance(privilege, Mapping) else None
    return frozenset(_ROLE.findall(str(roles or "")))


def lacking(wanted: tuple[str, ...], held: frozenset[str]) -> tuple[str, ...]:
    """The roles that somebody has not; whoever may write may read as well. Pure."""
    if FULL_ADMIN in held:
        return ()
    return tuple(one for one in wanted if not _covered(one, held))


def _covered(role: str, held: frozenset[str]) -> bool:
    reads = role.endswith("_READ") and {f"{role[:-5]}_WRITE", "READONLY_ADMIN"} & held
    return role in held or bool(reads)
