"""A snapshot of the data path, as a release remembers it. Pure.

Its name begins with ``slipway-`` and the application's, so that people see whose it is: TrueNAS'
own tasks take away only what is called as their own schema says (``auto-%Y-%m-%d_%H-%M``).
"""

from __future__ import annotations

from dataclasses import dataclass

from slipway.reading import Reader


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot of a dataset and of those below it, of one moment.

    Attributes:
        by: what works on it, one of :data:`slipway.runner.datasets.WAYS`.
        dataset: such as ``tank/apps/langflix/data``.
        path: where that is mounted.
        name: what follows the ``@``.
    """

    by: str
    dataset: str
    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.dataset}@{self.name}"

    def to_json(self) -> dict[str, str]:
        """All fields."""
        return {"by": self.by, "dataset": self.dataset, "path": self.path, "name": self.name}


def before(application: str, release: str) -> str:
    """The name of what is taken before a release migrates."""
    return f"slipway-{application}-{release}"


def left(application: str, release: str) -> str:
    """The name of what is taken when a release is left, and its data with it."""
    return f"{before(application, release)}-left"


def read_taken(reader: Reader) -> Taken | None:
    """Of a record; None where there is none, as in one from before there were any."""
    if not reader.names():
        return None
    return Taken(*(reader.text(name) for name in ("by", "dataset", "path", "name")))
