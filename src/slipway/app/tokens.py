"""Tokens with names, as they are shown to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slipway.app.answer import Answer
from slipway.errors import ConfigError
from slipway.report import table


def refuse(problems: Sequence[str], task: str) -> None:
    """Refuse a wish before a host is asked.

    Args:
        problems: what is wrong with it.
        task: whose flags they are.

    Raises:
        ConfigError: there is a problem; all of them are told.
    """
    if problems:
        raise ConfigError(
            f"{'; '.join(problems)}; nothing was done",
            hint=f"./inv --help {task}",
            stage="command line",
        )


def made(token: Mapping[str, Any]) -> Answer:
    """A token that was just made (a NewToken of the API): alone on standard output."""
    until = f", until {token['expires_at']:.10}" if token["expires_at"] else ""
    talk = f"this is shown once: the token {token['name']} lets {token['scope']}{until}"
    return Answer(token, token["token"], talk)


def listed(found: Mapping[str, Any]) -> Answer:
    """The tokens that let in (Tokens of the API)."""
    rows = [
        (
            one["name"],
            one["scope"],
            f"{one['last_used_at']:.16}" if one["last_used_at"] else "never",
            f"{one['expires_at']:.10}" if one["expires_at"] else "never",
        )
        for one in found["tokens"]
    ]
    if not rows:
        return Answer(found, talk="no token has a name; ./inv tokens.add makes one")
    return Answer(found, table(rows, head=("name", "lets", "last used", "ends")))


def revoked(told: Mapping[str, Any]) -> Answer:
    """The name of a token that lets in no more."""
    name = told["revoked"]
    talk = f"the token {name} is revoked, and who signed in with it signed out"
    return Answer(told, talk=talk)
