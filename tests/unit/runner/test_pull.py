"""Images from a registry: what Docker is told, what its refusals mean, where a login lies."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.unit.runner.bench import bench

from slipway.plan.pulling import Pull, PulledImage
from slipway.runner import login as logins
from slipway.runner.carry import Carrier, changes
from slipway.runner.docker import HostDocker
from slipway.runner.doors import Done
from slipway.runner.failure import Failed
from slipway.runner.login import Login, apart, forget_logins, login_folder
from slipway.runner.pull import failure

DIGEST = f"sha256:{'a' * 64}"
SOURCE = f"lan:5000/home/demo/web@{DIGEST}"
CANARY = "canary-0451"
LOGIN = Login(json.dumps({"auths": {"lan:5000": {"auth": CANARY}}}))


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for logins."""
    place = tmp_path / "shm"
    place.mkdir()
    monkeypatch.setattr(logins, "_PLACES", (str(place),))
    return place


def docker(tmp_path: Path, pulls: str) -> HostDocker:
    """A program that notes what it is told, and where its login is readable by whom."""
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\ncd {tmp_path}\necho "$*" >>told\n'
        '[ "$1" != context ] || { echo unix:///run/mine.sock; exit; }\n'
        '[ "$1" != --config ] || { stat -c "%a" "$2" "$2/config.json" >modes\n'
        ' cp "$2/config.json" shown; shift 4; }\n'
        f'case "$1" in pull) {pulls};; esac\n'
    )
    program.chmod(0o755)
    return HostDocker("demo", str(program), spare=str(tmp_path))


def told(tmp_path: Path) -> list[str]:
    """What it was told."""
    return (tmp_path / "told").read_text().splitlines()


def test_an_image_gets_its_name_and_loses_the_digest(tmp_path: Path, memory: Path) -> None:
    """With no login of ours, Docker's own configuration on the host counts."""
    docker(tmp_path, "true").pull(SOURCE, "demo/web:1", None)
    assert told(tmp_path) == [
        f"pull {SOURCE}", f"image tag {SOURCE} demo/web:1", f"image rm {SOURCE}"
    ]  # fmt: skip
    assert list(memory.iterdir()) == []


@pytest.mark.parametrize("pulls", ["true", "echo manifest unknown >&2; exit 1"])
def test_a_login_is_ours_alone_and_gone_afterwards(
    tmp_path: Path, memory: Path, pulls: str
) -> None:
    """It lies in memory, in a folder and file that only we may read; it is in no argument."""
    made = docker(tmp_path, pulls)
    if pulls == "true":
        made.pull(SOURCE, "demo/web:1", LOGIN)
    else:
        with pytest.raises(Failed, match="not there"):
            made.pull(SOURCE, "demo/web:1", LOGIN)
    assert (tmp_path / "modes").read_text().split() == ["700", "600"]
    assert (tmp_path / "shown").read_text() == LOGIN.config
    assert list(memory.iterdir()) == []
    (shown,) = (one for one in told(tmp_path) if one.startswith("--config"))
    assert shown.startswith(f"--config {memory}/slipway-login-demo.")
    assert shown.endswith(f" --host unix:///run/mine.sock pull {SOURCE}")
    assert CANARY not in repr(LOGIN) + "".join(told(tmp_path))
    assert told(tmp_path)[-1] == f"image rm {SOURCE}"


def test_whoever_wants_the_end_leaves_nothing(tmp_path: Path, memory: Path) -> None:
    """A pull that is interrupted is ended, and what may have come of it removed."""

    def heed() -> None:
        if (tmp_path / "shown").exists():
            raise Failed("interrupted", kind="interrupted")

    made = docker(tmp_path, "exec sleep 600")
    made._heed = heed
    with pytest.raises(Failed, match="interrupted"):
        made.pull(SOURCE, "demo/web:1", LOGIN)
    assert list(memory.iterdir()) == []
    assert told(tmp_path)[-1] == f"image rm {SOURCE}"


def test_without_a_place_in_memory_it_lies_in_our_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As private there, and removed by whoever comes after a killed process."""
    monkeypatch.setattr(logins, "_PLACES", (str(tmp_path / "none"),))
    with login_folder(LOGIN, "demo", str(tmp_path)) as folder:
        assert Path(folder).parent == tmp_path
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
        with login_folder(LOGIN, "other", str(tmp_path)) as other:
            forget_logins("demo", str(tmp_path))
            assert not Path(folder).exists() and Path(other).exists()


def test_a_request_is_kept_without_its_login() -> None:
    """What is written down has none of it."""
    assert apart({"run": "r", "login": "l"}) == ({"run": "r"}, Login("l"))
    assert apart({"run": "r"}) == ({"run": "r"}, None)
    assert apart({"run": "r", "login": None}) == ({"run": "r"}, None)


def test_images_are_told_one_by_one() -> None:
    """The login reaches Docker; nothing that runs is changed by it."""
    made = bench()
    image = made.draft.wanted.images[0]
    made.made.engine.held.clear()
    made.made.engine.offered = {SOURCE: image}
    action = Pull((PulledImage(image.reference, SOURCE),), 7).to_json()
    Carrier(made.doors, login=LOGIN).carry_out("pull", [action])
    assert made.made.engine.held == {image.reference: image}
    assert made.made.engine.pulls == [(SOURCE, image.reference, LOGIN)]
    assert made.listener.named("say")[0]["text"] == f"  1 of 1: {image.role}"
    assert not changes(action)


@pytest.mark.parametrize(
    ("said", "why", "hint"),
    [
        ("Error response from daemon: manifest for x not found: manifest unknown: manifest unknown",
         "it is not there", "./inv push --to lan:5000/home"),
        ("Error response from daemon: Head \"https://lan:5000/v2/…\": no basic auth credentials",
         "does not take the login", "docker login lan:5000"),
        ("Error response from daemon: unauthorized: authentication required",
         "does not take the login", "docker login lan:5000"),
        ("denied: requested access to the resource is denied", "may not pull", "let it read"),
        ("Get \"https://lan:5000/v2/\": http: server gave HTTP response to HTTPS client",
         "no TLS", '{"insecure-registries": ["lan:5000"]}'),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority",
         "does not believe", "/etc/docker/certs.d/lan:5000/ca.crt"),
        ("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", "disk is full",
         "make room"),
        ("dial tcp 192.0.2.1:5000: connect: connection refused", "can't reach", "lan:5000"),
        ("dial tcp: lookup lan: no such host", "no server of that name", "resolves lan:5000"),
        ("read tcp 10.0.0.1:1->10.0.0.2:5000: read: connection reset by peer", "broke", "again"),
        ("what nobody knows", "Docker did not get it", "log of Docker"),
    ],
)  # fmt: skip
def test_dockers_words_become_a_sentence(said: str, why: str, hint: str) -> None:
    """Each says which image, where, why and what to do; Docker's own words are below."""
    cause = failure(SOURCE, Done(1, "", f"Pulling\n{said}\n")).cause
    assert cause.message.startswith("lan:5000/home/demo/web can't be pulled from lan:5000: ")
    assert why in cause.message and hint in cause.hint
    assert cause.details[-1] == said
