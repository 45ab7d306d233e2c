"""Where files come from is read out of apt's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import FetchError
from slipway.report import Report
from slipway.supply import mirrors
from slipway.testing import FakeShell

DEB822 = """\
Types: deb
# a comment with http://elsewhere.example/archive/debian/2025
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security/
Suites: bookworm-security
Components: main

Types: deb
URIs: https://third.example/debian
Suites: stable
Enabled: no
"""


def test_deb822() -> None:
    """A deb822 file gives its enabled addresses, without comments and closing slashes."""
    pairs = mirrors.parse_sources({"debian.sources": DEB822})

    assert pairs == [
        ("http://mirror.example/debian", "bookworm"),
        ("http://mirror.example/debian", "bookworm-updates"),
        ("http://mirror.example/debian-security", "bookworm-security"),
    ]


def test_one_line() -> None:
    """A one-line list is read with its options; sources and comments are not packages."""
    text = (
        "# deb http://no.example/debian x main\n"
        "deb [arch=amd64 signed-by=/k] http://a.example/debian trixie main\n"
        "deb-src http://a.example/debian trixie main\n"
    )

    assert mirrors.parse_sources({"sources.list": text}) == [("http://a.example/debian", "trixie")]


def test_choice_from_apt() -> None:
    """Any release's source names the archive beside which the locked one lies."""
    chosen = mirrors.choose(mirrors.parse_sources({"d.sources": DEB822}), {}, {})

    assert chosen == mirrors.Mirrors(
        "http://mirror.example/debian", "http://mirror.example/debian-security"
    )


def test_environment_wins() -> None:
    """An environment variable is taken before the settings and before apt."""
    chosen = mirrors.choose(
        [("http://apt.example/debian", "trixie")],
        {"debian": "http://file.example/debian"},
        {mirrors.DEBIAN: "http://env.example/debian/"},
    )

    assert chosen is not None
    assert chosen.debian == "http://env.example/debian"
    assert chosen.security == "http://env.example/debian-security"


UBUNTU = """\
Types: deb
URIs: http://archive.example/ubuntu/
Suites: noble noble-updates noble-backports
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.example/ubuntu/
Suites: noble-security
Components: main universe restricted multiverse
"""
OTHERS = """\
deb [signed-by=/k] https://pkg.example/debian binary/
deb https://engine.example/linux/debian bookworm stable
"""
DEBOOTSTRAP = """\
#!/bin/sh
DEF_MIRROR="http://shipped.example/debian"
DEF_HTTPS_MIRROR="https://shipped.example/debian"
"""


def ubuntu(root: Path, *, debootstrap: bool = True) -> Path:
    """A folder that looks like Ubuntu to apt, with somebody else's packages for Debian."""
    lists = root / "etc/apt/sources.list.d"
    lists.mkdir(parents=True)
    (lists / "ubuntu.sources").write_text(UBUNTU)
    (lists / "a.list").write_text(OTHERS)
    if debootstrap:
        program = root / "usr/sbin/debootstrap"
        program.parent.mkdir(parents=True)
        program.write_text(DEBOOTSTRAP)
    return root


def finder(root: Path, shell: FakeShell | None = None, **given: Any) -> mirrors.Finder:
    settings, may_install = given.get("settings", {}), given.get("may_install", False)
    environment = given.get("environment", {})
    return mirrors.Finder(
        shell or FakeShell(),
        settings,
        environment,
        Report(quiet=True),
        root=root,
        may_install=may_install,
    )


def test_ubuntu_takes_what_it_ships(tmp_path: Path) -> None:
    """Where apt knows no Debian mirror, the distribution's debootstrap has its address."""
    found = finder(ubuntu(tmp_path))()

    assert found == mirrors.Mirrors(
        "http://shipped.example/debian", "http://shipped.example/debian-security"
    )


def test_ubuntu_gets_debootstrap(tmp_path: Path) -> None:
    """Where debootstrap is missing too, it is installed with Debian's keys."""
    shell = FakeShell()
    shell.on("apt-get", "update")
    shell.on("apt-get", "install")

    with pytest.raises(FetchError):  # the fake apt installs nothing
        finder(ubuntu(tmp_path, debootstrap=False), shell, may_install=True)()

    assert shell.calls[-1][-2:] == ("debian-archive-keyring", "debootstrap")


def test_the_settings_go_over_what_is_shipped(tmp_path: Path) -> None:
    """With [mirrors] or a variable nothing is looked for."""
    by_file = finder(ubuntu(tmp_path), settings={"debian": "http://file.example/debian"})()
    by_variable = finder(tmp_path, environment={mirrors.DEBIAN: "http://env.example/debian"})()

    assert by_file.debian == "http://file.example/debian"
    assert by_variable.debian == "http://env.example/debian"


@pytest.mark.parametrize("root", ["", "ubuntu"])
def test_no_mirror(tmp_path: Path, root: str) -> None:
    """Where nothing names a mirror the error names the settings and the package that knows one."""
    place = ubuntu(tmp_path, debootstrap=False) if root else tmp_path

    with pytest.raises(FetchError) as caught:
        finder(place)()

    assert mirrors.DEBIAN in str(caught.value.hint)
    assert "[mirrors]" in str(caught.value.hint)
    assert "debootstrap" in str(caught.value.hint)
    assert caught.value.exit_code == 3


def test_looked_for_once(tmp_path: Path) -> None:
    """What was found is kept, and nothing is looked for before somebody asks."""
    find = finder(tmp_path)
    ubuntu(tmp_path)

    assert find() is find()


def test_lists_of_mirrors(tmp_path: Path) -> None:
    """An address that is a file of addresses, as on cloud images, stands for those."""
    (tmp_path / "etc/apt/mirrors").mkdir(parents=True)
    (tmp_path / "etc/apt/mirrors/debian.list").write_text(
        "# first\nhttp://one.example/debian/\tpriority:1\nhttp://two.example/debian\n"
    )
    (tmp_path / "etc/apt/sources.list").write_text(
        "deb mirror+file:/etc/apt/mirrors/debian.list trixie main contrib # both\n"
    )

    assert finder(tmp_path)().debian == "http://one.example/debian"


def test_values_over_several_lines() -> None:
    """A deb822 field may go on in the next line; Types are words."""
    text = "Types: deb-src\nURIs: http://s.example/debian\nSuites: trixie\nComponents: main\n\n"
    text += "Types: deb-src deb\nURIs:\n http://a.example/debian\n http://b.example/debian\n"
    text += "Suites: trixie\nComponents: contrib\n main\n"

    assert mirrors.parse_sources({"d.sources": text}) == [
        ("http://a.example/debian", "trixie"),
        ("http://b.example/debian", "trixie"),
    ]


def test_snapshot_is_the_last_place() -> None:
    """A snapshot archive is asked after the mirror, under the lock's stamp."""
    found = mirrors.Mirrors("http://m/debian", "http://m/debian-security", "http://s/archive")

    assert found.places("debian-security", "pool/a.deb", "20260101T000000Z") == (
        "http://m/debian-security/pool/a.deb",
        "http://s/archive/debian-security/20260101T000000Z/pool/a.deb",
    )


@given(st.text())
def test_any_text(text: str) -> None:
    """No source file, however odd, ends in an exception."""
    for name in ("x.list", "x.sources"):
        assert isinstance(mirrors.parse_sources({name: text}), list)
