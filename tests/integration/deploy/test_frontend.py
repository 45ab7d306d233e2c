"""The frontend role: its nginx configuration with the real server, as uid 568."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.rooms import Room, wait_for

SCRIPT = "export const one = 1;\n" * 60
PAGE = "<!doctype html><title>LangFlix</title>" + "<p>one line of many</p>" * 60
START = ["/usr/sbin/nginx", "-g", "daemon off;"]


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    """A room with a small site."""
    made = make_room("frontend")
    site = made.folder / "site"
    (site / "lib").mkdir(parents=True)
    (site / "index.html").write_text(PAGE)
    (site / "app.js").write_text(SCRIPT)
    (site / "lib/part.mjs").write_text("export {};\n")
    (site / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (site / "photo.png").write_bytes(b"\x89PNG")
    (site / ".hidden").write_text("no\n")
    made.binds[site] = "/srv/www"
    return made


@contextmanager
def _client(room: Room) -> Iterator[httpx.Client]:
    with room.house.entered():
        with httpx.Client(base_url="http://127.0.0.1:8080", timeout=10, trust_env=False) as client:
            yield client


def _start(room: Room) -> subprocess.Popen[bytes]:
    process = room.start(START)

    def up() -> bool:
        assert process.poll() is None, room.log.read_text()
        with _client(room) as client:
            try:
                return client.get("/health").status_code == 200
            except httpx.TransportError:
                return False

    wait_for(up, "nginx to answer")
    return process


def test_the_page_and_its_parts_are_served_with_their_types(room: Room) -> None:
    """Every kind of file has the type a browser needs to take it."""
    _start(room)
    types = {
        "/": "text/html; charset=utf-8",
        "/app.js": "javascript",
        "/lib/part.mjs": "javascript",
        "/icon.svg": "image/svg+xml",
        "/photo.png": "image/png",
    }
    with _client(room) as client:
        for path, kind in types.items():
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert kind in answer.headers["content-type"], path
        assert client.get("/").text == PAGE


def test_a_new_version_of_equal_size_and_date_is_never_taken_for_the_old(room: Room) -> None:
    """No answer carries a tag or date, so no browser keeps a file by them."""
    _start(room)
    with _client(room) as client:
        answer = client.get(
            "/app.js", headers={"If-Modified-Since": "Thu, 01 Jan 2037 00:00:00 GMT"}
        )
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert not {"etag", "last-modified"} & set(answer.headers)


def test_every_answer_carries_the_security_headers(room: Room) -> None:
    """Pages and errors alike forbid foreign scripts, sniffing and framing."""
    _start(room)
    with _client(room) as client:
        for path in ("/", "/app.js", "/missing", "/health"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["server"] == "nginx"


def test_text_is_compressed_and_pictures_are_kept_by_the_browser(room: Room) -> None:
    """Text but pages goes out gzipped; pictures may stay in the browser for a day."""
    _start(room)
    with _client(room) as client:
        with client.stream("GET", "/app.js", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            assert gzip.decompress(b"".join(answer.iter_raw())).decode() == SCRIPT
        for page in ("/", "/index.html"):
            answer = client.get(page, headers={"Accept-Encoding": "gzip"})
            assert (answer.text, answer.headers.get("content-encoding")) == (PAGE, None)
        assert "max-age=86400" in client.get("/photo.png").headers["cache-control"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/missing", 404),
        ("GET", "/.hidden", 404),
        ("GET", "/lib/", 404),
        ("POST", "/index.html", 405),
        ("GET", "/../../etc/passwd", 404),
    ],
)
def test_what_is_no_file_is_refused(room: Room, method: str, path: str, status: int) -> None:
    """Missing and hidden files, folders, and other methods have their own refusals."""
    _start(room)
    with _client(room) as client:
        assert client.request(method, path).status_code == status


def test_each_request_is_one_json_line_without_its_query(room: Room) -> None:
    """The log is JSON and holds no query; the health check leaves no line."""
    _start(room)
    with _client(room) as client:
        client.get("/app.js?token=canary", headers={"X-Request-ID": "r-1"})
    wait_for(lambda: "app.js" in room.log.read_text(), "the log line")
    lines = [json.loads(line) for line in room.log.read_text().splitlines() if line[:1] == "{"]
    assert [(line["path"], line["status"], line["request_id"]) for line in lines] == [
        ("/app.js", 200, "r-1")
    ]
    assert "canary" not in room.log.read_text()


def test_a_graceful_stop_ends_with_success(room: Room) -> None:
    """SIGQUIT, the stop signal in the Compose file, ends nginx in order."""
    process = _start(room)
    room.signal(process, signal.SIGQUIT)
    assert process.wait(120) == 0
    assert "[emerg]" not in room.log.read_text()
    assert "[warn]" not in room.log.read_text()
