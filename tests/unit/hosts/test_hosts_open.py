"""An entry leads to the right kind of host, without connecting."""

from __future__ import annotations

import pytest

from slipway.errors import CommandFailed, ConfigError
from slipway.hosts.config import HostEntry
from slipway.hosts.local import LocalHost
from slipway.hosts.login import Login
from slipway.hosts.open import address_of, open_host
from slipway.hosts.ssh import SshHost
from slipway.testing import FakeShell
from slipway.testing.doors import Reply

LOCAL = HostEntry("local", "local", "/srv/a")
NAS = HostEntry("nas", "ssh", "/srv/a", address="nas.example")
REHEARSAL = HostEntry("rehearsal", "rehearsal", "/mnt/tank/a")
UP = Login("rehearsal", "10.0.0.2", 22, "root", "/k", "/known", personal=False)


def test_each_kind_has_its_host() -> None:
    """Local is this machine; the others are reached by SSH. Each keeps its name."""
    assert isinstance(open_host(LOCAL), LocalHost)
    assert isinstance(open_host(NAS), SshHost)
    rehearsal = open_host(REHEARSAL, booted=UP)
    assert isinstance(rehearsal, SshHost)
    assert rehearsal.name == "rehearsal"


def test_a_rehearsal_host_must_be_up() -> None:
    """Without the way to reach it the next command is named."""
    with pytest.raises(ConfigError, match="isn't up") as caught:
        open_host(REHEARSAL)
    assert "rehearsal.up" in (caught.value.hint or "")


def test_where_published_ports_are_found() -> None:
    """The address is loopback, the booted host's, or the machine that ssh means by the entry's."""
    shell = FakeShell()
    assert address_of(LOCAL, shell) == "127.0.0.1"
    assert address_of(REHEARSAL, shell, booted=UP) == "10.0.0.2"
    assert shell.calls == []
    shell.on("ssh", "-G", reply="user me\nhostname 10.0.0.7\nport 22\n")
    assert address_of(NAS, shell) == "10.0.0.7"
    assert shell.calls[-1][-1] == "nas.example"


@pytest.mark.parametrize(
    "reply", [255, "what\n", "", CommandFailed(["ssh"], 127, "no ssh", where="here")]
)
def test_without_an_answer_of_ssh_the_address_is_the_entrys(reply: Reply) -> None:
    """No ssh, or one that refuses its configuration, is told where the host is reached."""
    shell = FakeShell()
    shell.on("ssh", "-G", reply=reply)
    assert address_of(NAS, shell) == "nas.example"
