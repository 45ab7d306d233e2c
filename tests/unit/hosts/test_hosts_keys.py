"""Which host keys are known, and which of the user's keys are offered."""

from __future__ import annotations

from pathlib import Path

import paramiko
import pytest

from slipway.errors import CommandFailed
from slipway.hosts.identities import ordered, public_blob
from slipway.hosts.knownhosts import (
    Known,
    KnownKey,
    Verdict,
    judge,
    look_up,
    look_up_here,
    parse_found,
    preferred,
)
from slipway.testing import FakeShell

KEY, OTHER = KnownKey("", "ssh-ed25519", "AAAA"), KnownKey("", "ssh-ed25519", "BBBB")
RSA = KnownKey("", "ssh-rsa", "CCCC")
REVOKED, AUTHORITY = (
    KnownKey("@revoked", *("ssh-ed25519", "AAAA")),
    KnownKey("@cert-authority", "ssh-ed25519", "AAAA"),
)


@pytest.mark.parametrize(
    ("named", "plain", "verdict"),
    [
        ((KEY,), (), Verdict.KNOWN),
        ((OTHER, KEY), (), Verdict.KNOWN),
        ((), (KEY,), Verdict.KNOWN),
        ((RSA,), (KEY,), Verdict.KNOWN),
        ((OTHER,), (), Verdict.CHANGED),
        ((OTHER,), (KEY,), Verdict.CHANGED),
        ((), (OTHER,), Verdict.UNKNOWN),
        ((), (), Verdict.UNKNOWN),
        ((RSA,), (), Verdict.UNKNOWN),
        ((AUTHORITY,), (), Verdict.UNKNOWN),
        ((KEY, REVOKED), (), Verdict.REVOKED),
        ((KEY,), (REVOKED,), Verdict.REVOKED),
    ],
)
def test_a_key_is_judged(
    named: tuple[KnownKey, ...], plain: tuple[KnownKey, ...], verdict: Verdict
) -> None:
    """A key for the port counts before one without; what is revoked is never known."""
    known = Known({"[a]:1": named, "a": plain})
    assert judge(known, "ssh-ed25519", "AAAA") is verdict


def test_the_known_type_is_asked_for_first() -> None:
    """An RSA key signs by two algorithms; what the configuration forbids is left out."""
    offered = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"]
    known = Known({"a": (RSA, AUTHORITY)})
    assert preferred(known, offered) == [*offered[2:], *offered[:2]]
    assert preferred(known, offered, ["ssh-ed25519", "rsa-sha2-256"]) == [
        "rsa-sha2-256", "ssh-ed25519",
    ]  # fmt: skip
    assert preferred(known, offered, ["other"]) == [*offered[2:], *offered[:2]]


def test_lines_of_ssh_keygen() -> None:
    """Markers stand before the names; remarks are no keys."""
    text = "# Host a found: line 1 REVOKED\n@revoked a ssh-ed25519 AAAA\na,b ssh-rsa CCCC me\n\n"
    assert parse_found(text) == (REVOKED, RSA)


def test_each_name_is_looked_up_in_each_file_that_is_there(tmp_path: Path) -> None:
    """A missing file is skipped, a name that is not found is no error, a broken file is one."""
    file = tmp_path / "known"
    file.touch()
    shell = FakeShell()
    shell.on("ssh-keygen", "-F", "[a]:1", reply=1)
    shell.on("ssh-keygen", "-F", "a", reply="a ssh-rsa CCCC\n")
    known = look_up(shell, ("[a]:1", "a"), (str(tmp_path / "gone"), str(file)))
    assert known == Known({"[a]:1": (), "a": (RSA,)})
    assert len(shell.calls) == 2
    shell.on("ssh-keygen", reply=255)
    shell.on("ssh-keygen", "-F", "a", reply=255)
    with pytest.raises(CommandFailed):
        look_up(shell, ("a",), (str(file),))


def test_without_the_program_names_and_hashes_count(tmp_path: Path) -> None:
    """The library's reader finds hashed names; a key revoked for anybody is revoked for all."""
    key = paramiko.ECDSAKey.generate()
    hashed = paramiko.HostKeys.hash_host("a")
    line = f"{key.get_name()} {key.get_base64()}"
    file = tmp_path / "known"
    file.write_text(f"# known\n{hashed} {line}\n[b]:1,c {line}\n*.d {line}\n")
    for name, count in (("a", 1), ("[b]:1", 1), ("c", 1), ("x.d", 0)):
        assert len(look_up_here((name,), (str(file),)).keys) == count
    file.write_text(f"a {line}\n@revoked z {line}\n")
    known = look_up_here(("a",), (str(file),))
    assert judge(known, key.get_name(), key.get_base64()) is Verdict.REVOKED


def test_the_order_of_keys_is_opensshs() -> None:
    """The agent's named ones, its others unless only named ones count, then files."""
    files, held = [b"1", None, b"2"], [b"3", b"2"]
    assert ordered(files, held, only=False) == ([1, 0], [0, 1])
    assert ordered(files, held, only=True) == ([1], [0, 1])
    assert ordered([], held, only=True) == ([], [])


@pytest.mark.parametrize(
    "data", [b"", b"garbage", b"-----BEGIN X-----\n!\n", b"ssh-rsa AAAA", b"a b"]
)
def test_what_is_no_key_has_no_public_half(tmp_path: Path, data: bytes) -> None:
    """Foreign bytes are no error here; whether the file is needed shows later."""
    (tmp_path / "key").write_bytes(data)
    assert public_blob(tmp_path / "key") is None
    assert public_blob(tmp_path / "gone") is None


def test_a_public_half_beside_the_key(tmp_path: Path) -> None:
    """An older private format doesn't tell it, the file beside it does."""
    key = paramiko.RSAKey.generate(2048)
    key.write_private_key_file(str(tmp_path / "key"))
    assert public_blob(tmp_path / "key") is None
    (tmp_path / "key.pub").write_text(f"{key.get_name()} {key.get_base64()} me\n")
    assert public_blob(tmp_path / "key") == key.asbytes()
    assert public_blob(tmp_path / "key.pub") == key.asbytes()
