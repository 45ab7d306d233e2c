"""Speak to a registry: OCI distribution specification 1.1, over httpx.

A question that brings no answer, or the server's own failure, is asked again a few times; before
the first answer of all it is not, since a wrong address would only be found out later.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from slipway.errors import ConfigError, RegistryError
from slipway.images.description import MANIFEST_TYPE
from slipway.images.registry.access import Access, Scopes
from slipway.images.registry.address import Registry, is_loopback
from slipway.images.registry.logins import Login
from slipway.images.registry.refused import foreign, is_full, not_logged_in, refused, unreachable

#: Seconds before each further try that brings nothing: a registry that is just restarted is found.
PAUSES_S: Final = (1.0, 4.0, 15.0, 40.0)
#: A server that is asked to put a large layer in its place answers when that is done.
_TIMEOUT: Final = httpx.Timeout(60, connect=20, read=300)
_BUSY: Final = httpx.codes.TOO_MANY_REQUESTS
_LONGEST_S: Final = 60.0
_SHOWN_TWICE: Final = 3
#: Where Docker keeps the authorities of single registries.
CERTS: Final = Path("/etc/docker/certs.d")


class Passing(Exception):
    """What may go well when it is tried again.

    Args:
        error: what to say when it does not.
        wait_s: seconds that the server asks for; 0 when it does not.
    """

    def __init__(self, error: RegistryError, wait_s: float = 0.0) -> None:
        super().__init__(error.message)
        self.error, self.wait_s = error, wait_s


@dataclass(frozen=True, slots=True)
class Ask:
    """A question.

    Attributes:
        method: of HTTP.
        url: where, absolute.
        scopes: what it takes of a token.
        what: for messages, such as ``the layer python of langflix/api``.
        fine: statuses that are answers; others are refusals.
        headers: besides those that every question has.
        content: gives its body, anew each time; None for none.
    """

    method: str
    url: httpx.URL
    scopes: Scopes
    what: str
    fine: Collection[int]
    headers: Mapping[str, str]
    content: Callable[[], Iterator[bytes] | bytes] | None = None


def trust(registry: Registry, folder: Path) -> ssl.SSLContext:
    """Whom to believe: the system's authorities, and those that Docker has for this registry.

    Docker keeps them in ``HOST[:PORT]/*.crt`` of :data:`CERTS`.

    Raises:
        ConfigError: one of those can't be read.
    """
    context = ssl.create_default_context()
    for file in sorted((folder / registry.host).glob("*.crt")):
        try:
            context.load_verify_locations(cafile=str(file))
        except OSError as error:  # ssl.SSLError is one
            why = "it is no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigError(
                f"the certificate {file} can't be read: {why}; nothing was sent",
                hint=f"put the authority's certificate there, in PEM, or remove {file}",
                stage="registry",
            ) from error
    return context


def open_http(registry: Registry, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """What carries requests to a registry; by the environment's proxies, but to this machine.

    Raises:
        ConfigError: a certificate that Docker has for it can't be read.
    """
    return httpx.Client(
        verify=trust(registry, CERTS),
        timeout=_TIMEOUT,
        follow_redirects=False,
        trust_env=not is_loopback(registry.host),
        transport=transport,
    )


class Client:
    """Questions to one registry.

    Args:
        registry: which.
        http: carries them.
        login: who one is; None for nobody.
        sleep: waits.
    """

    def __init__(
        self,
        registry: Registry,
        http: httpx.Client,
        login: Login | None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.registry, self._http = registry, http
        self._access = Access(http, registry, login)
        self._login = login
        self._answered = False
        self.sleep = sleep

    def url(self, path: str) -> httpx.URL:
        """The URL of a path below ``/v2/``."""
        return httpx.URL(f"{self.registry.url}/v2/{path}")

    def ask(
        self,
        method: str,
        url: httpx.URL,
        scopes: Scopes,
        what: str,
        *,
        fine: Collection[int],
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Ask, a few times if need be.

        Raises:
            RegistryError: with a sentence for each cause.
        """
        body = None if content is None else (lambda: content)
        one = Ask(method, url, scopes, what, fine, headers or {}, body)
        pauses = iter(PAUSES_S)
        while True:
            try:
                return self.once(one)
            except Passing as passing:
                pause = next(pauses, None) if self._answered else None
                if pause is None:
                    raise passing.error from passing
                self.sleep(max(pause, passing.wait_s))

    def once(self, one: Ask) -> httpx.Response:
        """Ask, and show what the answer wants to see; nothing else is tried again.

        Raises:
            Passing: no answer came, or the server failed.
            RegistryError: it refuses.
        """
        for _ in range(_SHOWN_TWICE):
            answer, shown = self._sent(one)
            self._answered = True
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                return self._judged(one, answer)
            self._access.learn(answer, one.scopes, shown, one.what)
        raise not_logged_in(self.registry, self._login.source if self._login else "")

    def onward(self, answer: httpx.Response) -> httpx.URL:
        """Where an answer's ``Location`` leads, which may be relative.

        A server behind a proxy that does not know so says ``http://`` of itself; it is asked in the
        way that it was asked before.

        Raises:
            RegistryError: to where nothing of ours is sent.
        """
        asked = answer.request.url
        where = answer.headers.get("Location", "")
        try:
            url = asked.join(where)
        except httpx.InvalidURL as error:
            raise foreign(self.registry, where, "which is no address") from error
        if url.host == asked.host and url.scheme != asked.scheme:
            url = url.copy_with(scheme=asked.scheme, port=asked.port)
        if url.scheme != "https" and not self.registry.plain:
            raise foreign(self.registry, str(url.copy_with(query=None)), "without TLS")
        return url

    def _sent(self, one: Ask) -> tuple[httpx.Response, str]:
        """The answer, and the ``Authorization`` that was shown."""
        ours = one.url.netloc == self.url("").netloc
        try:
            shown = self._access.headers(one.scopes) if ours else {}
            content = one.content() if one.content is not None else None
            answer = self._http.request(
                one.method, one.url, headers={**one.headers, **shown}, content=content
            )
        except (httpx.HTTPError, httpx.StreamError) as error:
            found = unreachable(self.registry, error)
            raise _passing(found) from error
        except httpx.InvalidURL as error:
            raise foreign(self.registry, str(one.url), "which is no address") from error
        return answer, shown.get("Authorization", "")

    def _judged(self, one: Ask, answer: httpx.Response) -> httpx.Response:
        if answer.status_code in one.fine:
            return answer
        error = refused(self.registry, answer, one.what)
        failed = answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR and not is_full(answer)
        if failed or answer.status_code == _BUSY:
            raise Passing(error, _retry_after(answer))
        raise error


def repository_scope(*names: str, last: str = "pull,push") -> Scopes:
    """What work in a repository takes of a token, and reading from others besides."""
    name, *others = names
    return (f"repository:{name}:{last}", *(f"repository:{one}:pull" for one in others))


def manifest_headers() -> dict[str, str]:
    """What a question for a manifest says that it takes."""
    return {"Accept": MANIFEST_TYPE}


#: What tries again would not mend.
_LASTING: Final = ("unknown-host", "certificate", "no-tls")


def _passing(error: RegistryError) -> Exception:
    return error if error.cause in _LASTING else Passing(error)


def _retry_after(answer: httpx.Response) -> float:
    """Seconds that a server wants to be left alone (RFC 9110, 10.2.3), a minute at most."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_S) if text.isascii() and text.isdigit() else 0.0
