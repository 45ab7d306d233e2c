"""Whole deploys: a copy of this checkout, a rehearsal host of its own, the real command line."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from slipway.hosts.rehearsal.values import Places

ROOT = Path(__file__).resolve().parents[2]
#: Ten deploys under load are one command.
_LIMIT_S = 3600
FILES = ("docker-compose.yml", "docker-compose.truenas.yml", "docker-compose.tests.yml",
         "docker-compose.quick.yml")  # fmt: skip
HOSTS = """format = 1
default = "{name}"

[host.{name}]
kind = "rehearsal"
release = "25.10"
app_dir = "/mnt/tank/apps/langflix"
compose = {compose}
variables = {{ LANGFLIX_API_TOKEN_FILE = "" }}
"""

#: Enough for a daemon that died, with its containers' last words.
_CONSOLE_LINES = 40
#: New containers of tests are watched for as long as it takes to see that they are.
SOAK = "x-slipway: { soak: { seconds: 2 } }\n"
#: A whole lesson is made after the deploys of a few tests; others look at something else.
QUICK = "x-slipway: { smoke: !reset null }\n"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Site:
    """A checkout to change at will, and the host it deploys to.

    Attributes:
        root: the copy.
        host: the rehearsal host's name.
    """

    root: Path
    host: str

    def argv(self, *arguments: str) -> list[str]:
        """What ``./inv`` of the copy starts."""
        here = ("--search-root", str(self.root))
        return [sys.executable, "-m", "slipway.commandline", *here, *arguments]

    def inv(self, *arguments: str, **environment: str) -> Ended:
        """Run the copy's command line."""
        done = subprocess.run(
            self.argv(*arguments),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
            env={**os.environ, **environment, "PYTHONPATH": str(self.root / "src")},
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def good(self, *arguments: str, **environment: str) -> Ended:
        """Run the copy's command line; it has to succeed."""
        done = self.inv(*arguments, **environment)
        assert done.code == 0, done.err + done.out + self.console()
        return done

    def console(self) -> str:
        """What the host's own programs wrote last: why Docker went away stands nowhere else."""
        console = Places(self.root / ".slipway/rehearsal" / self.host).console
        if not console.exists():
            return ""
        lines = console.read_text("utf-8", "replace").splitlines()[-_CONSOLE_LINES:]
        return "\n".join(["", f"console of {self.host}:", *lines])

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a file of the copy."""
        file = self.root / path
        text = file.read_text("utf-8")
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new, 1), "utf-8")

    def sh(self, *argv: str) -> str:
        """Run a command on the host."""
        done = self.good("rehearsal.shell", "--name", self.host, "--", *argv)
        return done.out


def copy_checkout(target: Path) -> None:
    """Copy what git knows of this checkout, changes included; Nix wants it known to git."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = ROOT / name
        if source.is_symlink() or source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    samples = ROOT / ".slipway/samples"
    if samples.is_dir():
        shutil.copytree(samples, target / ".slipway/samples")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", "-C", str(target), *command], check=True, capture_output=True)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The copy and its host; the host is removed with everything on it at the end."""
    if os.geteuid() != 0:
        pytest.fail("a rehearsal host needs root: sudo ./inv test --functional")
    root = tmp_path_factory.mktemp("checkout")
    name = f"test-{secrets.token_hex(3)}"
    copy_checkout(root)
    (root / "deploy/hosts.toml").write_text(
        HOSTS.format(name=name, compose=json.dumps(FILES)), "utf-8"
    )
    (root / "deploy/docker-compose.tests.yml").write_text(SOAK, "utf-8")
    (root / "deploy/docker-compose.quick.yml").write_text(QUICK, "utf-8")
    made = Site(root, name)
    try:
        yield made
    finally:
        made.inv("rehearsal.down", "--name", name)
