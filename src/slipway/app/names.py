"""Names with letters beyond ASCII: as they are asked for in the DNS and stand in certificates."""

from __future__ import annotations

import unicodedata

from slipway.errors import ConfigError


def ascii_url(url: str) -> str:
    """A URL as every program takes it: ``https://xn--kche-0ra.example`` for ``https://küche.example``.

    The labels of its name become A-labels (RFC 5890, 2.3.2.1).

    Raises:
        ConfigError: nobody can have such a name.
    """
    if url.isascii():
        return url
    import httpx  # it takes longer to load than everything else here

    try:
        return str(httpx.URL(unicodedata.normalize("NFC", url)))
    except httpx.InvalidURL as error:
        raise ConfigError(
            f"{url}: {error}; nothing was changed",
            hint="look at `url` of x-slipway in deploy/docker-compose*.yml, at the variables in "
            "it, and at `address` of the host",
            stage="config",
        ) from error
