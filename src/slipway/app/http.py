"""How a stack is asked: directly, and through its host where only that one reaches it.

What asks is loaded when a stack is first asked: httpx takes longer to import than a host takes to
be asked, and a deploy without changes asks no URL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from slipway.doors import Answer, Host, Http

if TYPE_CHECKING:
    from slipway.hosts.tunnel import Tunnel

_Told = TypeVar("_Told")


@dataclass
class Detour:
    """The way through a host, for all who ask its stack.

    Attributes:
        host: which; None where there is no other way, as on this machine.
        warn: told once that the way is taken.
        tunnel: the way, once it led there.
    """

    host: Host | None
    warn: Callable[[str], None]
    tunnel: Tunnel | None = None

    def close(self) -> None:
        """Nobody comes that way any more."""
        if self.tunnel is not None:
            self.tunnel.close()
            self.tunnel = None


@dataclass
class StackHttp:
    """The :class:`slipway.doors.Http` of a stack on a host.

    A server that answers directly is asked so. One that doesn't is asked through the host besides,
    and once that brought an answer, through the host alone.

    Attributes:
        detour: the way through the host.
        roots: certificates (PEM) to believe besides the system's.
    """

    detour: Detour
    roots: str = ""
    _made: dict[str, Http] = field(default_factory=dict, init=False, repr=False)

    def get(self, url: str, *, timeout: float) -> Answer:
        """GET a URL; see :meth:`slipway.doors.Http.get`."""
        return self._asked(
            url,
            lambda http: http.get(url, timeout=timeout),
            lambda one: "" if one.status else one.body.decode("utf-8", "replace"),
        )

    def certificate(self, url: str, *, timeout: float) -> bytes:
        """See :meth:`slipway.doors.Http.certificate`."""
        return self._asked(
            url,
            lambda http: http.certificate(url, timeout=timeout),
            lambda one: "" if one else "it shows no certificate",
        )

    def trusting(self, roots: str) -> StackHttp:
        """See :meth:`slipway.doors.Http.trusting`.

        Raises:
            ValueError: these are no certificates.
        """
        trusting = StackHttp(self.detour, roots)
        trusting._by("")
        return trusting

    def proxy(self) -> str:
        """See :meth:`slipway.doors.Http.proxy`."""
        return "" if self.detour.tunnel is None else self.detour.tunnel.url

    def close(self) -> None:
        """See :meth:`slipway.doors.Http.close`; for all who ask by that way."""
        for made in self._made.values():
            made.close()
        self._made.clear()
        self.detour.close()

    def _asked(
        self, url: str, ask: Callable[[Http], _Told], failure: Callable[[_Told], str]
    ) -> _Told:
        """What a question brought, by the way that leads there."""
        if self.detour.tunnel is not None:
            return ask(self._by(self.detour.tunnel.url))
        told = ask(self._by(""))
        why, host = failure(told), self.detour.host
        if not why or host is None:
            return told
        from slipway.hosts.tunnel import Tunnel, server_of

        tunnel = Tunnel(host, *server_of(url))
        otherwise = ask(self._by(tunnel.url))
        if failure(otherwise):
            tunnel.close()
            return told
        self.detour.tunnel = tunnel
        self.detour.warn(
            f"{url} can't be reached from here ({why}); it is asked through SSH, from {host.name}"
        )
        return otherwise

    def _by(self, proxy: str) -> Http:
        """What asks through a proxy, or directly.

        Raises:
            ValueError: the roots are no certificates.
        """
        if proxy not in self._made:
            from slipway.web import HttpxHttp

            self._made[proxy] = HttpxHttp(proxy=proxy).trusting(self.roots)
        return self._made[proxy]
