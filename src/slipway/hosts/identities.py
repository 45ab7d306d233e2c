"""The keys offered to a server, in OpenSSH's order: the agent's and those in files.

First come the agent's keys that the configuration names, then the agent's others (unless
``IdentitiesOnly``), then files (sshconnect2.c, ``pubkey_prepare``). Nobody is asked for a
passphrase: a protected key that the agent doesn't hold is left out and named when nothing else
opens the door.
"""

from __future__ import annotations

import base64
import binascii
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import paramiko
from paramiko.agent import AgentSSH
from paramiko.auth_strategy import AuthResult, AuthSource, AuthStrategy, InMemoryPrivateKey
from paramiko.ssh_exception import BadAuthenticationType, PasswordRequiredException

from slipway.hosts.openssh import Server

# The agent may ask its owner whether a key may be used, or wait for a touch.
_AGENT_S = 60.0
_PRIVATE = b"openssh-key-v1\0"
_SKIPPED_FIELDS = 3


class SocketAgent(AgentSSH):
    """The agent at a socket; without keys when there is none.

    The library's own agent knows no other socket than ``SSH_AUTH_SOCK``'s.

    Args:
        path: the socket.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_AGENT_S)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            return
        self._connect(connection)  # type: ignore[attr-defined]

    def close(self) -> None:
        """End the connection."""
        self._close()  # type: ignore[attr-defined]


class Identities(AuthStrategy):
    """Logs in with the keys of a server's configuration.

    Args:
        server: whose.
        required: whether a key file that can't be used is an error: it is the only one, and was
            named for this host.
    """

    def __init__(self, server: Server, *, required: bool) -> None:
        super().__init__(paramiko.SSHConfig())
        self._server = server
        self._required = required
        self._locked: str = ""

    def get_sources(self) -> Iterator[AuthSource]:
        """Every key to try, in order."""
        agent = SocketAgent(self._server.agent) if self._server.agent else None
        held = tuple(agent.get_keys()) if agent is not None else ()
        try:
            public = [public_blob(Path(file)) for file in self._server.identities]
            chosen, rest = ordered(
                public, [key.blob for key in held], only=self._server.only_identities
            )
            for index in chosen:
                yield InMemoryPrivateKey(self._server.user, held[index])
            for index in rest:
                for key in self._from_file(self._server.identities[index]):
                    yield InMemoryPrivateKey(self._server.user, key)
        finally:
            if agent is not None:
                agent.close()

    def authenticate(self, transport: paramiko.Transport) -> AuthResult:
        """Try one key after the other.

        Raises:
            paramiko.AuthenticationException: none opened the door.
            PasswordRequiredException: none did, and one was left out for its passphrase.
            paramiko.SSHException: the connection ended, or the one key can't be used.
        """
        refusal: paramiko.SSHException = paramiko.AuthenticationException("no key was accepted")
        for source in self.get_sources():
            try:
                wanted = source.authenticate(transport)
            except BadAuthenticationType:
                raise
            except paramiko.AuthenticationException as error:
                refusal = error
                continue
            except paramiko.SSHException:
                if not transport.is_active():
                    break
                continue  # the agent would not sign with this one
            if not wanted:
                return AuthResult(self)
            if "publickey" not in wanted:
                raise BadAuthenticationType("a key is not enough", list(wanted))
        if self._locked:
            raise PasswordRequiredException(self._locked)
        raise refusal

    def _from_file(self, file: str) -> Iterator[paramiko.PKey]:
        """The key of a file: with each of its certificates, then alone."""
        try:
            key = load(file)
        except PasswordRequiredException:
            self._locked = self._locked or file
            return
        except (OSError, paramiko.SSHException):
            if self._required:
                raise
            return
        for certificate in (f"{file}-cert.pub", *self._server.certificates):
            if certifies(Path(certificate), key):
                certified = load(file)
                certified.load_certificate(certificate)
                yield certified
        yield key


def ordered(
    files: Sequence[bytes | None], held: Sequence[bytes], *, only: bool
) -> tuple[list[int], list[int]]:
    """Which of the agent's keys to offer, then which of the files, in OpenSSH's order. Pure.

    Args:
        files: the public half of each file, as far as it is known.
        held: the public half of each key that the agent holds.
        only: offer only those of the agent's that a file names.
    """
    named = [index for index, key in enumerate(held) if key in files]
    others = [] if only else [index for index, key in enumerate(held) if key not in files]
    rest = [index for index, key in enumerate(files) if key is None or key not in held]
    return named + others, rest


def load(file: str) -> paramiko.PKey:
    """The private key of a file, without a certificate.

    Raises:
        OSError: it can't be read.
        PasswordRequiredException: it is protected.
        paramiko.SSHException: it holds no key that can be used here.
    """
    try:
        key = paramiko.PKey.from_path(file)
    except (OSError, PasswordRequiredException):
        raise
    except TypeError as error:  # the cryptographic library's word for a missing passphrase
        raise PasswordRequiredException(file) from error
    except Exception as error:  # whatever foreign bytes make of the parsers
        raise paramiko.SSHException(f"{file} holds no private key that can be used") from error
    key.public_blob = None
    return key


def public_blob(file: Path) -> bytes | None:
    """The public half of a key file, as far as it can be had without a passphrase.

    A private file of OpenSSH's own format has it in clear; else ``FILE.pub`` tells it. The file
    itself may be a public one, whose private half only the agent has.
    """
    try:
        data = file.read_bytes()
    except OSError:
        data = b""
    if (blob := _public_line(data) or _public_inside(data)) is not None:
        return blob
    try:
        return _public_line(Path(f"{file}.pub").read_bytes())
    except OSError:
        return None


def certifies(certificate: Path, key: paramiko.PKey) -> bool:
    """Whether a file holds a certificate of this key (PROTOCOL.certkeys: type, nonce, key)."""
    try:
        blob = _public_line(certificate.read_bytes())
    except OSError:
        return False
    if blob is None:
        return False
    message = paramiko.Message(blob)
    kind = message.get_string().decode("ascii", "replace")
    message.get_string()
    own = paramiko.Message(key.asbytes())
    own.get_string()
    return "-cert-" in kind and message.get_remainder().startswith(own.get_remainder())


def _public_line(data: bytes) -> bytes | None:
    fields = data.split(maxsplit=2)
    if len(fields) < 2 or data.startswith(b"-"):
        return None
    try:
        blob = base64.b64decode(fields[1], validate=True)
    except binascii.Error:
        return None
    kind = paramiko.Message(blob).get_string() if len(blob) > len(fields[0]) else b""
    return blob if kind == fields[0] else None


def _public_inside(data: bytes) -> bytes | None:
    """Of ``openssh-key-v1``: cipher, its options, a count, then the public key (PROTOCOL.key)."""
    lines = [line for line in data.splitlines() if not line.startswith(b"-----")]
    try:
        inside = base64.b64decode(b"".join(lines))
    except binascii.Error:
        return None
    if not inside.startswith(_PRIVATE):
        return None
    message = paramiko.Message(inside[len(_PRIVATE) :])
    for _ in range(_SKIPPED_FIELDS):
        message.get_string()
    message.get_int()
    return message.get_string() or None
