"""Who is at the other end of the socket, and what they may call.

Source: ``plugins/auth.py`` (``check_permission``) and ``auth.py`` of the middleware.
"""

from __future__ import annotations

import grp
import pwd
import socket
import struct
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

FULL_ADMIN = "FULL_ADMIN"
ADMINS = "builtin_administrators"
ADMIN = "truenas_admin"
#: Somebody who may look after apps and their data by the API, and has no sudo.
KEEPER = "keeper"
KEEPER_ROLES = (
    "APPS_WRITE", "DOCKER_READ", "FILESYSTEM_ATTRS_WRITE", "DATASET_READ", "SNAPSHOT_WRITE",
    "SNAPSHOT_DELETE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a session.

    Attributes:
        username: login name.
        uid: its number.
        roles: what they may do.
        login_id: the session's own number.
        login_at: when it began.
    """

    username: str
    uid: int
    roles: frozenset[str]
    login_id: str
    login_at: datetime

    @property
    def full_admin(self) -> bool:
        """Whether they may do everything."""
        return FULL_ADMIN in self.roles

    def may(self, role: str) -> bool:
        """Whether they may call what asks for a role; to write is to read, too."""
        if self.full_admin or role in self.roles:
            return True
        if not role.endswith("_READ"):
            return False
        return "READONLY_ADMIN" in self.roles or f"{role[:-5]}_WRITE" in self.roles

    def credentials(self, details: tuple[str, ...]) -> dict[str, object]:
        """As jobs show them, with these details of the session."""
        data = {name: getattr(self, name) for name in ("username", *details)}
        return {"type": "UNIX_SOCKET", "data": data}


def peer(connection: socket.socket) -> int:
    """The user's number at the other end of a Unix socket."""
    size = struct.calcsize("3i")
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(struct.unpack("3i", data)[1])


def who(uid: int, privileges: dict[str, list[str]]) -> Person | None:
    """The person with this number; None when the middleware gives them no session.

    Args:
        uid: a user's number.
        privileges: roles of users that are no administrators; the keeper has some without.
    """
    try:
        name = "root" if uid == 0 else pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
    roles = {FULL_ADMIN} if uid == 0 or _administers(name) else set(_held(name, privileges))
    if not roles:
        return None
    return Person(name, uid, frozenset(roles), str(uuid.uuid4()), datetime.now(UTC))


def _held(name: str, privileges: dict[str, list[str]]) -> Iterable[str]:
    return privileges.get(name, KEEPER_ROLES if name == KEEPER else ())


def _administers(name: str) -> bool:
    if name == ADMIN:
        return True
    try:
        return name in grp.getgrnam(ADMINS).gr_mem
    except KeyError:
        return False
