"""What looks at a host, run for real on this machine, with a docker that says what it is told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slipway.doors import SystemClock
from slipway.hosts.checkup import Checkup, FolderState, read_checkup
from slipway.hosts.local import LocalHost
from slipway.hosts.middleware import NasRelease
from slipway.hosts.nas import Nas
from slipway.hosts.probe import Trial, probe

HERE = LocalHost("here")
# Its first two words name the file that is printed; FILE.code holds what it ends with. `container
# run` does in the mounted folder what the container would, as who runs this.
DOCKER = r"""#!/bin/sh
folder=$(dirname -- "$0")
printf '%s\n' "$*" >>"$folder/said"
if [ "$1-$2" = container-run ]; then
    [ ! -f "$folder/no-shell" ] || exit 127
    source= user=
    while [ "$#" -gt 0 ] && [ "$1" != -c ]; do
        case $1 in
        --user=*) user=${1#--user=} ;;
        --mount) source=${2#*source=}; source=${source%%,*} ;;
        esac
        shift
    done
    [ -n "$source" ] || exit 0
    body=$(printf '%s' "$2" | sed "s|/probe|$source|g")
    set -- setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups sh -c "$body" sh "$4"
    exec "$@"
fi
name="$folder/$1-$2"
[ ! -f "$name" ] || cat -- "$name"
[ ! -f "$name.code" ] || exit "$(cat -- "$name.code")"
"""


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """The program; what it is to say lies beside it."""
    path = tmp_path / "bin/docker"
    path.parent.mkdir()
    path.write_text(DOCKER)
    path.chmod(0o755)
    return path


def says(docker: Path, command: str, text: str, code: int = 0) -> None:
    """Answer a command of two words."""
    (docker.parent / command).write_text(text)
    (docker.parent / f"{command}.code").write_text(str(code))


def said(docker: Path, start: str) -> list[str]:
    """The commands that begin so."""
    path = docker.parent / "said"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if line.startswith(start)]


def look(docker: Path, app_dir: Path, ports: tuple[int, ...] = (), *folders: Path) -> Checkup:
    """The checkup of this machine."""
    names = [str(one) for one in folders]
    return read_checkup(
        HERE, SystemClock(), docker=str(docker), app_dir=str(app_dir), ports=ports, folders=names
    )


def test_the_machine_itself(docker: Path, tmp_path: Path) -> None:
    """A folder's owner and mode, one that isn't there, this machine's clock and inodes."""
    folder = tmp_path / "a folder"
    folder.mkdir(mode=0o750)
    os.chown(folder, 568, 569)
    (tmp_path / "link").symlink_to(folder)
    found = look(docker, tmp_path / "no/where", (), folder, tmp_path / "link", tmp_path / "file")
    state = FolderState(568, 569, 0o750)
    assert found.folders == {
        str(tmp_path / "no/where"): None, str(folder): state, str(tmp_path / "link"): state,
        str(tmp_path / "file"): None,
    }  # fmt: skip
    assert found.skew == 0
    assert found.app_inodes == os.statvfs(tmp_path).f_favail or found.app_inodes
    assert found.nas is None


def test_who_has_a_port(docker: Path, tmp_path: Path) -> None:
    """A process by its name and number, over IPv4 and IPv6; a container by Docker's word."""
    with socket.create_server(("127.0.0.1", 0)) as four, socket.socket(socket.AF_INET6) as six:
        six.bind(("::1", 0))
        six.listen()
        ports = (four.getsockname()[1], six.getsockname()[1])
        found = look(docker, tmp_path, (*ports, 1))
        who = f"{Path(f'/proc/{os.getpid()}/comm').read_text().strip()} (process {os.getpid()})"
        assert found.holders == {ports[0]: who, ports[1]: who}
        says(docker, "container-ls", "proxy-1\n")
        found = look(docker, tmp_path, ports[:1])
    assert found.holders == {ports[0]: "the container proxy-1"}
    assert said(docker, f"container ls --filter publish={ports[0]}")


def test_what_docker_holds(docker: Path, tmp_path: Path) -> None:
    """Names, and whose they are by their label; without Docker all else is seen."""
    says(docker, "info---format", str(tmp_path))
    says(docker, "container-ls", "demo-web-1 demo\nlost \n")
    says(docker, "volume-ls", "pile other\n")
    found = look(docker, tmp_path)
    assert found.containers == {"demo-web-1": "demo", "lost": ""}
    assert found.volumes == {"pile": "other"}
    assert found.docker_inodes
    bare = look(Path("/no/docker"), tmp_path)
    assert (bare.containers, bare.docker_inodes) == ({}, None)
    assert bare.app_inodes


def test_a_disk_without_inodes(docker: Path, tmp_path: Path) -> None:
    """What is left is what the file system says."""
    script = 'mount -t tmpfs -o nr_inodes=40 small "$1" && shift && exec "$@"'
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from tests.integration.hosts.test_checkup_scripts import look;"
        "print(look(Path(sys.argv[2]), Path(sys.argv[3])).app_inodes)"
    )
    root = Path(__file__).parents[3]
    argv = ["unshare", "--mount", "sh", "-c", script, "x", str(tmp_path / "small"), sys.executable,
            "-c", code, str(root), str(docker), str(tmp_path / "small/app")]  # fmt: skip
    (tmp_path / "small").mkdir()
    env = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"}
    done = subprocess.run(argv, check=True, capture_output=True, text=True, env=env)
    assert 30 <= int(done.stdout) < 40


@contextmanager
def name_server(answers: bool) -> Iterator[str]:
    """A server of names on loopback, of which only the port is not the usual one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(20)

        def serve() -> None:
            try:
                asked, who = door.recvfrom(512)
            except TimeoutError:
                return
            if answers:
                door.sendto(asked[:2] + b"\x80\x05" + asked[4:], who)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield str(door.getsockname()[1])


@pytest.mark.parametrize(("answers", "expected"), [(True, None), (False, ("127.0.0.1",))])
def test_name_servers(
    docker: Path, tmp_path: Path, answers: bool, expected: tuple[str, ...] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Any answer counts, also a refusal; without one those that were asked are named."""
    from slipway.hosts import checkup

    (tmp_path / "resolv.conf").write_text("search x\nnameserver 127.0.0.1\n")
    with name_server(answers) as port:
        script = checkup._CHECKUP.replace("/etc/resolv.conf", str(tmp_path / "resolv.conf"))
        assert ", 53)" in script
        monkeypatch.setattr(checkup, "_CHECKUP", script.replace(", 53)", f", {port})"))
        assert look(docker, tmp_path).silent == expected


# What of truenas_api_client is used: one connection, methods, an error.
CLIENT = """
class ClientException(Exception):
    errno = 201
class ValidationErrors(ClientException): pass
class CallTimeout(ClientException): pass
ANSWERS = {
    "system.version": "TrueNAS-25.10.6",
    "docker.status": {"status": "FAILED", "description": "no pool"},
    "app.query": [{"name": "plex"}],
    "update.check_available": {"status": "REBOOT_REQUIRED"},
}
class Client:
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def call(self, method, *args, timeout):
        if method == "pool.dataset.query" and args[0] == [["id", "in", ["tank", "tank/a"]]]:
            return [{"id": "tank", "acltype": {"value": "NFSV4"},
                     "aclmode": {"value": "RESTRICTED"}}]
        if method not in ANSWERS:
            raise ClientException("Method does not exist")
        return ANSWERS[method]
"""


def test_a_truenas(docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a midclt it is asked; a method that isn't there is asked otherwise."""
    midclt = docker.with_name("midclt")
    midclt.write_text("#!/bin/sh\nexit 1\n")
    midclt.chmod(0o755)
    (tmp_path / "truenas_api_client.py").write_text(CLIENT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
    assert look(docker, Path("/mnt/tank/a")).nas == Nas(
        NasRelease((25, 10), "25.10.6"), "FAILED", "no pool", ("plex",),
        {"/mnt/tank": "NFSV4 RESTRICTED"}, "reboot",
    )  # fmt: skip


def tried(docker: Path, *trials: Trial, networks: int = 0) -> dict[str, str]:
    """What trying the folders came to, by path."""
    found = probe(
        HERE, "t0", docker=str(docker), application="demo", networks=networks, trials=trials
    )
    return {one.path: access for one, access in found.access.items()}


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder whose parents everybody may look into, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_folders_are_tried_as_who_has_them(docker: Path, public: Path) -> None:
    """Writing and looking into; what was written is gone, and so is the container."""
    says(docker, "image-ls", "demo/b 2\ndemo/a 1\ndemo/a 0\n")
    folders = {}
    for name, owner, mode in (("own", 568, 0o700), ("shut", 0, 0o700), ("open one", 0, 0o755)):
        folders[name] = public / name
        folders[name].mkdir()
        os.chown(folders[name], owner, owner)
        folders[name].chmod(mode)
    mine, shut, opened = (str(one) for one in folders.values())
    user = "568:568"
    assert tried(docker, Trial(mine, user, True), Trial(shut, user, True),
                 Trial(opened, user, True)) == {mine: "yes", shut: "no", opened: "no"}  # fmt: skip
    assert tried(docker, Trial(shut, user, False), Trial(opened, user, False)) == {
        shut: "no", opened: "yes",
    }  # fmt: skip
    assert [list(one.iterdir()) for one in folders.values()] == [[], [], []]
    runs = said(docker, "container run")
    assert all("--rm" in run and "--pull never" in run and "--network none" in run for run in runs)
    assert " 1 -c" in runs[0]  # the first of each repository, in order
    assert f"type=bind,source={opened},target=/probe,readonly" in runs[-1]


def test_without_an_image_that_has_a_shell_nothing_is_tried(docker: Path, tmp_path: Path) -> None:
    """Before the first deploy, or where no image has one."""
    trial = Trial(str(tmp_path), "568:568", True)
    assert tried(docker, trial) == {str(tmp_path): "unknown"}
    says(docker, "image-ls", "demo/a 1\n")
    (docker.parent / "no-shell").touch()
    assert tried(docker, trial) == {str(tmp_path): "unknown"}


def test_networks_are_made_and_removed(docker: Path) -> None:
    """As many as are lacking, each labelled; the first that can't be made is told of."""
    says(docker, "network-ls", "n1\nn2\n")
    found = probe(HERE, "t0", docker=str(docker), application="demo", networks=2, trials=())
    assert found.network == ""
    assert len(said(docker, "network create --label io.slipway.probe=t0 slipway-probe-t0-")) == 2
    assert said(docker, "network rm") == ["network rm n1 n2"]
    says(docker, "network-create", "all predefined address pools have been fully subnetted\n", 1)
    found = probe(HERE, "t0", docker=str(docker), application="demo", networks=2, trials=())
    assert "fully subnetted" in found.network
    assert len(said(docker, "network rm")) == 2


def test_what_is_interrupted_leaves_nothing(docker: Path, tmp_path: Path) -> None:
    """A connection that ends sends the script a signal: it tidies up all the same."""
    from slipway.hosts.probe import _PROBE

    says(docker, "container-ls", "c1\n")
    says(docker, "network-ls", "n1\n")
    slow = docker.with_name("slow")
    slow.write_text(f'#!/bin/sh\ncase $1-$2 in image-ls) sleep 5 ;; esac\nexec {docker} "$@"\n')
    slow.chmod(0o755)
    argv = ["sh", "-c", _PROBE, "probe", str(slow), "t0", "1", "demo", "1", "write", str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        while not said(docker, "network create"):
            assert process.poll() is None
        process.terminate()
        assert process.wait(60) == 75
    assert said(docker, "container rm") == ["container rm --force --volumes c1"]
    assert said(docker, "network rm") == ["network rm n1"]
