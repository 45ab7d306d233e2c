"""HTTP requests to a deployed stack, through httpx.

A probe's question is "does it answer, and what": no answer is an :class:`Answer` with status 0
and the reason as its body, never an exception. Redirects are followed on the same server only:
an answer of another server would prove nothing about this one. Proxies of the environment are
not used, and TLS trusts what the system trusts.
"""

from __future__ import annotations

import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPException, HTTPSConnection

import httpx

from slipway.doors import Answer

_REDIRECTS = 5
_CONNECT_TIMEOUT_S = 10.0
_LARGEST_BODY = 512_000_000


class HttpxHttp:
    """The :class:`slipway.doors.Http` of this machine.

    Args:
        roots: certificates (PEM) to believe besides the system's.
        proxy: an HTTP proxy that all requests go through; empty for none.
    """

    def __init__(self, roots: str = "", proxy: str = "") -> None:
        context = ssl.create_default_context()
        if roots:
            context.load_verify_locations(cadata=roots)
        self._proxy = proxy
        self._client = httpx.Client(
            verify=context,
            trust_env=False,
            follow_redirects=False,
            proxy=proxy or None,
            # A server that allows one command at a time has none left while a way through is kept.
            limits=httpx.Limits(max_keepalive_connections=0 if proxy else 20),
        )

    def trusting(self, roots: str) -> HttpxHttp:
        """See :meth:`slipway.doors.Http.trusting`; none are no change.

        Raises:
            ValueError: these are no certificates.
        """
        if not roots:
            return self
        try:
            return HttpxHttp(roots, self._proxy)
        except ssl.SSLError as error:
            raise ValueError(error.reason) from error

    def get(self, url: str, *, timeout: float) -> Answer:
        """GET a URL; see :meth:`slipway.doors.Http.get`. ``timeout`` holds for all of it."""
        deadline = time.monotonic() + timeout

        def ask() -> Answer:
            at = httpx.URL(url)
            for _ in range(_REDIRECTS + 1):
                request = self._client.build_request("GET", at, timeout=_left(deadline))
                answer, onward = self._send(request, deadline)
                if onward is None or _server(onward) != _server(at):
                    return answer
                at = onward
            return Answer(0, f"{url} redirects more than {_REDIRECTS} times".encode())

        return _answered(ask, timeout)

    def certificate(self, url: str, *, timeout: float) -> bytes:
        """See :meth:`slipway.doors.Http.certificate`."""
        # It is only looked at: whether it is to be believed is asked by get().
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with closing(self._connection(httpx.URL(url), timeout, context)) as connection:
                connection.connect()
                return connection.sock.getpeercert(binary_form=True) or b""
        except (OSError, HTTPException, httpx.InvalidURL):
            return b""

    def proxy(self) -> str:
        """See :meth:`slipway.doors.Http.proxy`."""
        return self._proxy

    def _connection(
        self, at: httpx.URL, timeout: float, context: ssl.SSLContext
    ) -> HTTPSConnection:
        """A connection that is not open yet; through the proxy, if there is one."""
        host, port = at.host, at.port or 443
        if not self._proxy:
            return HTTPSConnection(host, port, timeout=timeout, context=context)
        way = httpx.URL(self._proxy)
        connection = HTTPSConnection(way.host, way.port, timeout=timeout, context=context)
        shown = b64encode(f"{way.username}:{way.password}".encode()).decode()
        connection.set_tunnel(host, port, {"Proxy-Authorization": f"Basic {shown}"})
        return connection

    def close(self) -> None:
        """End the connections kept open."""
        self._client.close()

    def _send(self, request: httpx.Request, deadline: float) -> tuple[Answer, httpx.URL | None]:
        """The answer, and where it sends on to."""
        response = self._client.send(request, stream=True)
        try:
            body = bytearray()
            for piece in response.iter_bytes():
                body.extend(piece)
                if len(body) > _LARGEST_BODY:
                    return Answer(0, f"more than {_LARGEST_BODY} bytes came".encode()), None
                _left(deadline)
            onward = response.next_request.url if response.next_request is not None else None
            return Answer(response.status_code, bytes(body)), onward
        finally:
            response.close()


class _OutOfTime(Exception):
    """The whole request took too long, though bytes kept coming."""


def _left(deadline: float) -> httpx.Timeout:
    """Time-outs for what comes next.

    Raises:
        _OutOfTime: there is no time left.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise _OutOfTime
    return httpx.Timeout(seconds, connect=min(seconds, _CONNECT_TIMEOUT_S))


def _answered(ask: Callable[[], Answer], timeout: float) -> Answer:
    try:
        return ask()
    except (httpx.TimeoutException, _OutOfTime):
        return Answer(0, f"no answer within {timeout:g} s".encode())
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        return Answer(0, (str(error) or type(error).__name__).encode())


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default
