"""Signed bills: sign a folder of them, believe one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from slipway.bills.signature import ALLOWED, LINE, NotAllowed, sign, signer_of
from slipway.bills.sums import (
    SIGNATURE,
    SUMS,
    differences,
    ids_of,
    read_sums,
    sum_of,
    sums_text,
)
from slipway.doors import Shell
from slipway.errors import BuildError, ConfigError
from slipway.report import Report
from slipway.supply.programs import ensure

_TRIAL = b"a trial: of no bills\n"
_PROGRAMS: Mapping[str, str] = {"ssh-keygen": "openssh-client"}


@dataclass(frozen=True, slots=True)
class Signed:
    """A folder of bills as somebody signed it.

    Attributes:
        signer: whose signature it has, by the name in ``allowed_signers``.
        sums: file name to SHA-256, hex.
    """

    signer: str
    sums: dict[str, str]

    @property
    def ids(self) -> dict[str, tuple[str, ...]]:
        """Role to the ids that Docker may have for its image."""
        return ids_of(self.sums)


def see_that_it_is_all(folder: Path, names: Collection[str]) -> None:
    """Refuse to sign into a folder that has other bills as well: their signature would be lost.

    Args:
        names: of the files that will be signed.

    Raises:
        ConfigError: it has; they are named.
    """
    others = sorted({path.name for path in folder.glob("*.json")} - set(names))
    if others:
        raise ConfigError(
            f"{folder} has bills that are none of these; nothing was signed or written",
            details=others,
            hint="sign all images at once (without --role and --format), or into an empty folder: "
            "--output FOLDER",
            stage="bills",
        )


def try_key(shell: Shell, report: Report, root: Path, key: Path) -> None:
    """See that a key can sign, and that its signature is one that ``--check`` would believe.

    Only ``ssh-keygen`` reads keys and ``allowed_signers``, and it judges nothing but signatures: so
    a trial is signed. For a passphrase or a touch it asks twice, then; a build that ends in a
    signature of nobody takes longer.

    Args:
        root: the checkout; without ``deploy/allowed_signers`` every key will do.
        key: of :func:`slipway.bills.signature.key_at`.

    Raises:
        ConfigError: it is no key, or one that may sign no bills here.
        BuildError: it can't be used.
        SupplyError: there is no ``ssh-keygen``, or one that is too old.
    """
    ensure(shell, report, _PROGRAMS)
    report.step("key", f"{key} signs a trial first, so it is asked for twice")
    made = sign(shell, key, _TRIAL, lambda line: report.say(f"  {line}"))
    allowed = root / ALLOWED
    if not allowed.is_file():
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / SIGNATURE
        path.write_bytes(made)
        try:
            signer_of(shell, _TRIAL, path, allowed)
        except NotAllowed as error:
            raise ConfigError(
                f"{ALLOWED} does not let {key} sign bills; nothing was built or signed",
                details=error.details,
                hint=error.hint,
                stage="bills",
            ) from error


def signed_sums(
    shell: Shell, report: Report, key: Path, files: Mapping[str, str]
) -> dict[str, str]:
    """The sums of files, and their signature: both by file name.

    Args:
        key: of :func:`slipway.bills.signature.key_at`.
        files: name to content.

    Raises:
        BuildError: the key can't be used; nothing was written.
        SupplyError: there is no ``ssh-keygen``, or one that is too old.
    """
    ensure(shell, report, _PROGRAMS)
    sums = sums_text(files)
    report.step("sign", f"{len(files)} files with {key}")
    signature = sign(shell, key, sums.encode(), lambda line: report.say(f"  {line}"))
    return {SUMS: sums, SIGNATURE: signature.decode()}


def believed(
    shell: Shell, report: Report, root: Path, folder: Path, *, needed: bool = False
) -> Signed | None:
    """A folder's bills, when one of ``deploy/allowed_signers`` signed them as they are.

    Args:
        root: the checkout.
        folder: with bills, :func:`signed_sums` of them, and nothing else.
        needed: whether there is nothing else to believe in.

    Returns:
        None where the checkout has no ``deploy/allowed_signers``: nobody's signature is asked for.

    Raises:
        ConfigError: it is needed, and there is none.
        BuildError: nobody of them signed, or something was changed since; it says which.
        SupplyError: there is no ``ssh-keygen``, or one that is too old.
    """
    allowed = root / ALLOWED
    if not allowed.is_file():
        if needed:
            raise ConfigError(
                f"there is no {ALLOWED}, so nobody can say what should run on a host",
                hint=f"write `{LINE}` for everybody who may sign into {ALLOWED}, with KEY as their "
                ".pub has it; then ./inv bills --sign KEY",
                stage="bills",
            )
        if (folder / SIGNATURE).exists():
            report.warn(f"{folder} is signed, and there is no {ALLOWED} to say by whom it may be")
        return None
    ensure(shell, report, _PROGRAMS)
    signed = _signed(shell, folder, allowed)
    found = {path.name: sum_of(path.read_bytes()) for path in folder.glob("*.json")}
    if problems := differences(signed.sums, found):
        raise BuildError(
            f"{folder} has not the bills that {signed.signer} signed",
            details=problems,
            hint="take the whole folder anew from its signer; who changed a bill on purpose signs "
            "again, into an empty one: ./inv bills --sign KEY --output FOLDER",
            stage="bills",
        )
    return signed


def _signed(shell: Shell, folder: Path, allowed: Path) -> Signed:
    """What somebody signed, by its sums, whether or not the folder has it so.

    Raises:
        BuildError: nobody did who may.
    """
    for name in (SUMS, SIGNATURE):
        if not (folder / name).is_file():
            raise BuildError(
                f"{folder} has no {name}: nobody says that these bills are right, and {ALLOWED} "
                "asks for somebody",
                hint=f"./inv bills --sign KEY --output {folder} writes those of this checkout, "
                "and signs them",
                stage="bills",
            )
    sums = (folder / SUMS).read_bytes()
    signer = signer_of(shell, sums, (folder / SIGNATURE).absolute(), allowed)
    return Signed(signer, read_sums(sums.decode("utf-8", "replace"), f"{folder / SUMS}"))
