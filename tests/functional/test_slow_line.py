"""Deploys over a slow and lossy line: 5 Mbit/s, a round trip of 100 ms, 2 % of packets lost.

The line is :class:`slipway.testing.wire.Wire`: each way has that rate, half the trip and that loss.
What was measured is left in ``.slipway/slow-line.json``; docs/performance.md has it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.functional.conftest import FILES, ROOT, Site
from tests.functional.test_other_hosts import add_host
from tests.functional.variants import APP

from slipway.app.speeds import until
from slipway.config import load
from slipway.doors import SystemClock
from slipway.hosts.rehearsal import Rehearsals, machine, network, state
from slipway.hosts.rehearsal.values import Places
from slipway.images.portions import PORTION_BYTES
from slipway.report import LOG_LINE_S, LOOK_S, Report
from slipway.shell import LocalShell
from slipway.supply.outputs import outputs
from slipway.testing.line import Quality
from slipway.testing.wire import Wire

NAME = "far"
#: The same host, by its own address.
NEAR = "near"
QUALITY = Quality(rate=5e6, delay_s=0.05, loss=0.02)
RUNS = 3
#: Bytes on the line after which it is cut: several portions have arrived by then.
CUT_AT = 30_000_000
_SHOWN = re.compile(r"(\d+(?:\.\d+)?) MB of (\d+(?:\.\d+)?) MB")
_LIMIT_S = 3000


@dataclass
class Talk:
    """What a command said, and when.

    Attributes:
        argv: the command.
        cwd: where it runs.
        env: its variables.
        on_line: told each line.
        lines: seconds by a clock that only grows, and the line.
        code: how it ended.
        out: its standard output.
    """

    argv: list[str]
    cwd: Path
    env: dict[str, str]
    on_line: Callable[[str], None] = lambda _: None
    lines: list[tuple[float, str]] = field(default_factory=list)
    code: int = -1
    out: str = ""

    def run(self) -> Talk:
        """Run it to its end."""
        pipe = subprocess.PIPE
        with subprocess.Popen(
            self.argv, cwd=self.cwd, env=self.env, stdout=pipe, stderr=pipe, text=True
        ) as process:
            ends = threading.Timer(_LIMIT_S, process.kill)
            ends.start()
            assert process.stderr is not None
            assert process.stdout is not None
            for line in process.stderr:
                self.lines.append((time.monotonic(), line.rstrip("\n")))
                self.on_line(line)
            self.out = process.stdout.read()
            self.code = process.wait()
            ends.cancel()
        return self

    @property
    def text(self) -> str:
        """All that it said."""
        return "\n".join(line for _, line in self.lines)


@pytest.fixture(scope="module")
def line(site: Site) -> Iterator[Wire]:
    """A slow line to a host of its own, which hosts.toml knows by the line's address."""
    (tree,) = outputs(LocalShell(), site.root, load(site.root), ("rehearsal-host",)).values()
    name, shell = f"far-{secrets.token_hex(3)}", LocalShell()
    folder = site.root / ".slipway/rehearsal"
    hosts = Rehearsals(folder, shell=shell, clock=SystemClock(), report=Report())
    try:
        info = hosts.up(name, tree)
        places = Places(Path(info.state_dir))
        pid = next(pid for pid in machine.processes(places.marker) if state.is_init(pid))
        net = network.choose(secrets.token_hex(5), machine.taken(shell))
        with Wire(pid, net, f"line{secrets.token_hex(3)}", QUALITY) as wire:
            known = site.root / ".slipway/far-known"
            keys = Path(info.known_hosts_path).read_text("utf-8")
            known.write_text(keys.replace(info.address, wire.address), "utf-8")
            for called, address, keys_of in (
                (NAME, wire.address, str(known)), (NEAR, info.address, info.known_hosts_path),
            ):  # fmt: skip
                add_host(site, called, {
                    "kind": "ssh", "address": address, "user": "root", "key_file": info.key_path,
                    "known_hosts": keys_of, "app_dir": APP, "compose": FILES[:2],
                })  # fmt: skip
            yield wire
    finally:
        hosts.down(name)


def note(name: str, figures: object) -> None:
    """Leave figures for a person."""
    place = ROOT / ".slipway/slow-line.json"
    known = json.loads(place.read_text("utf-8")) if place.exists() else {}
    place.write_text(json.dumps({**known, name: figures}, indent=1) + "\n", "utf-8")


def command(site: Site, *arguments: str, on_line: Callable[[str], None] = lambda _: None) -> Talk:
    """A command on the far host, as a person types it."""
    environment = {**os.environ, "PYTHONPATH": str(site.root / "src")}
    argv = site.argv(*arguments, "--host", NAME)
    return Talk(argv, site.root, environment, on_line).run()


def deployed(site: Site) -> tuple[float, dict[str, Any]]:
    """Deploy; seconds of the command, and what it printed."""
    began = time.monotonic()
    talk = command(site, "deploy", "--json")
    assert talk.code == 0, talk.text
    return time.monotonic() - began, json.loads(talk.out)


def changed(site: Site, number: int) -> dict[str, Any]:
    """Change a line and deploy it; from the first time on both sides keep what it was before."""
    with (site.root / "src/langflix/api/app.py").open("a", encoding="utf-8") as file:
        file.write(f"# far, {number}\n")
    seconds, outcome = deployed(site)
    assert (outcome["outcome"], outcome["containers_touched"]) == ("deployed", 1)
    return {
        "live": until(seconds, outcome, "verify"), "smoke": until(seconds, outcome, "smoke"),
        "seconds": seconds, "bytes": outcome["bytes_sent"], "asked": outcome["round_trips"],
        "steps": {one["name"]: one["seconds"] for one in outcome["steps"]},
    }  # fmt: skip


def sent(talk: Talk) -> list[tuple[float, float, float]]:
    """When it told how far the transfer was, and of how many bytes."""
    found = [(at, _SHOWN.search(line)) for at, line in talk.lines]
    return [(at, float(one[1]) * 1e6, float(one[2]) * 1e6) for at, one in found if one]


@pytest.mark.long  # tests/unit/hosts/test_sending.py, tests/unit/core/test_core.py
def test_a_first_deploy_gets_through_a_line_that_breaks(site: Site, line: Wire) -> None:
    """It tells how far it is all the time, goes on from what had arrived, and ends live."""

    def break_it(text: str) -> None:
        if line.there.carried > CUT_AT and not line.there.cut and "going on" not in said:
            line.cut()
        if "going on with the transfer" in text:
            said.append("going on")
            line.mend()

    said: list[str] = []
    began = time.monotonic()
    talk = command(site, "deploy", "--json", on_line=break_it)
    took = time.monotonic() - began
    assert talk.code == 0, talk.text
    assert said == ["going on"], talk.text
    assert json.loads(talk.out)["outcome"] == "deployed"
    told = sent(talk)
    gaps = [after[0] - before[0] for before, after in pairwise(told)]
    assert max(gaps) <= 3 * (LOG_LINE_S + LOOK_S), talk.text
    broke = next(number for number, (_, line) in enumerate(talk.lines) if "going on" in line)
    (_, at_break, whole) = sent(Talk([], site.root, {}, lines=talk.lines[:broke]))[-1]
    again = told[-1][2] - whole
    assert 0 <= again <= at_break - PORTION_BYTES, talk.text
    note("first deploy", {
        "seconds": took, "longest silence": max(gaps), "MB on the line": line.there.carried / 1e6,
        "packets lost": line.there.lost, "round trips": json.loads(talk.out)["round_trips"],
        "sent again, unpacked MB": again / 1e6,
        "steps": json.loads(talk.out)["steps"],
    })  # fmt: skip


@pytest.mark.long  # tests/integration/act/test_round_trips.py
def test_a_changed_line_is_soon_live(site: Site, line: Wire) -> None:
    """The far host is asked seldom, and little is sent: the line costs seconds, not minutes."""
    site.good("deploy", "--host", NEAR)
    figures = [changed(site, number) for number in range(1 + RUNS)][1:]
    assert max(one["bytes"] for one in figures) < 40_000
    note("changed line", figures)
    note("nothing changed", [deployed(site)[0] for _ in range(RUNS)])
    assert deployed(site)[1]["round_trips"] <= 3
