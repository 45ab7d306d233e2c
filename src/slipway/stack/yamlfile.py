"""Look over a YAML file before Compose reads it: what other readers would take otherwise.

Compose's reading is the meaning. But Compose reads YAML 1.2 (with some 1.1 left in), other readers
YAML 1.1: ``22:22`` is 1342 to one and a text to the other, ``0755`` 493, ``yes`` true. Whoever
wrote such a scalar may have meant either, so it is worth a warning, with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from slipway.errors import Problem

_MAX_NODES = 100_000
_PREFIX = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+\Z")
_PLAIN: Final = frozenset(
    ("true", "True", "false", "False", "", "~", "null", "Null", "NULL", "<<", "=")
)
# What YAML 1.2's core schema, unlike PyYAML, takes for a number.
_NUMBER_12 = re.compile(
    r"(0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)\Z"
)
# libyaml's is twenty times as fast, where it is there.
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE_TAGS = ("!reset", "!override")
_OWN = "x-slipway"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a file.

    Attributes:
        warnings: scalars and tags that readers differ on, with path and line.
        broken: why it is no YAML, a sentence; empty when it is.
        endless: whether it stands for more values than can be read.
        countless: numbers of ``x-slipway`` that JSON has none for, such as ``.nan``.
        lines: path of each value, such as ``services.api.ports[0]``, to its line, from 1 on.
    """

    warnings: tuple[Problem, ...] = ()
    broken: tuple[str, ...] = ()
    endless: bool = False
    countless: tuple[Problem, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)


def lint(text: str) -> Findings:
    """Look over the text of a file."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        return Findings(broken=(f"is no YAML: {_sentence(error)}",))
    except RecursionError:
        return Findings(broken=("is nested too deeply",), endless=True)
    walk = _Walk()
    if node is not None:
        walk.visit(node, "")
    if walk.endless:
        return Findings(broken=("refers to itself, or is too big",), endless=True)
    return Findings(tuple(walk.problems), countless=tuple(walk.countless), lines=walk.lines)


def _sentence(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())


class _Walk:
    """Goes through nodes, noting every problem on the way; what an anchor shares, once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.countless: list[Problem] = []
        self.lines: dict[str, int] = {}
        self.endless = False
        self._visits = 0
        self._open: list[yaml.Node] = []
        self._noted: set[int] = set()

    def visit(self, node: yaml.Node, where: str) -> None:
        self._visits += 1
        if self._visits > _MAX_NODES or any(node is outer for outer in self._open):
            self.endless = True
        if self.endless:
            return
        self._open.append(node)
        if node.tag.startswith("!") and node.tag not in _MERGE_TAGS:
            self._note(node, where, f"the tag {node.tag} means nothing to Compose")
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._go(value, _at(where, str(key.value)), key)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._go(item, f"{where}[{index}]", item)
        elif isinstance(node, yaml.ScalarNode) and _is_ambiguous(node):
            text = str(node.value)
            self._note(
                node,
                where,
                f"{text} is {_kind(node.tag)} to some YAML readers and another value to others: "
                f'write "{text}" in quotes if it is a text',
            )
            if _OWN in where and _is_countless(text):
                what = f"{text} is no number that can be counted with"
                self.countless.append(Problem(where, f"{what} (line {_line(node)})"))
        self._open.pop()

    def _go(self, node: yaml.Node, where: str, first: yaml.Node) -> None:
        self.lines[where] = _line(first)
        self.visit(node, where)

    def _note(self, node: yaml.Node, where: str, what: str) -> None:
        if id(node) not in self._noted:
            self._noted.add(id(node))
            self.problems.append(Problem(where, f"{what} (line {_line(node)})"))


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _is_countless(text: str) -> bool:
    """Whether a plain scalar is a number without end, or none, to who reads YAML 1.2."""
    return text.lower().lstrip("+-") in (".nan", ".inf")


def _is_ambiguous(node: yaml.ScalarNode) -> bool:
    tag, text = node.tag, str(node.value)
    if node.style or text in _PLAIN or _INT.match(text) or _FLOAT.match(text):
        return False
    return bool(_NUMBER_12.match(text)) if tag == f"{_PREFIX}str" else tag.startswith(_PREFIX)


def _kind(tag: str) -> str:
    names = {"bool": "true or false", "timestamp": "a date"}
    return names.get(tag.removeprefix(_PREFIX), "a number")


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
