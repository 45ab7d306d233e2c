"""Have TrueNAS know an application as one of its apps, start it, stop it, and forget it."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Any

from slipway.runner.doors import Nas
from slipway.runner.failure import Failed
from slipway.runner.middleware import AWAY, Calls, NasError, call, connected, heard

_THERE, _GONE = "EEXIST", "ENOENT"
_LINES = 10
_LOOK_S = 0.5
_JOBS = ("app.redeploy", "app.start", "app.stop", "app.update", "app.delete")
_PAUSE_S = 2.0
# Compose is given 20 minutes (``plugins/apps/compose_utils.py``), and is called twice.
_LOOKS = 1250
_LOG = "on the server, as root: tail /var/log/app_lifecycle.log"


class HostNas:
    """The middleware of the machine this runs on, over one connection as long as that holds.

    Args:
        say: told what a job is at, each time that is something else.
    """

    def __init__(self, say: Callable[[str], object] = lambda _: None) -> None:
        self._say = say
        self._open = ExitStack()
        self._calls: Calls | None = None

    def call(self, method: str, *args: object) -> Any:
        """Call a method; see :class:`slipway.runner.doors.Nas`.

        Whoever looks several times a second would else log in each time, which TrueNAS writes down.
        """
        for left in (1, 0):
            try:
                if self._calls is None:
                    self._calls = self._open.enter_context(connected())
                return self._calls(method, *args)
            except NasError as error:
                if error.kind != AWAY or not left:
                    raise
                self._open.close()
                self._calls = None
        raise AssertionError

    def heard(self, source: str, count: int, seconds: float) -> Sequence[Mapping[str, Any]]:
        """What is told by a source of events; see :class:`slipway.runner.doors.Nas`."""
        return heard(source, count, seconds)

    def run(self, method: str, *args: object) -> Any:
        """Call a method that starts a job; see :class:`slipway.runner.doors.Nas`."""
        # The client tells of a job on a thread of its own, and only this one may tell further.
        told: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        last, over = "", False
        with ThreadPoolExecutor(1) as aside:
            job = aside.submit(call, method, *args, job=True, tell=told.put)
            while not over:
                wait([job], _LOOK_S)
                over = job.done()
                while not told.empty():
                    words = str(told.get().get("description") or "")
                    if words and words != last:
                        last = words
                        self._say(f"  TrueNAS: {words}")
            return job.result()


def register(nas: Nas, app: str, document: Mapping[str, Any]) -> None:
    """Tell TrueNAS of an app; it then runs Compose's ``up`` with its file.

    Args:
        app: its name.
        document: its Compose file. It is sent as an object: text would be read by the rules of
            YAML 1.1, which take ``22:22`` for a number.

    Raises:
        Failed: TrueNAS did not take it; it then keeps nothing of it.
    """
    asked = {"app_name": app, "custom_app": True, "custom_compose_config": dict(document)}
    try:
        nas.run("app.create", asked)
    except NasError as error:
        if error.errname != _THERE:
            raise _failed("did not take the app", app, error) from error


def unregister(nas: Nas, app: str) -> None:
    """Have TrueNAS forget an app; images stay.

    Raises:
        Failed: it still knows it.
    """
    try:
        nas.run("app.delete", app, {"remove_images": False})
    except NasError as error:
        if error.errname != _GONE:
            raise _failed("still has the app", app, error) from error


def redeploy(nas: Nas, app: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Have TrueNAS end all that an app has and start what its file says by now.

    It does so whatever state the app is in, and does not wait until anything is healthy.

    Raises:
        Failed: it doesn't know the app, or could not start it; the app may then be down.
    """
    try:
        _idle(nas, app, sleep)
        nas.run("app.redeploy", app)
    except NasError as error:
        if error.errname == _GONE:
            raise Failed(
                f"TrueNAS knows no app {app}", hint="./inv deploy tells it anew"
            ) from error
        raise _failed("could not start", app, error, hint=_LOG) from error


def stop(nas: Nas, app: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Have TrueNAS end all that an app has; one that it doesn't know has nothing.

    Raises:
        Failed: it could not.
    """
    try:
        _idle(nas, app, sleep)
        nas.run("app.stop", app)
    except NasError as error:
        if error.errname != _GONE:
            raise _failed("could not stop", app, error, hint=_LOG) from error


def _idle(nas: Nas, app: str, sleep: Callable[[float], None]) -> None:
    """Wait until TrueNAS is at no other job for an app.

    One goes on when whoever asked for it is gone, and it locks against jobs of its own kind alone.

    Raises:
        NasError: it can't be asked.
        Failed: one does not end.
    """
    wanted = [["method", "in", list(_JOBS)], ["state", "in", ["WAITING", "RUNNING"]]]
    for _ in range(_LOOKS):
        jobs = nas.call("core.get_jobs", wanted)
        at = [str(one["method"]) for one in jobs if one["arguments"][:1] == [app]]
        if not at:
            return
        sleep(_PAUSE_S)
    raise Failed(f"TrueNAS is still at {at[0]} of {app}", hint=_LOG)


def _failed(what: str, app: str, error: NasError, hint: str = "") -> Failed:
    lines = error.message.strip().splitlines()
    text = f"TrueNAS {what} {app}: {lines[0] if lines else error.kind}"
    return Failed(text, details=lines[1 : _LINES + 1], hint=hint)
