"""Numbers on the command line: each that can't be meant is refused before anything is done."""

from __future__ import annotations

import pytest
import tasks

from slipway.commandline import CommandLine


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("bench.load --deploys 2 --peer compose --changes 0", "--changes 0 should be 1 to 1000"),
        ("bench.load --deploys 2 --changes 0", "--changes counts those of a --peer"),
        ("bench.load --peer compose", "--deploys 0 should be 1 to 1000"),
        ("bench.load --rate 0", "--rate 0 should be 1 to 500"),
        ("bench.load --seconds 0", "--seconds 0 should be 1 to 3600"),
        ("bench.load --patience 0", "--patience 0 should be 1 to 600"),
        ("bench.all --runs 0", "--runs 0 should be 1 or more"),
        ("dev.mutate --minutes 0", "--minutes 0 should be above 0, and finite"),
        ("dev.mutate --minutes nan", "--minutes nan should be above 0, and finite"),
        ("dev.mutate --minutes inf", "--minutes inf should be above 0, and finite"),
        ("dev.mutate --minutes x", "--minutes takes a number, and got 'x'"),
    ],
)
def test_a_number_that_can_not_be_meant_is_refused(
    words: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code 2 and a sentence; 0 is not taken for none.

    A task that takes one all the same has nothing here to work with: some boot whole hosts.
    """
    monkeypatch.setattr("slipway.app.workspace.Workspace", lambda *_, **__: object())
    with pytest.raises(SystemExit, match="2"):
        CommandLine(namespace=tasks.namespace, binary="./inv").run(["./inv", *words.split()])
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
