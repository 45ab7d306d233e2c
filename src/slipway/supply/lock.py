"""``./inv lock``: resolve every input anew and write the locks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.config import LAYER_ORDER, Config
from slipway.doors import Shell
from slipway.errors import FetchError, LockError
from slipway.report import Report
from slipway.supply import asked, closure, deb, download, gomod, store, wheels
from slipway.supply.apt import KEYRING, Apt
from slipway.supply.deb import PackageFiles
from slipway.supply.download import Download
from slipway.supply.elf import Elf
from slipway.supply.locks import (
    DebianLock,
    GoLock,
    Package,
    PythonLock,
    Wheel,
    read_debian,
    read_python,
    render,
)
from slipway.supply.mirrors import Mirrors

KINDS = ("python", "debian", "go")


@dataclass(frozen=True, slots=True)
class Places:
    """The folders that supply works in.

    Attributes:
        root: the checkout.
    """

    root: Path

    @property
    def locks(self) -> Path:
        """Where the locks are."""
        return self.root / "nix/locks"

    @property
    def go(self) -> Path:
        """Where ``go.mod`` is."""
        return self.root / "nix/go"

    @property
    def downloads(self) -> Path:
        """Where files wait until the store has them."""
        return self.root / ".slipway/downloads"

    @property
    def apt(self) -> Path:
        """The private apt's state."""
        return self.root / ".slipway/apt"


def lock_python(shell: Shell, config: Config, places: Places, report: Report) -> PythonLock:
    """Resolve the Python sets with pip and write ``python.json``.

    Raises:
        LockError: pip finds no solution in wheels.
    """
    report.step("lock", "Python wheels, by pip")
    resolved = wheels.resolve(shell, config)
    paths = wheels.download(
        shell, tuple(resolved.wheels.values()), config.python_version, places.downloads
    )
    sized = {
        wheel.name: replace(wheel, size=path.stat().st_size)
        for wheel, path in zip(resolved.wheels.values(), paths, strict=True)
    }
    done = replace(resolved, wheels=sized)
    write(places.locks / "python.json", render(done))
    report.say(f"  {len(sized)} wheels")
    return done


def lock_debian(
    shell: Shell, config: Config, places: Places, mirrors: Mirrors, report: Report
) -> DebianLock:
    """Resolve the Debian packages with apt, compute what their ELF files need, write the lock.

    Raises:
        LockError: apt finds no solution, or a library is missing.
    """
    if not KEYRING.exists():
        raise LockError(
            f"{KEYRING} is missing: Debian's indexes can't be checked without it",
            hint="apt-get install debian-archive-keyring",
            stage="lock",
        )
    report.step("lock", f"Debian {config.release}, by apt")
    apt = Apt(shell, places.apt, config, mirrors)
    apt.update()
    python = read_python(places.locks / "python.json")
    wheel_elves = _wheel_elves(python, places)
    plan = asked.groups(config)
    versions: dict[str, str] = {}
    reach: dict[str, dict[str, str]] = {}
    shared = [name for layer in LAYER_ORDER for name in config.layers[layer]]
    for group, names in plan.items():
        with_shared = group.startswith(("layer.", "image."))
        reach[group] = apt.closure([*names, *shared] if with_shared else names)
        versions |= reach[group]
    packages = apt.stanzas(versions.items())
    contents = _read(packages.values(), config, places, mirrors, report)
    plain = {f"image.{role}" for role, image in config.images.items() if not image.python}
    groups = close_groups(plan, reach, contents, wheel_elves, plain)
    used = {name for names in groups.values() for name in names}
    stage0 = add_stage0(shell, places, packages[groups["tool.stage0"][0]])
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


def close_groups(
    plan: dict[str, tuple[str, ...]],
    reach: dict[str, dict[str, str]],
    contents: dict[str, PackageFiles],
    wheel_elves: dict[str, Elf],
    plain: set[str],
) -> dict[str, tuple[str, ...]]:
    """Every group with the packages its ELF files need; shared layers bottom first.

    Args:
        plan: declared packages by group, shared layers before images.
        reach: what apt would install for each group.
        contents: what each package holds.
        wheel_elves: ELF files of the wheels, which lie over the Python layer.
        plain: groups of images without the Python layer.
    """
    done: dict[str, tuple[str, ...]] = {}
    below: list[str] = []
    for group, names in plan.items():
        if group.startswith("tool."):  # run from their own tree or not linked at all
            done[group] = names
            continue
        candidates = {name: contents[name] for name in reach[group]}
        is_layer = group.startswith("layer.")
        under = below if is_layer or group.startswith("image.") else []
        if group in plain:
            under = [name for name in below if name not in done["layer.python"]]
        done[group] = closure.close(
            names,
            candidates,
            below=under,
            extra=wheel_elves if group == "layer.python" else None,
            where=group,
        )
        if is_layer:
            below += done[group]
    return done


def _wheel_elves(lock: PythonLock, places: Places) -> dict[str, Elf]:
    found: dict[str, Elf] = {}
    skipped = {*lock.sets["samples"], *lock.sets["build"]}
    for wheel in lock.wheels.values():
        if wheel.name not in skipped:
            data = _wheel_path(wheel, places).read_bytes()
            found |= wheels.read_elves(data, lock.python)
    return found


def _wheel_path(wheel: Wheel, places: Places) -> Path:
    waiting = places.downloads / wheel.file_name
    return waiting if waiting.exists() else Path(wheel.file.path)


def _read(
    packages: Iterable[Package], config: Config, places: Places, mirrors: Mirrors, report: Report
) -> dict[str, PackageFiles]:
    listed = list(packages)
    wanted = [as_download(p, mirrors, "") for p in listed if not Path(p.file.path).exists()]
    progress = report.progress("packages", download.total(wanted))
    _, gone = download.fetch_all(wanted, places.downloads, progress)
    progress.done()
    if gone:
        reasons = [f"{name}: {reason}" for name, reason in gone.items()]
        raise FetchError("the mirror lacks packages it lists", details=reasons, stage="lock")
    counter = report.progress("reading", len(listed), unit="packages")
    contents = {}
    for package in listed:
        path = package_path(package, places)
        contents[package.name] = deb.read_files(path.read_bytes(), config.drops_of(package.name))
        counter.advance(1, package.name)
    counter.done()
    return contents


def package_path(package: Package, places: Places) -> Path:
    """Where a package's bytes are: in the store, or waiting to go there."""
    stored = Path(package.file.path)
    return stored if stored.exists() else places.downloads / package.file.name


def as_download(package: Package, mirrors: Mirrors, stamp: str) -> Download:
    """A package as a file to fetch."""
    places = mirrors.places(package.archive, package.path, stamp)
    return Download(package.file.name, places, package.size, package.sha256)


def add_stage0(shell: Shell, places: Places, package: Package) -> str:
    """Unpack the static busybox and add it to the store as ``stage0``; its NAR hash.

    Builders call it as ``stage0/bin/busybox``, so that ``argv[0]`` is ``busybox``.
    """
    folder = places.root / ".slipway/stage0"
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    with deb.open_data(package_path(package, places).read_bytes()) as tar:
        file = tar.extractfile("./usr/bin/busybox")
        if file is None:
            raise LockError("busybox-static holds no usr/bin/busybox", stage="lock")
        program = folder / "bin/busybox"
        program.unlink(missing_ok=True)
        program.write_bytes(file.read())
        program.chmod(0o555)
    (path,) = store.add(shell, [folder], recursive=True)
    return store.nar_sha256(shell, path)


def lock_go(shell: Shell, places: Places, report: Report) -> GoLock:
    """Bring ``go.mod`` and ``go.sum`` up to date, vendor, and write ``go.json``.

    Raises:
        FetchError: a module can't be had.
    """
    report.step("lock", "Go modules, by the locked Go")
    debian = read_debian(places.locks / "debian.json")
    go = unpacked_go(debian, places)
    vendor_sha256, _ = gomod.vendor(shell, go, places.go, tidy=True)
    done = GoLock(gomod.modules_hash(places.go), vendor_sha256)
    write(places.locks / "go.json", render(done))
    return done


def unpacked_go(debian: DebianLock, places: Places) -> Path:
    """The locked Go, unpacked on this machine; the path of its program."""
    packages = [debian.packages[name] for name in debian.groups["tool.go"]]
    target = places.root / ".slipway/go" / packages[0].sha256[:12]
    found = sorted((target / "usr/lib").glob("go-*/bin/go"))
    if found and (target / "complete").exists():
        return found[0]
    go = gomod.unpack_go([package_path(p, places) for p in packages], target)
    (target / "complete").touch()
    return go


def write(path: Path, text: str) -> None:
    """Write a lock whole or not at all."""
    part = path.with_name(path.name + ".new")
    part.write_text(text)
    part.replace(path)


def changes(old: DebianLock | None, new: DebianLock) -> Sequence[str]:
    """What a new lock changed: ``package old → new``, a line each."""
    before = old.packages if old else {}
    lines = []
    for name in sorted({*before, *new.packages}):
        was, now = before.get(name), new.packages.get(name)
        if (was and was.version) != (now and now.version):
            lines.append(f"{name} {was.version if was else '—'} → {now.version if now else '—'}")
    return lines
