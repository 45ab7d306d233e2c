"""Arguments of methods: which there are, of what kind, and what is said of wrong ones. Pure.

Two dialects. From 25.04 on pydantic judges, strictly and without unknown keys
(``api/base/model.py``); before that the middleware's own schemas (``schema/*.py`` of 24.10).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import CallError, ValidationErrors

SECRET = "********"  # noqa: S105 - what stands in a secret's place


class _Needed:
    """There is no default: the argument has to be given."""


NEEDED = _Needed()


class _Left:
    """The argument may be left out, and then is not there."""


LEFT_OUT = _Left()


@dataclass(frozen=True, slots=True)
class Field:
    """An argument, or a key of one.

    Attributes:
        name: its name.
        kind: ``str``, ``bool``, ``int``, ``dict``, ``list``, ``any``, or ``table`` (with `fields`).
        default: its value when it isn't given; :data:`NEEDED` or :data:`LEFT_OUT`.
        fields: the keys of a table.
        secret: never shown again.
        null: may be null.
        choices: the texts it may be.
        pattern: what a text must match.
        explained: what 24.10 says when it doesn't.
        least: shortest text.
        most: longest text.
        model: the name of a table's model.
    """

    name: str
    kind: str = "str"
    default: Any = NEEDED
    fields: tuple[Field, ...] = ()
    secret: bool = False
    null: bool = False
    choices: tuple[str, ...] = ()
    pattern: str = ""
    explained: str = ""
    least: int = 0
    most: int = 0
    model: str = ""


FILTERS = Field("filters", "list", [])
OPTIONS = Field("options", "dict", {})

_TYPES: dict[str, type] = {"str": str, "bool": bool, "int": int, "dict": dict, "list": list}
_STRICT = {
    "str": "Input should be a valid string",
    "bool": "Input should be a valid boolean",
    "int": "Input should be a valid integer",
    "dict": "Input should be a valid dictionary",
    "list": "Input should be a valid list",
}
_LENIENT = {
    "str": "Not a string",
    "bool": "Not a boolean",
    "int": "Not an integer",
    "dict": "A dict was expected",
    "table": "A dict was expected",
    "list": "Not a list",
}


def accept(fields: tuple[Field, ...], given: list[Any], *, strict: bool) -> list[Any]:
    """The arguments with their defaults.

    Args:
        fields: what the method takes, in order.
        given: what it was given.
        strict: pydantic's dialect, else 24.10's.

    Raises:
        ValidationErrors: everything that is wrong with them.
        CallError: there are too many (24.10).
    """
    if len(given) > len(fields):
        text = f"Too many arguments (expected {len(fields)}, found {len(given)})"
        if not strict:
            raise CallError(text)
        raise ValidationErrors([("", text, errno.EINVAL)])
    errors = ValidationErrors()
    judge = _strictly if strict else _leniently
    named = dict(zip((field.name for field in fields), given, strict=False))
    accepted = _table(fields, named, "", errors, judge)
    errors.check()
    return [accepted[field.name] for field in fields]


Judge = Callable[[Field, Any, str, ValidationErrors], Any]


def _table(
    fields: tuple[Field, ...],
    given: dict[str, Any],
    prefix: str,
    errors: ValidationErrors,
    judge: Judge,
) -> dict[str, Any]:
    missing = "Field required" if judge is _strictly else "attribute required"
    accepted: dict[str, Any] = {}
    for field in fields:
        place = f"{prefix}{field.name}"
        if field.name in given:
            accepted[field.name] = judge(field, given[field.name], place, errors)
        elif field.default is NEEDED:
            errors.add(place, missing)
        elif field.default is not LEFT_OUT:
            accepted[field.name] = _default(field, errors, judge)
    return accepted


def _default(field: Field, errors: ValidationErrors, judge: Judge) -> Any:
    if field.kind == "table" and field.default == {}:
        return _table(field.fields, {}, "", errors, judge)
    return type(field.default)(field.default) if field.default is not None else None


def _inner(field: Field, value: dict[str, Any], place: str, errors: ValidationErrors, judge: Judge,
           unknown: str) -> dict[str, Any]:  # fmt: skip
    accepted = _table(field.fields, value, f"{place}.", errors, judge)
    names = {one.name for one in field.fields}
    for key in value:
        if key not in names:
            errors.add(f"{place}.{key}", unknown)
    return accepted


def _strictly(field: Field, value: Any, place: str, errors: ValidationErrors) -> Any:
    if (value is None and field.null) or field.kind == "any":
        return value
    if field.kind == "table":
        if isinstance(value, dict):
            unknown = "Extra inputs are not permitted"
            return _inner(field, value, place, errors, _strictly, unknown)
        errors.add(place, f"Input should be a valid dictionary or instance of {field.model}")
    elif field.choices:
        if value not in field.choices:
            errors.add(place, f"Input should be {_either(field.choices)}")
    elif not _is(field.kind, value):
        errors.add(place, _STRICT[field.kind])
    elif field.kind == "str":
        _text(field, value, place, errors)
    return value


def _text(field: Field, value: str, place: str, errors: ValidationErrors) -> None:
    if len(value) < field.least:
        errors.add(place, f"String should have at least {_characters(field.least)}")
    elif field.most and len(value) > field.most:
        errors.add(place, f"String should have at most {_characters(field.most)}")
    elif field.pattern and not re.search(field.pattern, value):
        errors.add(place, f"String should match pattern '{field.pattern}'")


def _leniently(field: Field, value: Any, place: str, errors: ValidationErrors) -> Any:
    if value is None or field.kind == "any":
        if value is None and not field.null and field.default is NEEDED:
            errors.add(place, "null not allowed")
        return value
    if field.kind == "table" and isinstance(value, dict):
        return _inner(field, value, place, errors, _leniently, "Field was not expected")
    if field.kind == "str" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if field.kind == "table" or not _is(field.kind, value):
        errors.add(place, _LENIENT[field.kind])
    elif field.choices and value not in field.choices:
        errors.add(place, f"Invalid choice: {value}")
    elif field.most and not field.least <= len(value) <= field.most:
        errors.add(place, f"Should be between {field.least} and {field.most}")
    elif field.pattern and not re.match(field.pattern, value):
        errors.add(place, field.explained or f"Value does not match {field.pattern!r} pattern")
    return value


def _is(kind: str, value: object) -> bool:
    if kind == "int" and isinstance(value, bool):
        return False
    return isinstance(value, _TYPES[kind])


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"


def _either(choices: tuple[str, ...]) -> str:
    *most, last = (f"'{choice}'" for choice in choices)
    return f"{', '.join(most)} or {last}" if most else last


def shown(fields: tuple[Field, ...], given: list[Any]) -> list[Any]:
    """The arguments as they were given, without their secrets."""
    named = [*fields, *[Field("", "any")] * (len(given) - len(fields))]
    return [_shown(field, value) for field, value in zip(named, given, strict=False)]


def _shown(field: Field, value: Any) -> Any:
    if field.secret:
        return SECRET
    if field.kind != "table" or not isinstance(value, dict):
        return value
    known = {one.name: one for one in field.fields}
    return {key: _shown(known[key], part) if key in known else part for key, part in value.items()}
