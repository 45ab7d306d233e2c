"""Run a program of the stack's own on this machine, such as a smoke test of what was deployed.

A secret it needs is read from the host and handed over as a file that only this user can read, in
a folder that is gone when the program ends: the value is in no command line and no variable. Should
the program repeat it, ``***`` is shown in its place.
"""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from slipway.act.ask import last_lines
from slipway.act.doors import Doors
from slipway.act.trust import read_roots
from slipway.errors import CommandFailed, DeployError
from slipway.plan.actions import RUN_S, Run
from slipway.secret import Secret

#: Where the stack is reached through its host only: one of our own, and those that many programs
#: heed (curl(1), Python's urllib.request). They hold a password, so none is an argument.
_PROXIES = ("SLIPWAY_PROXY", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


def run(doors: Doors, action: Run) -> None:
    """Carry out a Run action.

    ``python3`` is the one that runs this, with the checkout's ``src`` on its path.

    Raises:
        DeployError: it failed, or the host has lost a secret; what it said last is in the details.
    """
    secrets = {
        variable: doors.folder.secret(name, version) for variable, name, version in action.secrets
    }
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        files = {name: _file(Path(folder, name), value) for name, value in secrets.items()}
        env = {**files, "PATH": path, "PYTHONPATH": str(doors.root / "src")}
        if proxy := doors.http.proxy():
            env |= {**dict.fromkeys(_PROXIES, proxy), "no_proxy": "", "NO_PROXY": ""}
            secrets |= {str(place): value for place, value in enumerate(_shown_of(proxy))}
        if roots := read_roots(doors, action.trust):
            env["SSL_CERT_FILE"] = _beside_systems(Path(folder, "roots"), roots)
        try:
            done = doors.shell.run(
                action.argv, timeout=RUN_S, env=env, cwd=str(doors.root), check=False
            )
        except CommandFailed as error:
            raise DeployError(
                f"the smoke test could not be run: {error.message}",
                details=_hidden(error.details, secrets),
            ) from error
    if not done.ok:
        said = [*last_lines(done.stdout), *last_lines(done.stderr)]
        raise DeployError(
            f"the smoke test failed with code {done.exit_code}", details=_hidden(said, secrets)
        )
    for line in _hidden(last_lines(done.stderr), secrets):
        doors.report.say(f"  {line}")


def _shown_of(proxy: str) -> tuple[Secret, ...]:
    """What programs show of a proxy's address when they tell how they went."""
    password = urlsplit(proxy).password or proxy
    credentials = urlsplit(proxy).netloc.rpartition("@")[0] or proxy
    return Secret(proxy), Secret(b64encode(credentials.encode()).decode()), Secret(password)


def _file(path: Path, value: Secret) -> str:
    path.touch(mode=0o600)
    path.write_text(value.reveal(), "utf-8")
    return str(path)


def _beside_systems(path: Path, roots: str) -> str:
    """A file of the system's authorities and these: what SSL_CERT_FILE names takes their place."""
    known = ssl.get_default_verify_paths().cafile
    path.write_text((Path(known).read_text("utf-8") if known else "") + roots, "utf-8")
    return str(path)


def _hidden(lines: Sequence[str], secrets: Mapping[str, Secret]) -> list[str]:
    shown = list(lines)
    for value in filter(None, (secret.reveal().strip() for secret in secrets.values())):
        shown = [line.replace(value, "***") for line in shown]
    return shown
