"""Building attributes with Nix, with a shell that runs nothing."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from slipway import config
from slipway.doors import Completed
from slipway.errors import BuildError, CommandFailed
from slipway.supply import outputs as module
from slipway.supply.outputs import ANSWERS, ROOTS, outputs, rebuild
from slipway.testing import FakeShell

SETTINGS = config.load(Path(__file__).parents[3])


class Nix:
    """A checkout, and a Nix that builds any attribute as a file in its store."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.hash = "0" * 32
        (root / "nix").mkdir()
        (root / "nix/default.nix").write_text("1")
        self.built: set[str] = set()
        self.shell = FakeShell()
        self.shell.on("git", reply=b"")
        self.shell.on("nix-build", reply=self._build)
        monkeypatch.setattr(module, "_is_there", lambda path: path in self.built)

    def _build(self, argv: tuple[str, ...], _: bytes) -> bytes:
        names = [after for word, after in pairwise(argv) if word == "--attr"]
        paths = [f"/nix/store/{self.hash}-{name.rpartition('.')[2]}" for name in names]
        self.built |= set(paths)
        if "--out-link" in argv:
            link = argv[argv.index("--out-link") + 1]
            for number, path in enumerate(paths, 1):
                place = self.root / (link if number == 1 else f"{link}-{number}")
                place.unlink(missing_ok=True)
                place.symlink_to(path)
        return "".join(f"{path}\n" for path in paths).encode()

    def ask(self, *names: str) -> dict[str, Path]:
        return outputs(self.shell, self.root, SETTINGS, names)

    @property
    def calls(self) -> list[tuple[str, ...]]:
        return [call for call in self.shell.calls if call[0] == "nix-build"]

    def roots(self) -> set[str]:
        return {str(link.readlink()) for link in (self.root / ROOTS).iterdir()}


@pytest.fixture
def nix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nix:
    return Nix(tmp_path, monkeypatch)


def path(name: str, hash_: str = "0" * 32) -> Path:
    return Path(f"/nix/store/{hash_}-{name}")


def test_all_attributes_in_one_evaluation(nix: Nix) -> None:
    """Each attribute gets the path that was printed for it."""
    assert nix.ask("worker-image", "api-image") == {
        "worker-image": path("worker-image"),
        "api-image": path("api-image"),
    }
    assert len(nix.calls) == 1
    assert nix.calls[0][-4:] == (
        *("--attr", "packages.x86_64-linux.worker-image"),
        *("--attr", "packages.x86_64-linux.api-image"),
    )


def test_nothing_asked_builds_nothing(nix: Nix) -> None:
    """Nix without an attribute would build everything."""
    assert nix.ask() == {}
    assert nix.calls == []


def test_nothing_changed_asks_nobody(nix: Nix) -> None:
    """The second time neither Nix runs nor are inputs brought; also for a part of them."""
    nix.ask("api-image", "worker-image")

    again = outputs(nix.shell, nix.root, SETTINGS, ["worker-image"], prepare=pytest.fail)

    assert again == {"worker-image": path("worker-image")}
    assert len(nix.calls) == 1


def test_one_more_attribute_keeps_the_others(nix: Nix) -> None:
    """Answers of one state of the checkout come together."""
    nix.ask("api-image")
    nix.ask("rehearsal-host")
    nix.ask("rehearsal-host", "api-image")

    assert len(nix.calls) == 2


@pytest.mark.parametrize("change", ["source", "variable", "nix", "gone", "ignored", "broken"])
def test_whatever_an_answer_follows_from_asks_anew(
    nix: Nix, change: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A changed file, another Nix, other settings of it, a collected path, an unusable file."""
    nix.ask("api-image")
    if change == "source":
        (nix.root / "nix/default.nix").write_text("2")
    elif change == "variable":
        monkeypatch.setenv("NIX_CONFIG", "sandbox = false")
    elif change == "nix":
        folder = tmp_path_factory.mktemp("bin")
        (folder / "nix-build").write_text("#!/bin/sh\n")
        (folder / "nix-build").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
    elif change == "gone":
        nix.built.clear()
    elif change == "ignored":
        (nix.root / ".git").mkdir()
        nix.shell.on("git", reply=b"nix/.env\0")
    else:
        (nix.root / ANSWERS).write_text('{"key": [')

    nix.ask("api-image")

    assert len(nix.calls) == 2


@pytest.mark.parametrize(
    ("file", "runs"), [("src/langflix/a.py", [True, False]), ("nix/a.nix", [True, True])]
)
def test_a_tool_does_not_follow_from_the_application(nix: Nix, file: str, runs: list[bool]) -> None:
    """A changed line of the application builds images anew, and asks nothing about tools."""
    nix.ask("api-image")
    nix.ask("compose-model")
    (nix.root / file).parent.mkdir(parents=True, exist_ok=True)
    (nix.root / file).write_text("new")

    counts = [len(nix.calls)]
    for name in ("api-image", "compose-model"):
        nix.ask(name)
        counts.append(len(nix.calls))

    assert [after > before for before, after in pairwise(counts)] == runs


def test_what_git_ignores_stays_out(nix: Nix) -> None:
    """The ignored paths are handed to Nix, as JSON."""
    (nix.root / ".git").mkdir()
    nix.shell.on("git", reply=lambda argv, _: b'nix/a "b"\0' if "--ignored" in argv else b"")

    nix.ask("api-image")

    (call,) = nix.calls
    assert json.loads(call[call.index("leftOut") + 1]) == ['nix/a "b"']


def test_new_files_are_named_each_time(nix: Nix) -> None:
    """The warning comes with a known answer too."""
    (nix.root / ".git").mkdir()
    nix.shell.on("git", reply=lambda argv, _: b"" if "--ignored" in argv else b"nix/new.nix\0")
    said: list[str] = []
    for _ in range(2):
        outputs(nix.shell, nix.root, SETTINGS, ["api-image"], warn=said.append)

    assert ["nix/new.nix" in one for one in said] == [True, True]


def test_an_edit_while_nix_runs_is_not_remembered(nix: Nix) -> None:
    """What was built of a checkout that changed meanwhile is no answer for either state."""
    file = nix.root / "nix/default.nix"

    def edit(argv: tuple[str, ...], data: bytes) -> bytes:
        file.write_text("2")
        return nix._build(argv, data)

    nix.shell.on("nix-build", reply=edit)
    nix.ask("api-image")
    file.write_text("1")
    nix.ask("api-image")

    assert len(nix.calls) == 2


def test_inputs_that_change_the_locks(nix: Nix) -> None:
    """What is brought before a build may lock anew; the answer is that of the new locks."""
    file = nix.root / "nix/default.nix"
    outputs(
        nix.shell, nix.root, SETTINGS, ["api-image"], prepare=lambda: file.write_text("relocked")
    )
    nix.ask("api-image")

    assert len(nix.calls) == 1


def test_links_keep_what_is_in_use_and_no_more(nix: Nix) -> None:
    """Every answer is kept from the garbage collector, an older one of that name no longer."""
    nix.ask("api-image", "edge-image")
    nix.hash = "1" * 32
    (nix.root / "nix/default.nix").write_text("2")
    nix.ask("edge-image")

    assert nix.roots() == {str(path("api-image")), str(path("edge-image", "1" * 32))}


def test_rebuild_compares(nix: Nix) -> None:
    """Everything is in the store before Nix builds it again and compares."""
    rebuild(nix.shell, nix.root, SETTINGS, ["layers.x86_64-linux.api-base"])

    assert ["--check" in call for call in nix.calls] == [False, True]
    assert all(call[-1] == "layers.x86_64-linux.api-base" for call in nix.calls)


def failing(nix: Nix, log: str) -> BuildError:
    nix.shell.on("nix-build", reply=Completed(("nix-build",), 1, b"", log.encode()))
    with pytest.raises(BuildError) as caught:
        nix.ask("api-image")
    return caught.value


def test_a_difference_after_a_rebuild_is_an_error(nix: Nix) -> None:
    """Nix's word that a derivation is not deterministic is passed on."""
    error = failing(
        nix,
        "checking outputs of '/nix/store/x.drv'...\n"
        "error: derivation '/nix/store/x.drv' may not be deterministic: output '/nix/store/x' "
        "differs",
    )

    assert "other bytes: derivation '/nix" in error.message
    assert error.stage == "rebuild"


@pytest.mark.parametrize(
    "log",
    [
        "error: the package libssl3t64 is not in the store; run ./inv fetch\n(use '--show-trace')",
        "error:\n       … while evaluating\n\n       error: the package libssl3t64 is not in the "
        "store; run ./inv fetch\n",
    ],
)
def test_a_missing_input_is_one_sentence(nix: Nix, log: str) -> None:
    """Nix's sentence about a missing input is the message, with old and new Nix."""
    error = failing(nix, log)

    assert error.message == "the package libssl3t64 is not in the store; run ./inv fetch"
    assert error.hint == "./inv fetch"
    assert error.details == ()


def test_a_failed_build_shows_the_end_of_its_log(nix: Nix) -> None:
    """The last lines of what Nix said come with the error."""
    error = failing(nix, "\n".join(f"line {number}" for number in range(100)))

    assert error.details[-1] == "line 99"
    assert len(error.details) < 40


def test_no_nix_is_a_build_error(nix: Nix) -> None:
    """A machine without Nix is told so, with exit code 3 and not as an unreachable host."""
    nix.shell.on(
        "nix-build", reply=CommandFailed(("nix",), 127, "no such file", where="this machine")
    )
    with pytest.raises(BuildError, match="Nix can't be run") as caught:
        nix.ask("api-image")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("answer", ["", "{}", "/tmp/x\n", f"{path('a')}\n{path('b')}\n"])
def test_an_answer_of_another_form_is_an_error(nix: Nix, answer: str) -> None:
    """Whatever else Nix answers, it is an error and not a traceback."""
    nix.shell.on("nix-build", reply=answer)
    with pytest.raises(BuildError, match="form that is known"):
        nix.ask("api-image")
    assert not (nix.root / ANSWERS).exists()
