"""The real Docker: its own programs, which end when this process does."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import IO

from slipway.runner import older, pull
from slipway.runner.children import (
    ChildEvents,
    ChildStopping,
    die_with_parent,
    ended,
    text_of,
)
from slipway.runner.containers import (
    CONTAINER_FORMAT,
    PROJECT_LABEL,
    Container,
    parse_containers,
)
from slipway.runner.doors import Done
from slipway.runner.failure import Failed
from slipway.runner.gaps import ACTIONS
from slipway.runner.login import Login

_ASK_S = 60.0
_REMOVE_S = 300.0
_SLICE_S = 0.2
_WAIT_S = 60.0
_AGAIN_S = 1.0
_UNREAD = 5
_ENDINGS = 5
RUN_LABEL = "io.slipway.run"
TIMED_OUT = 124


class HostDocker:
    """Docker and Compose, for one application.

    Args:
        project: Compose's project name.
        docker: the docker program.
        heed: called while something is waited for; it raises when somebody wants the end.
        run: id of the run that it is used by, for the label of one-off containers.
        spare: a folder of ours, for logins where the host has no place in memory for them.
    """

    def __init__(
        self, project: str, docker: str, heed: Callable[[], None] = lambda: None, run: str = "",
        spare: str = "",
    ) -> None:  # fmt: skip
        self._project, self._docker, self._heed = project, docker, heed
        self._name, self._spare = run, spare
        self._all_known: bool | None = None

    def containers(self) -> tuple[Container, ...]:
        """The application's containers; a daemon that is just restarting is waited for.

        Raises:
            Failed: Docker doesn't answer for a minute.
        """
        end, unread = time.monotonic() + _WAIT_S, 0
        while True:
            done = self._look()
            if done.ok:
                try:
                    return parse_containers(done.out)
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    unread += 1  # a daemon that dies leaves off in the middle of a line
                    if unread == _UNREAD:
                        text = f"`docker inspect` printed what isn't known: {error}"
                        raise Failed(text) from error
            elif time.monotonic() >= end:
                raise Failed("Docker doesn't answer", details=done.err.strip().splitlines()[-3:])
            time.sleep(_AGAIN_S)

    def _look(self) -> Done:
        """Ask for the containers; one that vanishes between the two commands is left out."""
        ours = f"label={PROJECT_LABEL}={self._project}"
        listed = self._run(
            ("container", "ls", "--all", "--quiet", "--no-trunc", "--filter", ours), _ASK_S
        )
        ids = listed.out.split()
        if not listed.ok or not ids:
            return Done(listed.code, "", listed.err)
        done = self._run(("container", "inspect", "--format", CONTAINER_FORMAT, *ids), _ASK_S)
        # A daemon that dies meanwhile ends the answer early, too; its containers are not gone.
        gone = sum("no such" in line.lower() for line in done.err.splitlines())
        if done.code in (0, 1) and len(done.out.splitlines()) + gone == len(ids):
            return Done(0, done.out)
        return Done(done.code or 1, "", done.err or "its answer leaves something out")

    def compose(
        self, file: str, arguments: Sequence[str], timeout_s: float, *, output: str = "",
        input: str = "",
    ) -> Done:  # fmt: skip
        """Run Compose; see :meth:`slipway.runner.doors.Docker.compose`."""
        if arguments[0] == "run":
            arguments = ("run", "--label", f"{RUN_LABEL}={self._name}", *arguments[1:])
        argv = ("compose", "-p", self._project, "-f", self._fitting(file), *arguments)
        if not output:
            # What was told to end can't be told otherwise, and would do so after it was put back.
            return self._run(argv, timeout_s, input=input, heed=arguments[0] != "stop")
        fresh = f"{output}.new"
        os.makedirs(os.path.dirname(output), mode=0o700, exist_ok=True)
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file_:
                done = self._run(argv, timeout_s, stdout=file_, heed=True)
                file_.flush()
                os.fsync(file_.fileno())
            if done.ok:
                os.replace(fresh, output)
            return done
        finally:
            if os.path.exists(fresh):
                os.unlink(fresh)

    def _fitting(self, file: str) -> str:
        """The file; where one of them is older, another that says the same as far as it can."""
        try:
            with open(file, encoding="utf-8") as opened:
                text = opened.read()
        except OSError:
            return file  # Compose itself says so
        if not any(word in text for word in older.WORDS) or self._knows():
            return file
        beside = f"{file[: -len('.json')]}.older.json"
        fresh = f"{beside}.new"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as opened:
            json.dump(older.fitted(json.loads(text)), opened)
        os.replace(fresh, beside)
        return beside

    def _knows(self) -> bool:
        """Whether Docker and Compose know all that a file may say; so they do if they don't say."""
        if self._all_known is None:
            said = [self._run(argv, _ASK_S) for argv in older.QUESTIONS]
            self._all_known = older.knows(*(one.out if one.ok else "" for one in said))
        return self._all_known is not False

    def events(self) -> ChildEvents:
        """Begin to note what happens to containers."""
        filters = [f"label={PROJECT_LABEL}={self._project}", *(f"event={one}" for one in ACTIONS)]
        words = [word for one in filters for word in ("--filter", one)]
        return ChildEvents((self._docker, "events", *words, "--format", "{{json .}}"))

    def execute(self, container: str, argv: Sequence[str], timeout_s: float) -> Done:
        """Run a program in a container."""
        return self._run(("exec", container, *argv), timeout_s)

    def last_lines(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines a container wrote; empty when it is gone."""
        done = self._run(("logs", "--tail", str(count), container), _ASK_S)
        said = [*done.out.splitlines(), *done.err.splitlines()]
        return _lines(said if done.ok else (), count)

    def last_check(self, container: str, count: int) -> tuple[str, ...]:
        """The last lines of its health check that failed last; empty when none did."""
        form = "{{json .State.Health.Log}}"  # an error where there is no health check
        done = self._run(("container", "inspect", "--format", form, container), _ASK_S)
        try:
            log = json.loads(done.out) if done.ok else None
            failed = [one["Output"] for one in log or () if one["ExitCode"]]
        except (ValueError, KeyError, TypeError):
            return ()
        return _lines(failed[-1].splitlines() if failed else (), count)

    def stop(self, containers: Sequence[str]) -> ChildStopping:
        """Begin to stop containers, each within its own grace period."""
        return ChildStopping([self._begin(("container", "stop", one)) for one in containers])

    def remove(self, containers: Sequence[str]) -> None:
        """Remove containers; one that is gone already, or just going, is no error."""
        if containers:
            self._run(("container", "rm", "--force", *containers), _REMOVE_S)

    def end_once(self) -> int:
        """End one-off containers of runs; see :meth:`slipway.runner.doors.Docker.end_once`."""
        gone: set[str] = set()
        filters = ("--filter", f"label={PROJECT_LABEL}={self._project}", "--filter",
                   f"label={RUN_LABEL}")  # fmt: skip
        for left in reversed(range(_ENDINGS)):
            done = self._run(
                ("container", "ls", "--all", "--quiet", "--no-trunc", *filters), _ASK_S
            )
            ids = done.out.split()
            if done.ok and not ids:
                break
            if not left:
                lines = done.err.strip().splitlines()[-3:]
                text = "what an earlier command began in a container of its own can't be ended"
                raise Failed(text, details=lines or ids)
            gone |= set(ids)
            self.remove(ids)
            time.sleep(_SLICE_S)
        return len(gone)

    def rename(self, container: str, name: str) -> bool:
        """Give one another name; False when it is taken."""
        return self._run(("container", "rename", container, name), _ASK_S).ok

    def pull(self, source: str, reference: str, login: Login | None) -> None:
        """Get an image from a registry; see :meth:`slipway.runner.doors.Docker.pull`."""
        pull.get(self._run, source, reference, login, (self._project, self._spare))

    def remove_images(self, references: Sequence[str]) -> int:
        """Remove tags; how many stayed because a container uses them."""
        self._run(("image", "rm", *references), _REMOVE_S)
        left = self._run(("image", "ls", "--format", "{{.Repository}}:{{.Tag}}"), _ASK_S)
        return len(set(references) & set(left.out.split()))

    def remove_networks(self, names: Sequence[str]) -> None:
        """Remove networks and what is attached to them; one that is gone is no error.

        Whatever has not Compose's labels is somebody else's, also under a name of ours.

        Raises:
            Failed: one can't be removed.
        """
        ours = f"label={PROJECT_LABEL}={self._project}"
        for name in names:
            label = f"label=com.docker.compose.network={name}"
            found = self._run(
                ("network", "ls", "--quiet", "--no-trunc", "--filter", ours, "--filter", label),
                _ASK_S,
            )
            for network in found.out.split():
                self._empty(network, ours)
                done = self._run(("network", "rm", network), _REMOVE_S)
                if not done.ok:
                    said = done.err.strip().splitlines()[-3:]
                    raise Failed(f"the network {name} can't be removed", details=said)

    def _empty(self, network: str, ours: str) -> None:
        filters = ("--filter", ours, "--filter", f"network={network}")
        left = self._run(("container", "ls", "--all", "--quiet", *filters), _ASK_S).out.split()
        if left:
            self._run(("container", "stop", *left), _REMOVE_S)
            self.remove(left)

    def _begin(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            (self._docker, *argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )

    def _run(
        self,
        argv: Sequence[str],
        timeout_s: float,
        *,
        input: str = "",
        stdout: IO[bytes] | None = None,
        heed: bool = False,
    ) -> Done:
        """Run docker to its end, or until its time is over or somebody wants the end."""
        source = open(input, "rb") if input else None
        try:
            process = subprocess.Popen(
                (self._docker, *argv),
                stdin=source or subprocess.DEVNULL,
                stdout=stdout or subprocess.PIPE,
                stderr=subprocess.PIPE,
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            return Done(127, "", f"{self._docker}: {error.strerror}")
        finally:
            if source:
                source.close()
        end = time.monotonic() + timeout_s
        while True:
            try:
                out, err = process.communicate(timeout=_SLICE_S)
                return Done(process.returncode, text_of(out), text_of(err))
            except subprocess.TimeoutExpired:
                if time.monotonic() >= end:
                    err = ended(process)
                    return Done(TIMED_OUT, "", f"{text_of(err)}\nran out of time")
                try:
                    if heed:
                        self._heed()
                except BaseException:
                    ended(process)
                    raise


def _lines(found: Sequence[str], count: int) -> tuple[str, ...]:
    """The last of these that are not blank."""
    return tuple(line.rstrip() for line in found if line.strip())[-count:]
