"""The middleware itself: methods by name, who may call them, jobs, events."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from . import checks
from . import faults as faults_file
from .errors import ENOTAUTHENTICATED, CallError
from .jobs import Job, Jobs, may_see
from .people import FULL_ADMIN, Person
from .settings import Settings

NOBODY = ""  # may be called without a session
ANYBODY = "anybody"  # by everybody who has one


class Listener(Protocol):
    """A session that events are told to."""

    person: Person | None

    def hear(self, name: str, kind: str, number: object, fields: object) -> None:
        """An event of a collection."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """How a method's jobs are.

    Attributes:
        lock: makes the lock's name from the arguments as they were given; None for no lock.
        logs: whether they have a log.
    """

    lock: Callable[[list[Any]], str] | None = None
    logs: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method.

    Attributes:
        name: with its namespace, such as ``app.create``.
        run: does it; is given the :class:`Call` and the arguments.
        fields: its arguments.
        role: what its caller needs.
        job: None for a plain call.
    """

    name: str
    run: Callable[..., Any]
    fields: tuple[checks.Field, ...] = ()
    role: str = FULL_ADMIN
    job: JobKind | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What a method is told of its call.

    Attributes:
        middleware: the middleware.
        person: who calls.
        session: over which session; None from within.
        job: the job that it is.
    """

    middleware: Middleware
    person: Person | None = None
    session: Any = None
    job: Job | None = None

    def progress(self, percent: int, description: str = "") -> None:
        """How far the job is."""
        if self.job is not None:
            self.job.set_progress(percent, description)


class Middleware:
    """All that the stand-in knows.

    Attributes:
        settings: where things are.
        jobs: all jobs.
        methods: by name.
        docker_status: what Docker's status is while apps are moved; empty otherwise.
    """

    def __init__(self, settings: Settings, methods: Iterable[Method]) -> None:
        self.settings = settings
        self.release = settings.release
        self.jobs = Jobs()
        self.methods = {method.name: method for method in methods}
        self.docker_status = ""
        self._listeners: set[Listener] = set()
        self._guard = threading.Lock()

    def faults(self) -> faults_file.Faults:
        """What should go wrong at the moment."""
        return faults_file.read(self.settings.faults)

    def join(self, listener: Listener) -> None:
        """A session begins."""
        with self._guard:
            self._listeners.add(listener)

    def leave(self, listener: Listener) -> None:
        """A session is over."""
        with self._guard:
            self._listeners.discard(listener)

    def tell(self, name: str, kind: str, number: object, fields: object) -> None:
        """An event, to all who listen."""
        self._tell(name, kind, number, fields, lambda person: True)

    def _tell(self, name: str, kind: str, number: object, fields: object,
              may: Callable[[Person], bool]) -> None:  # fmt: skip
        with self._guard:
            listeners = list(self._listeners)
        for listener in listeners:
            if listener.person is not None and may(listener.person):
                listener.hear(name, kind, number, fields)

    def _tell_job(self, kind: str, job: Job) -> None:
        self._tell("core.get_jobs", kind, job.id, job.encode(), lambda one: may_see(one, job))

    def authorize(self, method: Method, person: Person | None) -> None:
        """Refuse who may not call it.

        Raises:
            CallError: they have no session, or not the role.
        """
        if method.role == NOBODY:
            return
        if person is None:
            raise CallError("Not authenticated", ENOTAUTHENTICATED)
        if method.role != ANYBODY and not person.may(method.role):
            raise CallError("Not authorized", errno.EACCES)

    def begin(self, method: Method, given: list[Any], *, person: Person | None = None,
              session: object = None, message: object = None) -> Any:  # fmt: skip
        """Call a method: its result, or its job.

        Raises:
            CallError: it failed.
            ValidationErrors: its arguments are wrong.
        """
        call = Call(self, person, session)
        told = self.faults()
        if method.job is None:
            self._fail(told, method)
            return method.run(call, *self._accepted(method, given))

        def work(job: Job) -> Any:
            self._fail(self.faults(), method)
            return method.run(replace(call, job=job), *self._accepted(method, given))

        return self.jobs.add(
            self._job(method, method.job, given, person, message),
            work,
            after_s=told.slow.get(method.name, 0),
        )

    def call(self, name: str, *given: Any, person: Person | None = None) -> Any:
        """Call a method from within, and wait for it."""
        result = self.begin(self.methods[name], list(given), person=person)
        return result.wait() if isinstance(result, Job) else result

    def _accepted(self, method: Method, given: list[Any]) -> list[Any]:
        return checks.accept(method.fields, given, strict=self.release.strict)

    def _fail(self, told: faults_file.Faults, method: Method) -> None:
        if method.name in told.error:
            raise CallError(told.error[method.name])

    def _job(self, method: Method, kind: JobKind, given: list[Any], person: Person | None,
             message: object) -> Job:  # fmt: skip
        return Job(
            method.name,
            checks.shown(method.fields, given),
            person,
            self.release.login_details,
            self._tell_job,
            lock=_lock(kind, given),
            message_ids=[message] if message else [],
            log=self.settings.jobs_log if kind.logs else None,
        )


def _lock(kind: JobKind, given: list[Any]) -> str:
    if kind.lock is None:
        return ""
    try:
        return kind.lock(given)
    except (LookupError, TypeError, AttributeError) as error:
        raise CallError(
            "Error handling job lock. This is most likely caused by invalid call arguments.",
            errno.EINVAL,
        ) from error
