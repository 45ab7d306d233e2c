"""``deploy/vendored.toml``: what wheels carry inside that no package list names.

People write it, once for each library that a wheel brings; versions are read from the bytes where
these tell them, so that most entries stay true when the wheel gets a successor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packageurl import PackageURL

from slipway.bills.licences import is_expression
from slipway.errors import ConfigError
from slipway.reading import Reader, parse_toml, read_text

FILE = "deploy/vendored.toml"
_FORMAT = 1
_WAYS = ("pattern", "function", "version", "bill", "untold")


@dataclass(frozen=True, slots=True)
class Declared:
    """Something that a wheel carries.

    Attributes:
        wheel: normalised name of the wheel.
        purl: its package URL without a version; empty when the wheel's own bill names it.
        files: globs of its files, below ``site-packages``.
        pattern: regular expression over the bytes of its files; the groups of the first match,
            joined by dots, are the version.
        function: name of an exported C function without arguments that returns the version as
            a number, as libpq's ``PQlibVersion`` does: 180006 is 18.6.
        version: the version that ``source`` says it has, in the wheel of ``wheel_version``.
        wheel_version: the wheel's version that ``version`` holds for.
        source: where ``version`` stands.
        bill: name of the component in the wheel's own bill that these files are.
        untold: why nobody tells its version.
        licence: SPDX expression, or empty.
        where: its place in the file, for messages.
    """

    wheel: str
    purl: str
    files: tuple[str, ...]
    pattern: str = ""
    function: str = ""
    version: str = ""
    wheel_version: str = ""
    source: str = ""
    bill: str = ""
    untold: str = ""
    licence: str = ""
    where: str = ""


def read_declared(root: Path) -> tuple[Declared, ...]:
    """Read ``deploy/vendored.toml``; none when there is no such file.

    Raises:
        ConfigError: it has problems; all of them are named.
    """
    path = root / FILE
    if not path.exists():
        return ()
    reader = Reader(parse_toml(read_text(path, FILE), FILE))
    reader.format(_FORMAT)
    rows = reader.tables("inside") if reader.has("inside") else []
    found = tuple(_declared(row) for row in rows)
    reader.finish()
    if reader.problems:
        raise ConfigError.from_problems(FILE, reader.problems, hint=f"mend {FILE}")
    return found


def _declared(row: Reader) -> Declared:
    ways = [way for way in _WAYS if row.has(way)]
    if len(ways) != 1:
        row.note("", f"should have one of {', '.join(_WAYS)}, has {', '.join(ways) or 'none'}")
    stated = ways == ["version"]
    declared = Declared(
        wheel=row.text("wheel"),
        purl=row.text("purl", "") if ways == ["bill"] else row.text("purl"),
        files=row.texts("files"),
        pattern=row.text("pattern", ""),
        function=row.text("function", ""),
        version=row.text("version", ""),
        wheel_version=row.text("wheel-version", None if stated else ""),
        source=row.text("source", None if stated else ""),
        bill=row.text("bill", ""),
        untold=row.text("untold", ""),
        licence=row.text("licence", ""),
        where=row.where,
    )
    _check(row, declared)
    row.finish()
    return declared


def _check(row: Reader, declared: Declared) -> None:
    if not declared.files:
        row.note("files", "should name a file")
    if declared.licence and not is_expression(declared.licence):
        row.note("licence", f"should be an SPDX expression, got {declared.licence!r}")
    try:
        groups = re.compile(declared.pattern.encode()).groups
        if declared.pattern and not groups:
            row.note("pattern", "should have a group, which is the version")
    except re.error as error:
        row.note("pattern", f"is no regular expression: {error}")
    try:
        if declared.purl and PackageURL.from_string(declared.purl).version:
            row.note("purl", "should have no version: the bytes tell it")
    except ValueError as error:
        row.note("purl", f"is no package URL: {error}")
