"""A user's OpenSSH configuration, taken as ssh itself takes it; ssh is asked beside.

Every test has a configuration file of its own: nobody's ``~/.ssh`` is read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.integration.hosts.sshd_server import Sshd, StartSshd, make_key

from slipway.doors import Completed
from slipway.errors import CommandFailed, HostUnreachable
from slipway.hosts.ssh import SshHost
from slipway.shell import LocalShell

DEFAULTS = """
Host *
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {key}
  IdentityAgent none
  UserKnownHostsFile {folder}/known
  GlobalKnownHostsFile none
"""


class Theirs:
    """A folder with an OpenSSH configuration, and both programs that read it."""

    def __init__(self, sshd: Sshd, folder: Path) -> None:
        self.sshd, self.folder = sshd, folder
        self.config = folder / "config"
        self.known = folder / "known"
        self.public = (sshd.folder / "host_key.pub").read_text().strip()
        self.known.write_text(f"[127.0.0.1]:{sshd.login.port} {self.public}\n")
        self.warnings: list[str] = []

    def fill(self, text: str) -> str:
        """With what is different in every test."""
        login = self.sshd.login
        return text.format(
            folder=self.folder, port=login.port, user=login.user, key=login.key_file,
            config=self.config, public=self.public, python=sys.executable,
        )  # fmt: skip

    def write(self, lines: str) -> None:
        """The configuration: these lines, then the usual ones."""
        self.config.write_text(self.fill(lines + DEFAULTS))

    def ours(self, address: str = "den", **changes: object) -> SshHost:
        """The host as slipway reaches it."""
        login: dict[str, object] = {
            "address": address, "port": 0, "user": "", "key_file": "", "known_hosts": "",
            "personal": True, "config": str(self.config), **changes,
        }  # fmt: skip
        return self.sshd.host(**login)

    def reached(self, address: str = "den") -> bool:
        """Whether slipway reaches it."""
        host = self.ours(address)
        try:
            return host.run(["echo", "in"], timeout=20).text == "in\n"
        except HostUnreachable:
            return False
        finally:
            host.close()

    def ssh_reached(self, address: str = "den", *options: str) -> bool:
        """Whether ssh does, asking nobody and taking no unknown key."""
        strict = ("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", *options)
        argv = ["ssh", "-F", str(self.config), *strict, address, "true"]
        return subprocess.run(argv, capture_output=True, timeout=30, check=False).returncode == 0


@pytest.fixture
def theirs(sshd: Sshd, tmp_path: Path) -> Theirs:
    """A configuration for the one server."""
    return Theirs(sshd, tmp_path)


def error_of(host: SshHost) -> HostUnreachable:
    """Why a host can't be reached."""
    with pytest.raises(HostUnreachable) as caught:
        host.run(["true"], timeout=20)
    host.close()
    return caught.value


@contextmanager
def agent(folder: Path, *keys: str) -> Iterator[str]:
    """An agent's socket that holds keys."""
    path = str(folder / "agent.sock")
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) as process:
        try:
            env = {**os.environ, "SSH_AUTH_SOCK": path}
            while not Path(path).exists():
                assert process.poll() is None
            for key in keys:
                subprocess.run(
                    ["ssh-add", "-q", key], env=env, check=True, timeout=20, capture_output=True
                )
            yield path
        finally:
            process.terminate()


CONFIGURATIONS = {
    "nothing special": "",
    "Include": "Include {folder}/more\nHost *\n  HostName nowhere.invalid\n",
    "Match exec": 'Match exec "test -e {folder}/known"\n  HostName 127.0.0.1\n'
    "Match all\n  HostName nowhere.invalid\n",
    "Match exec that fails": 'Match exec "exit 1"\n  HostName nowhere.invalid\n',
    "Match final": "Match final all\n  Compression yes\n",
    "Match final that decides": "Match final host 127.0.0.1\n  ConnectTimeout 7\n",
    "Match host and user": "Match host den user nobody-here\n  HostName nowhere.invalid\n",
    "ProxyJump none": "Host den\n  ProxyJump none\nHost *\n  ProxyJump nowhere.invalid\n",
    "ProxyJump": "Host den\n  ProxyJump hop\n",
    "a chain of jumps": "Host den\n  ProxyJump one,{user}@two:{port}\n",
    "a jump's own jump": "Host den\n  ProxyJump one\nHost one\n  ProxyJump two\n",
    "a jump that is not there": "Host den\n  ProxyJump hop\nHost hop\n  Port 1\n",
    "ProxyCommand": "Host den\n  ProxyCommand ssh -F {config} -W '[%h]:%p' hop\n",
    "ProxyCommand of a shell": "Host den\n  ProxyCommand sh -c 'test %n = den && exec ssh "
    "-F {config} -W %h:%p hop'\n",
    "ProxyCommand that fails": "Host den\n  ProxyCommand false\n",
    "several IdentityFiles": "IdentityFile {folder}/gone\nIdentityFile {folder}/stranger\n",
    "IdentityFile with tokens": "Host den\n  IdentityFile {folder}/link-%r-%h-%n\n"
    "  IdentitiesOnly yes\n",
    "HostKeyAlias": "HostKeyAlias the-box\nUserKnownHostsFile {folder}/alias\n",
    "HostKeyAlias that is not known": "HostKeyAlias the-box\n",
    "several known_hosts files": "UserKnownHostsFile {folder}/gone {folder}/known\n",
    "the global known_hosts file": "UserKnownHostsFile none\nGlobalKnownHostsFile {folder}/known\n",
    "no known_hosts file": "UserKnownHostsFile none\n",
    "known_hosts of another name": "UserKnownHostsFile {folder}/alias\n",
    "known_hosts by token": "UserKnownHostsFile {folder}/k-%h-%p\n",
    "StrictHostKeyChecking no": "StrictHostKeyChecking no\nUserKnownHostsFile {folder}/gone\n",
    "StrictHostKeyChecking accept-new": "StrictHostKeyChecking accept-new\n"
    "UserKnownHostsFile {folder}/gone\n",
    "CanonicalizeHostname": "CanonicalizeHostname yes\nCanonicalizeMaxDots 0\n",
    "another User": "User nobody-here\n",
    "an option that ssh does not know": "NoSuchOption yes\n",
}

REFUSED = {
    "a jump that is not there",
    "ProxyCommand that fails",
    "HostKeyAlias that is not known",
    "no known_hosts file",
    "known_hosts of another name",
    "StrictHostKeyChecking no",
    "StrictHostKeyChecking accept-new",
    "another User",
    "an option that ssh does not know",
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_means_what_it_means_to_ssh(theirs: Theirs, name: str) -> None:
    """Whether the host is reached is the same for ssh and for slipway."""
    folder = theirs.folder
    (folder / "more").write_text("Host den\n  HostName 127.0.0.1\n")
    make_key(folder / "stranger")
    port, user = theirs.sshd.login.port, theirs.sshd.login.user
    (folder / f"link-{user}-127.0.0.1-den").symlink_to(theirs.sshd.login.key_file)
    (folder / "alias").write_text(f"the-box {theirs.public}\n")
    (folder / f"k-127.0.0.1-{port}").write_text(theirs.known.read_text())
    theirs.write(CONFIGURATIONS[name])
    wanted = theirs.ssh_reached()
    assert wanted is (name not in REFUSED), "ssh itself answers otherwise than this test expects"
    assert theirs.reached() is wanted
    assert not (folder / "gone").exists()


KNOWN = {
    "as it is": "[127.0.0.1]:{port} {public}",
    "among others": "a,[127.0.0.1]:{port},b {public} a comment",
    "without the port": "127.0.0.1 {public}",
    "by a pattern": "[127.0.0.*]:{port} {public}",
    "by a pattern with an exception": "[127.0.0.*]:{port},![127.0.0.1]:{port} {public}",
    "two keys, the second is right": "[127.0.0.1]:{port} {other}\n[127.0.0.1]:{port} {public}",
    "another key": "[127.0.0.1]:{port} {other}",
    "another key for the port": "[127.0.0.1]:{port} {other}\n127.0.0.1 {public}",
    "revoked": "@revoked [127.0.0.1]:{port} {public}\n[127.0.0.1]:{port} {public}",
    "revoked elsewhere": "@revoked elsewhere {public}\n[127.0.0.1]:{port} {public}",
    "an authority": "@cert-authority * {other}",
    "an authority with the host's key": "@cert-authority * {public}",
    "remarks": "# known\n\n[127.0.0.1]:{port} {public}",
    "another host": "elsewhere {public}",
    "nothing": "",
}


@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
@pytest.mark.parametrize("name", KNOWN)
def test_a_key_is_known_when_ssh_knows_it(theirs: Theirs, name: str, hashed: bool) -> None:
    """Patterns, markers, ports and hashed names count as they do for ssh."""
    other = make_key(theirs.folder / "other").strip()
    lines = KNOWN[name].format(port=theirs.sshd.login.port, public=theirs.public, other=other)
    theirs.known.write_text(f"{lines}\n")
    if hashed:
        argv = ["ssh-keygen", "-H", "-f", str(theirs.known)]
        subprocess.run(argv, check=True, capture_output=True, timeout=20)
    theirs.write("")
    before = theirs.known.read_bytes()
    expected = name in (
        "as it is", "among others", "without the port", "by a pattern", "revoked elsewhere",
        "two keys, the second is right", "remarks",
    )  # fmt: skip
    assert theirs.ssh_reached() is expected
    assert theirs.reached() is expected
    assert theirs.known.read_bytes() == before


def test_a_revoked_key_and_an_authority_have_their_sentences(theirs: Theirs) -> None:
    """The person learns why a key doesn't count."""
    theirs.write("")
    lines = f"@revoked * {theirs.public}\n{theirs.known.read_text()}"
    theirs.known.write_text(lines)
    assert "is revoked (ssh-ed25519 SHA256:" in error_of(theirs.ours()).message
    theirs.known.write_text(f"@cert-authority * {make_key(theirs.folder / 'ca')}")
    error = error_of(theirs.ours())
    assert "is not known here" in error.message
    assert "its certificate authority is not asked" in error.message


def test_the_type_of_the_known_key_is_asked_for(start_sshd: StartSshd, tmp_path: Path) -> None:
    """A server that shows an ED25519 key by itself shows the RSA key that is known."""
    rsa = tmp_path / "rsa"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(rsa)],
        check=True, timeout=30,
    )  # fmt: skip
    theirs = Theirs(start_sshd(f"HostKey {rsa}"), tmp_path)
    theirs.known.write_text(
        f"[127.0.0.1]:{theirs.sshd.login.port} {Path(f'{rsa}.pub').read_text()}"
    )
    theirs.write("")
    assert (theirs.ssh_reached(), theirs.reached()) == (True, True)
    theirs.write("HostKeyAlgorithms ssh-ed25519\n")
    assert (theirs.ssh_reached(), theirs.reached()) == (False, False)


def test_the_agent_of_the_configuration(theirs: Theirs, monkeypatch: pytest.MonkeyPatch) -> None:
    """IdentityAgent's keys open the door; a public file names one of them; `none` is none."""
    folder = theirs.folder
    make_key(folder / "stranger")
    own = Path(f"{theirs.sshd.login.key_file}.pub").read_bytes()
    (folder / "named.pub").write_bytes(own)
    only = "IdentitiesOnly yes\nIdentityFile {folder}/%s\n"
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with agent(folder, str(folder / "stranger"), theirs.sshd.login.key_file) as socket:
        for lines, expected in (
            (f"IdentityAgent {socket}\nIdentityFile none\n", True),
            (f"IdentityAgent {socket}\n{only % 'named.pub'}", True),
            (f"IdentityAgent {socket}\n{only % 'stranger'}", False),
            ("IdentityAgent none\nIdentityFile none\n", False),
            ("IdentityAgent $THEIR_AGENT\nIdentityFile none\n", True),
        ):
            monkeypatch.setenv("THEIR_AGENT", socket)
            theirs.write(lines)
            text = theirs.config.read_text().replace(
                f"  IdentityFile {theirs.sshd.login.key_file}\n", ""
            )
            theirs.config.write_text(text)
            assert theirs.ssh_reached() is expected, lines
            assert theirs.reached() is expected, lines


def test_named_keys_go_before_the_agents_others(start_sshd: StartSshd, tmp_path: Path) -> None:
    """A server that hangs up after two wrong keys is reached though the agent holds four."""
    theirs = Theirs(start_sshd("MaxAuthTries 2"), tmp_path)
    strangers = [str(tmp_path / f"stranger{number}") for number in range(4)]
    for stranger in strangers:
        make_key(Path(stranger))
    with agent(tmp_path, *strangers, theirs.sshd.login.key_file) as socket:
        theirs.write(f"IdentityAgent {socket}\n")
        assert (theirs.ssh_reached(), theirs.reached()) == (True, True)


def test_a_users_certificate_is_offered(start_sshd: StartSshd, tmp_path: Path) -> None:
    """A key whose certificate lies beside it, or is named, is taken where its authority is."""
    make_key(tmp_path / "ca")
    make_key(tmp_path / "key")
    theirs = Theirs(start_sshd(f"TrustedUserCAKeys {tmp_path}/ca.pub"), tmp_path)
    user = theirs.sshd.login.user
    argv = ["ssh-keygen", "-q", "-s", f"{tmp_path}/ca", "-I", "me", "-n", user, f"{tmp_path}/key"]
    subprocess.run(argv, check=True, timeout=20, capture_output=True)
    theirs.write("IdentitiesOnly yes\nIdentityFile {folder}/key\n")
    theirs.config.write_text(
        theirs.config.read_text().replace(f"  IdentityFile {theirs.sshd.login.key_file}\n", "")
    )
    assert (theirs.ssh_reached(), theirs.reached()) == (True, True)
    (tmp_path / "key-cert.pub").rename(tmp_path / "elsewhere.pub")
    assert (theirs.ssh_reached(), theirs.reached()) == (False, False)
    with theirs.config.open("a") as file:
        file.write(f"  CertificateFile {tmp_path}/elsewhere.pub\n")
    assert (theirs.ssh_reached(), theirs.reached()) == (True, True)


def test_a_protected_key_names_the_agent(theirs: Theirs) -> None:
    """When the one key that might fit has a passphrase, that is said."""
    locked = theirs.folder / "locked"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(locked)],
        check=True, timeout=30,
    )  # fmt: skip
    theirs.write("User nobody-here\nIdentityFile {folder}/locked\n")
    assert "protected by a passphrase" in error_of(theirs.ours()).message


def test_hosts_toml_goes_before_the_configuration(theirs: Theirs) -> None:
    """Port, user, key and known_hosts given for the host win, as options of ssh would."""
    theirs.write("Host den\n  Port 1\n  User nobody-here\n  IdentityFile {folder}/gone\n"
                 "  UserKnownHostsFile none\n")  # fmt: skip
    login = theirs.sshd.login
    host = theirs.ours(
        port=login.port, user=login.user, key_file=login.key_file, known_hosts=login.known_hosts
    )
    assert host.run(["echo", "in"], timeout=20).text == "in\n"
    host.close()


def test_an_unknown_jump_host_is_refused(theirs: Theirs) -> None:
    """Every server on the way has to be known, and the error names the one that isn't."""
    port = theirs.sshd.login.port
    theirs.write("Host den\n  ProxyJump hop\nHost hop\n  HostName localhost\n")
    error = error_of(theirs.ours())
    assert f"the host key of [localhost]:{port} is not known here" in error.message


def test_a_jump_host_that_leads_nowhere(theirs: Theirs) -> None:
    """A jump host that can't reach the next server is told apart from one that is off."""
    theirs.write("Host den\n  Port 1\n  ProxyJump hop\n")
    assert "its jump host made no connection to 127.0.0.1:1" in error_of(theirs.ours()).message


def test_jump_hosts_without_an_end(theirs: Theirs) -> None:
    """A jump host that is reached through itself is a sentence; ssh would go on for ever."""
    theirs.write("Host *\n  ProxyJump hop\n")
    assert "its jump hosts have no end: hop, hop" in error_of(theirs.ours()).message


def test_what_ssh_says_is_in_the_error(theirs: Theirs) -> None:
    """A mistake in the configuration, or in a ProxyCommand, is shown in their own words."""
    theirs.write("NoSuchOption yes\n")
    error = error_of(theirs.ours())
    assert "ssh does not accept its configuration" in error.message
    assert any("nosuchoption" in line for line in error.details)
    assert f"ssh -G -F {theirs.config} den" in (error.hint or "")
    theirs.write("ProxyCommand echo no way there >&2; exit 1\n")
    error = error_of(theirs.ours())
    assert "the ProxyCommand for 127.0.0.1 failed" in error.message
    assert error.details == ("no way there",)


def test_revoked_host_keys_are_not_passed_over(theirs: Theirs) -> None:
    """A list that can't be read here stops the connection instead of being ignored."""
    theirs.write("RevokedHostKeys {folder}/list\n")
    assert "RevokedHostKeys is set" in error_of(theirs.ours()).message


class NoSsh(LocalShell):
    """A machine without OpenSSH's programs."""

    def run(self, argv: Sequence[str], **options: object) -> Completed:
        """Find no program."""
        raise CommandFailed(argv, 127, "No such file", where="this machine")


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        ("", "is read without OpenSSH: Include, many a Match and some others do not count"),
        ("Host den\n  ProxyJump hop\n", "do not count"),
        ("Match final all\n  Compression yes\n", "without OpenSSH"),
    ],
)
def test_without_an_ssh_program(theirs: Theirs, lines: str, warned: str) -> None:
    """The file is read as far as the library can, which is said once; keys must be known too."""
    theirs.write(lines)
    login = theirs.ours()._login
    warnings: list[str] = []
    host = SshHost(login, shell=NoSsh(), warn=warnings.append)
    assert host.run(["echo", "in"], timeout=20).text == "in\n"
    host.close()
    assert len(warnings) == 1
    assert warned in warnings[0]
    theirs.known.write_text(f"@revoked elsewhere {theirs.public}\n{theirs.known.read_text()}")
    assert "is revoked" in error_of(SshHost(login, shell=NoSsh())).message
    theirs.known.write_text("")
    assert "is not known here" in error_of(SshHost(login, shell=NoSsh())).message
