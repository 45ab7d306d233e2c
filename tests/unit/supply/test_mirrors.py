"""Where files come from is read out of apt's own settings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import FetchError
from slipway.supply import mirrors

DEB822 = """\
Types: deb
# a comment with http://elsewhere.example/archive/debian/2025
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security/
Suites: bookworm-security
Components: main

Types: deb
URIs: https://third.example/debian
Suites: stable
Enabled: no
"""


def test_deb822() -> None:
    """A deb822 file gives its enabled addresses, without comments and closing slashes."""
    pairs = mirrors.parse_sources({"debian.sources": DEB822})

    assert pairs == [
        ("http://mirror.example/debian", "bookworm"),
        ("http://mirror.example/debian", "bookworm-updates"),
        ("http://mirror.example/debian-security", "bookworm-security"),
    ]


def test_one_line() -> None:
    """A one-line list is read with its options; sources and comments are not packages."""
    text = (
        "# deb http://no.example/debian x main\n"
        "deb [arch=amd64 signed-by=/k] http://a.example/debian trixie main\n"
        "deb-src http://a.example/debian trixie main\n"
    )

    assert mirrors.parse_sources({"sources.list": text}) == [("http://a.example/debian", "trixie")]


def test_choice_from_apt() -> None:
    """Any release's source names the archive beside which the locked one lies."""
    chosen = mirrors.choose(mirrors.parse_sources({"d.sources": DEB822}), {}, {})

    assert chosen == mirrors.Mirrors(
        "http://mirror.example/debian", "http://mirror.example/debian-security"
    )


def test_environment_wins() -> None:
    """An environment variable is taken before the settings and before apt."""
    chosen = mirrors.choose(
        [("http://apt.example/debian", "trixie")],
        {"debian": "http://file.example/debian"},
        {mirrors.DEBIAN: "http://env.example/debian/"},
    )

    assert chosen.debian == "http://env.example/debian"
    assert chosen.security == "http://env.example/debian-security"


def test_no_mirror() -> None:
    """Where nothing names a mirror the error says which variable to set."""
    with pytest.raises(FetchError) as caught:
        mirrors.choose([("http://x.example/ubuntu", "noble")], {}, {})

    assert mirrors.DEBIAN in str(caught.value.hint)


def test_snapshot_is_the_last_place() -> None:
    """A snapshot archive is asked after the mirror, under the lock's stamp."""
    found = mirrors.Mirrors("http://m/debian", "http://m/debian-security", "http://s/archive")

    assert found.places("debian-security", "pool/a.deb", "20260101T000000Z") == (
        "http://m/debian-security/pool/a.deb",
        "http://s/archive/debian-security/20260101T000000Z/pool/a.deb",
    )


@given(st.text())
def test_any_text(text: str) -> None:
    """No source file, however odd, ends in an exception."""
    for name in ("x.list", "x.sources"):
        assert isinstance(mirrors.parse_sources({name: text}), list)
