"""The Redis role: its configuration with the real server, as uid 568 in the image's files."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess

import pytest
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.rooms import APPS, Room, wait_for

PASSWORD = "canary-redis"
START = ["/usr/bin/redis-server", "/etc/redis/redis.conf"]


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    """A room whose data path is empty and whose access list allows one password."""
    made = make_room("redis")
    data = made.folder / "data"
    data.mkdir(mode=0o700)
    os.chown(data, APPS, APPS)
    made.binds[data] = "/data"
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    made.secrets["redis_acl"] = f"user default on #{digest} ~* &* +@all\n"
    return made


def _ask(room: Room, *command: str, password: str = PASSWORD) -> str:
    argv = ["/usr/bin/redis-cli", "-h", "127.0.0.1", "--no-auth-warning", *command]
    return room.run(argv, env={"REDISCLI_AUTH": password} if password else {})[1].strip()


def _start(room: Room) -> subprocess.Popen[bytes]:
    process = room.start(START)

    def up() -> bool:
        assert process.poll() is None, room.log.read_text()
        return _ask(room, "PING") == "PONG"

    wait_for(up, "Redis to answer")
    return process


def test_only_the_password_of_the_access_list_opens_it(room: Room) -> None:
    """Without the password, or with a wrong one, every command is refused."""
    _start(room)
    assert _ask(room, "PING", password="").startswith("NOAUTH")
    assert "WRONGPASS" in _ask(room, "GET", "x", password="wrong")
    assert _ask(room, "SET", "x", "1") == "OK"


def test_what_was_written_outlives_a_kill(room: Room) -> None:
    """The append-only file brings back what was written more than a second before a kill."""
    process = _start(room)
    assert _ask(room, "SET", "kept", "42") == "OK"
    assert _ask(room, "WAITAOF", "1", "0", "5000").split() == ["1", "0"]
    room.kill(process)
    _start(room)
    assert _ask(room, "GET", "kept") == "42"


def test_a_stop_saves_and_ends_with_success(room: Room) -> None:
    """SIGTERM, which Docker sends, is an orderly stop."""
    process = _start(room)
    room.signal(process, signal.SIGTERM)
    assert process.wait(120) == 0


def test_full_is_refused_and_nothing_is_dropped(room: Room) -> None:
    """At its memory limit Redis refuses writes; what it holds stays."""
    _start(room)
    assert _ask(room, "SET", "kept", "42") == "OK"
    assert _ask(room, "CONFIG", "SET", "maxmemory", "1") == "OK"
    assert "OOM command not allowed" in _ask(room, "SET", "more", "1")
    assert _ask(room, "GET", "kept") == "42"


def test_dangerous_commands_are_off(room: Room) -> None:
    """The password alone does not let anyone load modules or change protected settings."""
    _start(room)
    assert "not allowed" in _ask(room, "MODULE", "LOAD", "/tmp/x.so")
    assert "not allowed" in _ask(room, "DEBUG", "SLEEP", "0")
    assert "protected config" in _ask(room, "CONFIG", "SET", "dir", "/tmp")


def test_the_configuration_gives_no_warning(room: Room) -> None:
    """The server starts without a warning about its own configuration."""
    _start(room)
    about_the_machine = ("overcommit", "Transparent Huge", "TCP backlog", "clocksource")
    lines = [line for line in room.log.read_text().splitlines() if " # " in line]
    assert [
        line
        for line in lines
        if "WARNING" in line and not any(w in line for w in about_the_machine)
    ] == []
