"""Find what wheels carry inside: the declared components, and libraries that nobody declared."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from packageurl import PackageURL

from slipway.bills.declared import FILE, Declared
from slipway.bills.files import Files, remembering
from slipway.bills.values import WHEEL, Component
from slipway.errors import BuildError, Problem

_LIBRARY = re.compile(r"[^/]+\.libs/[^/]*\.so[^/]*\Z")
_MOVE_TO_EAX, _RETURN = 0xB8, 0xC3  # x86-64: mov eax, imm32; ret
_BRANCH_TARGET = b"\xf3\x0f\x1e\xfa"  # endbr64
_MAJOR = 10_000  # libpq since 10: major * 10000 + minor (libpq-fe.h)


def vendored(
    files: Files, site: str, carriers: Sequence[Component], declared: Sequence[Declared]
) -> list[Component]:
    """What is inside of an image's wheels beside what their own bills name.

    Args:
        files: the image's.
        site: path of ``site-packages`` in the image, without leading ``/``.
        carriers: its wheels, and the components that their own bills name.
        declared: what people wrote about wheels.

    Raises:
        BuildError: an entry holds no longer, or a library in a wheel has none.
    """
    wheels = {
        one.purl.split("@")[0].rpartition("/")[2]: one for one in carriers if one.kind == WHEEL
    }
    paths = [path.removeprefix(f"{site}/") for path in files.sources if path.startswith(site)]
    problems: list[Problem] = []
    found: list[Component] = []
    claimed: set[str] = set()
    files = remembering(files)  # one static program may have thirty entries
    for entry in declared:
        if entry.wheel not in wheels:
            continue
        own = sorted(path for path in paths if _is_of(entry, path))
        claimed.update(own)
        if not own:
            problems.append(Problem(entry.where, f"no file matches {', '.join(entry.files)}"))
            continue
        try:
            found += _components(files, site, own, entry, wheels[entry.wheel], carriers)
        except ValueError as error:
            problems.append(Problem(entry.where, str(error)))
    problems += [
        Problem(path, "is a library of a wheel that no entry declares")
        for path in sorted(paths)
        if _LIBRARY.match(path) and path not in claimed
    ]
    if problems:
        raise _refused(problems)
    return found


def _refused(problems: Sequence[Problem]) -> BuildError:
    return BuildError(
        f"what wheels carry inside is not what {FILE} says; no bill was made",
        details=[str(problem) for problem in problems],
        hint=f"mend {FILE}: docs/guides/audit.md says how",
        stage="bills",
    )


def _is_of(entry: Declared, path: str) -> bool:
    return any(fnmatchcase(path, glob) for glob in entry.files)


def _components(
    files: Files,
    site: str,
    own: Sequence[str],
    entry: Declared,
    wheel: Component,
    carriers: Sequence[Component],
) -> list[Component]:
    """The component of an entry.

    Raises:
        ValueError: the entry holds no longer; its text says why.
    """
    if entry.bill:
        names = {one.name for one in carriers if one.carrier == wheel.purl}
        if entry.bill not in names:
            raise ValueError(f"the bill of {wheel.name} {wheel.version} names no {entry.bill}")
        return []
    version, evidence = _version(files, [f"{site}/{path}" for path in own], entry, wheel)
    purl = replace_version(entry.purl, version)
    return [
        Component(
            purl.type,
            purl.name,
            version,
            purl.to_string(),
            licences=(entry.licence,) if entry.licence else (),
            places=tuple(f"/{site}/{path}" for path in own),
            carrier=wheel.purl,
            evidence=evidence,
        )
    ]


def _version(
    files: Files, paths: Sequence[str], entry: Declared, wheel: Component
) -> tuple[str, str]:
    """The version of an entry's component, and how it is known."""
    if entry.untold:
        return "", entry.untold
    if entry.version:
        if entry.wheel_version != wheel.version:
            raise ValueError(
                f"says what {wheel.name} {entry.wheel_version} has, and the lock has "
                f"{wheel.version}: look at {entry.source}"
            )
        return entry.version, entry.source
    if entry.function:
        told = _returned(files.read(paths[0]), entry.function)
        return told, f"the number that {entry.function} returns"
    pattern = re.compile(entry.pattern.encode())
    match = next(filter(None, (pattern.search(files.read(path)) for path in paths)), None)
    if match is None:
        raise ValueError(f"the pattern finds nothing in {', '.join(entry.files)}")
    groups = [group.decode("ascii", "replace") for group in match.groups() if group is not None]
    return ".".join(groups), "its bytes"


def _returned(data: bytes, function: str) -> str:
    """The version that a function returns, read from its machine code; nothing is run.

    Raises:
        ValueError: there is no such function, or it does more than return a number.
    """
    try:
        elf = ELFFile(io.BytesIO(data))
        table = elf.get_section_by_name(".dynsym")
        symbols = isinstance(table, SymbolTableSection) and table.get_symbol_by_name(function)
        if not symbols:
            raise ValueError(f"exports no function {function}")
        (offset,) = elf.address_offsets(symbols[0]["st_value"], 1)
    except (ELFError, StopIteration) as error:
        raise ValueError(f"is no ELF library: {error}") from error
    code = data[offset : offset + 16].removeprefix(_BRANCH_TARGET)
    if code[:1] != bytes([_MOVE_TO_EAX]) or code[5:6] != bytes([_RETURN]):
        raise ValueError(f"{function} does more than return a number")
    number = int.from_bytes(code[1:5], "little")
    return f"{number // _MAJOR}.{number % _MAJOR}"


def replace_version(purl: str, version: str) -> PackageURL:
    """A package URL with a version."""
    parsed = PackageURL.from_string(purl)
    return PackageURL(
        parsed.type,
        parsed.namespace,
        parsed.name,
        version or None,
        parsed.qualifiers,
        parsed.subpath,
    )
