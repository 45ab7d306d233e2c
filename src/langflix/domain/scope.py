"""What who shows a token may do. Pure."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """How much a token lets its bearer do; each may all that those before it may."""

    #: Look: lessons, films, what is made.
    READ = "read"
    #: Have lessons made, and take them away.
    UPLOAD = "upload"
    #: Let others in: tokens and sessions.
    ADMIN = "admin"

    def covers(self, wanted: Scope) -> bool:
        """Say whether this is enough for what takes ``wanted``."""
        order = list(Scope)
        return order.index(self) >= order.index(wanted)


_ADMINS = ("/api/v1/tokens", "/api/v1/sessions")
_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})


def wanted(method: str, path: str) -> Scope:
    """Return what a request takes; one that nobody thought of takes more than reading."""
    if any(path == root or path.startswith(f"{root}/") for root in _ADMINS):
        return Scope.ADMIN
    return Scope.READ if method in _LOOKS else Scope.UPLOAD
