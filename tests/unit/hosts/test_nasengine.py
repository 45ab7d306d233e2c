"""What TrueNAS tells of an app and of itself, read for a plan."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from tests.unit.runner.test_nasdocker import detail

from slipway.errors import HostError
from slipway.hosts import engine
from slipway.hosts.nasengine import NasEngine
from slipway.testing import FakeHost

IMAGE = {"id": "sha256:1", "repo_tags": [], "repo_digests": ["r.lan/langflix/api@sha256:1"]}
WELL: dict[str, Any] = {
    "docker.status": {"status": "RUNNING", "description": ""},
    "app.query": [{"name": "langflix",
                   "active_workloads": {"container_details": [detail("api")]}}],
    "app.image.query": [IMAGE],
    "app.config": {"include": ["/mnt/tank/apps/langflix/app.json"], "services": {}},
    "auth.me": {"pw_name": "deploy", "privilege": {"roles": {"$set": ["APPS_WRITE"]}}},
    "system.info": {"physmem": 8_000_000_000, "cores": 4},
}  # fmt: skip
AROUND = {
    "docker_free": "2000", "architecture": "x86_64", "nas": "/usr/bin/midclt", "app_free": "1000",
    "writable": "yes", "listening": "0016 1F90",
}  # fmt: skip


def host_with(**otherwise: Any) -> FakeHost:
    """A host whose middleware answers as one that is well, but for some methods."""
    said = WELL | {name.replace("_", ".", 1): told for name, told in otherwise.items()}
    said |= {name.replace("_", "."): told for name, told in otherwise.items()}

    def answer(_: tuple[str, ...], data: bytes) -> bytes:
        lines = [_answered(said[one["method"]]) for one in json.loads(data)]
        return "".join(f"{json.dumps(line)}\n" for line in lines).encode()

    host = FakeHost()
    host.on("python3", reply=answer)
    text = "".join(f"{name} {len(value)}\n{value}\n" for name, value in AROUND.items())
    host.on("sh", "-c", reply=text)
    return host


def _answered(told: object) -> dict[str, object]:
    if isinstance(told, str):
        return {"error": {"kind": "failed", "errname": "EACCES", "message": told}}
    return {"result": told}


def test_what_an_app_holds() -> None:
    """Containers, images by every reference, and the file that the app includes."""
    state = NasEngine(host_with(), "ix-langflix").state()

    assert [(one.service, one.well) for one in state.containers] == [("api", True)]
    assert state.images.references == {"r.lan/langflix/api@sha256:1": "sha256:1"}
    assert state.app == "/mnt/tank/apps/langflix/app.json"
    assert state.networks is None


@pytest.mark.parametrize(
    ("otherwise", "app"),
    [
        ({"app_query": []}, ""),
        ({"app_config": {"services": {"web": {}}}}, "another"),
        ({"app_config": "[EINVAL] not found"}, "another"),
    ],
)
def test_an_app_that_is_not_ours(otherwise: dict[str, Any], app: str) -> None:
    """None at all, or one that somebody else made under this name."""
    assert NasEngine(host_with(**otherwise), "ix-langflix").state().app == app


def test_of_another_project_nothing_is_told() -> None:
    """TrueNAS knows apps alone."""
    found = NasEngine(host_with(), "ix-langflix").of("langflix").state()

    assert (found.containers, found.app) == ((), "")


def test_what_the_host_is_like() -> None:
    """Without Docker's own word; roles are what the login user may do."""
    facts = NasEngine(host_with(), "ix-langflix").facts("/mnt/tank/apps/langflix")

    assert (facts.docker, facts.compose, facts.nas) == ("", "", True)
    assert (facts.app_free, facts.docker_free) == (1_024_000, 2_048_000)
    assert facts.listening == {22, 8080}
    assert (facts.memory, facts.processors) == (8_000_000_000, 4)
    assert facts.roles == frozenset({"APPS_WRITE"})


def test_who_may_not_be_asked_is_no_reason_to_stop() -> None:
    """The rest is known all the same; the doctor says what is missing."""
    facts = NasEngine(host_with(auth_me="[EACCES] no", system_info="no"), "ix-a").facts("/a")

    assert (facts.roles, facts.memory) == (None, 0)


def test_what_was_asked_ahead_is_not_asked_again() -> None:
    """Once each, and only as long as it is fresh."""
    host = host_with()
    found = NasEngine(host, "ix-langflix")
    found.look_ahead()
    found.look_round("/a")
    asked = len(host.calls)

    found.state()
    found.facts("/a")
    assert len(host.calls) == asked
    found.state()
    found.facts("/a")
    assert len(host.calls) > asked


def test_docker_that_does_not_run_is_said() -> None:
    """TrueNAS would tell of no app at all, as if it were gone."""
    down = {"status": "FAILED", "description": "no pool"}

    with pytest.raises(HostError, match="is FAILED: no pool"):
        NasEngine(host_with(docker_status=down), "ix-langflix").state()


def test_what_may_not_be_asked_is_said() -> None:
    """A right that is missing has its own hint."""
    with pytest.raises(HostError, match="may not call"):
        NasEngine(host_with(app_query="[EACCES] Not authorized"), "ix-langflix").state()


def test_an_answer_of_no_known_release() -> None:
    """Never a traceback."""
    odd = [{"name": "langflix", "active_workloads": {}}]

    with pytest.raises(HostError, match="did not answer what was asked"):
        NasEngine(host_with(app_query=odd), "ix-langflix").state()


def test_it_fits_the_door() -> None:
    """What only Docker does is refused in a sentence."""
    asked = {name for name in dir(engine.Engine) if not name.startswith("_")}
    assert asked <= set(dir(NasEngine))
    found = NasEngine(host_with(), "ix-langflix")
    with pytest.raises(HostError, match="no right to Docker"):
        found.compose_argv("f", ["logs"])
    assert inspect.signature(found.load).parameters.keys() == {"transfer", "progress"}
