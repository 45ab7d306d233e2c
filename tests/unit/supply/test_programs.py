"""Missing programs are installed where that is possible, and named where it isn't."""

from __future__ import annotations

import pytest

from slipway.errors import SupplyError
from slipway.report import Report
from slipway.supply import programs
from slipway.testing import FakeShell

WANTED = {"ip": "iproute2", "sshd": "openssh-server"}
QUIET = Report(quiet=True)


def test_nothing_is_missing() -> None:
    """With everything there no command runs."""
    assert programs.ensure(FakeShell(), QUIET, WANTED, there=lambda _: True) == ()


def test_installs_only_what_is_missing() -> None:
    """Only the packages of missing programs are installed."""
    shell = FakeShell()
    shell.on("apt-get", "update")
    shell.on("apt-get", "install")

    done = programs.ensure(
        shell, QUIET, WANTED, there=lambda program: program == "ip", may_install=True
    )

    assert done == ("openssh-server",)
    assert shell.calls[-1][-1] == "openssh-server"
    assert "iproute2" not in shell.calls[-1]


def test_explains_where_it_may_not_install() -> None:
    """Without root the packages and the command are named, and nothing runs."""
    with pytest.raises(SupplyError) as caught:
        programs.ensure(FakeShell(), QUIET, WANTED, there=lambda _: False, may_install=False)

    assert caught.value.hint == "as root: apt-get install iproute2 openssh-server"


def test_a_failing_apt_is_told() -> None:
    """When apt fails, the error holds what it said."""
    shell = FakeShell()
    shell.on("apt-get", "update", reply=100)

    with pytest.raises(SupplyError, match="apt could not install"):
        programs.ensure(shell, QUIET, WANTED, there=lambda _: False, may_install=True)


@pytest.mark.parametrize(
    ("program", "found"),
    [("sh", True), ("/usr/bin/e*v", True), ("no-such", False), ("/n/*", False)],
)
def test_looks_up_names_and_patterns(program: str, found: bool) -> None:
    """A program is found by its name or by a pattern of its path."""
    assert programs.is_there(program) is found
