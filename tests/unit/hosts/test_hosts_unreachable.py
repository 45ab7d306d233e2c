"""Each cause for an unreachable host has its own sentence and hint."""

from __future__ import annotations

import errno
import socket

import paramiko
import pytest
from paramiko.hostkeys import InvalidHostKey
from paramiko.ssh_exception import (
    BadAuthenticationType,
    BadHostKeyException,
    IncompatiblePeer,
    NoValidConnectionsError,
    PasswordRequiredException,
    ProxyCommandFailure,
)

from slipway.errors import HostUnreachable
from slipway.hosts.login import Login
from slipway.hosts.refused import UnknownHostKey, explain
from slipway.hosts.unreachable import no_shell, no_sudo

TARGET = Login("nas", "nas.example", 2222, "me", "/k/id it", "/k/known")
KEY = paramiko.ECDSAKey.generate()

CAUSES: dict[str, BaseException] = {
    "is not the known one": BadHostKeyException("nas.example", KEY, KEY),
    "is not known here": UnknownHostKey("[nas.example]:2222", "ssh-ed25519", "SHA256:abc"),
    "holds a line that is none": InvalidHostKey("line", ValueError()),
    "share no SSH algorithm": IncompatiblePeer("x"),
    "protected by a passphrase": PasswordRequiredException("x"),
    "takes no login by key": BadAuthenticationType("x", ["password"]),
    "refused the login of me": paramiko.AuthenticationException("x"),
    "can't be resolved": socket.gaierror(-2, "x"),
    "the ProxyCommand for nas.example failed": ProxyCommandFailure("x", "y"),
    "did not answer in time": TimeoutError("x"),
    "can't be read": FileNotFoundError(errno.ENOENT, "No such file", "/k/id"),
    "refused the connection": NoValidConnectionsError(
        {("::1", 2222): OSError(errno.ECONNREFUSED, "x")}
    ),
    "there is no way to nas.example": OSError(errno.ENETUNREACH, "x"),
    "broke the connection": ConnectionResetError(errno.ECONNRESET, "x"),
    "hung up during the login": EOFError(),
    "the SSH connection to nas.example:2222 failed: odd": paramiko.SSHException("odd"),
}


@pytest.mark.parametrize("words", CAUSES)
def test_a_cause_has_its_sentence(words: str) -> None:
    """The message names the host, the cause, and that nothing was changed; a hint follows."""
    error = explain(CAUSES[words], TARGET)
    assert isinstance(error, HostUnreachable)
    assert error.message.startswith("nas can't be reached: ")
    assert words in error.message
    assert error.message.endswith("; nothing was changed there")
    assert error.hint
    assert error.stage == "connect"


def test_causes_have_words_that_programs_know() -> None:
    """The key, the login and what comes after it are told from a network that fails."""
    words = {said: explain(cause, TARGET).cause for said, cause in CAUSES.items()}
    keys = ("is not the known one", "is not known here", "holds a line that is none",
            "share no SSH algorithm")  # fmt: skip
    logins = ("protected by a passphrase", "takes no login by key", "refused the login of me")
    assert words == (
        dict.fromkeys(CAUSES, "") | dict.fromkeys(keys, "host-key") | dict.fromkeys(logins, "login")
    )
    assert (no_sudo(TARGET, "").cause, no_shell(TARGET, "").cause) == ("sudo", "login-shell")


def test_all_sentences_differ() -> None:
    """No two causes read alike, nor do their sentences contain each other's."""
    said = [explain(cause, TARGET).message for cause in CAUSES.values()]
    assert [sum(words in message for message in said) for words in CAUSES] == [1] * len(CAUSES)


@pytest.mark.parametrize("error", [EOFError(), paramiko.SSHException("banner")])
def test_no_greeting_means_no_ssh_server(error: Exception) -> None:
    """Before a banner came, the other end may be anything."""
    assert "is no SSH server" in explain(error, TARGET, greeted=False).message


def test_hints_can_be_typed_as_they_are() -> None:
    """Paths with spaces are quoted in hints, ports are named."""
    assert explain(CAUSES["is not the known one"], TARGET).hint == (
        "if you know why it changed: ssh-keygen -R '[nas.example]:2222' -f /k/known, "
        "then add the new key"
    )
    unknown = explain(CAUSES["is not known here"], TARGET).hint or ""
    assert unknown.endswith("then: ssh-keyscan -p 2222 nas.example >> /k/known")
    refused = explain(CAUSES["refused the login of me"], TARGET).hint or ""
    assert refused.endswith("try: ssh -v -p 2222 -i '/k/id it' me@nas.example")
    locked = explain(CAUSES["protected by a passphrase"], TARGET).hint
    assert locked == "load it into the agent: ssh-add '/k/id it'"


def test_sudo_and_the_shell_have_sentences_too() -> None:
    """A login without sudo, or without a shell, names the way out and shows their own words."""
    error = no_sudo(TARGET, "\nsudo: a password is required\r\n")
    assert "sudo runs no command for me on nas.example" in error.message
    assert "sudo = false" in (error.hint or "")
    assert error.details == ("sudo: a password is required",)
    error = no_shell(TARGET, "This account is not available")
    assert "its login shell ran no command" in error.message
    assert error.details == ("This account is not available",)
