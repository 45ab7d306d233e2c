"""Read a YAML file the way every reader of it will understand it.

Compose reads YAML 1.2 (with some 1.1 left in), Python's and TrueNAS's readers YAML 1.1: ``22:22``
is 1342 to one and a string to the other, ``0755`` 493, ``yes`` true. A scalar that two readers
would take differently is refused here, with its line, instead of being guessed at. So are keys
given twice (one reader keeps the last, the other fails) and keys that are no strings.

Compose's two merge tags come out as values: ``!reset`` as :data:`RESET` and ``!override`` as
:class:`Override`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

from slipway.errors import ConfigError, Problem

_MAX_NODES = 100_000
_PREFIX = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+\Z")
_BOOL = {"true": True, "True": True, "false": False, "False": False}
_NULL = {"", "~", "null", "Null", "NULL"}
# What YAML 1.2's core schema, unlike PyYAML, takes for a number.
_NUMBER_12 = re.compile(
    r"(0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)\Z"
)


class _Reset:
    """The type of :data:`RESET`."""

    def __repr__(self) -> str:
        return "RESET"


RESET: Final = _Reset()


@dataclass(frozen=True, slots=True)
class Override:
    """A value that takes the place of the earlier files' instead of being merged.

    Attributes:
        value: what it holds.
    """

    value: Any


def parse_yaml(text: str, file: str) -> Any:
    """The document in ``text``: maps, lists, strings, whole numbers, floats, booleans, None.

    Args:
        text: the file's content.
        file: its name, for messages.

    Raises:
        ConfigError: it is no YAML, or has problems (all of them are named, with their lines).
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is no YAML: {_sentence(error)}", stage="config") from error
    except RecursionError as error:
        raise ConfigError(f"{file} is nested too deeply", stage="config") from error
    if node is None:
        return None
    walk = _Walk()
    value = walk.value(node, "")
    if walk.problems:
        raise ConfigError.from_problems(file, walk.problems)
    return value


def _sentence(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())


class _Walk:
    """Turns nodes into values, noting every problem on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._seen = 0
        self._open: list[yaml.Node] = []

    def note(self, node: yaml.Node, where: str, what: str) -> None:
        self.problems.append(Problem(where, f"{what} (line {node.start_mark.line + 1})"))

    def value(self, node: yaml.Node, where: str) -> Any:
        self._seen += 1
        if self._seen > _MAX_NODES or any(node is outer for outer in self._open):
            if self._seen <= _MAX_NODES + 1:
                self.note(node, where, "refers to itself, or the file is too big")
                self._seen = _MAX_NODES + 1
            return None
        self._open.append(node)
        try:
            return self._tagged(node, where)
        finally:
            self._open.pop()

    def _tagged(self, node: yaml.Node, where: str) -> Any:
        if node.tag == "!reset":
            return RESET
        if node.tag == "!override":
            return Override(self._plain(node, where))
        if not node.tag.startswith(_PREFIX):
            self.note(node, where, f"the tag {node.tag} is unknown; known are !reset, !override")
            return None
        return self._plain(node, where)

    def _plain(self, node: yaml.Node, where: str) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{where}[{i}]") for i, item in enumerate(node.value)]
        return self._scalar(node, where)

    def _mapping(self, node: yaml.MappingNode, where: str) -> dict[str, Any]:
        own: dict[str, Any] = {}
        inherited: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_PREFIX}merge":
                inherited = {**self._merged(value_node, where), **inherited}
                continue
            key = self._key(key_node, where)
            if key in own:
                self.note(key_node, _at(where, key), "is given twice")
            own[key] = self.value(value_node, _at(where, key))
        return {**inherited, **own}

    def _key(self, node: yaml.Node, where: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.note(node, where, "a key should be a string")
            return ""
        if node.style is None and not isinstance(self._scalar(node, where), str):
            self.note(node, _at(where, node.value), "a key should be a string: put it in quotes")
        return str(node.value)

    def _merged(self, node: yaml.Node, where: str) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: dict[str, Any] = {}
        for part in parts:
            value = self.value(part, _at(where, "<<"))
            if isinstance(value, dict):
                result = {**value, **result}
            else:
                self.note(part, _at(where, "<<"), "should be a map")
        return result

    def _scalar(self, node: yaml.Node, where: str) -> Any:
        text = str(node.value)
        if getattr(node, "style", None) is not None or node.tag == f"{_PREFIX}str":
            if getattr(node, "style", None) is None and _NUMBER_12.match(text):
                self._refuse(node, where, text, "a number")
            return text
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
        self._refuse(node, where, text, _kind(node.tag))
        return text

    def _refuse(self, node: yaml.Node, where: str, text: str, kind: str) -> None:
        self.note(
            node,
            where,
            f"{text} is {kind} to some YAML readers and another value to others: "
            f'write "{text}" in quotes if it is a text',
        )


def _kind(tag: str) -> str:
    names = {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date"}
    return names.get(tag.removeprefix(_PREFIX), "special")


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
