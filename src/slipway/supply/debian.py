"""Lock the Debian packages: apt's solver, then what their ELF files need."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from slipway.config import LAYER_ORDER, Config
from slipway.doors import Shell
from slipway.errors import FetchError, LockError
from slipway.report import Report
from slipway.supply import asked, closure, deb, download, store, wheels
from slipway.supply.apt import Apt
from slipway.supply.contents import Contents
from slipway.supply.download import Download
from slipway.supply.elf import Elf
from slipway.supply.locks import DebianLock, Package, read_debian, read_python, render
from slipway.supply.mirrors import Mirrors
from slipway.supply.places import Places, write

_MOST_TOLD = 40


def lock_debian(
    shell: Shell, config: Config, places: Places, mirrors: Mirrors, report: Report
) -> DebianLock:
    """Resolve the Debian packages with apt, compute what their ELF files need, write the lock.

    Raises:
        LockError: apt finds no solution, or a library is missing; every group's problems at once.
    """
    report.step("lock", f"Debian {config.release}, by apt")
    apt = Apt(shell, places.apt, config, mirrors)
    apt.update()
    plan = asked.groups(config)
    reach, problems = _reach(apt, plan, config)
    packages = apt.stanzas({pair for found in reach.values() for pair in found.items()})
    contents = _contents(packages.values(), config, places, mirrors, report)
    groups, more = close_groups(
        {group: names for group, names in plan.items() if group in reach},
        reach,
        contents,
        wheels.elves(shell, read_python(places.locks / "python.json"), config, places),
        {f"image.{role}" for role, image in config.images.items() if not image.python},
    )
    if problems or more:
        raise _problems([*problems, *more])
    used = {name for names in groups.values() for name in names}
    stage0 = add_stage0(shell, places, packages[groups["tool.stage0"][0]], mirrors)
    done = DebianLock(
        asked=asked.of_debian(config),
        indexes=apt.indexes(),
        packages={name: packages[name] for name in sorted(used)},
        groups=groups,
        stage0_sha256=stage0,
    )
    write(places.locks / "debian.json", render(done))
    report.say(f"  {len(used)} of {len(packages)} packages are needed")
    return done


def _problems(problems: Sequence[str]) -> LockError:
    told = [*problems[:_MOST_TOLD]]
    if left := len(problems) - len(told):
        told.append(f"… and {left} more")
    noun = "problem" if len(problems) == 1 else "problems"
    return LockError(
        f"the Debian packages have {len(problems)} {noun}; the lock stays as it was",
        details=told,
        hint="name packages that this Debian has, and those that have the missing libraries, in "
        "slipway.toml, or drop the files that need them",
        stage="lock",
    )


def _reach(
    apt: Apt, plan: Mapping[str, tuple[str, ...]], config: Config
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """What apt would install for each group, name to version, and what it said against others."""
    shared = [name for layer in LAYER_ORDER for name in config.layers[layer]]
    reach: dict[str, dict[str, str]] = {}
    told: dict[str, list[str]] = {}
    for group, names in plan.items():
        with_shared = group.startswith(("layer.", "image."))
        try:
            reach[group] = apt.closure([*names, *shared] if with_shared else names)
        except LockError as error:
            for line in error.details or (error.message,):
                told.setdefault(line, []).append(group)
    return reach, [f"{', '.join(groups)}: {line}" for line, groups in told.items()]


def close_groups(
    plan: Mapping[str, tuple[str, ...]],
    reach: Mapping[str, Mapping[str, str]],
    contents: Mapping[str, Contents],
    wheel_elves: Mapping[str, Elf],
    plain: set[str],
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Every group with the packages its ELF files need, and all problems; shared layers first.

    Args:
        plan: declared packages by group, shared layers before images.
        reach: what apt would install for each group.
        contents: what each package holds.
        wheel_elves: ELF files of the wheels, which lie over the Python layer.
        plain: groups of images without the Python layer.
    """
    done: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    below: list[str] = []
    for group, names in plan.items():
        if group.startswith("tool."):  # run from their own tree or not linked at all
            done[group] = names
            continue
        is_layer = group.startswith("layer.")
        under = below if is_layer or group.startswith("image.") else []
        if group in plain:
            under = [name for name in below if name not in done.get("layer.python", ())]
        closed = closure.close(
            names,
            {name: contents[name] for name in reach[group]},
            below=under,
            extra=wheel_elves if group == "layer.python" else None,
            where=group,
        )
        done[group] = closed.names
        problems += closed.problems
        if is_layer:
            below += closed.names
    return done, tuple(dict.fromkeys(problems))


def _contents(
    packages: Iterable[Package], config: Config, places: Places, mirrors: Mirrors, report: Report
) -> dict[str, Contents]:
    """What each package holds once the dropped paths are gone; read once, then known."""
    listed, shelf = list(packages), places.shelf
    unknown = [package for package in listed if not shelf.has(package.sha256)]
    bring(unknown, places, mirrors, report)
    counter = report.progress("reading", len(unknown), unit="packages") if unknown else None
    contents = {}
    for package in listed:
        found = shelf.get(package.sha256, functools.partial(_read, package, places))
        contents[package.name] = found.without(config.drops_of(package.name))
        if counter and package in unknown:
            counter.advance(1, package.name)
    if counter:
        counter.done()
    return contents


def bring(packages: Sequence[Package], places: Places, mirrors: Mirrors, report: Report) -> None:
    """Fetch packages that are neither in the store nor waiting to go there.

    Raises:
        FetchError: one can't be had.
    """
    wanted = [as_download(p, mirrors, "") for p in packages if not Path(p.file.path).exists()]
    if not wanted:
        return
    progress = report.progress("packages", download.total(wanted))
    _, gone = download.fetch_all(wanted, places.downloads, progress)
    progress.done()
    if gone:
        reasons = [f"{name}: {reason}" for name, reason in gone.items()]
        raise FetchError(
            "packages that the mirror lists can't be had from it; the lock stays as it was",
            details=reasons,
            hint="try again; what came is kept",
            stage="lock",
        )


def _bytes(package: Package, places: Places) -> bytes:
    return package_path(package, places).read_bytes()


def _read(package: Package, places: Places) -> Contents:
    return deb.read(_bytes(package, places))


def package_path(package: Package, places: Places) -> Path:
    """Where a package's bytes are: in the store, or waiting to go there."""
    stored = Path(package.file.path)
    return stored if stored.exists() else places.downloads / package.file.name


def as_download(package: Package, mirrors: Mirrors, stamp: str) -> Download:
    """A package as a file to fetch."""
    addresses = mirrors.places(package.archive, package.path, stamp)
    return Download(package.file.name, addresses, package.size, package.sha256)


def add_stage0(
    shell: Shell, places: Places, package: Package, mirrors: Mirrors | None = None
) -> str:
    """Unpack the static busybox and add it to the store as ``stage0``; its NAR hash.

    Builders call it as ``stage0/bin/busybox``, so that ``argv[0]`` is ``busybox``.

    Args:
        mirrors: where to fetch the package from when it isn't here; None when it is.
    """
    if mirrors is not None:
        bring([package], places, mirrors, Report(quiet=True))
    folder = places.root / ".slipway/stage0"
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    with deb.open_data(_bytes(package, places)) as tar:
        file = tar.extractfile("./usr/bin/busybox")
        if file is None:
            raise LockError("busybox-static holds no usr/bin/busybox", stage="lock")
        program = folder / "bin/busybox"
        program.unlink(missing_ok=True)
        program.write_bytes(file.read())
        program.chmod(0o555)
    (path,) = store.add(shell, [folder], recursive=True)
    return store.nar_sha256(shell, path)


def changes(old: DebianLock | None, new: DebianLock) -> Sequence[str]:
    """What a new lock changed: ``package old → new``, a line each."""
    before = old.packages if old else {}
    lines = []
    for name in sorted({*before, *new.packages}):
        was, now = before.get(name), new.packages.get(name)
        if (was and was.version) != (now and now.version):
            lines.append(f"{name} {was.version if was else '—'} → {now.version if now else '—'}")
    return lines


def known(places: Places) -> DebianLock | None:
    """The lock as it is; None when there is none that can be read, which a new one mends."""
    try:
        return read_debian(places.locks / "debian.json")
    except LockError:
        return None
