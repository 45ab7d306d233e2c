"""What Nix builds of this checkout, by attribute: one evaluation, and none when nothing changed.

Nix is called by the path of ``nix/default.nix``, not as a flake: a folder's name may then hold any
character, nothing besides the sources is copied, and no git is needed. Both ways give the same
store paths (``tests/integration/nix/test_same_paths.py``).

Answers are kept in ``.slipway/outputs.json`` with a digest of everything that they follow from, and
their store paths are kept from Nix's garbage collection by links in ``.slipway/roots``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from slipway.architecture import AMD64
from slipway.config import Config
from slipway.doors import Completed, Shell
from slipway.errors import BuildError, CommandFailed
from slipway.supply.sources import (
    Sources,
    digest,
    ignored_text,
    of_tools,
    read_sources,
    unknown_text,
)

SYSTEM: Final = AMD64.nix
ANSWERS: Final = ".slipway/outputs.json"
ROOTS: Final = ".slipway/roots"
_FORMAT: Final = 1
# A nix.conf may forbid what a path needs; both are the defaults.
_OPTIONS: Final = ("--option", "pure-eval", "false", "--option", "restrict-eval", "false")
_BUILD: Final = ("nix-build", "./nix", "--no-build-output", *_OPTIONS)
_EVALUATE: Final = ("nix-instantiate", "./nix", *_OPTIONS)
_TIMEOUT_S: Final = 7200.0
_STORE_PATH: Final = re.compile(r"/nix/store/[0-9a-z]{32}-\S+\Z")

Lines = Callable[[str], None]


def outputs(
    shell: Shell,
    root: Path,
    settings: Config,
    attributes: Sequence[str],
    *,
    prepare: Callable[[], object] | None = None,
    watch: Lines | None = None,
    warn: Lines | None = None,
) -> dict[str, Path]:
    """Have attributes of ``packages`` built, all in one evaluation.

    Args:
        shell: where Nix and git run.
        root: the checkout.
        settings: its ``slipway.toml``.
        attributes: such as ``api-image``, ``rehearsal-host``; each is a package of ``nix/``.
        prepare: called before Nix is, and not when the answer is known: bring the inputs.
        watch: is given each line that Nix says while it builds.
        warn: is given what a person should know: the files that git does not know yet,
            and those that it ignores.

    Returns:
        Attribute to store path.

    Raises:
        SupplyError: git can't read the checkout, or a file can't be read.
        BuildError: Nix failed, or an input is missing.
    """
    sources = read_sources(shell, root, settings)
    if warn and sources.unknown:
        warn(unknown_text(sources.unknown))
    if warn and (missed := ignored_text(sources.left_out)):
        warn(missed)
    keys = _keys(root, sources, attributes)
    known = _known(root, keys)
    if all(name in known and _is_there(known[name]) for name in attributes):
        return {name: Path(known[name]) for name in attributes}
    if prepare is not None:
        prepare()  # which may lock anew
        keys = _keys(root, sources, attributes)
    link = _link_of(attributes)
    (root / ROOTS).mkdir(parents=True, exist_ok=True)
    names = [f"packages.{SYSTEM}.{name}" for name in attributes]
    from slipway.supply import caches  # what is built already takes none

    asked = caches.variables(settings.cache, os.environ)
    done = _nix(shell, root, sources, ["--out-link", f"{ROOTS}/{link}"], names, watch, asked)
    if warn is not None:
        for one in caches.refused(done.error_text):
            warn(f"refused {one}; it was built here")
    built = dict(zip(attributes, _paths(done.text, len(attributes)), strict=True))
    _drop_superseded(root, built.values())
    # A file edited meanwhile may or may not be in what was built.
    if _keys(root, sources, attributes) == keys:
        _keep(root, keys, built)
    return {name: Path(path) for name, path in built.items()}


def derivations(
    shell: Shell, root: Path, settings: Config, attributes: Sequence[str]
) -> tuple[str, ...]:
    """What Nix would build attributes by; nothing is built, but every input has to be there.

    Args:
        attributes: as for :func:`outputs`.

    Raises:
        BuildError: an input is missing, or Nix failed.
    """
    sources = read_sources(shell, root, settings)
    names = [f"packages.{SYSTEM}.{name}" for name in attributes]
    done = _nix(shell, root, sources, [], names, None, program=_EVALUATE)
    return tuple(_paths(done.text, len(names)))


def rebuild(
    shell: Shell,
    root: Path,
    settings: Config,
    attributes: Sequence[str],
    *,
    watch: Lines | None = None,
) -> None:
    """Build attributes a second time and compare the bytes.

    Args:
        attributes: full names, such as ``layers.SYSTEM.api-base``.

    Raises:
        BuildError: a second build gave other bytes, or Nix failed.
    """
    sources = read_sources(shell, root, settings)
    # Nix compares only with what is in the store.
    _nix(shell, root, sources, ["--no-out-link"], attributes, watch)
    _nix(shell, root, sources, ["--no-out-link", "--check"], attributes, watch)


def _nix(
    shell: Shell,
    root: Path,
    sources: Sources,
    flags: Sequence[str],
    attributes: Sequence[str],
    watch: Lines | None,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = _BUILD,
) -> Completed:
    argv = [*program, *flags]
    if sources.left_out:
        argv += ["--argstr", "leftOut", json.dumps(sources.left_out)]
    for name in attributes:
        argv += ["--attr", name]
    try:
        done = shell.run(
            argv, timeout=_TIMEOUT_S, cwd=str(root), check=False, watch=watch, env=env or None
        )
    except CommandFailed as error:
        raise BuildError(
            f"Nix can't be run: {error.message}; nothing was built",
            hint="./inv fetch",
            stage="build",
            details=error.details,
        ) from error
    if not done.ok:
        from slipway.supply.failure import failure  # what goes well takes none

        raise failure(done.error_text)
    return done


def _paths(text: str, count: int) -> list[str]:
    """The store paths that ``nix-build`` printed, in the order of its ``--attr``."""
    lines = text.split()
    if len(lines) != count or not all(_STORE_PATH.match(line) for line in lines):
        raise BuildError(
            "Nix did not say what it built in the form that is known",
            hint="nix --version; 2.8 and later are known to work",
            stage="build",
            details=[text[:200]],
        )
    return lines


# -- answers ------------------------------------------------------------------------------------


def _keys(root: Path, sources: Sources, attributes: Sequence[str]) -> dict[str, str]:
    """What each attribute's answer follows from: its sources, which Nix this is, how it is set."""
    found = shutil.which("nix-build")
    program = Path(found).resolve() if found else None
    facts = program.stat() if program else None
    nix = [
        str(program),
        [facts.st_size, facts.st_mtime_ns] if facts else [],
        sorted(one for one in os.environ.items() if one[0].startswith("NIX_")),
    ]
    keys: dict[Sources, str] = {}
    for own in {sources if _is_image(name) else of_tools(sources) for name in attributes}:
        facts_of = json.dumps([_FORMAT, digest(root, own), nix])
        keys[own] = hashlib.sha256(facts_of.encode()).hexdigest()
    return {name: keys[sources if _is_image(name) else of_tools(sources)] for name in attributes}


def _is_image(attribute: str) -> bool:
    """Whether an attribute holds files of the application; tools hold files of ``nix/`` only."""
    return attribute == "images" or attribute.endswith("-image")


def _kept(root: Path) -> dict[str, list[str]]:
    """Attribute to key and store path; a file that can't be used holds none."""
    try:
        kept = json.loads((root / ANSWERS).read_text("utf-8"))["outputs"]
        return {
            str(name): [str(key), str(path)]
            for name, (key, path) in kept.items()
            if _STORE_PATH.match(str(path))
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _known(root: Path, keys: Mapping[str, str]) -> dict[str, str]:
    """The kept answers that are of these keys."""
    return {name: path for name, (key, path) in _kept(root).items() if keys.get(name) == key}


def _is_there(path: str) -> bool:
    """Whether a store path that was built has not been collected since."""
    return os.path.lexists(path)


def _keep(root: Path, keys: Mapping[str, str], built: Mapping[str, str]) -> None:
    answers = {**_kept(root), **{name: [keys[name], path] for name, path in built.items()}}
    place = root / ANSWERS
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    fresh.write_text(json.dumps({"outputs": answers}, indent=1) + "\n", "utf-8")
    fresh.replace(place)


def _link_of(attributes: Sequence[str]) -> str:
    """The name of the links that keep a set of attributes: Nix numbers them."""
    if len(attributes) == 1:
        return attributes[0]
    return f"set-{hashlib.sha256(' '.join(attributes).encode()).hexdigest()[:8]}"


def _drop_superseded(root: Path, built: Iterable[str]) -> None:
    """Let go of older outputs that have a name of the new ones."""
    paths = {_name_of(path): path for path in built}
    for link in (root / ROOTS).iterdir():
        if link.is_symlink():
            target = str(link.readlink())
            if paths.get(_name_of(target), target) != target:
                link.unlink(missing_ok=True)


def _name_of(path: str) -> str:
    return Path(path).name.partition("-")[2]
