"""What is supplied under a name that no secret has is told of, with what may have been meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from slipway.app.commands import Commands
from slipway.app.strays import Strays, find_strays
from slipway.report import Report
from slipway.stack.model import SecretSpec
from slipway.testing import FakeShell

SPECS = (
    SecretSpec("flower_password", generate=24),
    SecretSpec("app_password", generate=32),
    SecretSpec("app_login", derive="postgres-login", source="app_password"),
)
OVERLAY = """
x-slipway: { secrets: { tls_certificate: { optional: true } } }
secrets:
  gemini_api_key: { file: "${DEMO_SECRETS:?}/gemini_api_key" }
"""


def look(
    deploy: Path, commands: Sequence[str] = (), variables: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Problems and warnings."""
    argv = dict.fromkeys(commands, ("echo", "x"))
    asked = Commands(FakeShell(), Report(quiet=True), deploy.parent, argv)
    environment = {"PATH": "/bin", **{f"SLIPWAY_SECRET_{one}": "canary" for one in variables}}
    found = find_strays(SPECS, deploy, environment, asked)
    assert isinstance(found, Strays)
    return [str(one) for one in found.problems], list(found.warnings)


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """A checkout's folder with a place for secrets."""
    (tmp_path / "deploy/secrets").mkdir(parents=True)
    return tmp_path / "deploy"


def test_each_misspelt_name_is_told_of_where_it_is(deploy: Path) -> None:
    """A file, a command and a variable, all at once; nothing that they supply is shown."""
    (deploy / "secrets/flower_passwort").write_text("canary")
    (deploy / "secrets/FLOWER_PASSWORD").mkdir()
    problems, warnings = look(deploy, ["nope", "flowerpassword"], ["FLOWER_PASWORD", "ZZZ"])
    meant = "no secret is called that; did you mean flower_password?"
    assert problems == [
        f"deploy/secrets/FLOWER_PASSWORD: {meant}",
        f"deploy/secrets/flower_passwort: {meant}",
        f"deploy/secrets.toml: command.flowerpassword: {meant}",
        "deploy/secrets.toml: command.nope: no secret is called that",
    ]
    assert warnings == [
        "SLIPWAY_SECRET_FLOWER_PASWORD: no secret is called that; did you mean "
        "SLIPWAY_SECRET_FLOWER_PASSWORD?",
        "SLIPWAY_SECRET_ZZZ: no secret is called that",
    ]


def test_what_a_secret_is_called_is_none(deploy: Path) -> None:
    """Nor is what editors and git leave; where nothing is supplied there need be no folder."""
    for name in ("flower_password", "app_login", ".gitignore", ".a.swp", "flower_password~"):
        (deploy / "secrets" / name).write_text("canary")
    assert look(deploy, ["app_password"], ["FLOWER_PASSWORD"]) == ([], [])
    assert look(deploy / "elsewhere") == ([], [])


def test_a_secret_of_another_hosts_files_is_known(deploy: Path) -> None:
    """It may be supplied while a host without it is deployed to; what is no YAML has none."""
    names = ["gemini_api_key", "tls_certificate", "gemini_key"]
    (deploy / "docker-compose.broken.yml").write_text("a: [")
    (deploy / "docker-compose.binary.yml").write_bytes(b"\xff")
    assert len(look(deploy, names, ["TLS_CERTIFICATE"])[0]) == 3
    (deploy / "docker-compose.more.yaml").write_text(OVERLAY)
    problems, warnings = look(deploy, names, ["TLS_CERTIFICATE"])
    assert warnings == []
    assert problems == [
        "deploy/secrets.toml: command.gemini_key: no secret is called that; did you mean "
        "gemini_api_key?"
    ]


def test_one_that_is_derived_is_not_what_was_meant(deploy: Path) -> None:
    """It can't be supplied."""
    problems, _ = look(deploy, ["app_logn"])
    assert "app_login" not in problems[0]


def test_a_file_in_the_folders_place_is_told_of(deploy: Path) -> None:
    """Whoever writes a secret there would think it supplied."""
    (deploy / "secrets").rmdir()
    (deploy / "secrets").write_text("canary")
    assert look(deploy)[0] == ["deploy/secrets: can't be read: Not a directory"]
