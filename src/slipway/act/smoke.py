"""The smoke job: a command of the stack's own, on the deploying machine, against what was deployed.

A secret it needs is read from the host and handed over as a file that only this user can read, in
a folder that is gone when the job ends: the value is in no command line and no variable. Should
the job repeat it, ``***`` is shown in its place.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.act.watch import last_lines
from slipway.doors import Host, Shell
from slipway.errors import CommandFailed, DeployError
from slipway.ledger.secrets import read_version
from slipway.secret import Secret
from slipway.stack.model import Smoke

_SMOKE_S = 300.0


def smoke_secrets(
    host: Host, app_dir: str, smoke: Smoke, versions: Mapping[str, int]
) -> dict[str, Secret]:
    """The secrets that the job needs, as a release uses them.

    Args:
        versions: secret name to the version that the release uses.

    Returns:
        Environment variable to value.

    Raises:
        DeployError: the host has lost one.
    """
    return {
        variable: read_version(host, app_dir, name, versions[name])
        for variable, name in smoke.secrets.items()
    }


def run_smoke(
    shell: Shell,
    command: Sequence[str],
    places: Mapping[str, str],
    root: Path,
    secrets: Mapping[str, Secret],
) -> None:
    """Run the stack's smoke job on this machine.

    Args:
        command: arguments; ``{url}`` and the other names of ``places`` in them are filled in.
            ``python3`` is the one that runs this, with the checkout's ``src`` on its path.
        places: values by name.
        root: folder it runs in: the checkout.
        secrets: environment variable to the value that the file it will name holds.

    Raises:
        DeployError: it failed; what it said last is in the details.
    """
    argv = [_filled(argument, places) for argument in command]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        files = {name: _file(Path(folder, name), value) for name, value in secrets.items()}
        env = {**files, "PATH": path, "PYTHONPATH": str(root / "src")}
        try:
            done = shell.run(argv, timeout=_SMOKE_S, env=env, cwd=str(root), check=False)
        except CommandFailed as error:
            raise DeployError(
                f"the smoke job could not be run: {error.message}",
                details=_hidden(error.details, secrets),
                stage="verify",
            ) from error
    if not done.ok:
        said = [*last_lines(done.stdout), *last_lines(done.stderr)]
        raise DeployError(
            f"the smoke job failed with code {done.exit_code}",
            details=_hidden(said, secrets),
            stage="verify",
        )


def _file(path: Path, value: Secret) -> str:
    path.touch(mode=0o600)
    path.write_text(value.reveal(), "utf-8")
    return str(path)


def _hidden(lines: Sequence[str], secrets: Mapping[str, Secret]) -> list[str]:
    shown = list(lines)
    for value in filter(None, (secret.reveal().strip() for secret in secrets.values())):
        shown = [line.replace(value, "***") for line in shown]
    return shown


def _filled(argument: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        argument = argument.replace("{" + name + "}", value)
    return argument
