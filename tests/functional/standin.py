"""A stand-in of a TrueNAS of a test's own, in the checkout's hosts.toml while it is there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.functional.conftest import FILES, Site
from tests.functional.nas import APP, Nas
from tests.functional.test_other_hosts import HOSTS, add_host

from slipway.hosts.rehearsal import POOL


@contextmanager
def stand_in(site: Site, release: str, mode: str, kept: Sequence[str] = ()) -> Iterator[Nas]:
    """A host of that release; what the first command for it boots is gone at the end.

    Args:
        site: the checkout.
        release: of TrueNAS.
        mode: how the application is deployed there.
        kept: files of the checkout that are put back, beside hosts.toml.
    """
    before = {path: (site.root / path).read_bytes() for path in (HOSTS, *kept)}
    name = f"nas-{secrets.token_hex(3)}"
    add_host(site, name, {
        "kind": "rehearsal",
        "release": release,
        "mode": mode,
        "app_dir": f"{POOL}/apps/{APP}",
        "compose": FILES,
        "variables": {},
    })  # fmt: skip
    try:
        yield Nas(site, name, release)
    finally:
        for path, data in before.items():
            (site.root / path).write_bytes(data)
        site.inv("rehearsal.down", "--name", name)
