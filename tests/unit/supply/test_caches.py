"""Which caches Nix asks, and what it said of what they offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.config import CacheConfig
from slipway.supply import caches
from slipway.supply.publish import Cache, Stored, portions, read_known

KEY = "home-1:" + "A" * 43 + "="
PATH = "/nix/store/cgh03l7hnarwkw8mcnp5f4mhm9d4qa2a-layer-libc"
COPYING = f"copying path '{PATH}' from 'file:///c'...\n"


def test_nothing_named_changes_nothing() -> None:
    """Without a cache Nix runs as it is set."""
    assert caches.variables(CacheConfig(), {"NIX_CONFIG": "cores = 1"}) == {}


def test_what_is_set_stays() -> None:
    """Caches come on top of Nix's own settings, that of the variable first, with their keys."""
    cache = CacheConfig(("https://b", "file:///c"), (KEY,))
    set_to = {"NIX_CONFIG": "cores = 1", caches.VARIABLE: " s3://a "}

    lines = caches.variables(cache, set_to)["NIX_CONFIG"].splitlines()

    assert lines[:3] == [
        "cores = 1",
        "extra-substituters = s3://a https://b file:///c",
        f"extra-trusted-public-keys = {KEY}",
    ]
    assert {"substitute = true", "narinfo-cache-negative-ttl = 0"} <= set(lines)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        # What Nix 2.8.0 says of an archive of other bytes, of one cut off, of no archive.
        (f"{COPYING}error: NAR for '{PATH}' fetched from 'file:///c' is incomplete", "incomplete"),
        (f"{COPYING}error: Failed to open archive (Truncated zstd input)", "Truncated"),
        (f"{COPYING}error: hash mismatch importing path '{PATH}';", "hash mismatch"),
        (f"{COPYING}       error: bad archive: no 'nix-archive-1'", "bad archive"),
        (f"warning: the substitute for '{PATH}' from 'file:///c' is not signed by any of the keys "
         "in 'trusted-public-keys'", "signed by no key"),
    ],
)  # fmt: skip
def test_what_was_not_taken(said: str, why: str) -> None:
    """The path, the cache and the reason are found in Nix's words."""
    (one,) = caches.refused(f"these paths will be fetched\n{said}\nerror: build failed")

    assert (one.path, one.cache) == (PATH, "file:///c")
    assert why in one.why


@pytest.mark.parametrize(
    "said",
    [
        f"{COPYING}copying 1 paths...",
        "error: unable to download 'https://b/x.narinfo': Couldn't connect to server",
        f"error: path '{PATH}' is required, but there is no substituter that can build it",
    ],
)
def test_what_was_taken_or_lacked_was_not_refused(said: str) -> None:
    """Copying something, reaching nobody, or not finding it is nobody's falsification."""
    assert caches.refused(said) == ()


def test_both_forms_of_what_a_store_has() -> None:
    """A list until Nix 2.18, an object from then on; what isn't there is left out of both."""
    older = '[{"path":"/nix/store/a","narSize":5},{"path":"/nix/store/b","valid":false}]'
    newer = '{"/nix/store/a":{"narSize":5},"/nix/store/b":null}'

    assert read_known(older) == read_known(newer) == {"/nix/store/a": 5}


def test_portions_are_of_some_megabytes() -> None:
    """Small paths go together, a large one by itself; none is lost and their order stays."""
    sizes = [1, 2, 60_000_000, 30_000_000, 10_000_000, 20_000_000]
    paths = [Stored(str(number), size) for number, size in enumerate(sizes)]

    made = portions(paths)

    assert [one for portion in made for one in portion] == paths
    assert [[one.bytes for one in portion] for portion in made] == [
        [1, 2], [60_000_000], [30_000_000, 10_000_000], [20_000_000],
    ]  # fmt: skip
    assert portions([]) == []


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("file:///c", "file:///c?compression=zstd&parallel-compression=true&secret-key={}"),
        ("s3://c?region=x", "s3://c?region=x&compression=zstd&parallel-compression=true"
         "&secret-key={}"),
        ("ssh-ng://nas", "ssh-ng://nas"),
    ],
)  # fmt: skip
def test_where_archives_are_written_nix_signs_them(
    address: str, written: str, tmp_path: Path
) -> None:
    """An address may have settings already; a store that isn't made of archives takes none."""
    key = tmp_path / "a key"
    quoted = str(key).replace(" ", "%20")
    assert Cache(address, key).written == written.format(quoted)
