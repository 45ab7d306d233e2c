"""What can be wrong before and during a deploy: a sentence, a code, nothing half done."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.functional.conftest import Ended, Site
from tests.functional.refusals import APP, MAIN, containers, refused, serving, started

from slipway.hosts.rehearsal import DOCKER_DATA
from slipway.supply.store import fixed_path

LOCK = "nix/locks/debian.json"
HOSTS = "deploy/hosts.toml"


@pytest.fixture
def checkout(site: Site) -> Iterator[Site]:
    """The site; what a test changes in its checkout is put back."""
    kept = {path: (site.root / path).read_bytes() for path in (MAIN, LOCK, HOSTS)}
    yield site
    for path, content in kept.items():
        (site.root / path).write_bytes(content)


@pytest.fixture
def live(site: Site, checkout: Site) -> str:
    """The live release: that of the unchanged checkout."""
    return str(checkout.good("deploy", "--json").json["release"])


def change(site: Site) -> None:
    """Change a line of the application."""
    with (site.root / MAIN).open("a", encoding="utf-8") as file:
        file.write(f"\nCHANGED = {time.time_ns()}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("deploy", "--host", "nowhere"), "there is no host 'nowhere'"),
        (("build", "--role", "nothing"), "there is no role nothing"),
        (("build", "--role"), "--role needs a value"),
        (("depoly",), "there is no task 'depoly'"),
        (("deploy", "--bogus"), "deploy has no flag --bogus"),
        (("deploy", "--host"), "--host needs a value"),
        (("logs", "--number", "many"), "--number takes a whole number, and got 'many'"),
    ],
)
def test_wrong_words_are_code_2(site: Site, arguments: tuple[str, ...], said: str) -> None:
    """A wrong host, role, task, flag or value is named and ends with 2."""
    found = refused(site.inv(*arguments, "--json"), 2)
    assert said in found.error
    assert found.hint


def key(folder: Path, name: str) -> Path:
    """A new key pair."""
    path = folder / name
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(argv, check=True, capture_output=True)
    return path


def closed_port() -> int:
    """A TCP port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("wrong", "said", "hint"),
    [
        ("address", "refused the connection", "SSH service"),
        ("host key", "is not the known one", "ssh-keygen -R"),
        ("no host key", "is not known here", "ssh-keyscan"),
        ("login", "refused the login of truenas_admin", "authorized keys"),
    ],
)
def test_a_host_out_of_reach_is_code_4(
    site: Site, checkout: Site, tmp_path: Path, wrong: str, said: str, hint: str
) -> None:
    """An unreachable, unknown or refusing SSH host is told apart before anything is built."""
    info = site.good("rehearsal.up", "--name", site.host, "--json").json
    entry: dict[str, Any] = {
        "kind": "ssh",
        "address": info["address"],
        "user": "truenas_admin",
        "key_file": info["key_path"],
        "known_hosts": info["known_hosts_path"],
        "app_dir": APP,
        "compose": ["docker-compose.yml", "docker-compose.truenas.yml"],
    }
    known = tmp_path / "known_hosts"
    if wrong == "address":
        entry |= {"address": "127.0.0.1", "port": closed_port()}
    elif wrong == "host key":
        other = key(tmp_path, "other").with_suffix(".pub").read_text("utf-8")
        known.write_text(f"{info['address']} {other}", "utf-8")
        entry["known_hosts"] = str(known)
    elif wrong == "no host key":
        known.touch()
        entry["known_hosts"] = str(known)
    else:
        entry["key_file"] = str(key(tmp_path, "stranger"))
    lines = [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
    with (site.root / HOSTS).open("a", encoding="utf-8") as file:
        file.write("\n[host.elsewhere]\n" + "\n".join(lines) + "\n")
    change(site)
    found = refused(site.inv("deploy", "--host", "elsewhere", "--json"), 4)
    assert said in found.error
    assert hint in found.hint
    assert "plan" not in found.ended.err.split("error:")[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"format": 2', '"format": 99'), ("{", "<<<<<<< ours\n{"), ('"sha256": "', '"sha256": "x')],
)
def test_a_corrupt_lock_is_code_3(site: Site, checkout: Site, old: str, new: str) -> None:
    """A lock of an unknown format, a mangled one or one with a bad hash builds nothing."""
    site.replace(LOCK, old, new)
    found = refused(site.inv("deploy", "--json"), 3)
    assert "debian.json" in found.error
    assert "git checkout nix/locks/debian.json" in found.hint


@contextmanager
def mirror(body: bytes) -> Iterator[str]:
    """A mirror on loopback that answers every request with ``body``; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/debian"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def lock_unknown(site: Site, content: bytes) -> str:
    """Have the lock name a file that no store has; the store path it would have."""
    sha256 = hashlib.sha256(content).hexdigest()
    lock = json.loads((site.root / LOCK).read_text("utf-8"))
    lock["packages"]["netbase"] |= {"size": len(content), "sha256": sha256}
    (site.root / LOCK).write_text(json.dumps(lock), "utf-8")
    return fixed_path(lock["packages"]["netbase"]["path"].rpartition("/")[2], sha256)


def test_other_bytes_than_locked_are_code_3(site: Site, checkout: Site) -> None:
    """A mirror that serves other bytes of the right length is found out; nothing of it stays."""
    stored = lock_unknown(site, time.time_ns().to_bytes(8, "big") * 100)
    with mirror(b"tampered" * 100) as address:
        done = site.inv(
            "deploy", "--json",
            SLIPWAY_DEBIAN_MIRROR=address, SLIPWAY_DEBIAN_SECURITY_MIRROR=address,
        )  # fmt: skip
    found = refused(done, 3)
    assert "came with other bytes than the locked ones" in found.error
    assert not Path(stored).exists()
    assert not list((site.root / ".slipway/downloads").glob("netbase*"))


def test_a_mirror_that_is_gone_is_code_3(site: Site, checkout: Site) -> None:
    """Without a mirror the lock stays as it is, and the message says where mirrors are set."""
    lock_unknown(site, time.time_ns().to_bytes(8, "big"))
    before = (site.root / LOCK).read_bytes()
    address = f"http://127.0.0.1:{closed_port()}/debian"
    done = site.inv(
        "deploy", "--json",
        SLIPWAY_DEBIAN_MIRROR=address, SLIPWAY_DEBIAN_SECURITY_MIRROR=address,
    )  # fmt: skip
    found = refused(done, 3)
    assert "a mirror gave no answer" in found.error
    assert "SLIPWAY_DEBIAN_MIRROR" in found.hint
    assert (site.root / LOCK).read_bytes() == before


@contextmanager
def small_disk(site: Site, place: str, size: str) -> Iterator[None]:
    """A file system of ``size`` over a folder of the host, with a copy of its small files."""
    script = """set -eu
    held=$(mktemp -d); mount -t tmpfs -o "size=$2" small "$held"
    cd -- "$1"
    for one in *; do
        case $one in data|'*') ;; *) cp -a -- "$one" "$held";; esac
    done
    mount --move "$held" "$1"
    """
    site.sh("sh", "-c", script, "small", place, size)
    try:
        yield
    finally:
        site.sh("umount", place)


@pytest.mark.parametrize(
    ("place", "size", "code", "said"),
    [
        (APP, "12m", 5, f"are free at {APP}"),
        (f"{DOCKER_DATA}/tmp", "16k", 4, "did not load"),
    ],
)
def test_a_full_disk_leaves_what_runs(
    site: Site, live: str, place: str, size: str, code: int, said: str
) -> None:
    """A host without space refuses the deploy, or the transfer fails; the old release answers."""
    before = containers(site)
    change(site)
    with small_disk(site, place, size):
        found = refused(site.inv("deploy", "--json"), code)
    assert said in found.error
    assert containers(site) == before
    serving(site, live)


def test_no_root_for_a_rehearsal_host_is_code_4(site: Site, checkout: Site) -> None:
    """Without root the deploy is refused before anything is built, with another way named."""
    change(site)
    argv = ["unshare", "--user", *site.argv("deploy", "--json")]
    done = subprocess.run(
        argv, cwd=site.root, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(site.root / "src")},
    )  # fmt: skip
    found = refused(Ended(done.returncode, done.stdout, done.stderr), 4)
    assert "needs root" in found.error
    assert "--host local" in found.hint


def test_a_killed_deploy_goes_on(site: Site, live: str) -> None:
    """After a kill -9 the host goes on by itself; the next deploy is there when it ends."""
    change(site)
    with started(site, "verify", "deploy") as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait(120) == -signal.SIGKILL
    done = site.good("deploy", "--json")
    assert "goes on" in done.err
    assert "is done" in done.err
    assert done.json["outcome"] == "unchanged"
    assert done.json["release"] != live
    serving(site, done.json["release"])


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something to have happened, two minutes at most."""
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, "it never happened"


@pytest.mark.parametrize("step", ["up", pytest.param("verify", marks=pytest.mark.long)])
def test_ctrl_c_puts_the_release_back(site: Site, live: str, step: str) -> None:
    """Ctrl-C while services change: code 130, the lease is free, the release before serves."""
    change(site)
    before = containers(site)
    with started(site, step, "deploy", "--json") as process:
        wait_until(lambda: containers(site) != before)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=200)
    found = refused(Ended(process.returncode, out, err), 130)
    assert f"{live} is serving again" in found.error
    serving(site, live)
