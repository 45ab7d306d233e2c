"""Read a file (TOML, JSON, YAML) field by field, collecting every problem with its path.

A reader never raises: it notes what is wrong and gives a harmless value back, so that one pass
finds all problems of a file. The caller asks ``problems`` at the end.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from slipway.errors import ConfigError, Problem

_BYTE_ORDER_MARK = (
    "\ufeff"  # what some editors begin a file with; TOML's grammar has no place for it
)


def read_text(path: Path, name: str) -> str:
    """The text of a file that people edit.

    Args:
        name: what messages call it.

    Raises:
        ConfigError: it can't be read, or is no UTF-8 (the line is named).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{name} can't be read: {error.strerror}; nothing was changed",
            hint=f"restore it: git checkout {name}",
            stage="config",
        ) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{name} can't be read: line {line} has a byte that is no UTF-8",
            hint="save it as UTF-8",
            stage="config",
        ) from error


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """A TOML text as a table; a byte order mark at its start is no part of it.

    Raises:
        ConfigError: it is no TOML.
    """
    try:
        return tomllib.loads(text.removeprefix(_BYTE_ORDER_MARK))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{name} is no TOML; nothing was changed",
            details=[f"{name}: {error}"],
            hint=f"mend {name}",
            stage="config",
        ) from error


class Reader:
    """A table of a file, and where in the file it is.

    Args:
        value: the table; anything else is noted as a problem.
        where: its path in the file, empty for the whole file.
        problems: the list that all readers of the file share.
    """

    def __init__(
        self, value: object, where: str = "", problems: list[Problem] | None = None
    ) -> None:
        self.where = where
        self.problems: list[Problem] = [] if problems is None else problems
        self._taken: set[str] = set()
        self._table: Mapping[str, Any] = {}
        if isinstance(value, Mapping):
            self._table = value
        else:
            self.note("", f"should be a table, got {_kind(value)}")

    def at(self, key: str) -> str:
        """The path of a field of this table."""
        return f"{self.where}.{key}" if self.where and key else self.where or key

    def note(self, key: str, what: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(self.at(key), what))

    def has(self, key: str) -> bool:
        """Whether the field is there."""
        return key in self._table

    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(self._table)

    def take(self, key: str) -> Any:
        """The raw value of a field, or None."""
        self._taken.add(key)
        return self._table.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A string field; required when there is no default."""
        value: str = self._typed(key, str, "a string", default, "")
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole-number field, not negative; required when there is no default."""
        value: int = self._typed(key, int, "a whole number", default, 0)
        if isinstance(value, bool) or value < 0:
            self.note(key, f"should be a whole number from 0, got {value!r}")
            return 0
        return value

    def number(self, key: str, default: float) -> float:
        """A number, not negative."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < inf:
            self.note(key, f"should be a number from 0, got {_kind(value)}")
            return default
        return float(value)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """A true-or-false field; required when there is no default."""
        value: bool = self._typed(key, bool, "true or false", default, False)
        return value

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of strings; required when there is no default."""
        value = self._typed(key, list, "a list of strings", default, [])
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.note(f"{key}[{index}]", f"should be a string, got {_kind(item)}")
        return tuple(item for item in value if isinstance(item, str))

    def table(self, key: str, *, required: bool = False) -> Reader:
        """A table inside this one; an empty one when it is absent and not required."""
        value = self.take(key)
        if value is None:
            if required:
                self.note(key, "is missing")
            value = {}
        return Reader(value, self.at(key), self.problems)

    def tables(self, key: str) -> list[Reader]:
        """A list of tables; required."""
        value = self._typed(key, list, "a list", None, [])
        return [
            Reader(item, f"{self.at(key)}[{index}]", self.problems)
            for index, item in enumerate(value)
        ]

    def text_map(self, key: str) -> dict[str, str]:
        """A table of strings; empty when absent."""
        inner = self.table(key)
        return {name: inner.text(name) for name in inner.names()}

    def format(self, known: int) -> None:
        """Note a problem unless the field ``format`` has the number this version knows."""
        if (value := self.take("format")) != known:
            self.note("format", f"should be {known}, got {value!r}; another version wrote it")

    def finish(self) -> None:
        """Note every field that nobody asked for: a misspelt name must not go unseen."""
        for key in self._table:
            if key not in self._taken:
                self.note(key, "is unknown")

    def _typed(self, key: str, kind: type, noun: str, default: Any, harmless: Any) -> Any:
        value = self.take(key)
        if value is None:
            if default is None:
                self.note(key, "is missing")
                return harmless
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.note(key, f"should be {noun}, got {_kind(value)}")
            return harmless
        return value


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return repr(value)
