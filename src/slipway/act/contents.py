"""The bytes that a deploy's actions only name."""

from __future__ import annotations

import hashlib
import secrets as random
import string

from slipway.errors import DeployError
from slipway.ledger.entries import Source
from slipway.ledger.folder import Folder
from slipway.ledger.layout import secret_file
from slipway.ledger.release import as_json
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
    """

    def __init__(self, draft: Draft, folder: Folder) -> None:
        self._draft, self._folder = draft, folder
        self._made: dict[str, Secret] = {}

    def __call__(self, source: Source) -> bytes:
        """The content of a source.

        Raises:
            DeployError: a secret that another one is derived from vanished from the host.
        """
        return {
            "config": lambda: self._draft.wanted.contents[source.name],
            "compose": lambda: self._draft.rendered.text,
            "release": lambda: as_json(self._draft.release.to_json()),
            "secret": lambda: self._secret(source.name).reveal().encode(),
        }[source.kind]()

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
        if choice.origin == "derived" and spec.derive == "before":
            return self._before(spec.source, choice.version)
        if choice.origin == "derived":
            return derive(spec.derive, self._secret(spec.source), spec.login, choice.version)
        return self._folder.secret(spec.name, choice.version)

    def _before(self, name: str, version: int) -> Secret:
        """What the live release has as a secret that gets another version; empty for none."""
        memory = self._draft.seen.memory
        live = memory.records.live
        number = live.secrets.get(name, version) if live else version
        if number == version or secret_file(name, number) not in memory.files:
            return Secret("")
        return self._folder.secret(name, number)


def derive(how: str, source: Secret, login: str = "", version: int = 1) -> Secret:
    """Make a derived secret.

    Args:
        how: ``redis-acl``: a Redis ACL file that lets the default user in with the password whose
            SHA-256 it holds (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/).
            ``login``: ``NAME_a:PASSWORD``, and ``NAME_b`` in every second version, so that two
            logins have a password each: the one before, and this one.
        source: the secret it is made from.
        login: that name.
        version: the number of the version.

    Raises:
        DeployError: there is no such way.
    """
    if how == "redis-acl":
        digest = hashlib.sha256(source.reveal().encode()).hexdigest()
        return Secret(f"user default on #{digest} ~* &* +@all\n")
    if how == "login":
        turn = "ab"[(version - 1) % 2]
        return Secret(f"{login}_{turn}:{source.reveal()}\n")
    raise DeployError(f"there is no way {how!r} to derive a secret", stage="secrets")


def generate(length: int) -> Secret:
    """A random secret of letters and digits, which no file format or URL has to quote."""
    return Secret("".join(random.choice(_ALPHABET) for _ in range(length)))
