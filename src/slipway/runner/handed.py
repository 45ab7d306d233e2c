"""Names in the folders of secrets that services take as they run (:mod:`slipway.stack.reloads`)."""

from __future__ import annotations

#: Holds a folder for each such service, below the application's.
HANDED = "handed"
#: Ends the name of a secret that is valid besides.
BEFORE = ".before"
#: Ends the name of a mark that is there until the service was told.
UNTOLD = ".untold"


def handed_folder(service: str) -> str:
    """The folder whose files a service that runs has as its secrets."""
    return f"{HANDED}/{service}"


def untold_mark(service: str) -> str:
    """A file that is there from when that folder changes until the service was told."""
    return f"{HANDED}/{service}{UNTOLD}"


def instead(folder: str, name: str) -> tuple[str, ...]:
    """What a service has itself of a secret that is lost: the old one, or the one it has."""
    whole = name.removesuffix(BEFORE)
    return f"{folder}/{whole}{BEFORE}", f"{folder}/{whole}"
