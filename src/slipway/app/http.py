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
        python: where the host may have a Python that was brought there.
        tunnels: the way to a server, by its name and port, once it led there.
        made: what asks, by whom it believes and the proxy that it goes through.
    """

    host: Host | None
    warn: Callable[[str], None]
    python: str = ""
    tunnels: dict[tuple[str, int], Tunnel] = field(default_factory=dict)
    made: dict[tuple[str, str], Http] = field(default_factory=dict)

    def by(self, roots: str, proxy: str) -> Http:
        """What asks through a proxy, or directly.

        Raises:
            ValueError: the roots are no certificates.
        """
        if (roots, proxy) not in self.made:
            from slipway.web import HttpxHttp

            self.made[roots, proxy] = HttpxHttp(proxy=proxy).trusting(roots)
        return self.made[roots, proxy]

    def give_up(self, tunnel: Tunnel, roots: str) -> None:
        """It leads nowhere, or is not needed."""
        self.made.pop((roots, tunnel.url)).close()
        tunnel.close()

    def close(self) -> None:
        """Nobody asks any more."""
        for http in self.made.values():
            http.close()
        for tunnel in self.tunnels.values():
            tunnel.close()
        self.made.clear()
        self.tunnels.clear()


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
        self.detour.by(roots, "")
        return StackHttp(self.detour, roots)

    def proxy(self) -> str:
        """See :meth:`slipway.doors.Http.proxy`."""
        return next((one.url for one in self.detour.tunnels.values()), "")

    def close(self) -> None:
        """See :meth:`slipway.doors.Http.close`; for all who ask by that way."""
        self.detour.close()

    def _asked(
        self, url: str, ask: Callable[[Http], _Told], failure: Callable[[_Told], str]
    ) -> _Told:
        """What a question brought, by the way that leads there."""
        from slipway.hosts.tunnel import Tunnel, server_of

        detour, server = self.detour, server_of(url)
        if taken := detour.tunnels.get(server):
            return ask(detour.by(self.roots, taken.url))
        told = ask(detour.by(self.roots, ""))
        why = failure(told)
        if not why or detour.host is None:
            return told
        tunnel = Tunnel(detour.host, *server, detour.python)
        otherwise = ask(detour.by(self.roots, tunnel.url))
        if failure(otherwise):
            detour.give_up(tunnel, self.roots)
            return told
        # A server that has just come up is found by the way that is tried last.
        if not failure(again := ask(detour.by(self.roots, ""))):
            detour.give_up(tunnel, self.roots)
            return again
        detour.tunnels[server] = tunnel
        through = f"it is asked through SSH, from {detour.host.name}"
        detour.warn(f"{url} can't be reached from here ({why}); {through}")
        return otherwise
