"""From the checkout to what is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.demo import COMPOSE, image

from slipway.app.checkout import (
    bracketed,
    check_wanted,
    gather_variables,
    git_commit,
    parse_dotenv,
    read_wanted,
)
from slipway.errors import ConfigError
from slipway.hosts.config import HostEntry
from slipway.testing import FakeShell

ENTRY = HostEntry("nas", "ssh", "/pool/demo", variables={"GREETING": "from host"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the sample stack."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/docker-compose.yml").write_text(COMPOSE)
    (tmp_path / "deploy/edge.cfg").write_text("listen 80\n")
    return tmp_path


def read(root: Path, entry: HostEntry = ENTRY, **environment: str):  # type: ignore[no-untyped-def]
    """What the sample checkout says."""
    images = [image("web"), image("db"), image("unused")]
    return read_wanted(
        root, entry, "fe80::1", images,
        application="demo", who="me", commit="", environment=environment,
    )  # fmt: skip


def test_what_a_checkout_wants(root: Path) -> None:
    """Images are those the stack uses; the URL has the host's address; configs have content."""
    found = read(root)
    assert [one.role for one in found.images] == ["web", "db"]
    assert found.url == "http://[fe80::1]:8080"
    assert found.contents == {"edge": b"listen 80\n"}
    assert found.data_dir == "/pool/demo/data"


def test_variables_in_order(root: Path) -> None:
    """``deploy/.env`` is the weakest, then the host's variables, then the environment."""
    (root / "deploy/.env").write_text("GREETING=from file\n")
    bare = HostEntry("nas", "ssh", "/pool/demo")
    for entry, environment, said in (
        (bare, {}, "from file"),
        (ENTRY, {}, "from host"),
        (ENTRY, {"GREETING": "from environment"}, "from environment"),
    ):
        found = read(root, entry, **environment)
        assert found.stack.services["web"]["environment"]["GREETING"] == said


def test_override_is_taken_along(root: Path) -> None:
    """The operator's own override file applies last, without being named."""
    text = 'services: { web: { environment: { EXTRA: "1" } } }\n'
    (root / "deploy/docker-compose.override.yml").write_text(text)
    assert read(root).stack.services["web"]["environment"]["EXTRA"] == "1"


def test_missing_files_are_named(root: Path) -> None:
    """A Compose file or config that isn't there is a configuration error with its name."""
    entry = HostEntry("nas", "ssh", "/a", compose=("docker-compose.yml", "more.yml", "x.yml"))
    with pytest.raises(ConfigError) as caught:
        read(root, entry)
    assert len(caught.value.details) == 2
    (root / "deploy/edge.cfg").unlink()
    with pytest.raises(ConfigError) as caught:
        read(root)
    assert "configs.edge" in caught.value.details[0]


def test_check_needs_no_images(root: Path) -> None:
    """The stack is checked before anything is built, with every role's name."""
    check_wanted(root, ENTRY, ["web", "db"], "demo", {})
    with pytest.raises(ConfigError, match="the stack uses db"):
        check_wanted(root, ENTRY, ["web"], "demo", {"DB_IMAGE": "x"})
    with pytest.raises(ConfigError, match=r"x-slipway.application is demo"):
        check_wanted(root, ENTRY, ["web", "db"], "other", {"DEMO_SECRETS": "/s"})


def test_dotenv() -> None:
    """Quotes, blanks, ``export`` and comments are read as people mean them."""
    text = "# c\n\nA=1\nexport B = two words # note\nC='x # y'\nD=\"q\"\nE=\n"
    assert parse_dotenv(text) == {"A": "1", "B": "two words", "C": "x # y", "D": "q", "E": ""}
    with pytest.raises(ConfigError) as caught:
        parse_dotenv("A=1\nB\n1=2\n")
    assert len(caught.value.details) == 2


def test_only_mentioned_variables_are_taken() -> None:
    """The rest of the environment stays out."""
    found = gather_variables(
        [("f", "${A} $B")], dotenv={"A": "1"}, host={}, environment={"B": "2", "HOME": "/"}
    )
    assert found == {"A": "1", "B": "2"}


def test_commit_says_when_the_checkout_differs() -> None:
    """A clean checkout is its commit, a changed one says so, no git is nothing."""
    shell = FakeShell()
    shell.on("git", reply=b"")
    shell.on("git", "-C", "/c", "rev-parse", reply=b"abc\n")
    assert git_commit(shell, Path("/c")) == "abc"
    shell.on("git", "-C", "/c", "status", reply=b" M x\n")
    assert git_commit(shell, Path("/c")) == "abc+changes"
    shell.on("git", "-C", "/c", "rev-parse", reply=128)
    assert git_commit(shell, Path("/c")) == ""


def test_addresses_in_urls() -> None:
    """IPv6 addresses stand in brackets."""
    assert (bracketed("fe80::1"), bracketed("nas.local")) == ("[fe80::1]", "nas.local")
