"""A build from a binary cache: a real nginx serves it to a machine with an empty Nix store.

That machine is this one in a network of its own, with no way out and another folder at ``/nix``.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.rooms import ROOT, Room, wait_for

from slipway.app.caching import make_key, signing
from slipway.config import load
from slipway.images.build import image_attribute, read_images
from slipway.report import Report
from slipway.shell import LocalShell
from slipway.supply import publish
from slipway.supply.needs import Needs
from slipway.supply.outputs import outputs

ADDRESS = "http://127.0.0.1:8099"
ROLE = "certificate"  # the smallest way through all that builds
QUIET = Report(quiet=True)
_SERVER = """
worker_processes 1; pid /tmp/pid; error_log stderr;
events { worker_connections 64; }
http { access_log off; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p;
    fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
    server { listen 8099; root /srv/www; } }
"""
_BUILD = """
import json, sys
from pathlib import Path
from slipway.app.workspace import Workspace
from slipway.errors import SlipwayError
from slipway.report import Report
try:
    made = Workspace(Path(sys.argv[1]), Report()).images(locked=True, roles=(sys.argv[2],))
    print(json.dumps([image.manifest_digest for image in made]))
except SlipwayError as error:
    print(json.dumps(error.to_json()))
"""
_ELSEWHERE = 'mount --bind "$1" /nix; shift; exec "$@"'


@dataclass
class Published:
    """A cache.

    Attributes:
        folder: where it is.
        key: the public key that it is signed by.
        digest: of the image that was built before.
    """

    folder: Path
    key: str
    digest: str

    def narinfo(self, name: str) -> Path:
        """The description of a path by the end of its name."""
        return next(
            file
            for file in self.folder.glob("*.narinfo")
            if file.read_text().partition("\n")[0].endswith(name)
        )


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """One image, with all that it is made of, sent to a folder and signed."""
    place, shell, settings = tmp_path_factory.mktemp("cache"), LocalShell(), load(ROOT)
    made = make_key(shell, QUIET, "test-1", place / "key")
    assert (place / "key").stat().st_mode & 0o077 == 0
    attribute = image_attribute(ROLE)
    built = outputs(shell, ROOT, settings, [attribute])
    (image,) = read_images(built, settings.application, [ROLE])
    with (
        pytest.MonkeyPatch.context() as patch,
        signing(f"file://{place}/store", str(place / "key"), {}, place) as cache,
    ):
        patch.setattr(publish, "PACKAGES", (attribute,))
        patch.setattr(publish, "everything", lambda _: Needs(roles=(ROLE,)))
        paths = publish.published(shell, ROOT, settings)
        todo = publish.lacking(shell, cache, paths)
        assert todo == paths
        progress = QUIET.progress("sent", sum(one.bytes for one in todo))
        publish.send(shell, cache, todo, progress)
        assert publish.lacking(shell, cache, paths) == ()
    return Published(place / "store", made.text, image.manifest_digest)


@dataclass
class Machine:
    """One with an empty store and nothing around but a cache.

    Attributes:
        room: where nginx serves the cache.
        folder: the machine's own.
    """

    room: Room
    folder: Path

    def build(self, keys: Sequence[str]) -> tuple[object, str]:
        """What building the role came to there, and what was said."""
        checkout = self.folder / "checkout"
        if not checkout.exists():
            copy_checkout(checkout)
        cache = f"\n[cache]\naddresses = {json.dumps([ADDRESS])}\nkeys = {json.dumps(list(keys))}\n"
        text = (ROOT / "slipway.toml").read_text("utf-8")
        (checkout / "slipway.toml").write_text(text + cache, "utf-8")
        (self.folder / "nix").mkdir(exist_ok=True)
        argv = ["unshare", "--mount", "sh", "-euc", _ELSEWHERE, "x", str(self.folder / "nix")]
        argv += [sys.executable, "-c", _BUILD, str(checkout), ROLE]
        env = {**os.environ, "PYTHONPATH": str(checkout / "src"), "HOME": str(self.folder)}
        env |= {"XDG_CACHE_HOME": str(self.folder / "asked"), "HTTP_PROXY": "", "http_proxy": ""}
        with self.room.house.entered():
            done = subprocess.run(argv, env=env, capture_output=True, timeout=300, check=False)
        assert done.stdout, done.stderr.decode()
        return json.loads(done.stdout), done.stderr.decode()

    def valid(self, name: str) -> list[str]:
        """The paths that Nix holds for whole there, by the end of their name.

        What it was unpacking when it stopped may lie about, and counts for nothing.
        """
        with closing(sqlite3.connect(self.folder / "nix/var/nix/db/db.sqlite")) as database:
            asked = "select path from ValidPaths where path like ?"
            return [path for (path,) in database.execute(asked, (f"%{name}",))]


def copy_checkout(target: Path) -> None:
    """What git knows of this checkout."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True, timeout=60
    )
    for name in filter(None, done.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@pytest.fixture
def machine(make_room: MakeRoom, published: Published, tmp_path: Path) -> Iterator[Machine]:
    """An empty machine beside a web server that has a copy of the cache."""
    room = make_room("frontend")
    shutil.copytree(published.folder, room.folder / "store")
    (room.folder / "etc").mkdir()
    (room.folder / "etc/cache.conf").write_text(_SERVER)
    room.binds |= {room.folder / "store": "/srv/www", room.folder / "etc": "/data"}
    server = room.start(["/usr/sbin/nginx", "-c", "/data/cache.conf", "-g", "daemon off;"])

    def up() -> bool:
        assert server.poll() is None, room.log.read_text()
        try:
            with room.house.entered():
                return httpx.get(f"{ADDRESS}/nix-cache-info", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    wait_for(up, "nginx to answer")
    made = Machine(room, tmp_path / "machine")
    made.folder.mkdir()
    yield made
    subprocess.run(["chmod", "-R", "u+w", str(made.folder)], check=True, timeout=120)


def test_an_empty_store_builds_from_the_cache_alone(machine: Machine, published: Published) -> None:
    """No mirror, no network: the same image, and nothing is built."""
    made, said = machine.build([published.key])

    assert made == [published.digest]
    assert len(machine.valid("-layer-programs")) == 1
    assert "from the binary caches" in said
    assert "building" not in said


def test_a_falsified_archive_is_refused(machine: Machine, published: Published) -> None:
    """Other bytes than those signed: nothing of them is taken, and it is said whose they were."""
    layer = Published(machine.room.folder / "store", "", "").narinfo("-layer-programs")
    url = next(line for line in layer.read_text().splitlines() if line.startswith("URL: "))
    junk = subprocess.run(
        ["zstd", "-q"], input=b"junk", capture_output=True, check=True, timeout=60
    )
    (layer.parent / url.removeprefix("URL: ")).write_bytes(junk.stdout)

    made, _ = machine.build([published.key])

    assert isinstance(made, dict)
    assert "not those signed" in made["error"]
    assert f"-layer-programs of {ADDRESS}" in made["error"]
    assert "cache.push" in made["hint"]
    assert machine.valid("-layer-programs") == []


@pytest.mark.long  # tests/unit/supply/test_caches.py has Nix's words
def test_what_another_key_signed_is_not_taken(machine: Machine, published: Published) -> None:
    """Without a key that counts only what its own hash vouches for comes in: the inputs.

    What is built is built here, which takes no network, and the person is told.
    """
    made, said = machine.build([f"other-1:{b64encode(os.urandom(32)).decode()}"])

    assert made == [published.digest]
    assert "is signed by no key that counts here; it was built here" in said
    assert "building" in said
