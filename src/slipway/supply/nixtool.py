"""Nix on this machine: used as it is, installed where there is none."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import CommandFailed, FetchError, SupplyError
from slipway.report import Report
from slipway.supply.store import add

OLDEST = (2, 8)
FEATURES = ("--extra-experimental-features", "nix-command flakes")
_BUILDERS = 8
_CONF = Path("/etc/nix/nix.conf")
# Everything our builds use is in the lock and added by ./inv fetch, so the default cache has
# nothing to offer; where it can't be reached every command would wait five seconds for it.
_SETTINGS = """\
experimental-features = nix-command flakes
sandbox = true
build-users-group = nixbld
substituters =
max-jobs = auto
"""


def version(shell: Shell) -> tuple[int, ...]:
    """The version of the Nix in use, as numbers.

    Raises:
        SupplyError: there is none, or it is too old.
    """
    text = shell.run(["nix", "--version"], timeout=30).text
    found = re.search(r"(\d+)\.(\d+)", text)
    numbers = (int(found[1]), int(found[2])) if found else (0,)
    if numbers < OLDEST:
        raise SupplyError(
            f"{text.strip()} is too old: 2.8 or newer is needed",
            hint="update Nix, or remove it and let ./inv install one",
            stage="nix",
        )
    return numbers


def ensure(shell: Shell, report: Report) -> tuple[int, ...]:
    """Make sure that a Nix is there, and return its version.

    A Nix that somebody set up is never changed. Where there is none, root on Debian or Ubuntu
    gets the distribution's.

    Raises:
        SupplyError: there is none and it can't be installed here, or this user may not use it.
    """
    if shutil.which("nix") is None:
        _install(shell, report)
    if os.geteuid() == 0 and not _CONF.exists() and not Path("/nix/var/nix/daemon-socket").exists():
        _configure(shell, report)
    numbers = version(shell)
    if os.geteuid() != 0:
        see_that_it_serves(shell)
    return numbers


def see_that_it_serves(shell: Shell) -> None:
    """Let Nix take a file into its store, and find it there.

    An ordinary user's Nix may write the store itself, or have its daemon do that. Where it can do
    neither it fails, or (from 2.10 on) keeps a store of its own in the user's home.

    Raises:
        SupplyError: it can't, or keeps it elsewhere.
    """
    user = getpass.getuser()
    said: Sequence[str] = ()
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        file = Path(folder, "slipway-was-here")
        # Another's file of another day would be found whether this one was taken or not.
        today = f"{user}, {datetime.now(UTC):%Y-%m-%d}"
        file.write_text(f"To see whether the store takes files of {today}.\n", "utf-8")
        try:
            if any(Path(path).is_file() for path in add(shell, [file])):
                return
        except FetchError as error:
            said = error.details
    raise SupplyError(
        f"{user} can't use the Nix store of this machine; nothing was built",
        details=said
        or ["Nix keeps another store in your home, and images are made of the one in /nix/store"],
        hint="have Nix's daemon run, as root: systemctl enable --now nix-daemon (Debian has it in "
        "nix-setup-systemd); or run this as root (sudo)",
        stage="nix",
    )


def _install(shell: Shell, report: Report) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SupplyError(
            "Nix is not installed, and only root on Debian or Ubuntu gets it by itself",
            hint="install Nix 2.8 or newer (as root: apt-get install nix-bin), then try again",
            stage="nix",
        )
    report.step("nix", "installing it from the distribution's packages (once)")
    install_packages(shell, ["nix-bin"])


def install_packages(shell: Shell, packages: list[str]) -> None:
    """Install packages of the distribution, as root.

    Raises:
        SupplyError: apt failed.
    """
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        shell.run(["apt-get", "update", "-qq"], timeout=300, env=env)
        shell.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
            timeout=900,
            env=env,
        )
    except CommandFailed as error:
        raise SupplyError(
            f"apt could not install {' '.join(packages)}",
            details=error.details,
            hint="run apt-get update and look at its errors",
            stage="setup",
        ) from error


def _configure(shell: Shell, report: Report) -> None:
    report.step("nix", "setting up build users and the sandbox (once)")
    if not shell.run(["getent", "group", "nixbld"], timeout=30, check=False).ok:
        shell.run(["groupadd", "--system", "nixbld"], timeout=30)
    for number in range(1, _BUILDERS + 1):
        name = f"nixbld{number}"
        if not shell.run(["id", name], timeout=30, check=False).ok:
            argv = ["useradd", "--system", "--no-user-group", "--gid", "nixbld", "--groups"]
            argv += ["nixbld", "--home-dir", "/var/empty", "--shell", "/usr/sbin/nologin", name]
            shell.run(argv, timeout=30)
    _CONF.parent.mkdir(parents=True, exist_ok=True)
    _CONF.write_text(_SETTINGS, "utf-8")
