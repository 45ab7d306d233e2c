"""What ssh says about a host, and what is made of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slipway.hosts.login import Login
from slipway.hosts.openssh import Here, Jump, last_jump, parse, question, server
from slipway.hosts.route import NoRoute, find_route
from slipway.testing import FakeShell

HERE = Here("/home/me", "me", 1000, "desk.example", {"SSH_AUTH_SOCK": "/run/agent", "D": "/d"})
LOGIN = Login("nas", "box")
SAID = """host box
user you
hostname Box.Example
port 2222
identitiesonly no
connecttimeout none
identityfile ~/.ssh/id_rsa
identityfile /keys/with space/%r@%h-%p-%n-%u-%%
identityfile ${D}/k-%L-%d-%i
certificatefile ~/c-cert.pub
hostkeyalgorithms ssh-ed25519,rsa-sha2-512
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /home/me/.ssh/known_hosts /home/me/a b/known
"""


def test_everything_is_taken_from_the_answer() -> None:
    """Names in small letters, paths with tokens filled in, lists of paths with spaces inside."""
    found = server(parse(SAID), LOGIN, HERE)
    assert (found.address, found.port, found.user) == ("box.example", 2222, "you")
    assert found.identities == (
        "/home/me/.ssh/id_rsa",
        "/keys/with space/you@box.example-2222-box-me-%",
        "/d/k-desk-/home/me-1000",
    )
    assert found.certificates == ("/home/me/c-cert.pub",)
    assert found.known_hosts == (
        "/home/me/.ssh/known_hosts",
        "/home/me/a b/known",
        "/etc/ssh/ssh_known_hosts",
        "/etc/ssh/ssh_known_hosts2",
    )
    assert found.known_as == ("[box.example]:2222", "box.example")
    assert found.key_types == ("ssh-ed25519", "rsa-sha2-512")
    assert (found.agent, found.only_identities, found.timeout) == ("/run/agent", False, 10.0)
    assert (found.proxy_command, found.jump, found.refused) == ("", "", "")


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("hostkeyalias the-box", "known_as", ("the-box",)),
        ("identityagent none", "agent", ""),
        ("identityagent SSH_AUTH_SOCK", "agent", "/run/agent"),
        ("identityagent $D", "agent", "/d"),
        ("identityagent /run/other", "agent", "/run/other"),
        ("proxycommand nc -x %r %h %p 100%%", "proxy_command", "nc -x you box.example 2222 100%"),
        ("proxycommand none", "proxy_command", ""),
        ("proxyjump a,b", "jump", "a,b"),
        ("proxyjump none", "jump", ""),
    ],
)
def test_one_line_more(line: str, field: str, value: object) -> None:
    """What ssh prints only where it is set."""
    assert getattr(server(parse(SAID + line), LOGIN, HERE), field) == value


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ("connecttimeout none", "connecttimeout 3", "timeout", 3.0),
        ("identitiesonly no", "identitiesonly yes", "only_identities", True),
        ("port 2222", "port 22", "known_as", ("box.example",)),
        ("userknownhostsfile /home", "userknownhostsfile none\nold /home", "known_hosts",
         ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")),
    ],
)  # fmt: skip
def test_one_line_otherwise(old: str, new: str, field: str, value: object) -> None:
    """What ssh always prints."""
    assert getattr(server(parse(SAID.replace(old, new)), LOGIN, HERE), field) == value


def test_hosts_toml_goes_first() -> None:
    """A key given for the host is the only one; a list of host keys given for it too."""
    found = server(parse(SAID), replace(LOGIN, key_file="/k", known_hosts="/known"), HERE)
    assert (found.identities, found.known_hosts) == (("/k",), ("/known",))
    assert found.only_identities


def test_what_can_not_be_followed_is_told() -> None:
    """Settings that would be passed over in silence stop the connection."""
    assert "RevokedHostKeys" in server(parse(f"{SAID}revokedhostkeys /r"), LOGIN, HERE).refused
    passing = f"{SAID}proxyusefdpass yes\nproxycommand x"
    assert "ProxyUseFdpass" in server(parse(passing), LOGIN, HERE).refused


@pytest.mark.parametrize("text", ["", "host box", "hostname a\nport b\nuser c", "user c\nport 1"])
def test_no_answer_of_ssh(text: str) -> None:
    """Anything else is told from an answer."""
    with pytest.raises(ValueError, match=r".+"):
        server(parse(text), LOGIN, HERE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("hop", Jump("hop", 0, "", "")),
        ("me@hop:2200", Jump("hop", 2200, "me", "")),
        ("a,b@c:1,me@[::1]:22", Jump("::1", 22, "me", "a,b@c:1")),
        ("ssh://me@hop:22/", Jump("hop", 22, "me", "")),
        ("fe80::1", Jump("fe80::1", 0, "", "")),
        ("me@corp@hop", Jump("hop", 0, "me@corp", "")),
    ],
)
def test_the_last_jump_host(value: str, expected: Jump) -> None:
    """It is the one that is asked for the connection; those before it lead there."""
    assert last_jump(value) == expected


def test_ssh_is_asked_as_it_would_be_called() -> None:
    """What is known goes along, for Match; a name is never read as an option."""
    assert question(LOGIN) == ("ssh", "-G", "-T", "--", "box")
    login = replace(LOGIN, port=1, user="u", config="/c")
    assert question(login, jump="a,b") == (
        "ssh", "-G", "-T", "-F", "/c", "-J", "a,b", "-p", "1", "-l", "u", "--", "box",
    )  # fmt: skip


def test_each_server_on_the_way_is_asked_for_once() -> None:
    """A chain of jump hosts is one question each, with those before it."""
    shell = FakeShell()
    hop = SAID.replace("Box.Example", "hop.example").replace("2222", "22")
    shell.on("ssh", "-G", "-T", "--", "box", reply=f"{SAID}proxyjump one,me@two:2200\n")
    shell.on("ssh", "-G", "-T", "-J", "one", reply=f"{hop}proxyjump one\n")
    shell.on("ssh", "-G", "-T", "--", "one", reply=hop)
    route = find_route(LOGIN, shell, HERE, pytest.fail)
    assert [each.asked for each in route] == ["one", "two", "box"]
    assert shell.calls[1] == (
        "ssh", "-G", "-T", "-J", "one", "-p", "2200", "-l", "me", "--", "two",
    )  # fmt: skip
    assert len(shell.calls) == 3


def test_a_host_of_our_own_asks_nobody() -> None:
    """Everything about it is known; this user's settings don't count."""
    login = Login("r", "10.0.0.2", 22, "root", "/k", "/known", personal=False)
    (own,) = find_route(login, FakeShell(), HERE, pytest.fail)
    assert (own.identities, own.known_hosts, own.agent) == (("/k",), ("/known",), "")
    assert own.known_as == ("10.0.0.2",)


def test_jumps_without_an_end() -> None:
    """A host that is reached through itself is a sentence."""
    shell = FakeShell()
    shell.on("ssh", reply=f"{SAID}proxyjump hop\n")
    with pytest.raises(NoRoute, match="have no end"):
        find_route(LOGIN, shell, HERE, pytest.fail)
    assert len(shell.calls) < 12


@pytest.mark.parametrize(
    ("address", "port", "place", "entry"),
    [
        ("nas.local", 0, "nas.local:22", "nas.local"),
        ("nas.local", 2222, "nas.local:2222", "[nas.local]:2222"),
        ("fd00::7", 0, "[fd00::7]:22", "fd00::7"),
        ("fd00::7", 2222, "[fd00::7]:2222", "[fd00::7]:2222"),
    ],
)
def test_how_a_server_is_written(address: str, port: int, place: str, entry: str) -> None:
    """For people an IPv6 address stands in brackets; in known_hosts files as sshd(8) says."""
    login = Login("nas", address, port)
    assert (login.place, login.entry) == (place, entry)
