"""HTTP that is loaded when a stack is first asked.

httpx takes longer to import than a host takes to be asked, and a deploy without changes asks no
URL.
"""

from __future__ import annotations

from slipway.doors import Answer, Http


class LazyHttp:
    """The :class:`slipway.doors.Http` of this machine."""

    def __init__(self) -> None:
        self._http: Http | None = None

    def get(self, url: str, *, timeout: float) -> Answer:
        """GET a URL; see :meth:`slipway.doors.Http.get`."""
        return self._real().get(url, timeout=timeout)

    def certificate(self, url: str, *, timeout: float) -> bytes:
        """See :meth:`slipway.doors.Http.certificate`."""
        return self._real().certificate(url, timeout=timeout)

    def trusting(self, roots: str) -> Http:
        """See :meth:`slipway.doors.Http.trusting`."""
        return self._real().trusting(roots)

    def _real(self) -> Http:
        if self._http is None:
            from slipway.web import HttpxHttp

            self._http = HttpxHttp()
        return self._http
