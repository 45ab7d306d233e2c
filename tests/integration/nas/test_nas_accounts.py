"""Users, sudo's rules and services, by release."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from tests.integration.nas.bench import Nas, Refused

from slipway.plan.setup import SUDO

# The accounts are this machine's: root is on each.
WHO = "root"


def _row(nas: Nas) -> dict[str, Any]:
    return dict(nas.call("user.query", [["username", "=", WHO]])[0])


def test_sudo_rules(nas: Nas) -> None:
    """They are kept, told, and stand in sudo's own file, which sudo takes."""
    number = _row(nas)["id"]
    told = nas.call("user.update", number, {"sudo_commands_nopasswd": ["/bin/sh", "/bin/ls *"]})

    if nas.release.strict:
        assert told["sudo_commands_nopasswd"] == ["/bin/sh", "/bin/ls *"]
    else:
        assert told == number
    assert _row(nas)["sudo_commands_nopasswd"] == ["/bin/sh", "/bin/ls *"]
    text = nas.sudoers.read_text()
    assert f"{WHO} ALL=(ALL) NOPASSWD: /bin/sh, /bin/ls *\n" in text
    assert "truenas_admin ALL=(ALL) ALL\n" in text, "the rules of others stay"
    nas.call("user.update", number, {"sudo_commands": ["ALL"]})
    assert f"{WHO} ALL=(ALL) ALL, NOPASSWD: /bin/sh, /bin/ls *\n" in nas.sudoers.read_text()
    if (visudo := shutil.which("visudo")) is not None:
        subprocess.run([visudo, "-cf", nas.sudoers], check=True, capture_output=True)
    nas.call("user.update", number, {"sudo_commands": [], "sudo_commands_nopasswd": []})
    assert f"{WHO} ALL" not in nas.sudoers.read_text()


@pytest.mark.parametrize(
    ("commands", "says"),
    [
        (["ALL", "/bin/sh"], "ALL cannot be used with other commands"),
        (["sh"], "Executable must be an absolute path"),
        (["/no/such"], "No paths matching '/no/such' exist"),
        (["/etc/passwd"], "None of the paths matching '/etc/passwd' is executable"),
    ],
)
def test_sudo_rules_that_can_not_be(nas2510: Nas, commands: list[str], says: str) -> None:
    """Each with its place; nothing is changed."""
    with pytest.raises(Refused) as caught:
        nas2510.call("user.update", _row(nas2510)["id"], {"sudo_commands_nopasswd": commands})
    assert caught.value.errors == [["user_update.sudo_commands_nopasswd.0", says, 22]]
    assert _row(nas2510)["sudo_commands_nopasswd"] == []


def test_a_user_that_is_not_there(nas2510: Nas) -> None:
    """Has no rules."""
    with pytest.raises(Refused, match="User 99999 does not exist"):
        nas2510.call("user.update", 99999, {"sudo_commands": list(SUDO)})


def test_services(nas: Nas) -> None:
    """Whether they start with the system is kept; one that is not there is none."""
    ssh = [["service", "=", "ssh"]]
    assert [one["enable"] for one in nas.call("service.query", ssh)] == [False]
    nas.call("service.update", "ssh", {"enable": True})
    assert [one["enable"] for one in nas.call("service.query", ssh)] == [True]
    with pytest.raises(Refused, match="Service sshd not found"):
        nas.call("service.update", "sshd", {"enable": True})
