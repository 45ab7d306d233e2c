"""``core.*``: the connection's own settings, events, jobs.

Source: ``service/core_service.py`` of the middleware.
"""

from __future__ import annotations

import errno
from typing import Any

from . import applogs, filters
from .checks import FILTERS, LEFT_OUT, OPTIONS, Field
from .errors import CallError
from .jobs import Job
from .middleware import ANYBODY, NOBODY, Call, JobKind, Method
from .releases import Release

_EVENTS_FOR_ALL = ("core.get_jobs",)


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    found = [
        Method("core.ping", _ping, role=NOBODY),
        Method("core.get_jobs", _get_jobs, (FILTERS, OPTIONS), ANYBODY),
        Method("core.job_abort", _job_abort, (Field("id", "int"),), ANYBODY),
        Method("core.job_wait", _job_wait, (Field("id", "int"),), ANYBODY, JobKind()),
        Method("core.bulk", _bulk, _BULK, ANYBODY, JobKind()),
    ]
    if release.json_rpc:
        name = Field("event")
        found += [
            Method("core.set_options", _set_options, (_options(release),), NOBODY),
            Method("core.subscribe", _subscribe, (name,), ANYBODY),
            Method("core.unsubscribe", _unsubscribe, (Field("ident"),), ANYBODY),
        ]
    return found


_BULK = (
    Field("method"),
    Field("params", "list"),
    Field("description", "str", None, null=True),
)


def _options(release: Release) -> Field:
    names = ["py_exceptions"]
    if release.job_answers:
        names = ["legacy_jobs", "private_methods", *names]
    fields = tuple(Field(name, "bool", LEFT_OUT) for name in names)
    return Field("options", "table", fields=fields, model="CoreSetOptionsOptions")


def _ping(call: Call) -> str:
    return "pong"


def _set_options(call: Call, options: dict[str, bool]) -> dict[str, bool] | None:
    call.session.options |= options
    return dict(call.session.options) if call.middleware.release.job_answers else None


def _subscribe(call: Call, name: str) -> str:
    person = call.person
    if person is None or not (name in _EVENTS_FOR_ALL or person.may("APPS_READ")):
        raise CallError("Not authorized", errno.EACCES)
    identity = str(call.session.subscribe(name))
    if name.startswith(f"{applogs.NAME}:"):
        applogs.follow(call, call.session, name)
    return identity


def _unsubscribe(call: Call, identity: str) -> None:
    call.session.subscriptions.pop(identity, None)


def _get_jobs(call: Call, wanted: list[Any], options: dict[str, Any]) -> Any:
    jobs = call.middleware.jobs.seen_by(call.person)
    return filters.query([job.encode() for job in jobs], wanted, options)


def _job(call: Call, number: int) -> Job:
    if call.person is None:
        raise CallError("`app` is required")
    return call.middleware.jobs.get(number, call.person)


def _job_abort(call: Call, number: int) -> None:
    call.middleware.jobs.abort(_job(call, number))


def _job_wait(call: Call, number: int) -> Any:
    return _job(call, number).wait()


def _bulk(call: Call, name: str, params: list[Any], description: str | None) -> list[Any]:
    results = []
    for done, given in enumerate(params):
        call.progress(int(100 * done / len(params)), description or f"{done}/{len(params)}")
        entry: dict[str, Any] = {"job_id": None, "error": None, "result": None}
        try:
            method = call.middleware.methods[name]
            result = call.middleware.begin(method, given, person=call.person)
            if isinstance(result, Job):
                entry["job_id"] = result.id
                result = result.wait()
            entry["result"] = result
        except Exception as error:
            entry["error"] = str(error)
        results.append(entry)
    return results
