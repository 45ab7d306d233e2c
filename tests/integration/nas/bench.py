"""A stand-in of a TrueNAS on this machine: its server, its client and midclt as real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from slipway.hosts.rehearsal import nasfiles
from slipway.hosts.rehearsal.nasfiles import Release
from slipway.hosts.rehearsal.truenas import SUDOERS

FAKE = Path(__file__).with_name("docker_program.py")
_START_S = 30.0
_LOOK_S = 0.05

# What a program on a NAS does: one request on standard input, the answer on standard output.
DRIVER = """\
import json, sys
from truenas_api_client import Client, ClientException, ValidationErrors, ejson
told = json.load(sys.stdin)
try:
    with Client(told["uri"]) as client:
        options = {"job": True} if told["job"] else {}
        print(ejson.dumps({"result": client.call(told["method"], *told["params"], **options)}))
except ValidationErrors as error:
    print(json.dumps({"error": str(error), "errors": error.errors}))
except ClientException as error:
    print(ejson.dumps({"error": error.error, "errno": error.errno, "trace": error.trace,
                       "extra": error.extra}))
"""

# midclt as another user: for the moment in which it connects, since that user may not be able to
# read this machine's Python.
AS_USER = """\
import _socket, os, socket, sys
from truenas_api_client import main
uid = int(sys.argv.pop(1))
def connect(self, where):
    os.seteuid(uid)
    try:
        _socket.socket.connect(self, where)
    finally:
        os.seteuid(0)
socket.socket.connect = connect
main()
"""


class Refused(Exception):
    """The middleware said no.

    Attributes:
        errors: wrong arguments, each with attribute, text and number.
        errno: the error's number.
        trace: where it happened.
        extra: more.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told["error"])
        self.errors = told.get("errors")
        self.errno = told.get("errno")
        self.trace = told.get("trace")
        self.extra = told.get("extra")


@dataclass(frozen=True, slots=True)
class Done:
    """A program that has ended; line ends are as it wrote them."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Nas:
    """A stand-in.

    Attributes:
        root: all that is its own.
        release: which TrueNAS.
    """

    root: Path
    release: Release
    server: subprocess.Popen[bytes] | None = None
    arguments: list[str] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.root / "run/m.sock"

    @property
    def apps(self) -> Path:
        return self.root / "mnt/.ix-apps"

    @property
    def pool(self) -> Path:
        return self.root / "mnt/tank"

    @property
    def docker(self) -> Path:
        return self.root / "docker-client"

    @property
    def sudoers(self) -> Path:
        return self.root / "sudoers"

    @property
    def log(self) -> Path:
        return self.root / "log/app_lifecycle.log"

    @property
    def uri(self) -> str:
        return f"ws+unix://{self.socket}"

    @property
    def libraries(self) -> Path:
        return self.root / "files" / nasfiles.LIBRARIES[1:]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(self.libraries),
            "PYTHONDONTWRITEBYTECODE": "1",
            "FAKE_DOCKER": str(self.root / "docker"),
            "FAKE_DOCKER_PACKAGES": str(Path(yaml.__file__).parents[1]),
        }

    def place(self) -> None:
        """Lay the files as they lie on the host."""
        for row in nasfiles.files(self.release):
            path = self.root / "files" / row.path[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(row.text, "utf-8")
            path.chmod(row.mode)
        self.docker.write_text(f"#!{sys.executable} -SE\n{FAKE.read_text('utf-8')}", "utf-8")
        self.docker.chmod(0o755)

    def reset(self) -> None:
        """An empty NAS with the pools ``tank`` and ``dozer``."""
        for name in ("mnt", "data", "log", "docker"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        for name in ("mnt/.ix-apps", "mnt/tank", "mnt/dozer", "data", "log", "docker", "run"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "faults.json").unlink(missing_ok=True)
        self.sudoers.unlink(missing_ok=True)
        self.sudoers.write_text(SUDOERS, "utf-8")

    def start(self) -> None:
        """Start the server, and wait until it listens."""
        places = {"socket": self.socket, "pools": self.root / "mnt", "apps": self.apps,
                  "data": self.root / "data", "log": self.log, "jobs-log": self.root / "log/jobs",
                  "faults": self.root / "faults.json", "docker": self.docker,
                  "sudoers": self.sudoers}  # fmt: skip
        argv = [sys.executable, *nasfiles.service(self.release)[1:]]
        argv += [word for name, path in places.items() for word in (f"--{name}", str(path))]
        with (self.root / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [*argv, *self.arguments],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait(self.listens)

    def stop(self) -> None:
        """End the server, and the Docker clients it may just have started."""
        if self.server is not None:
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait()

    def listens(self) -> bool:
        """Whether somebody answers on the socket."""
        with socket.socket(socket.AF_UNIX) as one:
            return one.connect_ex(str(self.socket)) == 0

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait for something; a limit keeps a broken run from hanging."""
        deadline = time.monotonic() + _START_S
        while not until():
            assert time.monotonic() < deadline, (self.root / "server.log").read_text()
            time.sleep(_LOOK_S)

    def faults(self, **told: object) -> None:
        """Have things go wrong from now on."""
        beside = self.root / "faults.new"
        beside.write_text(json.dumps(told))
        beside.replace(self.root / "faults.json")

    def call(self, method: str, *params: object, job: bool = False) -> Any:
        """Call a method over the client module.

        Raises:
            Refused: the middleware said no.
        """
        told = {"uri": self.uri, "method": method, "params": params, "job": job}
        done = subprocess.run(
            [sys.executable, "-c", DRIVER], input=json.dumps(told), env=self.environment,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise Refused(answer)
        return answer["result"]

    def job(self, method: str, *params: object) -> Any:
        """Call a method that is a job, and wait for it."""
        return self.call(method, *params, job=True)

    def midclt(self, *words: str, said: str = "", uid: int = -1) -> Done:
        """Run ``midclt``, as another user perhaps."""
        program = [str(self.root / "files/usr/bin/midclt")]
        argv = [sys.executable, *(["-c", AS_USER, str(uid)] if uid >= 0 else program)]
        argv += ["-u", self.uri, *words]
        done = subprocess.run(
            argv,
            input=said.encode(),
            env=self.environment,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def event(self, name: str, happen: Callable[[], object]) -> dict[str, Any]:
        """The first event that ``midclt subscribe`` prints while something happens repeatedly."""
        argv = [sys.executable, str(self.root / "files/usr/bin/midclt"), "-u", self.uri]
        argv += ["subscribe", name, "-n", "1", "-t", "60"]
        with subprocess.Popen(argv, env=self.environment, stdout=subprocess.PIPE) as one:
            while one.poll() is None:
                happen()
            assert one.stdout is not None
            assert one.returncode == 0
            return dict(json.loads(one.stdout.readline()))

    def docker_calls(self, *, word: str = "compose") -> list[list[str]]:
        """How Docker was called, calls with a word alone."""
        try:
            lines = (self.root / "docker/calls.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [words for words in map(json.loads, lines) if word in words]

    def docker_state(self) -> dict[str, Any]:
        """What the Docker that plays has."""
        path = self.root / "docker/state.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def set_docker_state(self, state: dict[str, Any]) -> None:
        """Change it."""
        (self.root / "docker/state.json").write_text(json.dumps(state))


WEB = {"services": {"web": {"image": "web:1", "ports": ["8080:80"]}}}


def custom(app: str, config: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    """What ``app.create`` takes for a custom app."""
    return {
        "app_name": app,
        "custom_app": True,
        "custom_compose_config": config if config is not None else WEB,
        **more,
    }
