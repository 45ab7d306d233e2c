"""Show a registry who one is: basic login, or bearer tokens of its token server.

The token server is the one of the OCI "Docker Registry v2 authentication": a 401 names it with
``WWW-Authenticate: Bearer realm=…,service=…``; a token is asked for with the wanted scopes, by GET
with a basic login, or by POST with an identity token (OAuth 2, ``grant_type=refresh_token``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.request import parse_http_list, parse_keqv_list

import httpx

from slipway.images.registry.address import Registry
from slipway.images.registry.logins import Login
from slipway.images.registry.refused import denied, foreign, not_logged_in, refused, unreachable
from slipway.secret import Secret

#: Who asks, in OAuth 2's words.
_CLIENT: Final = "slipway"

#: What is asked for, such as ``("repository:langflix/api:pull,push",)``.
Scopes = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for.

    Attributes:
        scheme: ``basic`` or ``bearer``.
        realm: for ``bearer`` the token server's URL.
        service: what it calls the registry.
    """

    scheme: str
    realm: str = ""
    service: str = ""


def read_challenge(text: str) -> Challenge | None:
    """Read a ``WWW-Authenticate``; None where it is of another kind. Pure."""
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() == "basic":
        return Challenge("basic")
    if scheme.lower() != "bearer":
        return None
    try:
        fields = parse_keqv_list(parse_http_list(rest))
    except ValueError:
        return None
    realm = fields.get("realm", "")
    return Challenge("bearer", realm, fields.get("service", "")) if realm else None


class Access:
    """Gives each request what it shows, and learns from refusals.

    Args:
        http: carries requests.
        registry: to whom.
        login: who one is; None for nobody.
    """

    def __init__(self, http: httpx.Client, registry: Registry, login: Login | None) -> None:
        self._http, self._registry, self._login = http, registry, login
        self._challenge: Challenge | None = None
        self._tokens: dict[Scopes, Secret] = {}
        # Several threads send at once; of tokens for one thing one is enough.
        self._lock = threading.Lock()

    def headers(self, scopes: Scopes) -> dict[str, str]:
        """What a request shows, as far as it is known what is wanted.

        Raises:
            RegistryError: the token server gives none.
        """
        with self._lock:
            challenge = self._challenge
            if challenge is None:
                return {}
            if challenge.scheme == "basic":
                if self._login is None:
                    return {}
                return {"Authorization": f"Basic {self._login.basic.reveal()}"}
            if scopes not in self._tokens:
                self._tokens[scopes] = self._token(challenge, scopes)
            return {"Authorization": f"Bearer {self._tokens[scopes].reveal()}"}

    def learn(self, answer: httpx.Response, scopes: Scopes, shown: str, what: str) -> None:
        """Take a 401 in, so that the next request shows what is wanted.

        Args:
            answer: the 401.
            scopes: what was asked for.
            shown: the ``Authorization`` that it refuses; empty for none.
            what: for messages.

        Raises:
            RegistryError: nothing more can be shown.
        """
        challenge = read_challenge(answer.headers.get("WWW-Authenticate", ""))
        source = self._login.source if self._login else ""
        if challenge is None or (challenge.scheme == "basic" and (shown or not self._login)):
            raise not_logged_in(self._registry, source)
        with self._lock:
            self._challenge = challenge
            if shown and self._tokens.get(scopes) == Secret(shown.removeprefix("Bearer ")):
                del self._tokens[scopes]  # it has expired; another one may do
            elif not shown:
                return
        if "insufficient_scope" in answer.headers.get("WWW-Authenticate", ""):
            raise denied(self._registry, what) if self._login else not_logged_in(self._registry, "")

    def _token(self, challenge: Challenge, scopes: Scopes) -> Secret:
        try:
            realm = httpx.URL(challenge.realm)
        except httpx.InvalidURL as error:
            raise foreign(self._registry, challenge.realm, "which is no address") from error
        if realm.scheme != "https" and not self._registry.plain:
            raise foreign(self._registry, challenge.realm, "where passwords could be overheard")
        try:
            answer = self._asked(challenge, scopes)
        except httpx.HTTPError as error:
            raise unreachable(Registry(realm.netloc.decode()), error) from error
        if answer.status_code in (400, 401, 403):
            raise not_logged_in(self._registry, self._login.source if self._login else "")
        if answer.status_code != httpx.codes.OK:
            raise refused(self._registry, answer, "the question for a token")
        return Secret(_token_in(answer) or self._none())

    def _none(self) -> str:
        raise not_logged_in(self._registry, "", ("its token server answers without a token",))

    def _asked(self, challenge: Challenge, scopes: Scopes) -> httpx.Response:
        login = self._login
        if login is not None and not login.user:
            form = {
                "grant_type": "refresh_token",
                "service": challenge.service,
                "client_id": _CLIENT,
                "scope": " ".join(scopes),
                "refresh_token": login.secret.reveal(),
            }
            return self._http.post(challenge.realm, data=form)
        query: list[tuple[str, str | int | float | bool | None]] = [
            ("service", challenge.service),
            *(("scope", one) for one in scopes),
        ]
        shown: Mapping[str, str] = (
            {} if login is None else {"Authorization": f"Basic {login.basic.reveal()}"}
        )
        url = httpx.URL(challenge.realm)
        return self._http.get(url.copy_merge_params(query), headers=dict(shown))


def _token_in(answer: httpx.Response) -> str:
    try:
        value = answer.json()
        return str(value.get("token") or value.get("access_token") or "")
    except (ValueError, AttributeError):
        return ""
