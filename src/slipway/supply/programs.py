"""Programs that a task uses beside Nix: installed where that is possible, explained elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from slipway.doors import Shell
from slipway.errors import SupplyError
from slipway.report import Report

# Program (a name to look up, or a pattern below /) to the Debian package that has it.
REHEARSAL: Mapping[str, str] = {"ip": "iproute2"}
# The font has Korean, which the page's pictures show and lessons have in their captions.
BROWSER: Mapping[str, str] = {
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc": "fonts-wqy-microhei",
}
INTEGRATION: Mapping[str, str] = {
    **REHEARSAL,
    **BROWSER,
    "bash": "bash",
    "docker-registry": "docker-registry",
    "fish": "fish",
    "openssl": "openssl",
    "pebble": "pebble",
    "redis-server": "redis-server",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "sudo": "sudo",
    "tcsh": "tcsh",
    "testssl": "testssl.sh",
    "unshare": "util-linux",
    "zstd": "zstd",
    "/usr/lib/postgresql/*/bin/initdb": "postgresql",
    "/usr/share/wordnet/data.verb": "wordnet-base",
}
FUNCTIONAL: Mapping[str, str] = {
    **REHEARSAL,
    **BROWSER,
    "certutil": "libnss3-tools",
    "docker-registry": "docker-registry",
    "openssl": "openssl",
}
_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def is_there(program: str) -> bool:
    """Whether a program is installed; administrators' folders count for everybody."""
    if program.startswith("/"):
        return any(Path("/").glob(program[1:]))
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOLDERS])
    return shutil.which(program, path=path) is not None


def ensure(
    shell: Shell,
    report: Report,
    wanted: Mapping[str, str],
    *,
    there: Callable[[str], bool] = is_there,
    may_install: bool | None = None,
) -> tuple[str, ...]:
    """Install what is missing of ``wanted``, as root on Debian or Ubuntu; the packages installed.

    Args:
        wanted: program to Debian package.
        there: tells whether a program is installed.
        may_install: whether this process can install packages; found out when None.

    Raises:
        SupplyError: something is missing and can't be installed here.
    """
    packages = sorted({package for program, package in wanted.items() if not there(program)})
    if not packages:
        return ()
    if may_install is None:
        may_install = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if not may_install:
        raise SupplyError(
            f"programs are missing: the packages {', '.join(packages)}",
            hint=f"as root: apt-get install {' '.join(packages)}",
            stage="setup",
        )
    report.step("setup", f"installing {', '.join(packages)} (once)")
    from slipway.supply.nixtool import install_packages

    install_packages(shell, packages)
    return tuple(packages)
