"""Filters and options of queries. Pure.

Source: ``utils/filter_list.py`` of the middleware.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from .errors import MatchNotFound

Row = dict[str, Any]
_ABSENT = object()
_DEPTH = 3
_MOST = 10_000


def _text(test: Callable[[str, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: value is not None and test(value, wanted)


OPERATORS: dict[str, Callable[[Any, Any], object]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "~": lambda value, wanted: re.match(wanted, value or ""),
    "in": lambda value, wanted: value in wanted,
    "nin": lambda value, wanted: value is not None and value not in wanted,
    "rin": lambda value, wanted: value is not None and wanted in value,
    "rnin": lambda value, wanted: value is not None and wanted not in value,
    "^": _text(lambda value, wanted: value.startswith(wanted)),
    "!^": _text(lambda value, wanted: not value.startswith(wanted)),
    "$": _text(lambda value, wanted: value.endswith(wanted)),
    "!$": _text(lambda value, wanted: not value.endswith(wanted)),
}


def check(filters: Iterable[Any], depth: int = 0) -> None:
    """Refuse filters that are none.

    Raises:
        ValueError: says which, in the middleware's words.
    """
    if depth > _DEPTH:
        raise ValueError("query-filters max recursion depth exceeded")
    for one in filters:
        if len(one) == 2:
            if one[0] != "OR":
                raise ValueError(f"Invalid operation: {one[0]}")
            if not one[1]:
                raise ValueError("OR filter requires at least one branch.")
            for branch in one[1]:
                check(branch if isinstance(branch[0], list) else [branch], depth + 1)
        elif len(one) != 3:
            raise ValueError(f"Invalid filter {one}")
        elif one[1].removeprefix("C") not in OPERATORS or one[1] == "C~":
            raise ValueError(f"Invalid operation: {one[1]}")


def query(rows: Iterable[Row], filters: list[Any], options: Row) -> Any:
    """The rows that pass: a list, one row (``get``) or their number (``count``).

    Raises:
        ValueError: filters or options are wrong.
        MatchNotFound: one was asked for, and there is none.
    """
    if options.get("get") and (options.get("limit", 0) > 1 or options.get("offset")):
        raise ValueError("Invalid options combination. `get` implies a single result.")
    if options.get("limit", 0) > _MOST:
        raise ValueError(f"Options limit must be between 1 and {_MOST}")
    check(filters)
    found = [row for row in rows if all(_passes(row, one) for one in filters)]
    if options.get("count"):
        return len(found)
    for order in options.get("order_by", []):
        found = _ordered(found, order)
    if select := options.get("select"):
        found = [_selected(row, select) for row in found]
    if options.get("get"):
        if not found:
            raise MatchNotFound
        return found[0]
    found = found[options.get("offset", 0) :]
    return found[: options["limit"]] if options.get("limit") else found


def value_at(row: object, path: str) -> object:
    """What lies at a path with dots; None where nothing does."""
    found = _at(row, path)
    return None if found is _ABSENT else found


def _at(row: object, path: str) -> object:
    for part in path.split("."):
        if isinstance(row, dict):
            row = row.get(part, _ABSENT)
        elif isinstance(row, list | tuple) and part.isdigit():
            row = row[int(part)] if int(part) < len(row) else None
        else:
            return _ABSENT
    return row


def _passes(row: Row, one: list[Any]) -> bool:
    if len(one) == 2:
        branches = (branch if isinstance(branch[0], list) else [branch] for branch in one[1])
        return any(all(_passes(row, part) for part in branch) for branch in branches)
    name, sign, wanted = one
    value = _at(row, name)
    if value is _ABSENT:
        return False
    if sign.startswith("C"):
        value, wanted, sign = _folded(value), _folded(wanted), sign[1:]
    return bool(OPERATORS[sign](value, wanted))


def _folded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [part.casefold() for part in value]
    return value.casefold() if value is not None else None


def _ordered(rows: list[Row], order: str) -> list[Row]:
    nulls = ""
    for prefix in ("nulls_first:", "nulls_last:"):
        if order.startswith(prefix):
            nulls, order = prefix, order.removeprefix(prefix)
    reverse = order.startswith("-")
    order = order.removeprefix("-")
    without = [row for row in rows if nulls and row.get(order) is None]
    rest = [row for row in rows if not nulls or row.get(order) is not None]
    rest.sort(key=lambda row: value_at(row, order), reverse=reverse)  # type: ignore[arg-type,return-value]
    return without + rest if nulls == "nulls_first:" else rest + without


def _selected(row: Row, select: list[Any]) -> Row:
    chosen: Row = {}
    for one in select:
        path, name = one if isinstance(one, list) else (one, None)
        value = _at(row, path)
        if value is _ABSENT:
            continue
        place = chosen
        *folders, last = [name] if name is not None else path.split(".")
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = value
    return chosen
