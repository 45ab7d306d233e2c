"""A login to a registry, for as long as something is pulled from there.

Docker takes a login from a file only, ``config.json`` in the folder of ``--config``. That folder is
in memory where the host has a place for it, is readable by us only, and is removed afterwards; what
a killed process leaves, the next run removes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Where a request has it, which comes on standard input.
KEY = "login"
_PLACES = ("/dev/shm", "/run/user/{user}")


@dataclass(frozen=True)
class Login:
    """A login, which shows itself nowhere.

    Attributes:
        config: a ``config.json`` of Docker that holds it and nothing else.
    """

    config: str = field(repr=False)


def apart(asked: Mapping[str, Any]) -> tuple[dict[str, Any], Login | None]:
    """What was asked of a run, without its login, and that: the one is kept, the other is not."""
    request = {key: value for key, value in asked.items() if key != KEY}
    return request, Login(asked[KEY]) if asked.get(KEY) else None


@contextlib.contextmanager
def login_folder(login: Login, name: str, spare: str) -> Iterator[str]:
    """A folder for ``docker --config``, until the end of the block.

    Args:
        login: what it holds.
        name: the application's, by which a later run finds what was left.
        spare: a folder of ours on the disk, for a host without a place in memory.

    Raises:
        OSError: it can't be written.
    """
    folder = ""
    for place in (*_places(), spare):
        with contextlib.suppress(OSError):
            folder = tempfile.mkdtemp(prefix=_prefix(name), dir=place)  # of mode 0700
            break
    if not folder:
        raise OSError("there is no place for a login")
    try:
        path = os.path.join(folder, "config.json")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(login.config)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forget_logins(name: str, spare: str) -> None:
    """Remove what killed processes of this application left; whoever calls it has the lease."""
    for place in (*_places(), spare):
        with contextlib.suppress(OSError):
            for entry in os.scandir(place):
                if entry.name.startswith(_prefix(name)) and entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)


def _prefix(name: str) -> str:
    return f"slipway-login-{name}."


def _places() -> list[str]:
    return [place.format(user=os.getuid()) for place in _PLACES]
