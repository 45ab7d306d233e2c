"""What Docker prints is read right. Samples were recorded from Docker 26.1.5, Compose 2.26.1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.doors import Completed
from slipway.errors import CommandFailed, HostError
from slipway.hosts import inspect as door
from slipway.testing import FakeHost

SAMPLES = Path(__file__).parent / "samples"
INFO = (SAMPLES / "info-26.1-overlay2.json").read_text()
IMAGES = (SAMPLES / "images-26.1.jsonl").read_text()
CONTAINERS = (SAMPLES / "containers-26.1.jsonl").read_text()
NO_DAEMON = (
    b"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
    b"Is the docker daemon running?\n"
)
DENIED = (
    b"permission denied while trying to connect to the Docker daemon socket at "
    b"unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied\n"
)


def host(answer: Completed | str) -> FakeHost:
    """A host that answers any question so."""
    fake = FakeHost(name="nas")
    fake.on(reply=answer)
    return fake


def failed(code: int, stderr: bytes, stdout: bytes = b"") -> Completed:
    """A command that ended so."""
    return Completed(("docker",), code, stdout, stderr)


def test_info_of_a_graph_driver() -> None:
    """Version, driver, architecture and folder are read; the store is the driver's."""
    assert door.read_docker(host(INFO)) == door.DockerFacts(
        "26.1.5+dfsg1", "x86_64", "overlay2", False, "/mnt/.ix-apps/docker"
    )


def test_info_of_the_containerd_store() -> None:
    """The snapshotter among the driver's properties tells containerd's store."""
    info = {**json.loads(INFO), "ServerVersion": "28.5.1", "Driver": "overlayfs"}
    info["DriverStatus"] = [["driver-type", "io.containerd.snapshotter.v1"]]
    facts = door.read_docker(host(json.dumps(info)))
    assert (facts.containerd_store, facts.release) == (True, (28, 5))


def test_images_with_their_chains() -> None:
    """Each image's layers keep their order, and tags lead to image ids."""
    held = door.read_images(host(IMAGES))
    assert held.references == {
        "trial/a:93670efdd9fa": "sha256:93670efdd9fa5d0ee26158bfed8b2719643b479781c37a2982113adf3d9d0bed",  # noqa: E501
        "trial/b:4827c2aa7433": "sha256:4827c2aa7433881ec828c2a3ea29fccce679a895b3373ac49348fd7d716c9665",  # noqa: E501
    }
    assert [[layer[7:11] for layer in chain] for chain in held.chains] == [
        ["4fa4", "36c5"],
        ["4fa4", "1feb"],
    ]


def test_a_host_without_images() -> None:
    """No output means no images."""
    assert door.read_images(host("")).chains == ()


def test_an_untagged_image_still_has_layers() -> None:
    """An image without tags counts for its layers; one without layers counts for nothing."""
    held = door.parse_images(
        '{"Id":"sha256:a","RepoTags":null,"Layers":["sha256:l"]}\n'
        '{"Id":"sha256:b","RepoTags":[],"Layers":null}\n'
    )
    assert (held.chains, held.references) == ((("sha256:l",),), {})


def test_containers_of_a_project() -> None:
    """State, health, ports and labels of services and of one-off containers."""
    fake = host(CONTAINERS)
    job, web = door.read_containers(fake, "trial")
    assert (job.service, job.state, job.exit_code, job.one_off, job.health) == (
        "job", "exited", 3, True, "",
    )  # fmt: skip
    assert (web.service, web.name, web.state, web.health, web.one_off, web.ports) == (
        "web", "trial-web-1", "running", "healthy", False, (18080,),
    )  # fmt: skip
    assert web.image == "trial/a:93670efdd9fa"
    assert web.image_id.startswith("sha256:93670efdd9fa")
    assert web.labels["com.docker.compose.project"] == "trial"
    assert fake.calls[0][-2:] == ("docker", "trial")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (failed(127, b"env: 'docker': No such file or directory\n"), "nas has no Docker"),
        (failed(127, b"images: 2: docker: not found\n"), "nas has no Docker"),
        (failed(1, NO_DAEMON), "installed on nas but doesn't run"),
        (failed(1, DENIED), "may not use Docker"),
        (failed(0, DENIED, b'{"ServerErrors":["permission denied"]}\n'), "may not use Docker"),
        (failed(0, NO_DAEMON, b'{"Driver":"","DriverStatus":null}\n'), "doesn't run"),
    ],
)
def test_each_way_of_docker_not_to_answer(answer: Completed, words: str) -> None:
    """Absent, stopped and forbidden are told apart, also where the client ends with 0."""
    with pytest.raises(HostError, match=words) as caught:
        door.read_docker(host(answer))
    assert caught.value.hint
    assert caught.value.exit_code == 4


def test_another_failure_keeps_its_words() -> None:
    """What isn't known is passed on as it is."""
    error = door.explain(failed(1, b"odd thing\n"), where="nas")
    assert isinstance(error, CommandFailed)
    assert error.details == ("odd thing",)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("26.1.5+dfsg1", (26, 1)), ("v2.26.1-4", (2, 26)), ("28", (28, 0)), ("", (0, 0)),
     ("dev", (0, 0)), ("3.x", (3, 0))],
)  # fmt: skip
def test_version_numbers(text: str, numbers: tuple[int, int]) -> None:
    """Major and minor number of any version text; zeros where there are none."""
    assert door.version_numbers(text) == numbers


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_KEYS = ("Id", "RepoTags", "Layers", "State", "Config", "Name", "Image", "HostConfig")


@given(st.dictionaries(st.sampled_from(_KEYS), _JSON) | _JSON)
def test_no_answer_is_a_traceback(answer: object) -> None:
    """Whatever JSON a host prints is read or refused with a HostError."""
    fake = host(json.dumps(answer))
    for read in (door.read_docker, door.read_images, lambda h: door.read_containers(h, "p")):
        try:
            read(fake)
        except HostError as error:
            assert error.hint or error.details == ()
