"""Containers by what TrueNAS tells of an app."""

from __future__ import annotations

import inspect
import json
from base64 import b64encode
from typing import Any

import pytest

from slipway.runner import doors, register
from slipway.runner.failure import Failed
from slipway.runner.login import Login
from slipway.runner.middleware import AWAY, NasError
from slipway.runner.nasapps import UNTOLD, app_of, containers_of, images_of
from slipway.runner.nasdocker import NasDocker
from slipway.runner.register import redeploy, stop
from slipway.runner.watch import hard_fault
from slipway.testing.nas import FakeNas


def detail(service: str, state: str = "running", **more: Any) -> dict[str, Any]:
    """A container, as ``app.query`` of 25.10 tells of it."""
    return {
        "service_name": service, "image": f"r.lan/langflix/{service}@sha256:1", "state": state,
        "port_config": [], "volume_mounts": [], "id": f"{service}{'0' * 20}", **more,
    }  # fmt: skip


def nas_with(*details: dict[str, Any]) -> FakeNas:
    return FakeNas(apps={"langflix": {}}, details={"langflix": list(details)})


@pytest.mark.parametrize(
    ("told", "state", "health", "fault"),
    [
        ("running", "running", "", None),
        ("starting", "running", "starting", None),
        ("created", "created", "", None),
        ("exited", "ended", "", "has ended, or ends again and again"),
        ("crashed", "exited", "", "crashed"),
    ],
)
def test_the_states_that_truenas_knows(
    told: str, state: str, health: str, fault: str | None
) -> None:
    """Each is one of Docker's as far as that can be told; what waiting can't mend is a fault."""
    (one,) = containers_of({"active_workloads": {"container_details": [detail("api", told)]}})

    assert (one.state, one.health) == (state, health)
    assert hard_fault(one) == fault
    assert one.ended is (told == "exited")
    assert one.well is (told == "running")


def test_a_container_as_far_as_it_is_told() -> None:
    """Service, reference and the TCP ports of the host; IPv4 and IPv6 are one port."""
    hosts = [{"host_port": 8080, "host_ip": "0.0.0.0"}, {"host_port": 8080, "host_ip": "::"}]
    ports = [
        {"container_port": 80, "protocol": "tcp", "host_ports": hosts},
        {"container_port": 53, "protocol": "udp", "host_ports": [{"host_port": 53}]},
    ]
    row = {"active_workloads": {"container_details": [detail("door", port_config=ports)]}}

    (one,) = containers_of(row)

    assert (one.service, one.image_id, one.ports) == (
        "door", "r.lan/langflix/door@sha256:1", (8080,)
    )  # fmt: skip
    assert one.config == "" and not one.one_off
    assert containers_of(None) == ()
    assert app_of([{"name": "other"}], "langflix") is None


def test_images_by_every_reference() -> None:
    """Tags and digests; a release may leave either out."""
    rows: list[dict[str, Any]] = [
        {"id": "sha256:1", "repo_tags": ["a:1"], "repo_digests": ["r/a@sha256:9"]},
        {"id": "sha256:2", "repo_tags": None, "repo_digests": ["r/b@sha256:8"]},
    ]
    assert images_of(rows) == {"a:1": "sha256:1", "r/a@sha256:9": "sha256:1",
                               "r/b@sha256:8": "sha256:2"}  # fmt: skip


def test_docker_that_is_just_starting_is_waited_for() -> None:
    """An app that is there is told of as none by a TrueNAS whose Docker does not run."""
    nas = nas_with(detail("api"))
    nas.docker = "INITIALIZING"

    def sleep(seconds: float) -> None:
        nas.docker = "RUNNING"

    assert [one.service for one in NasDocker("langflix", nas, sleep).containers()] == ["api"]


def test_a_middleware_that_is_away_is_waited_for() -> None:
    """As during an update; what it refuses is said at once."""
    nas, answers = (
        nas_with(),
        [NasError(AWAY, "ECONNREFUSED", "no"), NasError("failed", "", "never")],
    )

    class Away(FakeNas):
        def call(self, method: str, *args: object) -> Any:
            raise answers.pop(0)

    with pytest.raises(Failed, match="never"):
        NasDocker("langflix", Away(apps=nas.apps), lambda _: None).containers()
    assert answers == []


def test_what_is_no_answer_is_said() -> None:
    """A state that no release has is no state of ours."""
    with pytest.raises(Failed, match="isn't known"):
        NasDocker("langflix", nas_with(detail("api", "melting"))).containers()


def test_last_lines_and_images() -> None:
    """A container's own words; images by reference, those in use are counted and stay."""
    nas = nas_with(detail("api"))
    nas.lines = {"c1": ["one", "", "two", "three"]}
    nas.images = [
        {"id": "sha256:1", "repo_tags": [], "repo_digests": ["r/a@sha256:9"]},
        {"id": "sha256:2", "repo_tags": [], "repo_digests": ["r/b@sha256:8"]},
    ]
    nas.held = {"sha256:2"}
    docker = NasDocker("langflix", nas)

    assert docker.last_lines("c1", 2) == ("two", "three")
    assert docker.last_lines("gone", 2) == ()
    assert docker.remove_images(["r/a@sha256:9", "r/b@sha256:8", "r/none@sha256:7"]) == 1
    assert [one["id"] for one in nas.images] == ["sha256:2"]
    assert (docker.end_once(), docker.events().end(), docker.last_check("c1", 3)) == (0, "", ())


@pytest.mark.parametrize(
    ("asked", "stayed", "left"),
    [
        (["slipway/a:1"], 1, ["sha256:1"]),
        (["slipway/a:1", "r/a@sha256:9", "r/none@sha256:7"], 0, []),
    ],
)
def test_an_image_goes_with_all_its_names(asked: list[str], stayed: int, left: list[str]) -> None:
    """One that was sent before it was pulled has two; what still needs one keeps the image."""
    names = {"repo_tags": ["slipway/a:1"], "repo_digests": ["r/a@sha256:9"]}
    nas = nas_with()
    nas.images = [{"id": "sha256:1", **names}]

    assert NasDocker("langflix", nas).remove_images(asked) == stayed
    assert [one["id"] for one in nas.images] == left


@pytest.mark.parametrize(
    "refused",
    [
        lambda docker: docker.compose("f", ["up"], 1.0),
        lambda docker: docker.execute("c", ["true"], 1.0),
        lambda docker: docker.stop(["c"]),
        lambda docker: docker.remove(["c"]),
        lambda docker: docker.rename("c", "n"),
        lambda docker: docker.remove_networks(["n"]),
    ],
)
def test_what_takes_docker_is_a_sentence(refused: Any) -> None:
    """Never a traceback, should a step ask for it."""
    with pytest.raises(Failed, match="takes the right to Docker"):
        refused(NasDocker("langflix", nas_with()))


def test_it_fits_the_door() -> None:
    """Whatever the runner may ask of Docker it can ask here."""
    asked = {name for name, _ in inspect.getmembers(doors.Docker, inspect.isfunction)}
    assert {name for name in asked if not name.startswith("_")} <= set(dir(NasDocker))


def test_an_app_is_redeployed_and_stopped() -> None:
    """An app that isn't there has nothing to stop, but can't be started."""
    nas = nas_with(detail("api"))
    started: list[str] = []
    nas.started = started.append

    redeploy(nas, "langflix")
    stop(nas, "langflix")
    stop(nas, "none")

    assert started == ["langflix"]
    assert NasDocker("langflix", nas).containers() == ()
    with pytest.raises(Failed, match="knows no app none") as caught:
        redeploy(nas, "none")
    assert "./inv deploy" in caught.value.cause.hint


SOURCE = "r.lan:5000/home/langflix/api@sha256:1"


def login(**auth: str) -> Login:
    return Login(json.dumps({"auths": {"r.lan:5000": auth}}))


def test_an_image_is_pulled_by_its_digest() -> None:
    """With user and password, as TrueNAS takes them; without a login by its own settings."""
    nas = nas_with()
    docker = NasDocker("langflix", nas)
    said = {"username": "anna", "password": "pass:word"}

    docker.pull(SOURCE, SOURCE, login(auth=b64encode(b"anna:pass:word").decode()))
    docker.pull(SOURCE, SOURCE, None)

    assert [one for one in nas.asked if one[0] == "app.image.pull"] == [
        ("app.image.pull", {"image": SOURCE, "auth_config": said}),
        ("app.image.pull", {"image": SOURCE}),
    ]
    assert SOURCE in images_of(nas.images)


def test_a_token_is_no_login_for_truenas() -> None:
    """It would be tried as a password, and fail without a reason."""
    token = login(auth=b64encode(b"<token>:").decode(), identitytoken="t")

    with pytest.raises(Failed, match="takes a user and a password") as caught:
        NasDocker("langflix", nas_with()).pull(SOURCE, SOURCE, token)
    assert "docker login r.lan:5000" in caught.value.cause.hint


def test_a_pull_that_broke_in_the_middle_is_one_that_failed() -> None:
    """TrueNAS' job succeeds, for it does not read the line in which Docker says so."""

    class Breaking(FakeNas):
        def run(self, method: str, *args: object) -> Any:
            return None

    with pytest.raises(Failed, match="the connection to it broke"):
        NasDocker("langflix", Breaking()).pull(SOURCE, SOURCE, None)


def test_why_an_image_can_not_be_had() -> None:
    """By Docker's words, which TrueNAS hands on; its own first words are no reason."""
    nas = nas_with()
    nas.broken = "[EFAULT] Failed to pull image: 404 Client Error: manifest unknown"

    with pytest.raises(Failed, match="it is not there") as caught:
        NasDocker("langflix", nas).pull(SOURCE, SOURCE, None)
    assert caught.value.cause.hint == "./inv push --to r.lan:5000/home"


@pytest.mark.parametrize("act", [redeploy, stop])
def test_a_job_of_somebody_who_is_gone_is_waited_for(act: Any) -> None:
    """It would go on beside: TrueNAS keeps only jobs of one kind apart."""
    nas = nas_with()
    other = {"method": "app.redeploy", "arguments": ["other"]}
    nas.jobs = [[{"method": "app.redeploy", "arguments": ["langflix"]}, other]] * 2 + [[other]]
    pauses: list[float] = []

    act(nas, "langflix", pauses.append)

    assert len(pauses) == 2
    assert [one[0] for one in nas.asked][-1].startswith("app.")


def test_a_job_that_does_not_end_is_said() -> None:
    """Nothing is begun beside it."""
    nas = nas_with()
    nas.jobs = [[{"method": "app.start", "arguments": ["langflix"]}]] * 2000

    with pytest.raises(Failed, match=r"still at app\.start of langflix"):
        redeploy(nas, "langflix", lambda _: None)
    assert not [one for one in nas.asked if one[0] == "app.redeploy"]


def test_what_a_job_is_at_is_told_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """By whoever waits for it, in order; percentages alone are no news."""
    said: list[str] = []

    def call(method: str, *args: object, job: bool, tell: Any) -> object:
        assert job
        for percent, words in ((20, "Starting"), (40, "Starting"), (80, "Pulling"), (90, None)):
            tell({"percent": percent, "description": words})
        return (method, *args)

    monkeypatch.setattr(register, "call", call)

    assert register.HostNas(said.append).run("app.start", "web") == ("app.start", "web")
    assert said == ["  TrueNAS: Starting", "  TrueNAS: Pulling"]


@pytest.mark.parametrize("act", [redeploy, stop])
def test_a_job_that_fails_says_where_more_stands(act: Any) -> None:
    """TrueNAS' own sentence first, and the log that only root may read as the hint."""
    nas = nas_with()
    nas.broken = "[EFAULT] Failed 'up' action for 'langflix' app\nmore"

    with pytest.raises(Failed, match="Failed 'up' action") as caught:
        act(nas, "langflix")
    assert caught.value.cause.details == ("more",)
    assert "app_lifecycle.log" in caught.value.cause.hint
    assert UNTOLD < 0
