"""How a token may be called, what it may let do, and for how long. Pure."""

from __future__ import annotations

import re

from langflix.domain.scope import Scope

#: In the form of regular expressions that Python, OpenAPI and the API's own checks share.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
#: Ten years.
MOST_DAYS = 3650


def name_problems(name: str) -> tuple[str, ...]:
    """Return why a token can not be called so; nothing when it can."""
    if re.fullmatch(NAME, name):
        return ()
    return (
        f"the name {name!r} should be 1 to 64 letters (A to Z, a to z), digits and . _ -, "
        "and begin with a letter or digit",
    )


def problems(name: str, scope: str, days: int | None) -> tuple[str, ...]:
    """Return everything that is wrong with the wish for a token; nothing when it can be made.

    Args:
        name: how it is to be called.
        scope: the value of a :class:`Scope`.
        days: after how many it lets in no more; None for never.

    """
    found = [*name_problems(name)]
    if scope not in [one.value for one in Scope]:
        found.append(f"the scope {scope!r} should be one of {', '.join(Scope)}")
    if days is not None and not 1 <= days <= MOST_DAYS:
        found.append(f"the days should be 1 to {MOST_DAYS}, got {days}; without them it never ends")
    return tuple(found)
