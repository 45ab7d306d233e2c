"""The shell scripts that ask a host's Docker, run for real on this machine."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from slipway.errors import HostError
from slipway.hosts import inspect
from slipway.hosts.docker import DockerEngine
from slipway.hosts.facts import read_facts
from slipway.hosts.inspect import read_containers, read_state
from slipway.hosts.load import wait_for_docker
from slipway.hosts.local import LocalHost
from slipway.hosts.sections import PRELUDE, sections

# Writes what it is told to `said`; answers with the content of the file named by its first two
# words, ends with what is in FILE.code.
DOCKER = """#!/bin/sh
folder=$(dirname -- "$0")
echo "$*" >>"$folder/said"
name="$folder/$1-$2"
[ ! -f "$name" ] || cat -- "$name"
[ ! -f "$name.code" ] || exit "$(cat -- "$name.code")"
"""
WEB = {
    "Id": "c1", "Name": "/demo-web-1", "Image": "i", "Status": "running", "Health": "healthy",
    "Restarts": 0, "ExitCode": 0, "OOMKilled": False, "Service": "web", "OneOff": "False",
    "Config": "x", "File": "/f", "Ports": {}, "Networks": {},
}  # fmt: skip


class Site:
    """This machine, with a docker that says what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.host = folder, LocalHost("here")
        self.docker = str(folder / "docker")
        Path(self.docker).write_text(DOCKER)
        Path(self.docker).chmod(0o755)
        info = {"ServerVersion": "26.1.5", "DriverStatus": [], "DockerRootDir": "/not/there"}
        self.says("info---format", info)
        self.says("compose-version", "2.26.1")

    def says(self, command: str, *answers: object, code: int = 0) -> None:
        """Answer a command of two words; lines of JSON, or texts."""
        lines = [one if isinstance(one, str) else _line(one) for one in answers]
        (self.folder / command).write_text("".join(f"{line}\n" for line in lines))
        (self.folder / f"{command}.code").write_text(str(code))

    @property
    def said(self) -> list[str]:
        """Every command."""
        return (self.folder / "said").read_text().splitlines()


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """This machine."""
    (tmp_path / "bin").mkdir()
    return Site(tmp_path / "bin")


@pytest.mark.parametrize("value", ["", "a b", "two\nlines\n", "d\u00fcse", "-n", "%s", "5\n"])
def test_the_shell_prints_what_is_read(site: Site, value: str, tmp_path: Path) -> None:
    """The functions of the scripts count bytes, and print any text or file as it is."""
    (tmp_path / "file").write_text(value)
    script = PRELUDE + 'text one "$1"\ntext two ""\nfile "a file" "$2"\n'
    done = site.host.run(("sh", "-c", script, "x", value, str(tmp_path / "file")), timeout=30)
    found = [("one", value.encode()), ("two", b""), ("a file", value.encode())]
    assert sections(done.stdout, where="here") == found


def test_the_machine_itself(site: Site, tmp_path: Path) -> None:
    """Architecture, free space, writability and listening ports are this machine's."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        facts = read_facts(site.host, f"{tmp_path}/not/yet", "demo", docker=site.docker)
    assert facts.architecture == os.uname().machine
    space = os.statvfs(tmp_path)
    assert facts.app_free == pytest.approx(space.f_bavail * space.f_frsize, rel=0.2)
    assert facts.docker_free > 0
    assert facts.writable
    assert port in facts.listening
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours(site: Site) -> None:
    """Writing is tried where the folder would be made."""
    assert not read_facts(site.host, "/slipway/not/yet", "demo", docker=site.docker).writable


def test_free_space_of_a_device_with_a_blank_in_its_name(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the number before the percentage counts, whatever names stand around it."""
    df = site.folder / "df"
    df.write_text(
        "#!/bin/sh\necho 'Filesystem     1024-blocks      Used Available Capacity Mounted on'\n"
        "echo '//nas/my share 4 2  976490576 4 123456789   1% /mnt/pool'\n"
    )
    df.chmod(0o755)
    monkeypatch.setenv("PATH", f"{site.folder}{os.pathsep}{os.environ['PATH']}")
    facts = read_facts(site.host, "/tmp", "demo", docker=site.docker)
    assert facts.app_free == facts.docker_free == 123456789 * 1024


def test_what_lies_in_the_cache(site: Site, tmp_path: Path) -> None:
    """References of differences are found by their names, in a folder with a blank."""
    cache = tmp_path / "a pool/cache"
    cache.mkdir(parents=True)
    for name in ("reference.aa", "reference.bb", "other.cc", ".slipway.x"):
        (cache / name).touch()
    site.says("volume-ls", "db", "media")
    facts = read_facts(site.host, f"{tmp_path}/a pool", "demo", docker=site.docker)
    assert facts.references == ("aa", "bb")
    assert facts.volumes == ("db", "media")


def test_a_docker_without_compose(site: Site) -> None:
    """Its own words are the error's."""
    site.says("compose-version", "docker: 'compose' is not a docker command.", code=1)
    with pytest.raises(HostError, match="here has no Compose plugin") as caught:
        read_facts(site.host, "/tmp", "demo", docker=site.docker)
    assert caught.value.details == ("docker: 'compose' is not a docker command.",)


def test_no_docker(site: Site) -> None:
    """A program that isn't there is named."""
    for read in (read_state, read_containers):
        with pytest.raises(HostError, match="here has no Docker"):
            read(site.host, "demo", docker="/not/there/docker")
    with pytest.raises(HostError, match="here has no Docker"):
        read_facts(site.host, "/tmp", "demo", docker="/not/there/docker")


def test_an_empty_engine(site: Site) -> None:
    """Without images and containers nothing is inspected."""
    assert read_state(site.host, "demo", docker=site.docker).containers == ()
    assert not [line for line in site.said if "inspect" in line]


@pytest.mark.parametrize(
    ("text", "app"),
    [
        ("include:\n- /mnt/tank/my apps/demo/app.json\nservices: {}\nx-notes: a/b.json\n",
         "/mnt/tank/my apps/demo/app.json"),
        ('"include":\n- "/mnt/tank/demo/app.json"\n"services": {}\n', "/mnt/tank/demo/app.json"),
        ("services:\n  web:\n    image: demo\n", "another"),
        (None, ""),
    ],
)  # fmt: skip
def test_what_truenas_own_app_includes(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, app: str
) -> None:
    """As each release writes it; asked only where the project is one of an app's."""
    monkeypatch.setattr(inspect, "APPS", str(tmp_path / "the apps"))
    if text is not None:
        place = tmp_path / "the apps/demo/versions/1.0.0/templates/rendered"
        place.mkdir(parents=True)
        (place / "docker-compose.yaml").write_text(text)
    assert read_state(site.host, "ix-demo", docker=site.docker).app == app
    assert read_state(site.host, "demo", docker=site.docker).app == ""


def test_what_vanishes_meanwhile_is_left_out(site: Site) -> None:
    """`inspect` ends with 1 and prints the others; any other end is an error."""
    site.says("image-ls", "i1", "i2")
    site.says("image-inspect", {"Id": "i1", "RepoTags": ["demo/a:1"], "Layers": ["l"]}, code=1)
    site.says("container-ls", "c1", "c2")
    site.says("container-inspect", WEB, code=1)
    state = read_state(site.host, "demo", docker=site.docker)
    assert state.images.references == {"demo/a:1": "i1"}
    assert [one.id for one in state.containers] == ["c1"]
    asked = [line for line in site.said if line.startswith("container inspect")]
    assert asked[0].endswith(" c1 c2")
    site.says("container-inspect", code=2)
    with pytest.raises(HostError):
        read_state(site.host, "demo", docker=site.docker)
    site.says("container-ls", code=1)
    with pytest.raises(HostError):
        read_containers(site.host, "demo", docker=site.docker)


def test_a_daemon_that_went_away_is_waited_for(site: Site, tmp_path: Path) -> None:
    """It is asked until it answers again, a second apart, and not once more."""
    program = site.folder / "docker"
    back = 'exec >/dev/null 2>&1\n[ "$(wc -l <"$folder/said")" -ge 3 ]\n'
    program.write_text(DOCKER + back)
    wait_for_docker(site.host, site.docker)
    assert site.said == ["version"] * 3


@pytest.mark.parametrize("older", [False, True])
def test_compose_is_given_a_file_that_it_takes(site: Site, tmp_path: Path, older: bool) -> None:
    """The release's own, or the one beside it that was made for an older Docker or Compose."""
    file = tmp_path / "a release/compose.json"
    file.parent.mkdir()
    beside = file.with_name("compose.older.json")
    if older:
        beside.touch()
    engine = DockerEngine(site.host, "demo", site.docker)
    site.host.run(engine.compose_argv(str(file), ("exec", "web", "a b")), timeout=30)
    assert site.said == [f"compose -p demo -f {beside if older else file} exec web a b"]
