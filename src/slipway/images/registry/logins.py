"""Who one is to a registry, as Docker's own configuration says.

``config.json`` is in ``DOCKER_CONFIG``, else ``~/.docker`` (``docker login`` writes it): ``auths``
holds logins by server, ``credHelpers`` names a program for a server and ``credsStore`` one for all.
A helper is ``docker-credential-NAME``; ``get`` takes the server on standard input and prints
``{"ServerURL", "Username", "Secret"}`` (docker/docker-credential-helpers). The user ``<token>``
stands for an identity token, an OAuth 2 refresh token.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from slipway.doors import Shell
from slipway.errors import CommandFailed, ConfigError
from slipway.secret import Secret

_HELPER_S: Final = 60.0
_TOKEN_USER: Final = "<token>"  # noqa: S105 - a helper's word for "no user, but a token"
#: What helpers print when they have nothing (credentials.NewErrCredentialsNotFound).
_NONE: Final = "credentials not found"


@dataclass(frozen=True, slots=True)
class Login:
    """A login to a registry.

    Attributes:
        user: its name; empty where ``secret`` is an identity token.
        secret: password, access token, or identity token.
        source: where it stands, for messages.
    """

    user: str
    secret: Secret
    source: str

    @property
    def basic(self) -> Secret:
        """User and password as HTTP has them (RFC 7617)."""
        pair = f"{self.user}:{self.secret.reveal()}"
        return Secret(base64.b64encode(pair.encode()).decode())

    def docker_config(self, host: str) -> Secret:
        """A ``config.json`` for Docker with this login alone."""
        value = self.secret if not self.user else self.basic
        entry = {"auth" if self.user else "identitytoken": value.reveal()}
        return Secret(json.dumps({"auths": {host: entry}}))


def config_file(environment: Mapping[str, str], home: Path) -> Path:
    """Where Docker's configuration is."""
    folder = environment.get("DOCKER_CONFIG")
    return (Path(folder) if folder else home / ".docker") / "config.json"


def find_login(host: str, file: Path, shell: Shell) -> Login | None:
    """The login for a server, or None where Docker has none.

    Args:
        host: server and port.
        file: Docker's configuration; it may be absent.
        shell: runs helpers.

    Raises:
        ConfigError: the file can't be read, or a helper that it names does not answer.
    """
    settings = _read(file)
    helpers, auths = _table(settings, "credHelpers", file), _table(settings, "auths", file)
    helper = helpers.get(host) or settings.get("credsStore")
    if isinstance(helper, str) and helper and (found := _helped(helper, host, file, shell)):
        return found
    for name, entry in auths.items():
        if _server(name) == host and isinstance(entry, dict):
            return _plain(entry, host, file)
    return None


def _plain(entry: Mapping[str, Any], host: str, file: Path) -> Login | None:
    """The login that an entry of ``auths`` holds itself."""
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return Login("", Secret(token), str(file))
    auth = entry.get("auth")
    if not isinstance(auth, str) or not auth:
        return None
    try:
        user, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = ""
    if not colon:
        raise ConfigError(
            f"{file} has a login for {host} that can't be read: its `auth` should be the base64 "
            "form of user:password; nothing was sent",
            hint=f"docker login {host}",
            stage="login",
        )
    return Login(user, Secret(password.strip("\0")), str(file))


def _helped(name: str, host: str, file: Path, shell: Shell) -> Login | None:
    """The login that a helper has."""
    program = f"docker-credential-{name}"
    try:
        done = shell.run((program, "get"), timeout=_HELPER_S, input=host.encode(), check=False)
    except CommandFailed as error:
        missing = isinstance(error.__cause__, FileNotFoundError)
        raise ConfigError(
            f"{program}, which {file} names for {host}, "
            f"{'is not installed' if missing else 'does not answer'}; nothing was sent",
            hint=f"install {program}, or take it out of {file} and docker login {host}",
            stage="login",
        ) from error
    if not done.ok:
        said = f"{done.text}\n{done.error_text}".strip()
        if _NONE in said:
            return None
        raise ConfigError(
            f"{program}, which {file} names for {host}, ended with {done.exit_code}; "
            "nothing was sent",
            hint=f"docker login {host}",
            stage="login",
            details=said.splitlines()[-3:],
        )
    try:
        answer = json.loads(done.text)
        user, secret = str(answer["Username"]), Secret(str(answer["Secret"]))
    except (ValueError, KeyError, TypeError):
        # What it printed may hold a password: it is not shown.
        raise ConfigError(
            f"{program}, which {file} names for {host}, printed no login; nothing was sent",
            hint=f"docker login {host}",
            stage="login",
        ) from None
    return Login("" if user == _TOKEN_USER else user, secret, program)


def _server(name: str) -> str:
    """The server of an entry, which may be written as a URL."""
    return name.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _read(file: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise _unread(file, str(why)) from error
    if not isinstance(value, dict):
        raise _unread(file, "it is no JSON object")
    return value


def _table(settings: Mapping[str, Any], key: str, file: Path) -> Mapping[str, Any]:
    value = settings.get(key) or {}
    if not isinstance(value, dict):
        raise _unread(file, f"{key} should be an object")
    return value


def _unread(file: Path, why: str) -> ConfigError:
    return ConfigError(
        f"Docker's configuration {file} can't be read: {why}; nothing was sent",
        hint="mend it, or set DOCKER_CONFIG to a folder with another one",
        stage="login",
    )
