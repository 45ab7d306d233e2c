"""A checkout with the small stack, its rehearsal host, and a look into that from outside.

The host is a namespace of this machine: its files and its Docker can be reached whether its network
works or not.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.functional.conftest import ROOT, Site, copy_checkout

from slipway.hosts.rehearsal import machine, state
from slipway.hosts.rehearsal.values import Places

HERE = Path(__file__).parent
APP = "apps/faults"
_HOSTS = """format = 1
default = "{name}"

[host.{name}]
kind = "rehearsal"
app_dir = "/mnt/tank/{app}"
compose = ["docker-compose.faults.yml"]
docker = "/mnt/tank/docker"
"""
_PAUSE_S = 0.1


class Late(AssertionError):
    """Something did not happen in its time."""


@dataclass
class Deploying:
    """A deploy that is under way, as a process with its own session.

    Attributes:
        process: its process.
        said: the file that takes what it says.
    """

    process: subprocess.Popen[bytes]
    said: Path

    def signal(self, number: int) -> None:
        """A signal to the process that a person sees."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def text(self) -> str:
        """What it has said."""
        return self.said.read_text("utf-8", "replace")

    def end(self, seconds: float) -> int:
        """Its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Late(f"the deploy did not end within {seconds:.0f} s: {self.text()}") from None


@dataclass
class Place:
    """The checkout and the host.

    Attributes:
        site: both.
        version: what the API that was deployed last says.
    """

    site: Site
    version: int = 0

    @property
    def places(self) -> Places:
        """Where the host's state lies on this machine."""
        return Places(self.site.root / ".slipway/rehearsal" / self.site.host)

    @property
    def folder(self) -> Path:
        """The application's folder on the host, seen from this machine."""
        return self.places.pool / APP

    @property
    def init(self) -> int:
        """The host's first process."""
        for pid in machine.processes(self.places.marker):
            if state.is_init(pid):
                return pid
        raise Late("the host does not run")

    @property
    def address(self) -> str:
        """The host's address."""
        found = state.read_info(self.places)
        assert found is not None
        return found.address

    def inside(self, *argv: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a program on the host, not by its network."""
        enter = ["nsenter", "--target", str(self.init), "--mount", "--pid", "--net", "--uts"]
        return subprocess.run(
            [*enter, "--root", "--wd", "--ipc", "--", *argv],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def boot(self) -> None:
        """Boot the host unless it runs."""
        self.site.good("rehearsal.up", "--name", self.site.host)
        self.docker_program()

    def docker_program(self, before: str = "") -> None:
        """What stands for Docker's own program on the host.

        Args:
            before: lines of shell that are run first.
        """
        program = self.places.pool / "docker"
        program.write_text(f'#!/bin/sh\n{before}exec docker "$@"\n')
        program.chmod(0o755)

    def crash(self) -> None:
        """Stop the host as a loss of power does."""
        os.kill(self.init, signal.SIGKILL)
        until(lambda: not machine.processes(self.places.marker), 30, "the host is gone")

    def begin(self, *arguments: str, verb: str = "deploy", **environment: str) -> Deploying:
        """Begin a deploy; it is a version of its own unless one is given."""
        if "VERSION" not in environment:
            self.version += 1
        given = {"VERSION": str(self.version), "DATABASE": self._database(), **environment}
        self._soak(environment.get("SOAK", "2"))
        said = self.site.root / f"said-{time.monotonic_ns()}"
        with said.open("wb") as out:
            process = subprocess.Popen(
                self.site.argv(verb, *arguments),
                cwd=self.site.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                # As a person's shell starts it; a test that runs in the background ignores Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
                env={**os.environ, **given, "PYTHONPATH": str(self.site.root / "src")},
            )
        return Deploying(process, said)

    def deploy(self, **environment: str) -> str:
        """Deploy, and see that it works; what it said."""
        deploying = self.begin(**environment)
        code = deploying.end(300)
        assert code == 0, deploying.text()
        return deploying.text()

    def run(self) -> str:
        """The latest run's id; empty before the first."""
        try:
            return str((self.folder / "runs/last").readlink())
        except OSError:
            return ""

    def events(self, run: str) -> list[dict[str, Any]]:
        """What a run has noted."""
        found = []
        with contextlib.suppress(OSError):
            for line in (self.folder / "runs" / run / "events.jsonl").read_bytes().splitlines():
                with contextlib.suppress(ValueError):
                    found.append(json.loads(line))
        return found

    def runner(self) -> int:
        """The process that works at the latest run, as this machine numbers it; 0 for none."""
        words = (b"start", f"/mnt/tank/{APP}".encode())
        here = Path(f"/proc/{self.init}/ns/pid").readlink()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                argv = (entry / "cmdline").read_bytes().split(b"\0")
                runs = argv[2:3] and b"/runner/" in argv[2] and argv[3:5] == [*words]
                if runs and (entry / "ns/pid").readlink() == here:
                    return int(entry.name)
        return 0

    def reached(self, deploying: Deploying, before: str, step: str) -> None:
        """Wait until a deploy is at a step.

        Args:
            deploying: the deploy.
            before: the latest run before it.
            step: one of the host's, or one that the deploy itself says it is at.
        """

        def is_there() -> bool:
            run = self.run()
            if run != before:
                names = [one["name"] for one in self.events(run) if one["event"] == "step"]
                if step in names:
                    return True
            elif re.search(rf"^(→ |==> |\W*){step}\b", deploying.text(), re.MULTILINE):
                return True
            if deploying.process.poll() is not None:
                raise Late(f"the deploy ended before it came to {step}: {deploying.text()}")
            return False

        until(is_there, 150, f"the deploy comes to {step}", 0.02)

    def leased(self) -> bool:
        """Whether somebody holds the lease."""
        try:
            with (self.folder / "lease").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def containers(self) -> list[dict[str, Any]]:
        """Every container there is, as Docker inspects it."""
        listed = self.inside("docker", "ps", "-aq", "--no-trunc")
        if listed.returncode:
            raise Late(f"Docker does not answer: {listed.stderr.strip()}")
        ids = listed.stdout.split()
        if not ids:
            return []
        found: list[dict[str, Any]] = json.loads(
            self.inside("docker", "inspect", *ids).stdout or "[]"
        )
        return found

    def amiss(self) -> list[str]:
        """What is not as it is after a deploy that ended: of files, lease, record, containers."""
        found = [f"{name} is left" for name in self._leftovers()]
        if self.leased():
            found.append("the lease is held")
        try:
            current = (self.folder / "current").readlink().name
            record = json.loads((self.folder / "releases" / current / "release.json").read_text())
        except (OSError, ValueError) as error:
            return [*found, f"no record: {error}"]
        return [*found, *_differences(record, self.containers())]

    def _leftovers(self) -> Iterator[str]:
        odd = re.compile(r".*\.new|\.slipway\..*|\.last\..*")
        for top, folders, files in os.walk(self.folder):
            if top == str(self.folder) and "data" in folders:
                folders.remove("data")
            for name in (*folders, *files):
                if odd.fullmatch(name):
                    yield str((Path(top) / name).relative_to(self.folder))

    def says(self) -> str:
        """The version that answers; empty for none."""
        script = (
            "import urllib.request as u; "
            f"print(u.urlopen('http://{self.address}:8080/api/version', timeout=3).read().decode())"
        )
        return self.inside("python3", "-I", "-c", script).stdout.strip()

    def live_version(self) -> str:
        """The version that the record says is live."""
        document = json.loads((self.folder / "current/compose.json").read_text())
        return str(document["services"]["api"]["environment"]["VERSION"])

    def ask_database(self, sql: str) -> str:
        """The one answer to a statement; empty when the database does not answer."""
        script = (
            "IFS= read -r PGPASSWORD </run/secrets/postgres_password || :; export PGPASSWORD; "
            "export PGHOST=/run/postgresql PGUSER=langflix PGDATABASE=langflix; "
            'exec /usr/lib/postgresql/17/bin/psql -XtAwc "$0"'
        )
        argv = ("docker", "exec", "langflix-postgres-1", "/bin/sh", "-c", script, sql)
        return self.inside(*argv).stdout.strip()

    def _soak(self, seconds: str) -> None:
        """Have the stack watched for so long; Compose's variables are texts, this is a number."""
        file = self.site.root / "deploy/docker-compose.faults.yml"
        text = re.sub(r"(?m)^    seconds: \d+$", f"    seconds: {seconds}", file.read_text())
        file.write_text(text, "utf-8")

    def _database(self) -> str:
        """What the live release calls its database, so that the next one leaves it alone."""
        try:
            document = json.loads((self.folder / "current/compose.json").read_text())
        except OSError:
            return ""
        return str(document["services"]["postgres"]["labels"]["database"])

    def whole(self, seconds: float) -> float:
        """Wait until one release is whole and serves; how long that took.

        Raises:
            Late: it isn't.
        """
        began = time.monotonic()
        seen = ["?"]

        def is_whole() -> bool:
            try:
                seen[:] = self.amiss()
                if not seen and self.says() != self.live_version():
                    seen[:] = [f"{self.says()!r} answers, {self.live_version()!r} is live"]
            except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
                seen[:] = [str(error)]
            return not seen

        try:
            until(is_whole, seconds, "a release is whole", 0.5)
        except Late as late:
            raise Late(f"{late}: {'; '.join(seen)}") from None
        return time.monotonic() - began


def _differences(record: dict[str, Any], containers: list[dict[str, Any]]) -> list[str]:
    found, seen = [], []
    for one in containers:
        labels = one["Config"]["Labels"]
        service = labels.get("com.docker.compose.service", "?")
        name = one["Name"].lstrip("/")
        if labels.get("com.docker.compose.oneoff", "False").lower() == "true":
            found.append(f"{name} was started once and is left")
            continue
        seen.append(service)
        status = one["State"]["Status"]
        health = (one["State"].get("Health") or {}).get("Status", "healthy")
        if (status, health) != ("running", "healthy"):
            found.append(f"{name} is {status}, {health}")
        if labels.get("io.slipway.config") != record["hashes"].get(service):
            found.append(f"{name} is of another release")
    wanted = sorted(record["hashes"])
    if sorted(seen) != wanted:
        found.append(f"containers of {sorted(seen)} instead of {wanted}")
    return found


def until(is_so: Callable[[], bool], seconds: float, what: str, pause: float = _PAUSE_S) -> None:
    """Wait until something is so.

    Raises:
        Late: it isn't in its time.
    """
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise Late(f"waited {seconds:.0f} s until {what}")
        time.sleep(pause)


def make(root: Path, name: str) -> Place:
    """Lay a copy of this checkout with the small stack into a folder."""
    root.mkdir()
    copy_checkout(root)
    known = ROOT / ".slipway/outputs.json"
    if known.is_file():
        (root / ".slipway").mkdir(exist_ok=True)
        shutil.copy(known, root / ".slipway/outputs.json")
    deploy = root / "deploy"
    shutil.copy(HERE / "stack/docker-compose.yml", deploy / "docker-compose.faults.yml")
    (deploy / "faults/migrations").mkdir(parents=True)
    shutil.copy(HERE / "stack/program.py", deploy / "faults/program.py")
    (deploy / "faults/migrations/0001.sql").write_text("-- made by the program itself\n")
    (deploy / "hosts.toml").write_text(_HOSTS.format(name=name, app=APP), "utf-8")
    return Place(Site(root, name))
