"""The bytes that a deploy's actions only name."""

from __future__ import annotations

import hashlib
import json
import secrets as random
import string
from datetime import datetime

from slipway.doors import Clock
from slipway.errors import DeployError
from slipway.ledger.entries import Source
from slipway.ledger.folder import Folder
from slipway.ledger.release import FORMAT, as_json
from slipway.plan.draft import Draft
from slipway.plan.secrets import SecretChoice
from slipway.secret import Secret

_ALPHABET = string.ascii_letters + string.digits


class Contents:
    """Gives the content of each source of one deploy.

    Secrets are made when they are first asked for, and exist from then on as long as this does.

    Args:
        draft: the deploy.
        folder: where a secret lies that another one is derived from.
        clock: tells the time, and how long the deploy has taken.
    """

    def __init__(self, draft: Draft, folder: Folder, clock: Clock) -> None:
        self._draft, self._folder, self._clock = draft, folder, clock
        self._started = clock.monotonic()
        self._made: dict[str, Secret] = {}
        self.cause = ""
        """Why the deploy was undone, for the journal."""

    def __call__(self, source: Source) -> bytes:
        """The content of a source.

        Raises:
            DeployError: a secret that another one is derived from vanished from the host.
        """
        return {
            "config": lambda: self._draft.wanted.contents[source.name],
            "compose": lambda: self._draft.rendered.text,
            "release": lambda: as_json(self._draft.release.to_json()),
            "journal": lambda: self._line(source.name),
            "secret": lambda: self._secret(source.name).reveal().encode(),
        }[source.kind]()

    def _line(self, word: str) -> bytes:
        fields: dict[str, object] = {"release": self._draft.release.id}
        if word == "intent":
            fields |= {"who": self._draft.wanted.who, "plan": self._draft.plan.to_json()}
        else:
            seconds = round(self._clock.monotonic() - self._started, 3)
            fields |= {"outcome": word, "cause": self.cause, "seconds": seconds}
        event = "intent" if word == "intent" else "outcome"
        return journal_line(self._clock.now(), event, **fields)

    def _secret(self, name: str) -> Secret:
        if name not in self._made:
            (choice,) = (one for one in self._draft.choices if one.spec.name == name)
            self._made[name] = self._make(choice)
        return self._made[name]

    def _make(self, choice: SecretChoice) -> Secret:
        spec = choice.spec
        if choice.origin == "supplied":
            return self._draft.wanted.supplied[spec.name]
        if choice.origin == "generated":
            return generate(spec.generate)
        if choice.origin == "derived":
            return derive(spec.derive, self._secret(spec.source))
        return self._folder.secret(spec.name, choice.version)


def journal_line(now: datetime, event: str, **fields: object) -> bytes:
    """A line of the host's journal.

    Args:
        now: the time, in UTC.
        event: ``intent`` or ``outcome``.
        fields: what else to note; never a secret.
    """
    entry = {"format": FORMAT, "time": now.isoformat(timespec="seconds"), "event": event, **fields}
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"


def derive(how: str, source: Secret) -> Secret:
    """Make a derived secret.

    Args:
        how: ``redis-acl``: a Redis ACL file that lets the default user in with the password whose
            SHA-256 it holds (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/).
        source: the secret it is made from.

    Raises:
        DeployError: there is no such way.
    """
    if how != "redis-acl":
        raise DeployError(f"there is no way {how!r} to derive a secret", stage="secrets")
    digest = hashlib.sha256(source.reveal().encode()).hexdigest()
    return Secret(f"user default on #{digest} ~* &* +@all\n")


def generate(length: int) -> Secret:
    """A random secret of letters and digits, which no file format or URL has to quote."""
    return Secret("".join(random.choice(_ALPHABET) for _ in range(length)))
