"""A host that is this machine: the runner's packed file, started by the host's own Python."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.integration.act import docker_program

from slipway.act.pack import packed
from slipway.act.runner import packed_request
from slipway.ledger.entries import Link
from slipway.plan.actions import Compose, Write

_LONG_S = 60.0
_PAUSE_S = 0.02
RUN = "20260101-000000-abcdef"


#: How often events are waited for, some seconds each.
_ROUNDS = 60


def until(what: Callable[[], Any]) -> Any:
    """Wait until something is so."""
    end = time.monotonic() + _LONG_S
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(_PAUSE_S)
    raise AssertionError(f"it never became so: {what}")


def _service(image: str, config: str) -> dict[str, Any]:
    labels = {docker_program.CONFIG_LABEL: config}
    return {"image": image, "labels": labels, "healthcheck": {"test": ["CMD", "x"]}}


def _rooted(root: Path) -> bytes:
    """The runner, of which what the host does at its boot lies below a folder of the test's own.

    It takes whoever gives no sign for four seconds for frozen.
    """
    changes = {
        "slipway/runner/boot.py": (b'root: str = "/"', f"root: str = {str(root)!r}".encode()),
        "slipway/runner/lease.py": (b"SILENT_S = 60.0", b"SILENT_S = 4.0"),
    }
    holder = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed().data)) as archive,
        zipfile.ZipFile(holder, "w") as changed,
    ):
        for name in archive.namelist():
            data = archive.read(name)
            if name in changes:
                assert changes[name][0] in data
                data = data.replace(*changes[name])
            changed.writestr(name, data)
    return holder.getvalue()


class Site:
    """The application's folder, with releases ``r1``, which is live, and ``r2``.

    Args:
        folder: for all of it.
    """

    def __init__(self, folder: Path) -> None:
        self.app, self.bin = folder / "app", folder / "bin"
        self.bin.mkdir()
        self.file = self.app / "runner" / packed().name
        self.file.parent.mkdir(parents=True)
        self.root = folder / "root"
        self.file.write_bytes(_rooted(self.root))
        program = Path(docker_program.__file__).read_text("utf-8")
        docker = self.bin / "docker"
        docker.write_text(f"#!{sys.executable}\n{program}")
        docker.chmod(0o755)
        images = {f"demo/web:{n}": {"Id": f"sha256:{n}", "Layers": []} for n in (1, 2)}
        state = {**docker_program.EMPTY, "images": images}
        (self.bin / "docker-state.json").write_text(json.dumps(state))
        for number in (1, 2):
            path = self.app / f"releases/r{number}/compose.json"
            path.parent.mkdir(parents=True)
            services = {"web": _service(f"demo/web:{number}", f"h{number}")}
            path.write_text(json.dumps({"name": "demo", "services": services}))
        self.env = {**os.environ, "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}
        self._started: list[str] = []

    def ask(self, verb: str, *words: str, input: object = None) -> list[dict[str, Any]]:
        """Ask the runner, as a client would by way of a connection."""
        done = subprocess.run(
            ("python3", "-I", str(self.file), verb, str(self.app), *words),
            input=packed_request(input)
            if isinstance(input, dict) and verb == "start"
            else json.dumps(input).encode(),
            capture_output=True,
            env=self.env,
            timeout=_LONG_S,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def start(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a run."""
        (answer,) = self.ask("start", input=request)
        if "started" in answer:
            self._started.append(answer["started"])
        return answer

    def follow(self, run: str = RUN, *, turns: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Its events, up to the first turn that is not in ``turns`` or the end; those are taken."""
        events: list[dict[str, Any]] = []
        for _ in range(_ROUNDS):
            for event in self.ask("follow", run, str(len(events))):
                events.append(event)
                if event["event"] == "turn":
                    if event["step"] not in turns:
                        return events
                    self.answer(event["step"], run=run)
                if event["event"] == "end":
                    return events
        raise AssertionError(f"{run} came to no end: {events}")

    def last(self, run: str = RUN) -> dict[str, Any]:
        """The latest event of a run that is over."""
        return self.ask("follow", run, "0")[-1]

    def answer(self, step: str, *, index: int = 0, run: str = RUN) -> None:
        """Say that what takes this machine was done."""
        self.ask("tell", run, f"{step}-{index}", input={"failed": False})

    def pid(self, run: str = RUN) -> int:
        """Who works at a run."""
        return int((self.app / f"runs/{run}/pid").read_text())

    def kill(self, run: str = RUN) -> None:
        """End that process at once."""
        pid = self.pid(run)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid))

    def clear(self) -> None:
        """End what a failed test has left."""
        for run in self._started:
            with contextlib.suppress(OSError, ValueError):
                if alive(self.pid(run)):
                    os.kill(self.pid(run), signal.SIGKILL)

    @property
    def live(self) -> str | None:
        """The live release."""
        link = self.app / "current"
        return link.readlink().name if link.is_symlink() else None

    @property
    def images(self) -> list[str]:
        """What runs."""
        state = json.loads((self.bin / "docker-state.json").read_text())
        return [one["Image"] for one in state["containers"]]

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The host's journal."""
        text = (self.app / "journal.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


def alive(pid: int) -> bool:
    """Whether a process works; one that ended and was not asked for its end doesn't."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return words[0] not in "ZX"


def compose(release: str) -> dict[str, Any]:
    """Bring a release up."""
    return Compose(release, ("up", "--detach"), 60.0).to_json()


def link(release: str) -> dict[str, Any]:
    """Make a release the live one."""
    return Write((Link("current", f"releases/{release}"),)).to_json()


TURN = {"action": "ask", "where": "here", "url": "u", "timeout_s": 60.0}
NAMES = ("up", "verify", "record", "prune")


def request(run: str = RUN, *, turns: Sequence[str] = NAMES) -> dict[str, Any]:
    """Go from ``r1`` to ``r2``; each of ``turns`` begins with what takes another machine."""
    back = [compose("r1"), link("r1")]
    deeds = {"up": [compose("r2")], "record": [link("r2")]}
    steps = [
        {
            "name": name,
            "about": name,
            "belief": None,
            "do": [*([TURN] if name in turns else []), *deeds.get(name, [])],
            "undo": [] if name == "prune" else back,
            "reason": "",
        }
        for name in NAMES
    ]
    return {
        "format": 1, "run": run, "application": "demo", "project": "demo", "docker": "docker",
        "release": "r2",
        "edge": None, "holder": {"who": "me@here", "what": "deploy r2", "since": "noon"},
        "steps": steps, "point": "record", "checked": {"web": True}, "word": "deployed",
        "intent": {"who": "me@here"},
    }  # fmt: skip
