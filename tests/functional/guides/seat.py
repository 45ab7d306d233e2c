"""The reader of a guide: a checkout, a shell on this machine, and a stand-in as ``truenas.local``.

The shell has a mount namespace of its own, in which the name stands in ``/etc/hosts`` and the
login's key and known servers are the reader's.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.functional.conftest import Ended, Site
from tests.functional.nas import Nas

NAME, HOST = "truenas.local", "truenas"
#: A token that outlives what the guide does.
KEPT = "kept"
OWN = "deploy/hosts.local.toml"
_LIMIT_S = 900
_LAUNCHER = """#!/bin/sh
export PYTHONPATH={root}/src
exec {python} -m slipway.commandline --search-root {root} "$@"
"""
# $1 the reader's keys, $2 where OpenSSH looks for them, $3 the names; what follows is typed.
_SEAT = """set -eu
mount --bind "$1" "$2"
mount --bind "$3" /etc/hosts
shift 3
exec bash -o pipefail -c "$1"
"""


@dataclass
class Reader:
    """Somebody who does what a guide says.

    Attributes:
        nas: the server, and the checkout.
        home: folder of ``ssh`` (keys, known servers) and ``hosts`` (names).
        keys: where OpenSSH looks for the user's keys, whatever ``$HOME`` is.
        at_server: whether the next command is typed there.
        said: what commands printed that later ones are compared with, by what it is.
    """

    nas: Nas
    home: Path
    keys: Path
    at_server: bool = False
    said: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The checkout."""
        return self.nas.site.root

    def type(self, line: str) -> Ended:
        """Type a line into a shell, at the server or in the checkout."""
        if self.at_server:
            self.at_server = False
            return Ended(0, self.nas.sh("bash", "-c", line), "")
        self.keys.mkdir(mode=0o700, exist_ok=True)  # another reader may have left just now
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SEAT, "seat",
             str(self.home / "ssh"), str(self.keys), str(self.home / "hosts"), line],
            cwd=self.root, capture_output=True, text=True, timeout=_LIMIT_S, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(self.keys.parent)},
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    def good(self, line: str) -> Ended:
        """Type a line; it has to succeed."""
        done = self.type(line)
        assert done.code == 0, f"$ {line}\n{done.err}{done.out}{self.nas.site.console()}"
        return done

    def inv(self, *words: str) -> Any:
        """What a task says of the server, as data."""
        return self.good(f"./inv {' '.join(words)} --host {HOST} --json").json

    @property
    def table(self) -> dict[str, Any]:
        """The host's table, as it stands."""
        return dict(tomllib.loads((self.root / OWN).read_text("utf-8"))["host"][HOST])

    def write(self, table: dict[str, Any]) -> None:
        """Write the host's table anew."""
        lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
        text = "\n".join(["format = 1", "", f"[host.{HOST}]", *lines, ""])
        (self.root / OWN).write_text(text, "utf-8")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {json.dumps(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


@contextmanager
def seated(site: Site, nas: Nas, home: Path) -> Iterator[Reader]:
    """A reader before a booted server whose pool apps have not been given.

    The user's own folder of keys is only there afterwards when it was before.
    """
    info = site.good("rehearsal.up", "--name", nas.name, "--json").json
    nas.call("docker.update", {"pool": None}, job=True)
    (home / "ssh").mkdir(mode=0o700)
    (home / "ssh/id_ed25519").write_bytes(Path(info["key_path"]).read_bytes())
    (home / "ssh/id_ed25519").chmod(0o600)
    (home / "hosts").write_text(f"127.0.0.1 localhost\n{info['address']} {NAME}\n", "utf-8")
    (site.root / "inv").write_text(_LAUNCHER.format(root=site.root, python=sys.executable))
    keys = Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".ssh"
    made = not keys.exists()
    try:
        yield Reader(nas, home, keys)
    finally:
        if made:
            with suppress(OSError):
                keys.rmdir()
