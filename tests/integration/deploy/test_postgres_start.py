"""The PostgreSQL role: its start script with the real server, as uid 568 in the image's files."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.rooms import APPS, Room, wait_for

BIN = "/usr/lib/postgresql/17/bin"
START = "/usr/bin/postgres-start"
CANARY = "canary-'\"\\ $x;-one"


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    """A room whose data path is empty and whose secret is set."""
    made = make_room("postgres")
    data = made.folder / "data"
    data.mkdir(mode=0o700)
    os.chown(data, APPS, APPS)
    made.binds[data] = "/var/lib/postgresql/data"
    made.secrets["postgres_password"] = CANARY + "\n"
    return made


def _ready(room: Room) -> bool:
    return room.run([f"{BIN}/pg_isready", "-h", "127.0.0.1", "-q", "-t", "1"])[0] == 0


def _start(room: Room, *arguments: str) -> subprocess.Popen[bytes]:
    process = room.start([START, *arguments])

    def up() -> bool:
        assert process.poll() is None, room.log.read_text()
        return _ready(room)

    wait_for(up, "PostgreSQL to accept connections", seconds=90)
    return process


def _stop(room: Room, process: subprocess.Popen[bytes]) -> None:
    room.signal(process, signal.SIGINT)
    assert process.wait(120) == 0


def _ask(room: Room, password: str, sql: str) -> tuple[int, str]:
    connection = "host=127.0.0.1 dbname=langflix user=langflix"
    return room.run([f"{BIN}/psql", "-XtAwc", sql, connection], env={"PGPASSWORD": password})


def test_first_start_makes_the_database_and_a_second_start_keeps_it(room: Room) -> None:
    """A first start makes role, database, checksums and locale; data outlives a restart."""
    process = _start(room)
    facts = (
        "select current_setting('data_checksums'), pg_encoding_to_char(encoding), "
        "datlocprovider, datlocale, current_setting('config_file') "
        "from pg_database where datname = 'langflix'"
    )
    expected = "on|UTF8|b|C.UTF-8|/etc/postgresql/postgresql.conf\n"
    assert _ask(room, CANARY, facts) == (0, expected)
    assert _ask(room, CANARY, "create table kept as select 42 as n")[0] == 0
    _stop(room, process)
    process = _start(room)
    assert _ask(room, CANARY, "select n from kept") == (0, "42\n")
    _stop(room, process)
    assert "the secret has changed" not in room.log.read_text()


def test_a_wrong_password_is_refused(room: Room) -> None:
    """Only the secret opens the database, over TCP and over the socket."""
    process = _start(room)
    code, output = _ask(room, "wrong", "select 1")
    assert code != 0
    assert "password authentication failed" in output
    socket = "host=/run/postgresql user=langflix dbname=langflix"
    code, output = room.join(process, [f"{BIN}/psql", "-Xwc", "select 1", socket])
    assert code != 0
    assert "no password supplied" in output


def test_a_changed_secret_becomes_the_password(room: Room) -> None:
    """After the secret changed, the next start takes the new password and drops the old."""
    _stop(room, _start(room))
    room.secrets["postgres_password"] = "second one"
    process = _start(room)
    assert _ask(room, "second one", "select 1") == (0, "1\n")
    assert _ask(room, CANARY, "select 1")[0] != 0
    _stop(room, process)


def test_a_changed_secret_after_a_crash_becomes_the_password(room: Room) -> None:
    """A pid file of a server that was killed does not keep the password from being set."""
    process = _start(room)
    room.kill(process)
    assert (room.folder / "data/pgdata/postmaster.pid").read_text().startswith("1\n")
    room.secrets["postgres_password"] = "second one"
    _start(room)
    assert _ask(room, "second one", "select 1") == (0, "1\n")


def test_a_killed_first_start_leaves_nothing_that_passes_for_a_cluster(room: Room) -> None:
    """A first start that is killed half-way is done again from the beginning."""
    data = room.folder / "data"
    process = room.start([START])
    wait_for(lambda: (data / "pgdata.unfinished/PG_VERSION").exists(), "initdb to begin")
    room.kill(process)
    assert not (data / "pgdata").exists()
    _start(room)
    assert _ask(room, CANARY, "select 1") == (0, "1\n")
    assert not (data / "pgdata.unfinished").exists()


def test_another_major_version_is_refused_untouched(room: Room) -> None:
    """A cluster of another major version is named and left as it is."""
    cluster = room.folder / "data/pgdata"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("15\n")
    code, output = room.run([START])
    assert code == 1
    assert "pgdata is of PostgreSQL 15, and this image holds 17; nothing was changed" in output
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        (None, "postgres_password is missing or can't be read"),
        ("", "postgres_password is empty"),
        ("\nsecond line", "postgres_password is empty"),
        ("a$password$b", "the password holds the text $password$"),
    ],
)
def test_a_bad_secret_stops_the_start(room: Room, secret: str | None, says: str) -> None:
    """Without a usable secret nothing is made and one sentence says why."""
    room.secrets.clear()
    if secret is not None:
        room.secrets["postgres_password"] = secret
    code, output = room.run([START])
    assert code == 1
    assert says in output
    assert list((room.folder / "data").iterdir()) == []


def test_a_data_path_of_another_owner_is_refused(room: Room) -> None:
    """A folder that uid 568 can't write is named, with who should own it."""
    os.chown(room.folder / "data", 0, 0)
    code, output = room.run([START])
    assert code == 1
    assert "/var/lib/postgresql/data can't be written" in output
    assert "uid 568" in output


def test_the_password_is_in_no_argument_and_no_log(room: Room) -> None:
    """Neither the arguments of any process nor the log ever hold the password."""
    seen: set[bytes] = set()

    def look() -> bool:
        seen.update(_command_lines())
        return _listening(room)

    for secret in (CANARY, "canary-two"):
        room.secrets["postgres_password"] = secret
        process = room.start([START])
        wait_for(look, "PostgreSQL to accept connections", seconds=90)
        _stop(room, process)
    assert any(b"initdb" in line for line in seen)
    assert not any(b"canary-" in line for line in seen)
    assert "canary-" not in room.log.read_text()


def _listening(room: Room) -> bool:
    with room.house.entered():
        return ":1538 " in Path("/proc/thread-self/net/tcp").read_text()


def _command_lines() -> set[bytes]:
    lines = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.add(path.read_bytes())
        except OSError:
            continue
    return lines


def test_arguments_override_the_configuration(room: Room) -> None:
    """What compose gives as a command reaches the server."""
    _start(room, "-c", "work_mem=9MB")
    assert _ask(room, CANARY, "show work_mem") == (0, "9MB\n")
