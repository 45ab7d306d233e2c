"""The lease by real processes: it ends with whoever holds it, and counts its holders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.runner.site import until

from slipway.runner import lease as leases
from slipway.runner import life
from slipway.runner.lease import Lease

ME = {"who": "me@here", "what": "deploy r1"}
HOLD = """
import os, sys, threading, time
from slipway.runner.lease import Lease
held = Lease(sys.argv[1])
said = held.take({"who": sys.argv[2], "what": "w"})
print("got" if said is None else "busy " + said.get("who", "?"), flush=True)
if said is None and sys.argv[3:] == ["mute"]:
    os.utime = None
    threading.excepthook = lambda _: None
    while True:
        time.sleep(0.05)
if said is None and len(sys.argv) > 3:
    sys.stdin.read()
"""


def hold(folder: Path, who: str, *more: str) -> subprocess.Popen[str]:
    """A process that takes it, and with more words keeps it until it is told."""
    return subprocess.Popen(
        (sys.executable, "-c", HOLD, str(folder), who, *more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(leases.__file__).parents[2])},
    )


def said(process: subprocess.Popen[str]) -> str:
    """Its first line."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    """Let it end."""
    process.communicate(timeout=60)


def test_it_keeps_others_out_until_its_holder_ends(tmp_path: Path) -> None:
    """Others are told who it is; it is free as soon as that process has ended."""
    holder = hold(tmp_path, "anna", "keep")
    try:
        assert said(holder) == "got"
        mine = Lease(tmp_path.as_posix())
        assert mine.held()
        busy = mine.take(ME)
        assert busy is not None
        assert (busy["who"], busy["pid"]) == ("anna", holder.pid)
    finally:
        end(holder)
    assert not mine.held()
    assert mine.take(ME) is None
    mine.give_up()


def test_a_killed_holder_keeps_nobody_out(tmp_path: Path) -> None:
    """The kernel lets it go; no clock has a part in it."""
    holder = hold(tmp_path, "anna", "keep")
    assert said(holder) == "got"
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=60)
    mine = Lease(str(tmp_path))
    assert mine.take(ME) is None
    assert json.loads((tmp_path / "lease").read_text())["who"] == "me@here"
    mine.give_up()


def test_its_number_grows(tmp_path: Path) -> None:
    """Also over a holder that was killed: what an earlier one wrote can be told apart."""
    numbers = []
    for who in ("a", "b", "c"):
        holder = hold(tmp_path, who, "keep")
        assert said(holder) == "got"
        numbers.append(json.loads((tmp_path / "lease").read_text())["number"])
        if who == "b":
            holder.kill()
        end(holder)
    assert numbers == [1, 2, 3]


def test_only_one_of_many_gets_it(tmp_path: Path) -> None:
    """Of many that ask at the same time; the others are told by whom it is held."""
    many = [hold(tmp_path, f"p{number}", "keep") for number in range(6)]
    try:
        words = [said(one) for one in many]
        assert words.count("got") == 1
        winner = f"p{words.index('got')}"
        assert set(words) - {"got"} == {f"busy {winner}"}
    finally:
        for one in many:
            end(one)


def test_a_child_does_not_inherit_it(tmp_path: Path) -> None:
    """A program that was started meanwhile, and outlives its parent, keeps nobody out."""
    mine = Lease(str(tmp_path))
    assert mine.take(ME) is None
    child = subprocess.Popen(("sleep", "60"), close_fds=False)
    try:
        mine.give_up()
        assert until(lambda: Lease(str(tmp_path)).take(ME) is None)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "[" * 60000, '{"number": 7}', '{"number": "x"}', '{"number": null}',
     '{"number": 7.5}', '{"number": [1]}', '{"number": true}', '{"number": -3}'],
)  # fmt: skip
def test_whatever_its_file_says(tmp_path: Path, text: str) -> None:
    """The lock decides, not the file."""
    (tmp_path / "lease").write_text(text)
    mine = Lease(str(tmp_path))
    assert not mine.held()
    assert mine.take(ME) is None
    number = json.loads((tmp_path / "lease").read_text())["number"]
    assert number == (8 if "7}" in text else 1)
    mine.give_up()
    assert json.loads((tmp_path / "lease").read_text()) == {"number": number}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute is three seconds."""
    monkeypatch.setattr(leases, "SILENT_S", 3.0)
    monkeypatch.setattr(leases, "_LOOK_S", 1.5)


def silent(lease: Lease) -> bool:
    """Whether its holder has given no sign for longer than that."""
    return lease.silent() > 3.5


@pytest.mark.usefixtures("soon")
def test_a_frozen_holder_is_ended(tmp_path: Path) -> None:
    """Once it has been silent for long; not while it gives signs, and not just after its last."""
    holder = hold(tmp_path, "anna", "keep")
    try:
        assert said(holder) == "got"
        mine = Lease(str(tmp_path))
        assert not mine.outlive()
        holder.send_signal(signal.SIGSTOP)
        assert not mine.outlive()
        until(lambda: silent(mine))
        assert holder.poll() is None
        assert mine.outlive()
        assert holder.wait(60) == -signal.SIGKILL
        assert (mine.silent(), mine.outlive()) == (0.0, False)
        assert mine.take(ME) is None
        mine.give_up()
    finally:
        holder.kill()
        end(holder)


@pytest.mark.usefixtures("soon")
def test_one_that_wakes_up_in_time_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at twice."""
    holder = hold(tmp_path, "anna", "keep")
    try:
        assert said(holder) == "got"
        mine = Lease(str(tmp_path))
        holder.send_signal(signal.SIGSTOP)
        until(lambda: silent(mine))
        real = time.sleep

        def wakes(seconds: float) -> None:
            holder.send_signal(signal.SIGCONT)
            real(seconds)

        monkeypatch.setattr("slipway.runner.lease.time.sleep", wakes)
        assert not mine.outlive()
        assert holder.poll() is None
    finally:
        end(holder)


@pytest.mark.usefixtures("soon")
def test_one_whose_signs_do_not_arrive_lives(tmp_path: Path) -> None:
    """It works, and is left alone, as on a disk that takes nothing any more."""
    holder = hold(tmp_path, "anna", "mute")
    try:
        assert said(holder) == "got"
        mine = Lease(str(tmp_path))
        until(lambda: silent(mine))
        assert not mine.outlive()
        assert holder.poll() is None
    finally:
        holder.kill()
        end(holder)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    "change", [{"started": 1}, {"started": "x"}, {"pid": None}, {"started": 0}]
)
def test_another_process_is_never_hit(tmp_path: Path, change: dict[str, object]) -> None:
    """A number that was given again is not that of whoever took the lease."""
    holder, other = hold(tmp_path, "anna", "keep"), subprocess.Popen(("sleep", "600"))
    try:
        assert said(holder) == "got"
        holder.send_signal(signal.SIGSTOP)
        file, mine = tmp_path / "lease", Lease(str(tmp_path))
        words = {**json.loads(file.read_text()), "pid": other.pid, **change}
        file.write_text(json.dumps(words))
        until(lambda: silent(mine))
        assert not mine.outlive()
        assert (holder.poll(), other.poll()) == (None, None)
    finally:
        other.kill()
        other.wait()
        holder.kill()
        end(holder)


def test_signs_go_on(tmp_path: Path) -> None:
    """As long as it is held; their time is counted from the host's boot."""
    mine = Lease(str(tmp_path))
    assert mine.take(ME) is None
    file, seen = tmp_path / "lease", set[int]()

    def several() -> bool:
        sign = file.stat().st_mtime_ns
        if sign / 1e9 <= life.uptime():
            seen.add(sign)
        return len(seen) > 2

    until(several)
    mine.give_up()
    assert mine.silent() == 0.0


@pytest.mark.parametrize("when", [1.0, 1e9, 4e9])
def test_a_time_that_is_no_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: float
) -> None:
    """Whatever the host's clock says, of 1970 too: it is counted from when the lease was taken."""
    holder = hold(tmp_path, "anna", "keep")
    try:
        assert said(holder) == "got"
        holder.send_signal(signal.SIGSTOP)
        until(lambda: ") T " in Path(f"/proc/{holder.pid}/stat").read_text())
        began = json.loads((tmp_path / "lease").read_text())["sign"]
        os.utime(tmp_path / "lease", (when, when))
        monkeypatch.setattr(life, "uptime", lambda: began + 100)
        assert Lease(str(tmp_path)).silent() == pytest.approx(100)
    finally:
        holder.kill()
        end(holder)
