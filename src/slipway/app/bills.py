"""``./inv bills``: what the images are made of, written down, or held against what was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.bills.cyclonedx import cyclonedx
from slipway.bills.declared import read_declared
from slipway.bills.inventory import bill_of
from slipway.bills.spdx import spdx
from slipway.bills.sums import sum_of
from slipway.bills.values import DEB, GO, WHEEL, Bill
from slipway.errors import BuildError, ConfigError
from slipway.images.values import Image
from slipway.report import Report, table
from slipway.supply.fetch import read_locks
from slipway.supply.places import Places, write

FOLDER = ".slipway/bills"
FORMATS: Mapping[str, tuple[str, Callable[[Sequence[Bill], str], str]]] = {
    "cyclonedx": ("cdx.json", cyclonedx),
    "spdx": ("spdx.json", spdx),
}


@dataclass(frozen=True, slots=True)
class Written:
    """Bills and the files that they are in.

    Attributes:
        bills: one an image.
        files: path to the SHA-256 of its content, hex.
        signer: who signed them, by the name in ``allowed_signers``; empty when nobody was asked
            for.
    """

    bills: tuple[Bill, ...]
    files: dict[str, str]
    signer: str = ""

    def to_json(self) -> dict[str, object]:
        """The form that ``--json`` prints."""
        return {
            "bills": [bill.to_json() for bill in self.bills],
            "files": self.files,
            "signer": self.signer,
        }

    @property
    def compared(self) -> str:
        """What is said of bills that were found right."""
        by = f", as {self.signer} signed them" if self.signer else ""
        return f"{len(self.files)} bills are those of these images{by}"

    def to_text(self) -> str:
        """The form that people read."""
        rows = [_row(bill) for bill in self.bills]
        head = ("ROLE", "DEBIAN", "WHEELS", "GO", "INSIDE", "WITHOUT VERSION")
        return "\n".join([table(rows, head=head), "", *self.files])


def _row(bill: Bill) -> tuple[str, ...]:
    plain = Counter(one.kind for one in bill.components if not one.carrier)
    inside = [one for one in bill.components if one.carrier]
    untold = sum(not one.version for one in bill.components)
    counts = (plain[DEB], plain[WHEEL], plain[GO], len(inside), untold)
    return bill.role, *(str(count) for count in counts)


def see_that_flags_fit(*, check: str, host: str, sign: str, own: Sequence[str]) -> None:
    """Refuse flags of which one would be passed over.

    Args:
        check: value of ``--check``.
        host: value of ``--host``.
        sign: value of ``--sign``.
        own: values of the flags that say what is written, and where.

    Raises:
        ConfigError: two of them don't go together.
    """
    if sign and check:
        raise ConfigError("--sign and --check don't go together: one writes, the other compares")
    if host and not check:
        raise ConfigError(
            "--host says where to compare, and nothing says with what",
            hint=f"./inv bills --check FOLDER --host {host}",
        )
    if host and any(own):
        raise ConfigError(
            "--host compares all that runs there; --role, --format and --output don't go with it"
        )


def see_that_places_fit(*, check: str, output: str) -> None:
    """Refuse folders that can't be what they are named for, before anything is built.

    Args:
        check: value of ``--check``.
        output: value of ``--output``.

    Raises:
        ConfigError: there is no folder to compare with, or a file where one should be written.
    """
    if check and not Path(check).is_dir():
        what = f"{check} is no folder" if Path(check).exists() else f"there is no folder {check}"
        raise ConfigError(
            f"{what}; nothing was compared",
            hint="--check takes the folder that ./inv bills --output FOLDER has written",
            stage="bills",
        )
    if output and Path(output).exists() and not Path(output).is_dir():
        raise ConfigError(
            f"{output} is no folder; nothing was built or written",
            hint="--output takes a folder, which is made when it is missing",
            stage="bills",
        )


def make_bills(root: Path, images: Sequence[Image], report: Report) -> tuple[Bill, ...]:
    """The bills of built images; shows which is being made.

    Raises:
        SupplyError: a lock can't be read, or an image holds what it says nothing of.
        ConfigError: ``deploy/vendored.toml`` has problems.
    """
    locks, declared = read_locks(Places(root)), read_declared(root)
    shown = report.progress("read", len(images), unit="images")
    made = []
    for image in images:
        made.append(bill_of(image, locks, declared))
        shown.advance(1, image.role)
    shown.done()
    return tuple(made)


def file_names(roles: Sequence[str], application: str, only: str) -> set[str]:
    """The names of the files that :func:`texts` has for images of these roles.

    Raises:
        ConfigError: the format is unknown.
    """
    wholes = [*roles, *([application] if len(roles) > 1 else [])]
    return {f"{one}.{FORMATS[name][0]}" for name in _formats(only) for one in wholes}


def _formats(only: str) -> tuple[str, ...]:
    if only and only not in FORMATS:
        raise ConfigError(
            f"there is no format {only}; nothing was built",
            hint=f"the formats are {', '.join(FORMATS)}",
            stage="bills",
        )
    return (only,) if only else tuple(FORMATS)


def texts(bills: Sequence[Bill], application: str, only: str, report: Report) -> dict[str, str]:
    """File name to content: each image's bill, and that of all together.

    Args:
        application: the name of the bill of all; written when there are several.
        only: a format, or empty for all.
        report: shows which is being written.

    Raises:
        ConfigError: the format is unknown.
    """
    wholes: list[tuple[str, Sequence[Bill]]] = [(bill.role, [bill]) for bill in bills]
    if len(bills) > 1:
        wholes.append((application, bills))
    formats = [FORMATS[name] for name in _formats(only)]
    shown = report.progress("write", len(formats) * len(wholes), unit="bills")
    found = {}
    for ending, render in formats:
        for name, whole in wholes:
            found[f"{name}.{ending}"] = render(whole, name)
            shown.advance(1, f"{name}.{ending}")
    shown.done()
    return found


def write_bills(folder: Path, bills: Sequence[Bill], files: Mapping[str, str]) -> Written:
    """Write bills into a folder; made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write(folder / name, text)
    return _written(folder, bills, files)


def check_bills(
    folder: Path, bills: Sequence[Bill], files: Mapping[str, str], signer: str = ""
) -> Written:
    """See that a folder's bills are those of the images, byte for byte.

    Args:
        signer: who signed the folder as it is; empty when nobody was asked for.

    Raises:
        BuildError: one is missing or says something else; all of them are named.
    """
    problems = []
    for name, text in files.items():
        try:
            if (folder / name).read_bytes() != text.encode():
                problems.append(f"{name} is not what the images are made of")
        except OSError as error:
            problems.append(f"{name} can't be read: {error.strerror}")
    if problems:
        which = (
            f"{signer} signed those of another build"
            if signer
            else ("a bill of another build, or a falsified one")
        )
        raise BuildError(
            f"{len(problems)} of {len(files)} bills in {folder} are not of these images",
            details=problems,
            hint=f"{which}: ./inv bills --output FOLDER writes those of this checkout",
            stage="bills",
        )
    return _written(folder, bills, files, signer)


def _written(
    folder: Path, bills: Sequence[Bill], files: Mapping[str, str], signer: str = ""
) -> Written:
    sums = {str(folder / name): sum_of(text.encode()) for name, text in files.items()}
    return Written(tuple(bills), sums, signer)
