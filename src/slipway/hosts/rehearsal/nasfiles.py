"""Which files make a rehearsal host behave as a TrueNAS of some release. Pure but for reading them.

Sources and limits of what is emulated: ``docs/reference/stand-in.md``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from slipway.hosts.rehearsal.nas.releases import RELEASES, Release
from slipway.hosts.rehearsal.shape import Row

__all__ = ["RELEASES", "Release", "files", "service"]

PROGRAMS = Path(__file__).with_name("nas")
LIBRARIES = "/usr/lib/python3/dist-packages"
SERVER = f"{LIBRARIES}/middlewared"
CLIENT = f"{LIBRARIES}/truenas_api_client"
MIDCLT = "/usr/bin/midclt"
PYTHON = "/usr/bin/python3"

# What the client is made of; ``frames`` and ``ejson`` serve the server, too.
_CLIENT = ("bar", "client", "ejson", "exc", "following", "frames", "link", "midclt", "speech")
_CLIENT_ALONE = ("bar", "client", "exc", "face", "following", "link", "midclt", "speech")
_DIALECT = (
    "job_answers", "job_flag", "json_rpc", "quiet_late", "run_folder", "stdin", "waitready",
)  # fmt: skip

_START = f"""\
#!{PYTHON}
import sys

from truenas_api_client import main

sys.exit(main())
"""


def files(release: Release) -> tuple[Row, ...]:
    """The files, as a boot makes them.

    Args:
        release: which TrueNAS the host is.
    """
    client = {f"{CLIENT}/{name}.py": _source(name) for name in _CLIENT}
    server = {
        f"{SERVER}/{path.name}": path.read_text("utf-8")
        for path in sorted(PROGRAMS.glob("*.py"))
        if path.stem not in _CLIENT_ALONE
    }
    dialect = {name: asdict(release)[name] for name in _DIALECT}
    texts = {
        **server,
        **client,
        f"{CLIENT}/__init__.py": _source("face"),
        f"{CLIENT}/dialect.json": json.dumps(dialect, indent=2) + "\n",
        MIDCLT: _START,
    }
    return tuple(
        Row(path, 0o755 if path == MIDCLT else 0o644, text) for path, text in texts.items()
    )


def service(release: Release) -> tuple[str, ...]:
    """The command line of the middleware on the host.

    Args:
        release: which TrueNAS the host is.
    """
    return (PYTHON, "-m", "middlewared", "--release", release.name)


def _source(name: str) -> str:
    return (PROGRAMS / f"{name}.py").read_text("utf-8")
