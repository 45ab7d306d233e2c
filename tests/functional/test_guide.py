"""docs/guides/truenas.md from its first line to its last, on an empty stand-in, as a reader would.

Commands and tables are the file's own; tests/functional/guides says how each is done and what has
to hold afterwards. tests/unit/guides shows in every run that everything in the guide has its place
there, and that the Korean guide has its reader do the same.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.functional.conftest import ROOT, Site
from tests.functional.guides.places import place
from tests.functional.guides.reader import moves
from tests.functional.guides.seat import OWN, Reader, seated
from tests.functional.nas import Nas
from tests.functional.test_other_hosts import HOSTS, add_host

GUIDE = ROOT / "docs/guides/truenas.md"
RELEASE = "25.10"
_CHANGED = (HOSTS, "inv", "src/langflix/api/app.py")


@pytest.fixture
def reader(site: Site, tmp_path: Path) -> Iterator[Reader]:
    """A reader before an empty stand-in; the checkout is put back."""
    kept = {path: (site.root / path).read_bytes() for path in _CHANGED}
    nas = Nas(site, f"guide-{secrets.token_hex(3)}", RELEASE)
    add_host(site, nas.name, {
        "kind": "rehearsal", "release": RELEASE, "app_dir": "/mnt/tank/unused",
    })  # fmt: skip
    try:
        with seated(site, nas, tmp_path) as made:
            yield made
    finally:
        for path, data in kept.items():
            (site.root / path).write_bytes(data)
        (site.root / OWN).unlink(missing_ok=True)
        site.inv("rehearsal.down", "--name", nas.name)


@pytest.mark.long  # a dozen whole deploys; tests/unit/guides reads the guide in every run
def test_the_guide_is_followed_from_an_empty_nas(reader: Reader) -> None:
    """Everything it says is done in its order, and each holds what the text promises."""
    for move in moves(GUIDE.read_text("utf-8")):
        doing = place(move)
        if isinstance(doing, str):
            sys.stdout.write(f"left out: {move} ({doing})\n")
            continue
        sys.stdout.write(f"{move}\n")
        doing(reader, move)
