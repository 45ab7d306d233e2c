"""The sessions of browsers; each function runs inside the caller's session of the database.

The database's clock counts, for a session is asked for by whatever process of the API comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from langflix.data.models import WebSession

LIFE = timedelta(days=30)
#: The time of the last use is right to this: not every request has to write.
SEEN_EVERY = timedelta(minutes=10)
#: What of a browser's name for itself is kept.
MAX_AGENT = 200


def add(db: Session, secret_hash: str, token: str, address: str, agent: str) -> str:
    """Begin a session and return its id; those that have expired go.

    Args:
        db: the database.
        secret_hash: SHA-256 of what the cookie holds, in hexadecimal.
        token: the name of the token that was shown.
        address: of the browser.
        agent: what it calls itself.

    """
    db.execute(delete(WebSession).where(WebSession.expires_at <= func.now()))
    made = WebSession(
        id=str(uuid4()),
        secret_hash=secret_hash,
        token=token,
        address=_plain(address),
        agent=_plain(agent),
        expires_at=func.now() + LIFE,
    )
    db.add(made)
    db.flush()
    return made.id


def use(db: Session, secret_hash: str, tokens: Collection[str]) -> WebSession | None:
    """Return the session whose cookie hashes to this, and note that it was used.

    Args:
        db: the database.
        secret_hash: SHA-256 of what a cookie holds.
        tokens: names of the tokens that are wanted now; a session by another has ended with it.

    """
    found = db.scalar(
        select(WebSession).where(WebSession.secret_hash == secret_hash, *_living(tokens))
    )
    if found is not None:
        late = WebSession.last_used_at < func.now() - SEEN_EVERY
        seen = update(WebSession).where(WebSession.id == found.id, late)
        db.execute(
            seen.values(last_used_at=func.now()), execution_options={"synchronize_session": False}
        )
    return found


def living(db: Session, tokens: Collection[str]) -> Sequence[WebSession]:
    """Return the sessions that let in, the last used one first."""
    newest = (WebSession.last_used_at.desc(), WebSession.id)
    return db.scalars(select(WebSession).where(*_living(tokens)).order_by(*newest)).all()


def end_shown(db: Session, secret_hashes: Collection[str]) -> None:
    """End the sessions whose cookies hash to these."""
    db.execute(delete(WebSession).where(WebSession.secret_hash.in_(secret_hashes)))


def end(db: Session, session_id: str) -> bool:
    """End a session; say whether it was there."""
    gone = delete(WebSession).where(WebSession.id == session_id).returning(WebSession.id)
    return db.scalar(gone) is not None


def end_all(db: Session) -> None:
    """End every session."""
    db.execute(delete(WebSession))


def _living(tokens: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (WebSession.expires_at > func.now(), WebSession.token.in_(tokens))


def _plain(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:MAX_AGENT]
