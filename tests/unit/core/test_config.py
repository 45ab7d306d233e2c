"""slipway.toml: read strictly, every problem at once with its path."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway import config
from slipway.errors import ConfigError

ROOT = Path(__file__).parents[3]
GOOD = """
format = 1
[application]
name = "shop"
source = "src/shop"
[debian]
release = "trixie"
architecture = "amd64"
drop = ["usr/share/man/**"]
[layers]
base = ["base-files"]
libc = ["libc6"]
crypto = ["libssl3t64"]
python = ["python3.13-minimal"]
[python]
version = "3.13"
heavy_bytes = 10
[python.sets]
app = ["fastapi"]
[image.api]
python = ["app"]
entrypoint = ["/app/bin/python3"]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.parse(text)
    assert caught.value.exit_code == 2
    return [line.removeprefix("slipway.toml: ") for line in caught.value.details]


def test_defaults() -> None:
    """A role without a user gets TrueNAS's apps, without a port none."""
    image = config.parse(GOOD).images["api"]

    assert (image.user, image.port, image.debian) == ("568:568", 0, ())


def test_own_file() -> None:
    """The committed file reads, and its roles are there."""
    loaded = config.load(ROOT)

    assert set(loaded.roles) == {
        "api", "frontend", "worker", "beat", "flower", "cli", "door", "edge", "postgres", "redis",
        "certificate",
    }  # fmt: skip


def test_sets_are_the_extras() -> None:
    """Images and development environment ask for the same Python packages."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]

    for name, requirements in config.load(ROOT).python_sets.items():
        assert list(requirements) == extras[name], name


def test_all_problems_at_once() -> None:
    """Every problem is named in one error, each with its path in the file."""
    text = GOOD.replace('name = "shop"', "name = 3").replace("format = 1", "format = 9")
    text = text.replace('python = ["app"]', 'python = ["games"]\ncolour = "red"')

    assert set(problems(text)) == {
        "format: should be 1, got 9; another version wrote it",
        "application.name: should be a string, got 3",
        "image.api.colour: is unknown",
        "image.api.python[0]: there is no Python set games",
    }


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('addresses = ["/srv/cache"]', "cache.addresses[0]: should be an address"),
        ('addresses = ["file:///c d"]', "cache.addresses[0]: should be an address"),
        ('addresses = ["file:///c"]\nkeys = ["home-1:abc"]', "cache.keys[0]: should be a public"),
        (f'keys = ["home-1:{"A" * 43}="]', "cache.keys: there is no address"),
        ("urls = []", "cache.urls: is unknown"),
    ],
)
def test_what_can_be_no_cache(table: str, expected: str) -> None:
    """Each is named by its path; Nix would say it in the middle of a build, or not at all."""
    found = problems(f"{GOOD}\n[cache]\n{table}\n")

    assert [line for line in found if line.startswith(expected)] == found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("heavy_bytes = 10", "heavy_bytes = -1", "python.heavy_bytes: should be a whole number"),
        ('["usr/share/man/**"]', '["usr/**/man"]', "debian.drop[0]: ** may only end a glob"),
        ("[image.api]", "[image.API]", "image.API: a role is lower-case"),
        ('entrypoint = ["/app/bin/python3"]', "", "image.api.entrypoint: is missing"),
        (
            'python = ["app"]',
            'exclude = ["api"]',
            "image.api.exclude: without a Python set there is no application layer",
        ),
        ('base = ["base-files"]', 'base = "base-files"', "layers.base: should be a list"),
    ],
)
def test_single_problems(old: str, new: str, expected: str) -> None:
    """A wrong value is named by its path and by what it should be."""
    found = problems(GOOD.replace(old, new))

    assert any(line.startswith(expected) for line in found), found


def test_no_toml() -> None:
    """A file that is no TOML is an error that quotes the parser, never a traceback."""
    with pytest.raises(ConfigError, match="no TOML"):
        config.parse("format = ")


def test_unknown_role() -> None:
    """Asking for a role that isn't there names the ones that are."""
    with pytest.raises(ConfigError) as caught:
        config.parse(GOOD).known_roles(("games",))

    assert caught.value.hint == "the roles are api"


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Any text is read or refused in a sentence."""
    try:
        config.parse(text)
    except ConfigError as error:
        assert error.message


def test_byte_order_mark() -> None:
    """A file that an editor began with a byte order mark reads as any other."""
    assert config.parse("\ufeff" + GOOD) == config.parse(GOOD)


def test_no_utf8(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is a message with its line, not a traceback."""
    (tmp_path / "slipway.toml").write_bytes(b"format = 1\n# caf\xe9\n")

    with pytest.raises(ConfigError, match="line 2 has a byte that is no UTF-8"):
        config.load(tmp_path)


def test_other_architectures_are_refused() -> None:
    """What images can't be made for is refused, with the one that they can be made for."""
    (problem,) = problems(GOOD.replace('"amd64"', '"arm64"'))

    assert problem.startswith("debian.architecture: should be \"amd64\", got 'arm64'")
