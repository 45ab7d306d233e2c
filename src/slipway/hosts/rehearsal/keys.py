"""The key pairs of a rehearsal host: made once, kept in its state folder with mode 0600."""

from __future__ import annotations

import os
from pathlib import Path

from slipway.hosts.rehearsal.spec import Keys

CLIENT = "id_ed25519"
HOST = "host_ed25519"
KNOWN_HOSTS = "known_hosts"


def ensure(folder: Path) -> Keys:
    """The host's keys; makes the ones that are missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    host_private, _ = _pair(folder / HOST)
    _, client_public = _pair(folder / CLIENT)
    return Keys(host_private, client_public)


def write_known_hosts(folder: Path, address: str) -> None:
    """Note the host's key under its address (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    _, public = _pair(folder / HOST)
    write_private(folder / KNOWN_HOSTS, f"{address} {public}\n")


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600, whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def _pair(path: Path) -> tuple[str, str]:
    """Private key (OpenSSH format) and public key (one line) at ``path``."""
    # Here, because a command that finds its host running needs no keys of it.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not path.exists():
        made = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        write_private(path, made.decode())
    private = path.read_bytes()
    key = serialization.load_ssh_private_key(private, password=None)
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.decode(), public.decode()
