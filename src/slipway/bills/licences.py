"""Licences as their makers write them, and as SPDX writes them where that is known.

Sources: Debian's machine-readable copyright format 1.0 (its short names), PEP 639 and Python's
trove classifiers, the SPDX licence list as the library ``license-expression`` has it.
"""

from __future__ import annotations

import re
from functools import cache

from license_expression import ExpressionError, Licensing, get_spdx_licensing

_SHORT = {
    "apache-2": "Apache-2.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "expat": "MIT",
    "isc": "ISC",
    "mit/x11": "MIT",
    "openldap-2.8": "OLDAP-2.8",
    "postgresql": "PostgreSQL",
    "psf-2": "PSF-2.0",
    "zlib": "Zlib",
}
_GNU = re.compile(r"(A?GPL|LGPL|GFDL)-?(\d)(?:\.(\d))?(\+)?\Z", re.IGNORECASE)
_LICENSE = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_LONGEST_NAME = 80


def of_copyright(text: str) -> tuple[str, ...]:
    """The licences that a Debian copyright file names, sorted, each once.

    Args:
        text: the file; one that is not in the machine-readable format names none.
    """
    if not text.lstrip().startswith("Format:"):
        return ()
    said = {found.strip() for found in _LICENSE.findall(text)}
    return tuple(sorted({_debian(name) for name in said if len(name) <= _LONGEST_NAME}))


def _debian(said: str) -> str:
    """A short name of Debian's, or several with ``and`` and ``or``, in SPDX's form if there is one.

    Exceptions and names of Debian's own stay as they are.
    """
    words = re.split(r"(,?\s+(?:and|or)\s+)", said)
    parts = [_one(word) if index % 2 == 0 else word for index, word in enumerate(words)]
    text = "".join(
        part if index % 2 == 0 else f" {part.strip(', ').upper()} "
        for index, part in enumerate(parts)
    )
    return text if is_expression(text) else said


def _one(name: str) -> str:
    if gnu := _GNU.match(name.strip()):
        family, major, minor, later = gnu.groups()
        return f"{family.upper()}-{major}.{minor or 0}-{'or-later' if later else 'only'}"
    return _SHORT.get(name.strip().lower(), name.strip())


def of_metadata(fields: dict[str, list[str]]) -> tuple[str, ...]:
    """The licence that a wheel's metadata names.

    Args:
        fields: name, in lower case, to its values.
    """
    if expression := fields.get("license-expression"):
        return (expression[0],)
    classes = [
        one.rsplit(" :: ", 1)[-1]
        for one in fields.get("classifier", ())
        if one.startswith("License ::") and not one.endswith("OSI Approved")
    ]
    if classes:
        return tuple(sorted({_CLASSIFIERS.get(one, one) for one in classes}))
    said = (fields.get("license") or [""])[0].strip()
    return (said,) if said and "\n" not in said and len(said) <= _LONGEST_NAME else ()


@cache
def licensing() -> Licensing:
    """SPDX's list of licences; the library reads it anew at each call."""
    return get_spdx_licensing()


@cache
def is_expression(text: str) -> bool:
    """Whether a text is a valid SPDX expression, every identifier known."""
    try:
        return not licensing().validate(text, strict=True).errors
    except (ExpressionError, AttributeError, TypeError):
        return False
