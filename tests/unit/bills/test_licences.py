"""Licences are told in SPDX's words where there are some."""

from __future__ import annotations

import pytest

from slipway.bills.licences import is_expression, of_copyright, of_metadata

HEAD = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("GPL-2+", "GPL-2.0-or-later"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("Expat", "MIT"),
        ("BSD-3-clause or GPL-2", "BSD-3-Clause OR GPL-2.0-only"),
        ("Apache-2.0", "Apache-2.0"),
        ("Inner-Net and LGPL-2.1+", "Inner-Net and LGPL-2.1+"),
        ("GPL-2+ with Autoconf exception", "GPL-2+ with Autoconf exception"),
    ],
)
def test_debians_short_names(said: str, told: str) -> None:
    """What SPDX has no name for stays as Debian says it."""
    assert of_copyright(f"{HEAD}\nLicense: {said}\n text\n") == (told,)


def test_a_copyright_file_in_free_form_names_none() -> None:
    """A sentence that begins with License: is no licence's name."""
    assert of_copyright("License: see below\n") == ()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"license-expression": ["MIT OR Zlib"], "license": ["x"]}, ("MIT OR Zlib",)),
        ({"classifier": ["License :: OSI Approved :: MIT License"]}, ("MIT",)),
        (
            {"classifier": ["License :: OSI Approved"], "license": ["BSD-3-Clause"]},
            ("BSD-3-Clause",),
        ),
        ({"license": ["a whole\ntext"]}, ()),
        ({}, ()),
    ],
)
def test_a_wheels_metadata(fields: dict[str, list[str]], told: tuple[str, ...]) -> None:
    """The expression goes before the classifier, that before the old field."""
    assert of_metadata(fields) == told


def test_expressions() -> None:
    """Only what SPDX's list knows is one."""
    assert is_expression("GPL-2.0-only WITH Classpath-exception-2.0")
    assert not is_expression("BSD")
    assert not is_expression("MIT AND")
