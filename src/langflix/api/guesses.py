"""Wrong tokens, counted by address; in the memory of this process.

The edge counts for all addresses together, too. This holds where the edge does not: to the letter,
when many guesses come at the same moment.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock

from langflix.api.problems import Problem

#: So many wrong tokens of one address are heard within ...
MOST = 10
#: ... so many seconds.
WITHIN_S = 60.0
#: Addresses that are remembered; the one that was heard of longest ago goes first.
KEPT = 10_000


class Guesses:
    """What each address has got wrong lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        #: Network to when its time began, and its wrong tokens since.
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def judge(self, address: str, right: bool) -> None:
        """Count a token that was shown, if it is wrong.

        Args:
            address: who shows it.
            right: whether it is the one that is wanted.

        Raises:
            Problem: 429, when the address has to wait; with a right token as well, for otherwise
                the answer would tell which one is right.

        """
        network, now = _network(address), self._clock()
        with self._lock:
            began, count = self._wrong.pop(network, (now, 0))
            if now - began >= WITHIN_S:
                began, count = now, 0
            waits = count >= MOST
            count += not right and not waits
            if count:
                self._wrong[network] = (began, count)
            if len(self._wrong) > KEPT:
                self._wrong.popitem(last=False)
        if waits:
            left = max(1, ceil(began + WITHIN_S - now))
            detail = f"too many wrong tokens; try again in {left} s"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(left)})


def _network(address: str) -> str:
    """Return what counts as one: of IPv6 64 bits, which a house has to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return parsed.packed[:8].hex()
    return address
