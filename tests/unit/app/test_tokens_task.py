"""``./inv tokens.…``: what the application's command line answers, in the form of every task."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import tasks
from tests.unit.demo import World, wanted, world

from slipway.act.deploy import deploy
from slipway.commandline import CommandLine
from slipway.doors import Completed
from slipway.operate import asking

TOKEN = {
    "name": "tablet", "scope": "read", "created_at": "2026-01-31T10:00:00Z",
    "last_used_at": None, "expires_at": "2026-04-30T10:00:00Z",
}  # fmt: skip
NEW = {**TOKEN, "token": "lfx_secret"}
USED = {**TOKEN, "name": "nas", "last_used_at": "2026-02-01T11:12:13Z", "expires_at": None}


@dataclass
class Site:
    """A deployed stack whose command line answers what a test says."""

    world: World

    def answers(self, value: object, code: int = 0, stderr: str = "") -> None:
        """From now on."""
        out = value if isinstance(value, str) else json.dumps(value)
        self.world.host.on("docker", reply=Completed((), code, out.encode(), stderr.encode()))

    @property
    def words(self) -> tuple[str, ...]:
        """What it was asked last, without Compose's own part."""
        call = self.world.host.calls[-1]
        return call[call.index("job") + 1 :]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """The tasks find it under any name."""
    made = world()
    deploy(wanted(), made.doors, "token")
    made.host.files.update({f"/pool/demo/{name}": data for name, data in made.folder.files.items()})

    @contextlib.contextmanager
    def target(host: str | None) -> Iterator[Any]:
        yield SimpleNamespace(doors=made.doors)

    monkeypatch.setattr(
        "slipway.app.workspace.Workspace", lambda *_, **__: SimpleNamespace(target=target)
    )
    monkeypatch.setattr(asking, "SERVICE", "job")
    return Site(made)


def inv(*words: str) -> int:
    """The exit code of a command line."""
    try:
        CommandLine(namespace=tasks.namespace, binary="./inv").run(["./inv", *words])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_new_token_stands_alone_on_standard_output(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a script takes it; for whom, and for how long, is told beside it."""
    site.answers(NEW)
    assert inv("tokens.add", "tablet", "--scope", "read", "--days", "90") == 0
    out, err = capsys.readouterr()
    assert out == "lfx_secret\n"
    assert "the token tablet lets read, until 2026-04-30" in err
    assert site.words == ("tokens", "add", "tablet", "--scope", "read", "--days", "90", "--json")
    assert "--no-TTY" in site.world.host.calls[-1]


def test_without_days_it_never_ends(site: Site) -> None:
    """Nothing is said of days then."""
    site.answers(USED | {"token": "x"})
    assert inv("tokens.add", "nas", "--scope", "read") == 0
    assert "--days" not in site.words


def test_tokens_are_a_table(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """With their last use and their end; none at all is said."""
    site.answers({"tokens": [USED, TOKEN]})
    assert inv("tokens.list") == 0
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
        ["name", "lets", "last used", "ends"],
        ["nas", "read", "2026-02-01T11:12", "never"],
        ["tablet", "read", "never", "2026-04-30"],
    ]
    site.answers({"tokens": []})
    assert inv("tokens.list") == 0
    out, err = capsys.readouterr()
    assert (out, "no token has a name" in err) == ("", True)


def test_a_token_is_revoked_by_its_name(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """And what that does is said."""
    site.answers({"revoked": "tablet"})
    assert inv("tokens.revoke", "tablet") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "the token tablet is revoked, and who signed in with it signed out" in err
    assert site.words == ("tokens", "revoke", "tablet", "--json")


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["add", "tablet", "--scope", "read"], NEW),
        (["list"], {"tokens": [TOKEN]}),
        (["revoke", "tablet"], {"revoked": "tablet"}),
    ],
)
def test_with_json_it_is_what_the_application_answers(
    site: Site, words: list[str], value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it, and nothing else."""
    site.answers(value)
    assert inv(f"tokens.{words[0]}", *words[1:], "--json") == 0
    assert json.loads(capsys.readouterr().out) == value


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["add", "x", "--scope", "write"],
            "the scope 'write' should be one of read, upload, admin",
        ),
        (["add", "Anna Müller", "--scope", "read"], "the name 'Anna Müller' should be 1 to 64"),
        (["add", "  ", "--scope", "read"], "the name '  ' should be 1 to 64"),
        (["add", "../x", "--scope", "read"], "the name '../x' should be 1 to 64"),
        (["add", "x", "--scope", "read", "--days", "0"], "the days should be 1 to 3650, got 0"),
        (["add", "x", "--scope", "read", "--days=-3"], "the days should be 1 to 3650, got -3"),
        (["add", "x", "--scope", "read", "--days", "99999"], "1 to 3650, got 99999"),
        (["revoke", "../x"], "the name '../x' should be 1 to 64"),
        (["add", "x"], "tokens.add needs 'scope'"),
    ],
)
def test_a_wrong_wish_is_refused_before_a_host_is_asked(
    site: Site, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 2, a sentence and the next command."""
    before = len(site.world.host.calls)
    assert inv(f"tokens.{words[0]}", *words[1:]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert err.startswith("error: ")
    assert f"hint: ./inv --help tokens.{words[0]}" in err
    assert out == ""
    assert len(site.world.host.calls) == before


def test_all_that_is_wrong_is_told_at_once(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, scope and days."""
    assert inv("tokens.add", "../x", "--scope", "write", "--days", "0") == 2
    err = capsys.readouterr().err
    assert all(word in err for word in ("'../x'", "'write'", "got 0"))


@pytest.mark.parametrize(
    ("words", "refusal", "said", "hint"),
    [
        (["add", "tablet", "--scope", "read"], "there is a token tablet already (409)",
         "there is a token tablet already; nothing was changed", "./inv tokens.revoke tablet"),
        (["revoke", "nobody"], "there is no token nobody (404)",
         "there is no token nobody; nothing was changed", "./inv tokens.list"),
        (["add", "tablet", "--scope", "read"], "body.name: too odd (422)",
         "body.name: too odd; nothing was changed", "another name"),
    ],
)  # fmt: skip
def test_what_the_application_refuses_is_a_wrong_name(
    site: Site,
    words: list[str],
    refusal: str,
    said: str,
    hint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Code 2 in place of its 1, without its status, with what to do; JSON has the same."""
    site.answers({"error": refusal, "exit_code": 1}, 1, f"langflix: {refusal}")
    assert inv(f"tokens.{words[0]}", *words[1:]) == 2
    out, err = capsys.readouterr()
    assert err.splitlines()[:2] == [f"error: {said}", "  stage: ask"]
    assert hint in err.splitlines()[-1] and err.splitlines()[-1].startswith("hint: ")
    assert (out, "langflix:" in err) == ("", False)
    assert inv(f"tokens.{words[0]}", *words[1:], "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["error"], told["exit_code"]) == (said, 2)


def test_an_application_that_refuses_its_own_words_is_misused(site: Site) -> None:
    """Its code 2 is ours."""
    site.answers({"error": "the days should be 1 to 9", "exit_code": 2}, 2)
    assert inv("tokens.add", "x", "--scope", "read", "--days", "10") == 2


@pytest.mark.parametrize(
    ("value", "code", "stderr", "said"),
    [
        ({"error": "http://api:8080 does not answer: refused", "exit_code": 3}, 3, "",
         "the application did not do it: http://api:8080 does not answer: refused"),
        ({"error": "this token lets read (403)", "exit_code": 1}, 1, "",
         "the application did not do it: this token lets read"),
        ("", 2, "usage: langflix COMMAND\nlangflix: error: invalid choice: 'tokens'",
         "the application's command line gave no answer: it ended with code 2"),
        ("", 137, "", "it ended with code 137"),
        ("[]", 0, "", "gave no answer"),
    ],
)  # fmt: skip
def test_an_application_that_can_not_answer_is_the_hosts_failure(
    site: Site,
    value: object,
    code: int,
    stderr: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Code 4, with what was said at last and where to look."""
    site.answers(value, code, stderr)
    assert inv("tokens.list") == 4
    err = capsys.readouterr().err
    assert said in err
    assert "hint: ./inv status" in err
    assert all(line in err for line in stderr.splitlines())
