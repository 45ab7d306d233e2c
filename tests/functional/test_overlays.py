"""A deploy with everything an owner can switch on: the API's token, Gemini, films on the host.

All tests look at one deploy. The Gemini API is a server of the test's own at this machine's end of
the host's wire: what reaches it has left the host.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.attacks import ATTACKS, send
from tests.functional.conftest import Ended, Site

from slipway.hosts.rehearsal import ADMIN, POOL

APP = f"{POOL}/apps/langflix"
FILMS = f"{POOL}/films"
KEY = "canary-gemini-93b1d0"
FILES = ["docker-compose.yml", "docker-compose.truenas.yml", "docker-compose.media.yml",
         "docker-compose.gemini.yml", "docker-compose.tests.yml"]  # fmt: skip
# As docs/guides/secrets.md has it.
SHOW = 'print(open("/run/secrets/{}").read())'


@dataclass
class Watched:
    """What could be seen of processes while the deploy ran.

    Attributes:
        lines: command lines of all processes, the rehearsal host's among them.
        variables: those of the deploy's own processes here.
    """

    lines: set[bytes] = field(default_factory=set, repr=False)
    variables: set[bytes] = field(default_factory=set, repr=False)


@dataclass(frozen=True)
class Live:
    """The deploy, and all that was said about it.

    Attributes:
        site: where it is.
        url: its address.
        info: how to reach the host.
        refused: the plan without a key for Gemini.
        said: the outputs of all commands.
        asked: the headers of what reached the Gemini API.
        watched: processes while it was deployed.
        left: files that the deploy left in the folder for temporary ones.
    """

    site: Site
    url: str
    info: dict[str, Any]
    refused: Ended
    said: tuple[Ended, ...]
    asked: list[dict[str, str]]
    watched: Watched
    left: tuple[str, ...]

    def secret(self, service: str, name: str) -> str:
        """A secret, read as the guide says; postgres has no Python."""
        if service == "postgres":
            place = f"/run/secrets/{name}"
            return self.site.sh(
                "docker", "exec", self.container(service), "/usr/bin/busybox", "cat", place
            ).strip()
        code = SHOW.format(name)
        return self.site.good("exec", service, "--", "/app/bin/python3", "-c", code).out.strip()

    def file(self, path: str) -> str:
        """A file below the secrets' folder, read as the guide says, by the host's admin."""
        rule = f"{ADMIN} ALL=(ALL) NOPASSWD: ALL"
        self.site.sh("sh", "-c", f"echo '{rule}' >> /etc/sudoers")
        known = f"UserKnownHostsFile={self.info['known_hosts_path']}"
        login = ("-i", self.info["key_path"], "-o", known, f"{ADMIN}@{self.info['address']}")
        command = f"sudo -n timeout 5 cat {APP}/secrets/{path}"
        done = subprocess.run(
            ["ssh", *login, command], capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def container(self, service: str) -> str:
        """The id of its one container."""
        (found,) = self.site.sh("docker", "ps", "-q", "-f", f"name=-{service}-").split()
        return found

    def holding(self, text: str) -> str:
        """The files of the application's folder, but for the secrets, that hold a text."""
        search = 'grep -rlF --exclude-dir=secrets -e "$1" "$2" || [ "$?" -eq 1 ]'
        return self.site.sh("sh", "-c", search, "search", text, APP)


@contextmanager
def gemini(address: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An API that refuses every key; its URL, and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((address, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{address}:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@contextmanager
def watching(mark: str) -> Iterator[Watched]:
    """Watch processes until the block ends; those with the variable ``mark`` are the deploy's."""
    seen, ended = Watched(), threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    line = (process / "cmdline").read_bytes()
                    if line in seen.lines:
                        continue
                    variables = (process / "environ").read_bytes().split(b"\0")
                    seen.variables.update(variables if mark.encode() in variables else ())
                    seen.lines.add(line)
                except OSError:
                    continue

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join(10)


@pytest.fixture(scope="module")
def live(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One deploy with all overlays; hosts.toml is put back."""
    info: dict[str, Any] = site.good("rehearsal.up", "--name", site.host, "--json").json
    wire = str(ipaddress.ip_address(info["address"]) - 1)
    site.sh("sh", "-c", 'mkdir -p "$1" && : >"$1/Film.mp4"', "films", FILMS)
    hosts, override = (
        site.root / "deploy" / n for n in ("hosts.toml", "docker-compose.override.yml")
    )
    kept, temporary = hosts.read_text("utf-8"), tmp_path_factory.mktemp("temporary")
    lines = [line for line in kept.splitlines() if not line.startswith(("compose", "variables"))]
    lines += [f"compose = {json.dumps(FILES)}", f'variables = {{ LANGFLIX_MEDIA = "{FILMS}" }}']
    hosts.write_text("\n".join(lines) + "\n", "utf-8")
    try:
        with gemini(wire) as (address, asked):
            override.write_text(
                f'services: {{worker: {{environment: {{LANGFLIX_GEMINI_URL: "{address}"}}}}}}\n'
            )
            refused = site.inv("plan")
            given = {"SLIPWAY_SECRET_GEMINI_API_KEY": KEY, "TMPDIR": str(temporary)}
            planned = site.good("plan", **given)
            with watching(f"TMPDIR={temporary}") as watched:
                first = site.good("deploy", "--json", **given)
            left = tuple(path.name for path in temporary.iterdir())
            # What the host has is kept: the key is not supplied again.
            again = site.good("deploy", "--json")
            assert again.json["outcome"] == "unchanged"
            said = (refused, planned, first, again)
            yield Live(site, first.json["url"], info, refused, said, asked, watched, left)
    finally:
        hosts.write_text(kept, "utf-8")
        override.unlink(missing_ok=True)


def test_a_missing_key_is_a_sentence(live: Live) -> None:
    """Without a key for Gemini nothing is planned, and the message says where to put one."""
    assert live.refused.code == 2
    wanted = "put it into deploy/secrets/gemini_api_key or SLIPWAY_SECRET_GEMINI_API_KEY"
    assert f"gemini_api_key: is missing: {wanted}" in live.refused.err


def test_no_stranger_ends_anything(live: Live) -> None:
    """Bodies, headers and chunks without end: nothing restarts, and the API is ready throughout."""
    address = urlsplit(live.url)
    asked: list[int] = []
    over = threading.Event()

    def watch() -> None:
        with httpx.Client(base_url=live.url, timeout=30) as client:
            while not over.wait(0.2):
                asked.append(client.get("/ready").status_code)

    def connect() -> socket.socket:
        return socket.create_connection((address.hostname or "", address.port or 80), 30)

    watcher = threading.Thread(target=watch)
    watcher.start()
    told = {}
    for kind in ATTACKS:
        for path in ("/api/v1/session", "/api/v1/media/jobs", "/api/v1/jobs", "/flower/", "/"):
            told[kind.__name__, path] = send(connect, kind(path))[9:12]
    over.set()
    watcher.join(60)
    assert not {code for code in told.values() if code.startswith("5")}, told
    assert {told[name, "/api/v1/session"] for name in ("large", "chunked")} == {"413"}, told
    assert len(asked) > 5
    assert set(asked) == {200}
    containers = live.site.sh("docker", "ps", "--all", "--quiet").split()
    count = live.site.sh("docker", "inspect", "--format", "{{.RestartCount}}", *containers)
    assert set(count.split()) == {"0"}


def test_without_the_token_only_health_answers(live: Live) -> None:
    """Lessons and films are for those who show the token; the page is told that it needs one."""
    with httpx.Client(base_url=live.url, timeout=10) as client:
        for path in ("/api/v1/jobs", "/api/v1/media"):
            assert client.get(path).status_code == 401
            wrong = client.get(path, headers={"Authorization": "Bearer wrong"})
            assert wrong.status_code == 401
        assert client.get("/health/detailed").json()["status"] == "ok"
        session = client.get("/api/v1/session").json()
        assert (session["needs_token"], session["allowed"]) == (True, False)
        assert client.post("/api/v1/session", json={"token": "wrong"}).status_code == 401


def test_the_token_that_is_read_as_documented_lets_in(live: Live, tmp_path: Path) -> None:
    """The page's sign-in, a bearer header and the CLI work; both ways to read it agree."""
    token = live.secret("api", "api_token")
    assert len(token) == 32
    assert live.file("api_token/1") == token
    with httpx.Client(base_url=live.url, timeout=10) as client:
        assert client.post("/api/v1/session", json={"token": token}).status_code == 204
        assert client.get("/api/v1/session").json()["allowed"] is True
        assert client.get("/api/v1/jobs").status_code == 200
        client.cookies.clear()
        bearer = {"Authorization": f"Bearer {token}"}
        films = client.get("/api/v1/media", headers=bearer).json()["entries"]
        assert [one["path"] for one in films] == ["Film.mp4"]
        there = client.get("/api/v1/jobs", headers=bearer).json()["jobs"]
    assert live.site.good("run", "--", "jobs", "list", "--json").json["jobs"] == there
    file = tmp_path / "token"
    file.write_text(f"{token}\n", "utf-8")
    for given, code in (({"LANGFLIX_API_TOKEN_FILE": str(file)}, 0), ({}, 1)):
        done = subprocess.run(
            [sys.executable, "-m", "langflix", "jobs", "list"],
            capture_output=True, timeout=60, check=False,
            env={**os.environ, "PYTHONPATH": "src", "LANGFLIX_URL": live.url, **given},
            cwd=live.site.root,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
    assert "Film.mp4" in live.site.good("run", "--", "jobs", "media").out
    assert live.site.good("run", "--", "health").out.startswith("ok")


def test_flowers_password_lets_in(live: Live) -> None:
    """Flower's page wants the name and the password that the guide tells how to read."""
    page = f"{live.url}/flower/"
    assert httpx.get(page, timeout=10).status_code == 401
    password = live.secret("flower", "flower_password")
    assert httpx.get(page, auth=("admin", password), timeout=10).status_code == 200


def test_gemini_is_asked_with_the_key(live: Live) -> None:
    """The worker reads the key and reaches the API outside of the host; beat has no way there."""
    assert live.asked
    assert {one["x-goog-api-key"] for one in live.asked} == {KEY}
    assert live.secret("worker", "gemini_api_key") == KEY
    routes = {
        service: live.site.good("exec", service, "--", "/app/bin/python3", "-c",
                                'print(open("/proc/net/route").read())').out
        for service in ("worker", "beat")
    }  # fmt: skip
    leads_out = {
        service: "00000000" in {line.split()[1] for line in text.splitlines() if line.strip()}
        for service, text in routes.items()
    }
    assert leads_out == {"worker": True, "beat": False}


def test_token_and_key_are_nowhere_else(live: Live) -> None:
    """No output, log, record, label, command line or leftover file holds the token or the key."""
    site = live.site
    token = live.secret("api", "api_token")
    smoke = [line for line in live.watched.lines if b"\0smoke\0" in line]
    assert smoke, "the smoke test was not seen, so its command line proves nothing"
    assert any(v.startswith(b"LANGFLIX_API_TOKEN_FILE=/") for v in live.watched.variables)
    said = [ended.out + ended.err for ended in live.said]
    said += [site.good(name).out for name in ("logs", "status", "releases")]
    containers = site.sh("docker", "ps", "--all", "--quiet", "--no-trunc").split()
    said.append(site.sh("docker", "inspect", *containers))
    assert "compose.json" in live.holding("gemini_api_key"), "the search finds nothing at all"
    for secret in (token, KEY):
        assert not [text for text in said if secret in text]
        assert not [line for line in live.watched.lines if secret.encode() in line]
        assert live.holding(secret) == ""
    assert not [one for one in live.watched.variables if token.encode() in one]
    assert live.left == ()


SECRETS = (
    "api_token", "postgres_password", "postgres_app_password", "redis_api",
    "redis_worker", "redis_beat", "redis_flower", "flower_password",
)  # fmt: skip
#: All in one deploy; each by itself shows the same again.
ROTATED = ["all", *(pytest.param(name, marks=pytest.mark.long) for name in SECRETS)]


@pytest.mark.parametrize("which", ROTATED)
def test_rotated_secrets_keep_nobody_out(live: Live, which: str) -> None:
    """Database and queue go on running, and no request fails, whichever password it needs; then
    the old ones let in no more, but for the token of before."""
    site, stores = live.site, ("postgres", "redis")
    before = {name: live.secret(*place) for name, place in READERS.items()}
    ids = {name: site.sh("docker", "ps", "-q", "-f", f"name={name}-").split() for name in stores}
    with asking(live, before["api_token"]) as told:
        site.good(*(("secrets.rotate-all",) if which == "all" else ("secrets.rotate", which)))
    assert len(told) > 100
    assert {code for code in told if code != 200} == set(), told
    for name in stores:
        assert site.sh("docker", "ps", "-q", "-f", f"name={name}-").split() == ids[name]
    now = {name: live.secret(*place) for name, place in READERS.items()}
    changed = {name for name in READERS if now[name] != before[name]}
    alone = {"postgres_app_password": "postgres_app_login"}.get(which, which)
    assert changed == (set(READERS) if which == "all" else {alone})
    for name in changed:
        assert lets_in(live, name, now[name]), name
        assert lets_in(live, name, before[name]) == (name == "api_token"), name
    assert "before" not in site.sh("ls", "-R", f"{APP}/handed")


#: Secret to a service and the file in which it has it.
READERS = {
    "api_token": ("api", "api_token"),
    "postgres_password": ("postgres", "postgres_password"),
    "postgres_app_login": ("api", "postgres_app_login"),
    "redis_api": ("api", "redis_api"),
    "redis_worker": ("worker", "redis_worker"),
    "redis_beat": ("beat", "redis_beat"),
    "redis_flower": ("flower", "redis_flower"),
    "flower_password": ("flower", "flower_password"),
}


@contextmanager
def asking(live: Live, token: str) -> Iterator[list[object]]:
    """Ask what needs the database, and what needs the queue as well, on new connections."""
    told, over = list[object](), threading.Event()
    bearer = {"Authorization": f"Bearer {token}"}

    def ask(path: str) -> None:
        while not over.wait(0.1):
            try:
                answer = httpx.get(f"{live.url}{path}", headers=bearer, timeout=60)
                told.append(answer.status_code)
            except httpx.HTTPError as error:
                told.append(repr(error))

    paths = ("/api/v1/jobs", "/health/detailed")
    threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        over.set()
        for thread in threads:
            thread.join(90)


def lets_in(live: Live, name: str, secret: str) -> bool:
    """Whether who shows a secret is let in where it is asked for."""
    if name == "api_token":
        known = {"Authorization": f"Bearer {secret}"}
        return httpx.get(f"{live.url}/api/v1/jobs", headers=known, timeout=60).status_code == 200
    if name == "flower_password":
        page, auth = f"{live.url}/flower/", ("admin", secret)
        return httpx.get(page, auth=auth, timeout=60).status_code == 200
    if name.startswith("redis_"):
        user = name.removeprefix("redis_")
        said = live.site.sh(
            "docker", "exec", "--env", f"REDISCLI_AUTH={secret}", live.container("redis"),
            "redis-cli", "--no-auth-warning", "--user", user, "PING",
        )  # fmt: skip
        assert said.strip() == "PONG" or "WRONGPASS" in said or "NOAUTH" in said, said
        return said.strip() == "PONG"
    login = f"langflix:{secret}" if name == "postgres_password" else secret
    user, _, password = login.partition(":")
    ask = f"host=127.0.0.1 dbname=langflix user={user}"
    said = live.site.sh(
        "docker", "exec", "--env", f"PGPASSWORD={password}", live.container("postgres"),
        "/bin/sh", "-c", '/usr/lib/postgresql/17/bin/psql -XtAqwc "select 1" "$1" 2>&1 || :',
        "ask", ask,
    )  # fmt: skip
    assert said.strip() == "1" or "password authentication failed" in said, said
    return said.strip() == "1"
