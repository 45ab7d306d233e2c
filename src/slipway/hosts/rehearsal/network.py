"""Which addresses a rehearsal host's wire gets. Pure."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator

from slipway.errors import HostError

# A corner of the private range, then one of the range for benchmarks (RFC 2544), which is
# hardly ever routed; the second serves machines that route all of 10.0.0.0/8 elsewhere.
POOLS = tuple(ipaddress.IPv4Network(net) for net in ("10.213.0.0/16", "198.18.0.0/16"))
TRIES_A_POOL = 256
Network = ipaddress.IPv4Network


def read_taken(addresses: bytes, routes: bytes) -> tuple[Network, ...]:
    """The networks this machine knows, from ``ip -j -4 addr`` and ``ip -j -4 route``.

    Default routes are left out: they overlap everything and claim nothing.

    Raises:
        ValueError: the output isn't what ``ip`` prints.
    """
    taken = set()
    try:
        for link in json.loads(addresses or b"[]"):
            for entry in link.get("addr_info", ()):
                text = f"{entry['local']}/{entry['prefixlen']}"
                taken.add(Network(text, strict=False))
        for route in json.loads(routes or b"[]"):
            if route["dst"] != "default":
                taken.add(Network(route["dst"], strict=False))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"unexpected output of `ip -j`: {error!r}") from error
    return tuple(sorted(net for net in taken if net.prefixlen > 0))


def choose(key: str, taken: Iterable[Network]) -> Network:
    """A /30 for the host with this key: always the same one as long as it is free.

    Args:
        key: hexadecimal digits.
        taken: networks that must not be touched.

    Raises:
        HostError: none is free.
    """
    known = tuple(taken)
    for candidate in _candidates(key):
        if not any(candidate.overlaps(net) for net in known):
            return candidate
    pools = " and ".join(str(pool) for pool in POOLS)
    raise HostError(
        f"no free addresses for the rehearsal host in {pools}; nothing was started",
        hint="remove a route that covers one of them, or use --host local",
        stage="rehearsal",
    )


def _candidates(key: str) -> Iterator[Network]:
    for pool in POOLS:
        count = 1 << (30 - pool.prefixlen)
        start = int(key, 16) % count
        for step in range(TRIES_A_POOL):
            index = (start + step) % count
            yield Network((int(pool.network_address) + 4 * index, 30))


def here(net: Network) -> str:
    """This machine's end, with prefix length."""
    return f"{net.network_address + 1}/{net.prefixlen}"


def there(net: Network) -> str:
    """The host's end, with prefix length."""
    return f"{net.network_address + 2}/{net.prefixlen}"
