"""Compose's variables: ``$NAME``, ``${NAME}`` and the forms with a default, a demand or a choice.

The grammar is that of the Compose specification (12-interpolation) as compose-go reads it:
``${N:-d}`` ``${N-d}`` ``${N:?why}`` ``${N?why}`` ``${N:+x}`` ``${N+x}``, nested inside defaults,
and ``$$`` for one dollar sign. Only values are interpolated, never keys. A variable that is not
set and not demanded is the empty text, as with Compose, but is reported as a problem too: a stack
that quietly runs with an empty setting helps nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.errors import Problem
from slipway.stack.yamlfile import Override

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_MENTION = re.compile(r"\$\$|\$\{?([_a-zA-Z][_a-zA-Z0-9]*)")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")


@dataclass(frozen=True, slots=True)
class Unset:
    """A variable that has no value though one is needed.

    Attributes:
        name: the variable.
        why: what the file says it is for; may be empty.
    """

    name: str
    why: str


class _BadTemplate(Exception):
    """The text is no template."""


def interpolate_text(text: str, variables: Mapping[str, str]) -> tuple[str, tuple[Unset, ...]]:
    """``text`` with its variables filled in, and the variables it lacked.

    Raises:
        ValueError: a ``${`` is not closed or holds no name; the message is a clause.
    """
    lacking: list[Unset] = []
    try:
        return _Template(text, variables, lacking).fill(), tuple(lacking)
    except _BadTemplate as error:
        raise ValueError(str(error)) from None


def interpolate(
    value: Any, variables: Mapping[str, str], problems: list[Problem], where: str = ""
) -> Any:
    """A copy of a parsed file with the variables of every string value filled in.

    Args:
        value: maps, lists and scalars.
        variables: name to value.
        problems: gets every lacking variable and malformed text, with its path.
        where: path of ``value`` in the file.
    """

    def inner(item: Any, path: str) -> Any:
        return interpolate(item, variables, problems, path)

    if isinstance(value, str):
        return _filled(value, variables, problems, where)
    if isinstance(value, Override):
        return Override(inner(value.value, where))
    return _mapped(value, inner, where)


def names_in(text: str) -> frozenset[str]:
    """The names of all variables that a file's text mentions."""
    return frozenset(found for found in _MENTION.findall(text) if found)


def _mapped(value: Any, inner: Callable[[Any, str], Any], where: str) -> Any:
    if isinstance(value, dict):
        return {
            key: inner(item, f"{where}.{key}" if where else str(key)) for key, item in value.items()
        }
    if isinstance(value, list):
        return [inner(item, f"{where}[{index}]") for index, item in enumerate(value)]
    return value


def _filled(text: str, variables: Mapping[str, str], problems: list[Problem], where: str) -> str:
    if "$" not in text:
        return text
    try:
        filled, lacking = interpolate_text(text, variables)
    except ValueError as error:
        problems.append(Problem(where, f"{error} in {text!r}; write $$ for a dollar sign"))
        return text
    for unset in lacking:
        why = f": {unset.why}" if unset.why else ""
        problems.append(Problem(where, f"the variable {unset.name} is not set{why}"))
    return filled


class _Template:
    """One pass over a text; nested templates share ``lacking``."""

    def __init__(self, text: str, variables: Mapping[str, str], lacking: list[Unset]) -> None:
        self._text = text
        self._variables = variables
        self._lacking = lacking

    def fill(self) -> str:
        out: list[str] = []
        text, at = self._text, 0
        while (dollar := text.find("$", at)) >= 0:
            out.append(text[at:dollar])
            following = text[dollar + 1 : dollar + 2]
            if following == "$":
                out.append("$")
                at = dollar + 2
            elif following == "{":
                end = self._closing(dollar + 2)
                out.append(self._braced(text[dollar + 2 : end]))
                at = end + 1
            elif name := _NAME.match(text, dollar + 1):
                out.append(self._plain(name.group()))
                at = name.end()
            else:
                raise _BadTemplate("a single $ stands before no name")
        return "".join([*out, text[at:]])

    def _closing(self, start: int) -> int:
        depth, at = 1, start
        while at < len(self._text):
            if self._text.startswith("${", at):
                depth, at = depth + 1, at + 2
                continue
            if self._text[at] == "}":
                depth -= 1
                if depth == 0:
                    return at
            at += 1
        raise _BadTemplate("a ${ is not closed")

    def _plain(self, name: str) -> str:
        value = self._variables.get(name)
        if value is None:
            self._lacking.append(Unset(name, ""))
            return ""
        return value

    def _braced(self, inner: str) -> str:
        name = _NAME.match(inner)
        if name is None:
            raise _BadTemplate("a ${ is followed by no name")
        rest = inner[name.end() :]
        if not rest:
            return self._plain(name.group())
        operator = next((op for op in _OPERATORS if rest.startswith(op)), None)
        if operator is None:
            raise _BadTemplate(f"${{{name.group()} is followed by {rest[:1]!r}")
        return self._operate(name.group(), operator, rest[len(operator) :])

    def _operate(self, name: str, operator: str, argument: str) -> str:
        value = self._variables.get(name)
        counts = value is not None and (bool(value) or not operator.startswith(":"))
        if operator.endswith("+"):
            return self._nested(argument) if counts else ""
        if counts:
            return value or ""
        if operator.endswith("?"):
            self._lacking.append(Unset(name, self._nested(argument)))
            return ""
        return self._nested(argument)

    def _nested(self, argument: str) -> str:
        return _Template(argument, self._variables, self._lacking).fill()
