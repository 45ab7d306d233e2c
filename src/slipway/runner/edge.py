"""What the edge is told and says: HAProxy's runtime API. Pure.

``show stat`` prints CSV with a heading that begins with ``# ``, ``show servers state`` a version,
a heading and words apart by blanks (HAProxy 3.0 management guide, sections 9.1 and 9.3). Several
commands on one line, apart by ``;``, are answered one after the other.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

LOOK = "show servers state; show stat"
_PLACE = {"be_name", "srv_id", "srv_name", "srv_addr", "srv_port"}
_COLUMNS = ("pxname", "svname", "scur", "status", *(f"hrsp_{one}xx" for one in range(1, 6)))


@dataclass(frozen=True)
class Server:
    """A server of a backend.

    Attributes:
        backend: its backend; named as the service.
        name: its own name.
        place: its place in the backend, from 1 on; the first one follows the service's name.
        address: IPv4 address and port, such as ``10.0.0.7:8000``.
        status: in HAProxy's words: ``UP``, ``UP 1/3`` (not checked yet, but given requests),
            ``DOWN``, ``DRAIN 1/3`` (not checked yet), ``DRAIN`` (a check has passed), ``MAINT``,
            ``MAINT (resolution)``, ``no check``.
        sessions: requests it has now; those of a former address count until they end.
    """

    backend: str
    name: str
    place: int
    address: str
    status: str
    sessions: int

    @property
    def path(self) -> str:
        """How commands name it."""
        return f"{self.backend}/{self.name}"

    @property
    def port(self) -> str:
        """Its port."""
        return self.address.rpartition(":")[2]

    @property
    def ready(self) -> bool:
        """Whether it is given requests."""
        return self.status.startswith("UP") or self.status == "no check"

    @property
    def draining(self) -> bool:
        """Whether it is given none, but checked."""
        return self.status.startswith(("DRAIN", "DOWN"))

    @property
    def checked(self) -> bool:
        """Whether it is given none, and a check has passed since that began."""
        return self.status == "DRAIN"

    @property
    def free(self) -> bool:
        """Whether it is a place that nobody has."""
        return self.place > 1 and self.status == "MAINT"


@dataclass(frozen=True)
class Answers:
    """What a backend has answered since the edge started.

    Attributes:
        all: answers.
        errors: those with a status from 500 on.
    """

    all: int = 0
    errors: int = 0


def servers(text: str) -> tuple[Server, ...]:
    """Every server there is, from the answer to :data:`LOOK`.

    Raises:
        ValueError: it is something else.
    """
    addresses = {}
    heading: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if line.startswith("# be_id"):
            heading = words[1:]
        elif len(words) >= len(heading) - 1 and words and words[0].isdigit():
            row = dict(zip(heading, words))
            if not set(row) >= _PLACE:
                continue
            key = (row["be_name"], row["srv_name"])
            addresses[key] = (int(row["srv_id"]), f"{row['srv_addr']}:{row['srv_port']}")
    found = []
    for row in _statistics(text):
        key = (row["pxname"], row["svname"])
        if key in addresses:
            place, address = addresses[key]
            found.append(
                Server(
                    *key,
                    place,
                    address,
                    row["status"],
                    int(row["scur"] or 0),
                )
            )
    return tuple(found)


def answers(text: str, backends: Iterable[str]) -> Answers:
    """What backends have answered, from the answer to :data:`LOOK`."""
    wanted = set(backends)
    every = errors = 0
    for row in _statistics(text):
        if row["svname"] == "BACKEND" and row["pxname"] in wanted:
            every += sum(int(row[f"hrsp_{one}xx"] or 0) for one in range(1, 6))
            errors += int(row["hrsp_5xx"] or 0)
    return Answers(every, errors)


def _statistics(text: str) -> list[dict[str, str]]:
    start = text.find("# pxname")
    if start < 0:
        raise ValueError("no statistics among the answer of HAProxy")
    lines = text[start + 2 :].split("\n\n")[0].splitlines()
    try:
        rows = [{name: row[name] or "" for name in _COLUMNS} for row in csv.DictReader(lines)]
    except (csv.Error, KeyError) as error:
        raise ValueError(f"other statistics than HAProxy's: {error}") from error
    return rows
