"""Tokens with names; each function runs inside the caller's session of the database.

The database's clock counts, as for the sessions of browsers.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from langflix.data.models import ApiToken, WebSession
from langflix.domain.scope import Scope

#: The time of the last use is right to this: not every request has to write.
SEEN_EVERY = timedelta(minutes=10)
_ID_BYTES = 8


def add(
    db: Session, name: str, scope: Scope, secret_hash: str, life: timedelta | None
) -> ApiToken | None:
    """Make a token; None when there is one of that name. One that has expired makes room.

    Args:
        db: the database.
        name: how people call it.
        scope: what it lets do.
        secret_hash: SHA-256 of the token, in hexadecimal.
        life: how long it lets in; None for ever.

    """
    db.execute(delete(ApiToken).where(ApiToken.name == name, ApiToken.expires_at <= func.now()))
    made = ApiToken(
        id=secrets.token_hex(_ID_BYTES),
        name=name,
        scope=scope.value,
        secret_hash=secret_hash,
        expires_at=None if life is None else func.now() + life,
    )
    try:
        with db.begin_nested():
            db.add(made)
            db.flush()
    except IntegrityError:
        return None
    db.refresh(made)
    return made


def use(db: Session, secret_hash: str) -> ApiToken | None:
    """Return the token that hashes to this, if it lets in, and note that it was used."""
    found = db.scalar(select(ApiToken).where(ApiToken.secret_hash == secret_hash, _lives()))
    if found is not None:
        late = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < func.now() - SEEN_EVERY)
        db.execute(
            update(ApiToken).where(ApiToken.id == found.id, late).values(last_used_at=func.now()),
            execution_options={"synchronize_session": False},
        )
    return found


def living(db: Session) -> Sequence[ApiToken]:
    """Return the tokens that let in, by name."""
    return db.scalars(select(ApiToken).where(_lives()).order_by(ApiToken.name)).all()


def revoke(db: Session, name: str) -> bool:
    """Take a token away, and the sessions that began with it; say whether it was there."""
    gone = db.scalar(delete(ApiToken).where(ApiToken.name == name).returning(ApiToken.id))
    if gone is not None:
        db.execute(delete(WebSession).where(WebSession.token == gone))
    return gone is not None


def _lives() -> ColumnElement[bool]:
    return or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > func.now())
