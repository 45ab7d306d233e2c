"""The operator's own secrets: from where they come, and that no error shows them."""

from __future__ import annotations

import io
import os
import secrets
import string
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.app.commands import FILE, Commands, read_commands
from slipway.app.strength import weaknesses
from slipway.app.supplied import ask_value, public, read_supplied, withdraw
from slipway.doors import Shell
from slipway.errors import ConfigError, Problem
from slipway.plan.secrets import variable
from slipway.report import Report
from slipway.secret import Secret
from slipway.shell import LocalShell
from slipway.stack.model import SecretSpec
from slipway.testing import FakeShell

MADE = SecretSpec("made", generate=32)
GIVEN = SecretSpec("given")
ROOT = Path(__file__).resolve().parents[3]
TASK = """
import subprocess
from tasks.command import command

@command()
def look(workspace):
    seen = subprocess.run(["env"], capture_output=True, text=True).stdout
    known = workspace._environment.get("SLIPWAY_SECRET_GIVEN") == "canary"
    print(seen.count("canary"), int(known))
"""


def supplied(
    specs: Sequence[SecretSpec],
    folder: Path,
    environment: Mapping[str, str],
    commands: Mapping[str, Sequence[str]] | None = None,
    shell: Shell | None = None,
) -> dict[str, Secret]:
    """What :func:`read_supplied` finds, by real programs where no other shell is given."""
    asked = Commands(shell or LocalShell(), Report(quiet=True), folder, commands or {})
    return read_supplied(specs, folder, environment, asked)


def test_supplied_from_file_and_environment(tmp_path: Path) -> None:
    """The environment goes over the file; an editor's last newline is not the secret's."""
    (tmp_path / "given").write_text("from file \n")
    assert supplied([GIVEN, MADE], tmp_path, {}) == {"given": Secret("from file ")}
    environment = {variable("given"): "from environment"}
    assert supplied([GIVEN], tmp_path, environment) == {"given": Secret("from environment")}


def test_empty_or_unreadable_supplies_are_refused(tmp_path: Path) -> None:
    """An empty or binary file is a configuration error that doesn't show its content."""
    (tmp_path / "given").write_text("\n")
    (tmp_path / "made").write_bytes(b"canary\xff")
    with pytest.raises(ConfigError) as caught:
        supplied([GIVEN, MADE], tmp_path, {})
    assert len(caught.value.details) == 2
    assert "canary" not in repr(caught.value.details)


def test_an_optional_one_may_be_empty() -> None:
    """That ends it."""
    old = SecretSpec("old", optional=True)
    assert supplied([old], Path("/nowhere"), {variable("old"): ""}) == {"old": Secret("")}


def test_what_is_there_and_no_secret_is_refused(tmp_path: Path) -> None:
    """A folder in a file's place, or bytes that are no text, must not make a new secret unseen."""
    (tmp_path / "made").mkdir()
    with pytest.raises(ConfigError) as caught:
        supplied([GIVEN, MADE], tmp_path, {variable("given"): "canary\udcff"})
    assert caught.value.details == (
        "SLIPWAY_SECRET_GIVEN: given: can't be read: is no UTF-8",
        "deploy/secrets: made: can't be read: is no file",
    )


def test_secrets_leave_the_environment_and_are_read_all_the_same(tmp_path: Path) -> None:
    """Programs that slipway starts inherit what is left."""
    environment = {"PATH": "/bin", "SLIPWAY_SECRET_GIVEN": "value", "SLIPWAY_PYTHON": "python3"}
    before = withdraw(environment)
    assert environment == {"PATH": "/bin", "SLIPWAY_PYTHON": "python3"}
    assert supplied([GIVEN], tmp_path, before) == {"given": Secret("value")}
    assert public(before) == environment


def test_no_task_starts_a_program_with_a_secret(tmp_path: Path) -> None:
    """The environment that a real child process sees, in a real task of the command line."""
    (tmp_path / "looks.py").write_text(TASK, "utf-8")
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "SLIPWAY_SECRET_GIVEN": "canary"}
    argv = [sys.executable, "-m", "slipway.commandline", "--search-root", str(tmp_path)]
    argv += ["--collection", "looks", "look"]
    done = subprocess.run(argv, env=env, check=True, capture_output=True, text=True)
    inherited, known = done.stdout.split()
    assert (inherited, known) == ("0", "1")


def test_a_program_that_keeps_a_secret_is_asked_where_nothing_else_supplies_it(
    tmp_path: Path,
) -> None:
    """A real program, in the checkout; its last newline is not the secret's."""
    (tmp_path / "kept").write_text("of the program\n")
    commands = {"given": ["cat", "kept"]}
    assert supplied([GIVEN], tmp_path, {}, commands) == {"given": Secret("of the program")}
    (tmp_path / "given").write_text("of the file")
    shell = FakeShell()
    assert supplied([GIVEN], tmp_path, {}, commands, shell) == {"given": Secret("of the file")}
    assert supplied([MADE], tmp_path, {}, commands, shell) == {}
    assert shell.calls == []


def test_every_program_that_fails_is_named_without_what_it_printed(tmp_path: Path) -> None:
    """Its standard error says why; its standard output may hold the secret."""
    commands = {
        "given": ["sh", "-c", "echo canary; echo 'is locked' >&2; exit 2"],
        "made": ["sh", "-c", r"printf 'canary\377'"],
        "none": ["slipway-has-no-such-program"],
        "bare": ["true"],
    }
    specs = [GIVEN, MADE, SecretSpec("none"), SecretSpec("bare")]
    with pytest.raises(ConfigError) as caught:
        supplied(specs, tmp_path, {}, commands)
    given, made, none, bare = caught.value.details
    assert given.startswith("deploy/secrets.toml: given: can't be read: `sh -c")
    assert given.endswith("ended with code 2; is locked")
    assert made == "deploy/secrets.toml: made: can't be read: is no UTF-8"
    assert "slipway-has-no-such-program" in none
    assert none.endswith("none: can't be read: slipway-has-no-such-program is not installed")
    assert "install slipway-has-no-such-program" in str(caught.value.hint)
    assert bare == "deploy/secrets.toml: bare: is empty"
    assert "canary" not in given.replace("echo canary", "") + made


def test_a_program_is_heard_to_its_end(tmp_path: Path) -> None:
    """Its last line alone may say nothing; SOPS without its key is known by its code."""
    script = tmp_path / "sops"
    script.write_text(
        "#!/bin/sh\nprintf 'no key\\n\\n  of age\\nbut none were.\\n' >&2\nexit 128\n"
    )
    script.chmod(0o755)
    with pytest.raises(ConfigError) as caught:
        supplied([GIVEN], tmp_path, {}, {"given": [str(script)]})
    said = f"deploy/secrets.toml: given: can't be read: `{script}` on this machine ended with code"
    assert caught.value.details == (f"{said} 128", "  no key", "    of age", "  but none were.")
    assert "SOPS_AGE_KEY_FILE" in str(caught.value.hint)


def test_a_program_that_can_not_be_had_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where SOPS comes from is told; a path that can't be run is named with its reason."""
    monkeypatch.setenv("PATH", str(tmp_path))
    commands = {"given": ["sops", "decrypt"], "made": [str(tmp_path)], "none": ["./keeps"]}
    with pytest.raises(ConfigError) as caught:
        supplied([GIVEN, MADE, SecretSpec("none")], tmp_path, {}, commands)
    assert caught.value.details == (
        "deploy/secrets.toml: given: can't be read: sops is not installed",
        f"deploy/secrets.toml: made: can't be read: {tmp_path} can't be run: Permission denied",
        "deploy/secrets.toml: none: can't be read: ./keeps can't be run: No such file or directory",
    )
    assert "github.com/getsops/sops/releases" in str(caught.value.hint)


def test_strays_are_told_of_with_the_rest(tmp_path: Path) -> None:
    """One error has all that is wrong with supplied secrets, and the names that there are."""
    asked = Commands(LocalShell(), Report(quiet=True), tmp_path, {})
    strays = [Problem("deploy/secrets/mad", "no secret is called that")]
    derived = SecretSpec("login", derive="postgres-login", source="made")
    with pytest.raises(ConfigError, match=r"^2 problems of supplied secrets; ") as caught:
        read_supplied([MADE, GIVEN, derived], tmp_path, {variable("given"): ""}, asked, strays)
    assert caught.value.details == (
        "SLIPWAY_SECRET_GIVEN: given: is empty",
        "deploy/secrets/mad: no secret is called that",
    )
    assert str(caught.value.hint).endswith("there are: given, made")
    with pytest.raises(ConfigError, match=r"^1 problem of supplied secrets; "):
        read_supplied([MADE], tmp_path, {}, asked, strays)


def test_a_file_of_commands(tmp_path: Path) -> None:
    """Which command prints which secret; every problem of the file at once, none without it."""
    shell, report = FakeShell(), Report(quiet=True)
    assert read_commands(shell, report, tmp_path).argv == {}
    (tmp_path / "deploy").mkdir()
    (tmp_path / FILE).write_text('format = 1\n[command]\ngiven = ["pass", "show", "a"]\n')
    assert read_commands(shell, report, tmp_path).argv == {"given": ("pass", "show", "a")}
    (tmp_path / FILE).write_text('format = 1\nother = 1\n[command]\na = "pass"\nb = []\n')
    with pytest.raises(ConfigError) as caught:
        read_commands(shell, report, tmp_path)
    said = " ".join(caught.value.details)
    assert all(part in said for part in ("command.a", "command.b: is empty", "other"))
    assert len(caught.value.details) == 3  # the one of a wrong type is not empty, too
    (tmp_path / FILE).write_text("format = 1\n[command]\na = [1]\nb = [[], 2]\n")
    with pytest.raises(ConfigError) as caught:
        read_commands(shell, report, tmp_path)
    assert [one.split(": ")[1] for one in caught.value.details] == [
        "command.a[0]", "command.b[0]", "command.b[1]",
    ]  # fmt: skip
    (tmp_path / FILE).write_text("format = 1\n[command\n")
    with pytest.raises(ConfigError, match="is no TOML"):
        read_commands(shell, report, tmp_path)


class Typed(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_value_is_piped_or_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """One newline at its end is not part of it; nothing, or two of them, is no value."""
    assert ask_value(GIVEN, io.StringIO("a b \n")) == Secret("a b ")
    with pytest.raises(ConfigError, match="no value for given"):
        ask_value(GIVEN, io.StringIO("\n"))
    answers = iter(["same", "same", "one", "other", "", ""])
    monkeypatch.setattr("slipway.app.supplied.getpass", lambda _: next(answers))
    assert ask_value(GIVEN, Typed()) == Secret("same")
    with pytest.raises(ConfigError, match="the two values differ"):
        ask_value(GIVEN, Typed())
    with pytest.raises(ConfigError, match="no value for given"):
        ask_value(GIVEN, Typed())
    with pytest.raises(ConfigError) as caught:
        ask_value(MADE, io.StringIO("canary"))
    assert any("is too short" in one for one in caught.value.details)
    assert "canary" not in str(caught.value.details)


GOOD = [
    "0f" + "3a9c41d7e2b85f60",
    "correct horse battery staple",
    "R7!kw_Zp0-qLm3#v",
    "9f3c" * 3 + "0a71",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_good_secret_is_taken(tmp_path: Path, text: str) -> None:
    """Random digits, a row of words, and what a generator gives."""
    assert supplied([MADE], tmp_path, {variable("made"): text}) == {"made": Secret(text)}


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("x", ["is too short: 1 characters", "has 1 different"]),
        ("hunter2hunter2hunter2", ["again and again"]),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", ["has 1 different", "again and again", "in a row"]),
        ("abcdefghijklmnopqrst", ["in a row"]),
        ("9876543210987654", ["in a row"]),
        ("passwörd-with-umlaut", ["not printable ASCII"]),
        ("two lines\nof a secret", ["not printable ASCII"]),
        (" R7!kw_Zp0-qLm3#v", ["begins or ends with a space"]),
        ("12121212 ", ["too short", "space", "has 3 different"]),
    ],
)
def test_a_weak_secret_is_refused_with_every_reason(
    tmp_path: Path, text: str, reasons: list[str]
) -> None:
    """All of them at once, with what to do, and without the secret."""
    (tmp_path / "given").mkdir()
    with pytest.raises(ConfigError) as caught:
        supplied([MADE, GIVEN], tmp_path, {variable("made"): text})
    told = [one for one in caught.value.details if ": made: " in one]
    assert len(told) == len(reasons)
    for line, reason in zip(told, reasons, strict=True):
        assert reason in line
        assert len(text) < 5 or text not in line
    assert "given: can't be read" in str(caught.value.details)
    assert "openssl rand" in str(caught.value.hint)
    assert caught.value.exit_code == 2


def test_the_key_of_somebody_else_is_as_it_is(tmp_path: Path) -> None:
    """What slipway would not make it does not judge."""
    assert supplied([GIVEN], tmp_path, {variable("given"): "x"}) == {"given": Secret("x")}


@given(st.integers(16, 64), st.randoms(use_true_random=True))
def test_what_slipway_makes_it_would_take(length: int, _: object) -> None:
    """A generated secret of any length that can be refused for its length is none of these."""
    alphabet = string.ascii_letters + string.digits
    assert weaknesses("".join(secrets.choice(alphabet) for _ in range(length))) == []


def test_a_short_one_is_enough_where_a_short_one_is_made(tmp_path: Path) -> None:
    """Whoever declares eight characters gets eight, and may supply eight."""
    short = SecretSpec("short", generate=8)
    given = {variable("short"): "k3Zq9wXa"}
    assert supplied([short], tmp_path, given) == {"short": Secret("k3Zq9wXa")}
