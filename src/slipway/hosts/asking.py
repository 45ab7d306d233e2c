"""Run a command of Docker's that must work, and say why it didn't."""

from __future__ import annotations

from slipway.doors import Completed, Host
from slipway.errors import CommandFailed, HostError
from slipway.hosts.command import MISSING_PROGRAM
from slipway.hosts.table import TABLE

_ASK_TIMEOUT_S = 60.0


def ask(host: Host, argv: tuple[str, ...], *, timeout: float = _ASK_TIMEOUT_S) -> Completed:
    """Run a command of Docker's that must work.

    Raises:
        HostError: with the cause, see :func:`explain`.
    """
    done = host.run(argv, timeout=timeout, check=False)
    if not done.ok:
        raise explain(done, where=host.name)
    return done


def explain(done: Completed, *, where: str) -> HostError:
    """Why a command of Docker's failed. Pure.

    Docker's client ends with 1 for every cause, so its English (it has no other language) is all
    there is to tell "no daemon" from "not allowed".
    """
    text = done.error_text.lower()
    if done.exit_code == MISSING_PROGRAM or "docker: not found" in text:
        return HostError(
            f"{where} has no Docker: its program was not found",
            hint="install Docker there (TrueNAS: choose a pool for Apps), or set `docker` to the "
            f"program's absolute path in {TABLE}",
            stage="docker",
        ).by("docker-missing")
    if "permission denied" in text:
        return HostError(
            f"the login user on {where} may not use Docker",
            hint=f"set sudo = true in {TABLE}, or add the user to the group docker there",
            stage="docker",
        ).by("docker-refused")
    if "cannot connect to the docker daemon" in text or "is the docker daemon running" in text:
        return HostError(
            f"Docker is installed on {where} but doesn't run",
            hint="start it there: systemctl start docker (TrueNAS: Apps > Configuration > "
            "Choose Pool)",
            stage="docker",
            details=done.error_text.strip().splitlines()[-1:],
        ).by("docker-stopped")
    return CommandFailed(done.argv, done.exit_code, done.error_text, where=where)
