"""A host is written down once, beside those of the checkout, and nothing else is changed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.app.newhost import Wish, add, ask, with_host
from slipway.errors import ConfigError, HostUnreachable
from slipway.hosts.config import HostEntry, parse_hosts, read_hosts
from slipway.hosts.table import HOSTS, OWN
from slipway.report import Report

KNOWN = 'format = 1\ndefault = "here"\n[host.here]\nkind = "local"\napp_dir = "/srv/a"\n'
WISH = Wish("nas", "10.0.0.2", app_dir="/mnt/tank/apps/demo", truenas=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a file of hosts."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / HOSTS).write_text(KNOWN)
    return tmp_path


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def made(text: str | None, wish: Wish = WISH, *, replace_it: bool = False) -> str:
    """The new text of the operator's file."""
    return with_host(text, wish, KNOWN, replace_it=replace_it, home="/h")


def entries(own: str) -> dict[str, HostEntry]:
    """The hosts of both files."""
    return dict(parse_hosts(KNOWN, home="/h", own=own).entries)


def test_a_truenas_has_what_a_truenas_needs(root: Path) -> None:
    """Its admin, sudo and its Compose files; the file begins with its format, and is whole."""
    asked: list[str] = []
    added = add(root, WISH, asked.append)
    entry = read_hosts(root / HOSTS).pick("nas")
    assert entry == added.entry
    assert (entry.user, entry.sudo, entry.port) == ("truenas_admin", True, 0)
    assert entry.compose[-1] == "docker-compose.truenas.yml"
    assert asked == ["nas"]
    assert added.to_json()["reached"] is True
    assert "./inv host.setup --host nas" in added.talk
    assert [one.name for one in (root / "deploy").iterdir() if one.name.endswith(".new")] == []


def test_another_server_has_what_was_said() -> None:
    """Nothing is made up for one that is no TrueNAS, nor sudo for root."""
    plain = entries(made(None, Wish("box", "b", "me", 2222, app_dir="/srv/d")))["box"]
    assert (plain.user, plain.port, plain.sudo) == ("me", 2222, False)
    assert plain.compose == ("docker-compose.yml",)
    rooted = entries(made(None, Wish("box", "b", "root", app_dir="/srv/d", truenas=True)))["box"]
    assert (rooted.user, rooted.sudo) == ("root", False)


def test_one_that_can_not_be_reached_is_written_down_all_the_same(root: Path) -> None:
    """Why not is told, and what to do."""

    def away(name: str) -> None:
        raise HostUnreachable("nas can't be reached: no", hint="switch it on")

    added = add(root, WISH, away)
    assert added.to_json() == {
        "host": "nas", "file": OWN, "reached": False, "problem": "nas can't be reached: no",
        "hint": "switch it on",
    }  # fmt: skip
    assert "nas" in read_hosts(root / HOSTS).entries


def test_comments_and_other_hosts_stay() -> None:
    """A second host is added at the end; one that is replaced takes nothing else with it."""
    first = made(None) + '# mine\n[host.nas.variables]\nA = "1"\n\n# the attic\n'
    text = first + '[host.attic]\nkind = "ssh"\naddress = "a"\napp_dir = "/srv/a"\n'
    again = made(text, Wish("nas", "10.0.0.3", app_dir="/srv/new"), replace_it=True)
    found = entries(again)
    assert (found["nas"].address, found["nas"].variables) == ("10.0.0.3", {})
    assert found["attic"] == entries(text)["attic"]
    assert "# mine\n" in again and "# the attic\n[host.attic]\n" in again
    assert again.count("[host.nas") == 1


def test_a_host_that_would_go_with_another_is_kept() -> None:
    """Where the end of a table isn't found, nothing is written."""
    text = made(None) + '  [host.attic]\n  kind = "ssh"\n  address = "a"\n  app_dir = "/srv/a"\n'
    with pytest.raises(ConfigError, match="in a way that can't be changed from here"):
        made(text, replace_it=True)


@pytest.mark.parametrize(
    ("text", "wish", "said"),
    [
        (None, Wish("here", "a", app_dir="/srv/b"), "here is in deploy/hosts.toml already"),
        (None, Wish("Nas", "a", app_dir="/srv/b"), "is no host name"),
        (None, Wish("nas"), "--address and --folder are needed"),
        (None, Wish("nas", "a"), "--folder is needed"),
        (None, Wish("nas", "a b", app_dir="/srv/b"), "can't be written down like this"),
        (None, Wish("nas", "a", app_dir="b"), "can't be written down like this"),
        (None, Wish("nas", "a", app_dir="/srv/\udc80"), "is no text"),
        ("format = 2\n", WISH, "deploy/hosts.local.toml has 1 problem"),
        ("format = 1\n[host.here]\nkind = 'local'\napp_dir = '/b'\n", WISH, "has 1 problem"),
    ],
)
def test_what_can_not_be_is_refused(text: str | None, wish: Wish, said: str) -> None:
    """Each with its sentence and a hint, before anything is written."""
    with pytest.raises(ConfigError, match="nothing was changed") as caught:
        made(text, wish)
    assert said in caught.value.message
    assert caught.value.hint


def test_a_host_is_never_overwritten_unasked(root: Path) -> None:
    """With --replace it is; where the table can't be found, it isn't even then."""
    add(root, WISH, lambda _: None)
    before = (root / OWN).read_text()
    with pytest.raises(ConfigError, match="already"):
        add(root, Wish("nas", "other", app_dir="/srv/b"), lambda _: None)
    assert (root / OWN).read_text() == before
    inline = 'format = 1\nhost.nas = {kind = "ssh", address = "a", app_dir = "/srv/b"}\n'
    with pytest.raises(ConfigError, match="nothing was changed"):
        made(inline, replace_it=True)


def test_questions_are_asked_of_a_terminal_only() -> None:
    """What was said is not asked; an empty line takes what is offered."""
    said = io.StringIO()
    report = Report(err=said)
    assert ask(Wish("nas"), "demo", report, io.StringIO("y\n")) == Wish("nas")
    found = ask(Wish("nas"), "demo", report, Terminal("y\n10.0.0.2\n\n\n\n\n"))
    assert found == Wish("nas", "10.0.0.2", "truenas_admin", 0, True, "/mnt/tank/apps/demo", True)
    found = ask(Wish("box", "b"), "demo", report, Terminal("n\n2222\n\n/srv/x\n"))
    assert found == Wish("box", "b", "root", 2222, False, "/srv/x", False)
    assert "Is it a TrueNAS?" in said.getvalue()
    with pytest.raises(ConfigError, match="can't be written down"):
        made(None, ask(Wish("box", "b"), "demo", report, Terminal("n\nssh\n\n/srv/x\n")))


@given(st.text(), st.text(), st.text())
def test_any_words_give_a_host_or_a_sentence(address: str, user: str, folder: str) -> None:
    """What was said is what is read back; what can't be is refused."""
    wish = Wish("nas", address, user, app_dir=folder)
    try:
        found = entries(made(None, wish))["nas"]
    except ConfigError as error:
        assert error.hint
    else:
        assert (found.address, found.user) == (address, user)
