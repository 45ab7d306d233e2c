"""Signatures of OpenSSH over bills: made and judged by ``ssh-keygen -Y``, and by nothing else.

A key may be a file, in an agent, or in a FIDO token. A signature's form is that of OpenSSH's
PROTOCOL.sshsig; who may sign stands in ``allowed_signers`` (ssh-keygen(1)), which only that program
reads here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from slipway.doors import Completed, Shell
from slipway.errors import BuildError, ConfigError, SupplyError

#: What the signature is for: one of the same key for another purpose, such as a commit, is none.
NAMESPACE = "bills@slipway"
ALLOWED = "deploy/allowed_signers"
#: A line of that file that lets a key sign bills, and nothing else.
LINE = f'NAME namespaces="{NAMESPACE}" KEY'

_TIMEOUT_S = 30.0
_PERSON_S = 300.0  # somebody types a passphrase, or touches a token
# What a program says that knows no signatures (before 8.1), or not who made one (before 8.2).
_TOO_OLD = ("unknown option", "illegal option", "Unsupported operation")
_CHANGED = "incorrect signature"
_NO_KEY = "load public key"
_OPEN = "UNPROTECTED PRIVATE KEY"


class NotAllowed(BuildError):
    """A sound signature, of a key that ``allowed_signers`` does not let sign bills."""


def key_at(path: str) -> Path:
    """The key to sign with.

    Args:
        path: of a private key, or of a public one whose private half an agent has.

    Raises:
        ConfigError: it is no file.
    """
    key = Path(path).expanduser()
    if not key.is_file():
        raise ConfigError(
            f"there is no key {path}; nothing was signed",
            hint="--sign takes the path of a private key of OpenSSH, or of a .pub whose private "
            "half your agent has; ssh-keygen -t ed25519 makes one",
            stage="bills",
        )
    return key.absolute()


def sign(shell: Shell, key: Path, data: bytes, say: Callable[[str], None]) -> bytes:
    """The signature of a key over some bytes.

    Args:
        key: of :func:`key_at`.
        say: told what ``ssh-keygen`` says, such as that a token waits for a touch. For a passphrase
            it asks at the terminal itself.

    Raises:
        ConfigError: it is no key.
        BuildError: the key can't be used.
        SupplyError: this ``ssh-keygen`` knows no signatures.
    """
    argv = ("ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE)
    done = shell.run(argv, timeout=_PERSON_S, input=data, check=False, watch=say)
    if not done.ok:
        _not_too_old(done)
        raise _unusable(key, done)
    return done.stdout


def _unusable(key: Path, done: Completed) -> ConfigError | BuildError:
    """Why a key did not sign, by what ``ssh-keygen`` says of it."""
    if _NO_KEY in done.error_text:
        return ConfigError(
            f"{key} is no key of OpenSSH, or one whose public half is not in {key.name}.pub beside "
            "it; nothing was signed",
            details=_said(done),
            hint="--sign takes what ssh-keygen -t ed25519 makes; of a key in an older form, "
            "ssh-keygen -y -f KEY >KEY.pub writes the public half",
            stage="bills",
        )
    return BuildError(
        f"{key} could not sign; nothing was written",
        details=_said(done),
        hint=f"others may read it: chmod 600 {key}"
        if _OPEN in done.error_text
        else "its passphrase has to be the right one; of a .pub the agent has to have the private "
        "half: ssh-add -l",
        stage="bills",
    )


def signer_of(shell: Shell, data: bytes, signature: Path, allowed: Path) -> str:
    """Who signed some bytes, by the name that ``allowed_signers`` has.

    Args:
        data: what was signed.
        signature: the path of its signature.
        allowed: the path of ``allowed_signers``.

    Raises:
        NotAllowed: it is of nobody who may sign, or not for bills.
        BuildError: it is no signature of these bytes.
        SupplyError: this ``ssh-keygen`` knows no signatures.
    """
    whole = ("-n", NAMESPACE, "-s", str(signature))
    sound = _asked(shell, data, "check-novalidate", *whole)
    if not sound.ok:
        raise _unsound(signature, _said(sound))
    found = _asked(shell, b"", "find-principals", "-s", str(signature), "-f", str(allowed))
    names = tuple(dict.fromkeys(found.text.split("\n")[:-1])) if found.ok else ()
    if not names:
        raise NotAllowed(
            f"{signature} is of nobody whom {ALLOWED} names: whoever made it may have made the "
            "bills, too",
            details=(*_key_in(sound), *_said(found)),
            hint=f"have somebody of {ALLOWED} sign; or, if you know this key and trust it, add "
            f"`{LINE}` there, with KEY as its .pub has it",
            stage="bills",
        )
    refusals: list[str] = []
    for name in names:
        done = _asked(shell, data, "verify", "-f", str(allowed), "-I", name, *whole)
        if done.ok:
            return name
        refusals += _said(done)
    raise NotAllowed(
        f"{ALLOWED} knows the key behind {signature}, of {', '.join(names)}, and not for bills",
        details=refusals,
        hint=f'what it is for stands on its line; namespaces="{NAMESPACE}" is this',
        stage="bills",
    )


def _asked(shell: Shell, data: bytes, verb: str, *arguments: str) -> Completed:
    argv = ("ssh-keygen", "-Y", verb, *arguments)
    done = shell.run(argv, timeout=_TIMEOUT_S, input=data, check=False)
    if not done.ok:
        _not_too_old(done)
    return done


def _not_too_old(done: Completed) -> None:
    if any(words in done.error_text for words in _TOO_OLD):
        raise SupplyError(
            "the ssh-keygen of this machine is too old for signatures; nothing was signed or "
            "believed",
            details=done.error_text.strip().splitlines()[:1],
            hint="OpenSSH 8.2 or newer has what is needed",
            stage="bills",
        )


def _unsound(signature: Path, said: Sequence[str]) -> BuildError:
    if any(_CHANGED in line for line in said):
        what = f"is no signature of {signature.with_suffix('')}: one of the two was changed"
    else:
        what = "can't be read as a signature of bills: it is damaged, or for something else"
    return BuildError(
        f"{signature} {what}",
        details=said,
        hint="take both anew from whoever signed; ./inv bills --sign KEY makes them",
        stage="bills",
    )


def _key_in(sound: Completed) -> list[str]:
    """The line that names the key's fingerprint."""
    return [line.partition(" with ")[2] for line in sound.text.splitlines() if " with " in line]


def _said(done: Completed) -> list[str]:
    """What ``ssh-keygen`` said, without the frame around its warnings."""
    lines = done.error_text.strip().splitlines()
    return [line for line in lines if not line.startswith("@@")][:5]
