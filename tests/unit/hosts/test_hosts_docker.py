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
from slipway.hosts.asking import explain
from slipway.hosts.facts import Facts, read_facts
from slipway.hosts.sections import sections
from slipway.runner.containers import Container, parse_containers
from slipway.testing import FakeHost

SAMPLES = Path(__file__).parent / "samples"
STATE = (SAMPLES / "state-26.1.txt").read_bytes()
FACTS = (SAMPLES / "facts-26.1-overlay2.txt").read_bytes()
NO_DAEMON = (
    b"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
    b"Is the docker daemon running?\n"
)
DENIED = (
    b"permission denied while trying to connect to the Docker daemon socket at "
    b"unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied\n"
)


def printed(**found: str) -> bytes:
    """What a script prints that found so."""
    return b"".join(
        f"{name} {len(text.encode())}\n{text}\n".encode() for name, text in found.items()
    )


def facts_but(**changes: str) -> bytes:
    """The recorded facts with some sections changed."""
    recorded = {name: data.decode() for name, data in sections(FACTS, where="x")}
    return printed(**{**recorded, **changes})


def host(answer: Completed | bytes) -> FakeHost:
    """A host that answers any question so."""
    fake = FakeHost(name="nas")
    fake.on(reply=answer)
    return fake


def failed(code: int, stderr: bytes, stdout: bytes = b"") -> Completed:
    """A command that ended so."""
    return Completed(("docker",), code, stdout, stderr)


def test_facts_of_a_graph_driver() -> None:
    """Versions, folder, room and ports are read; the store is the driver's."""
    fake = host(FACTS)
    assert read_facts(fake, "/pool/app", "demo") == Facts(
        docker="26.1.5+dfsg1",
        compose="2.26.1-4",
        root="/mnt/.ix-apps/docker",
        containerd_store=False,
        zstd=(1, 5),
        architecture="x86_64",
        docker_free=76108372 * 1024,
        app_free=76108372 * 1024,
        writable=True,
        listening=frozenset({8080, 22}),
    )
    assert fake.calls[0][-3:] == ("docker", "/pool/app", "demo")


def test_facts_of_the_containerd_store() -> None:
    """The snapshotter among the driver's properties tells containerd's store."""
    info = {
        "ServerVersion": "28.5.1",
        "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
        "DockerRootDir": "/d",
    }
    facts = read_facts(host(facts_but(info=json.dumps(info))), "/a", "demo")
    assert (facts.containerd_store, facts.release, facts.root) == (True, (28, 5), "/d")
    assert facts.confined is None


@pytest.mark.parametrize(
    ("options", "confined"),
    [
        ([], set()),
        (["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
         {"apparmor", "seccomp", "cgroupns"}),
        (["name=seccomp,profile=unconfined", "strange"], set()),
    ],
)  # fmt: skip
def test_what_confines_containers(options: list[str], confined: set[str]) -> None:
    """Docker's security options by name; a profile that lets all through is none."""
    info = {"ServerVersion": "28.5.1", "DockerRootDir": "/d", "SecurityOptions": options}
    facts = read_facts(host(facts_but(info=json.dumps(info))), "/a", "demo")
    assert facts.confined == frozenset(confined)


def test_lists_among_the_facts() -> None:
    """Volumes, references of differences and listening ports are lists; IPv6 counts too."""
    more = facts_but(volumes="db\nmedia", references=" aa bb", listening=" 1F90 0016 01BB")
    facts = read_facts(host(more), "/a", "demo")
    assert facts.volumes == ("db", "media")
    assert facts.references == ("aa", "bb")
    assert facts.listening == {8080, 22, 443}
    assert not read_facts(host(facts_but(writable="no")), "/a", "demo").writable


@pytest.mark.parametrize(
    ("said", "version"),
    [("", (0, 0)), ("*** zstd command line interface 64-bits v1.4.8, by Yann Collet ***", (1, 4)),
     ("*** Zstandard CLI v1.3.2 ***", (1, 3)), ("motd: hello", (0, 0))],
)  # fmt: skip
def test_the_version_of_zstd(said: str, version: tuple[int, int]) -> None:
    """Its number is read from its own words; a host without it has none."""
    assert read_facts(host(facts_but(zstd=said)), "/a", "demo").zstd == version


@pytest.mark.parametrize("said", ["", "! docker: 'compose' is not a docker command."])
def test_a_host_without_compose(said: str) -> None:
    """An absent plugin is named, with what to install."""
    with pytest.raises(HostError, match="nas has no Compose plugin") as caught:
        read_facts(host(facts_but(compose=said)), "/a", "demo")
    assert "docker-compose" in str(caught.value.hint)


@pytest.mark.parametrize("answer", [b"", printed(architecture="x"), facts_but(app_free=""),
                                    facts_but(docker_free="-"), facts_but(listening="zz"),
                                    facts_but(info="null"), b"hello\n" + FACTS])  # fmt: skip
def test_unreadable_facts_are_a_host_error(answer: bytes) -> None:
    """A host that doesn't answer the questions can't be used; exit code 4."""
    with pytest.raises(HostError) as caught:
        read_facts(host(answer), "/a", "demo")
    assert caught.value.exit_code == 4


def test_images_with_their_chains() -> None:
    """Each image's layers keep their order, and tags lead to image ids."""
    held = door.read_state(host(STATE), "trial").images
    assert held.references == {
        "langflix/edge:c9f03882ffbd": "sha256:c9f03882ffbd810fb9ee86416a71da7ede9743025026262bc32f606fdde46116",  # noqa: E501
        "langflix/postgres:ec342f503915": "sha256:ec342f503915e1bcd129d63197cb94aaa28e97bde30340cc65ea74de32b9a805",  # noqa: E501
    }
    assert [[layer[7:11] for layer in chain] for chain in held.chains] == [
        ["b7d3", "e4f0", "c2a5", "94a2"],
        ["b7d3", "e4f0", "c2a5", "54fc", "6f62"],
    ]


def test_a_host_without_anything() -> None:
    """No output means no images and no containers."""
    fake = host(printed(images="", containers=""))
    assert door.read_state(fake, "trial") == door.EngineState()


def test_a_digest_is_a_name_where_there_is_no_other() -> None:
    """Of one that TrueNAS pulled; that of an image's own repository is containerd's, and none."""
    pulled, own = "r.lan:5000/langflix/api@sha256:1", "langflix/api@sha256:1"
    both = {"Id": "i", "RepoTags": ["langflix/api:1"], "RepoDigests": [own, pulled], "Layers": []}
    alone = {"Id": "j", "RepoTags": [], "RepoDigests": [own], "Layers": []}

    held = door.parse_images(f"{json.dumps(both)}\n{json.dumps(alone)}")

    assert held.references == {"langflix/api:1": "i", pulled: "i", own: "j"}


def test_an_untagged_image_still_has_layers() -> None:
    """An image without tags counts for its layers; one without layers counts for nothing."""
    held = door.parse_images(
        '{"Id":"sha256:a","RepoTags":null,"Layers":["sha256:l"]}\n'
        '{"Id":"sha256:b","RepoTags":[],"Layers":null}\n'
    )
    assert (held.chains, held.references) == ((("sha256:l",),), {})


JOB, WEB = door.read_state(host(STATE), "trial").containers


def test_containers_of_a_project() -> None:
    """State, health, ports and labels of services and of one-off containers."""
    image = "sha256:fb857a8a24c33ee5dcb6ffbf6bac88817e2398dbb071f5e2211d4a5332fd103e"
    file = "/tmp/trial/c.json"
    assert Container(
        "job", JOB.id, "trial-job-run-2fe67a3938e9", image, "exited", "",
        exit_code=3, config="", one_off=True, file=file,
    ) == JOB  # fmt: skip
    assert Container(
        "web", WEB.id, "trial-web-1", image, "running", "healthy",
        config="c0ffee", file=file, ports=(18080,), addresses=(("trial_default", "172.18.0.2"),),
    ) == WEB  # fmt: skip
    assert (JOB.id[:6], WEB.id[:6]) == ("660bcd", "e8dfec")


def test_containers_alone_are_the_same() -> None:
    """Looking again gives what the first question gave."""
    found = dict(sections(STATE, where="x"))["containers"].decode()
    fake = host(printed(containers=found))
    assert door.read_containers(fake, "trial") == (JOB, WEB)
    assert fake.calls[0][-2:] == ("docker", "trial")


def test_other_ports_do_not_count() -> None:
    """UDP, and ports that Docker chooses, are not asked for."""
    shown = json.loads(dict(sections(STATE, where="x"))["containers"].splitlines()[1])
    shown["Ports"] = {
        "53/udp": [{"HostIp": "", "HostPort": "53"}],
        "80/tcp": [{"HostPort": "81"}, {"HostPort": ""}, {"HostPort": "0"}],
        "90/tcp": None,
    }
    assert parse_containers(json.dumps(shown))[0].ports == (81,)


# Some clients (26.1) end with 0 though the engine didn't answer.
NOT_ANSWERED = facts_but(info='{"ServerVersion":"","DriverStatus":null,"DockerRootDir":""}')


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (failed(127, b"env: 'docker': No such file or directory\n"), "nas has no Docker"),
        (failed(127, b"images: 2: docker: not found\n"), "nas has no Docker"),
        (failed(1, NO_DAEMON), "installed on nas but doesn't run"),
        (failed(1, DENIED), "may not use Docker"),
        (failed(0, DENIED, NOT_ANSWERED), "may not use Docker"),
        (failed(0, NO_DAEMON, NOT_ANSWERED), "doesn't run"),
    ],
)
def test_each_way_of_docker_not_to_answer(answer: Completed, words: str) -> None:
    """Absent, stopped and forbidden are told apart, also where the client ends with 0."""
    with pytest.raises(HostError, match=words) as caught:
        read_facts(host(answer), "/a", "demo")
    assert caught.value.hint
    assert caught.value.exit_code == 4


def test_another_failure_keeps_its_words() -> None:
    """What isn't known is passed on as it is."""
    error = explain(failed(1, b"odd thing\n"), where="nas")
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
_IMAGE = ("Id", "RepoTags", "Layers")
_CONTAINER = tuple(json.loads(dict(sections(STATE, where="x"))["containers"].splitlines()[0]))


@given(
    st.dictionaries(st.sampled_from(_IMAGE), _JSON) | _JSON,
    st.fixed_dictionaries({}, optional=dict.fromkeys(_CONTAINER, _JSON)) | _JSON,
)
def test_no_answer_is_a_traceback(image: object, container: object) -> None:
    """Whatever JSON a host prints is read or refused with a HostError."""
    fake = host(printed(images=json.dumps(image), containers=json.dumps(container)))
    for read in (door.read_state, door.read_containers):
        try:
            read(fake, "p")
        except HostError as error:
            assert error.hint


@given(st.dictionaries(st.sampled_from(("info", "compose", "zstd", "app_free", "listening")),
                       st.text() | _JSON.map(json.dumps)))  # fmt: skip
def test_no_facts_are_a_traceback(changes: dict[str, str]) -> None:
    """Whatever a host says of itself is read or refused with a HostError."""
    try:
        read_facts(host(facts_but(**changes)), "/a", "p")
    except HostError as error:
        assert error.hint or error.details
