"""The PostgreSQL role: its start script with the real server, as uid 568 in the image's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.databases import (
    APP,
    BIN,
    OWNER,
    START,
    Login,
    as_superuser,
    ask,
    make_database_room,
    start,
    stop,
)
from tests.integration.deploy.rooms import Room, wait_for


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    """A room whose data path is empty and whose secrets are set."""
    return make_database_room(make_room)


def test_first_start_makes_the_database_and_a_second_start_keeps_it(room: Room) -> None:
    """A first start makes role, database, checksums and locale; data outlives a restart."""
    process = start(room)
    facts = (
        "select current_setting('data_checksums'), pg_encoding_to_char(encoding), "
        "datlocprovider, datlocale, current_setting('config_file') "
        "from pg_database where datname = 'langflix'"
    )
    expected = "on|UTF8|b|C.UTF-8|/etc/postgresql/postgresql.conf"
    assert as_superuser(room, process, facts) == expected
    assert ask(room, OWNER, "create table kept as select 42 as n")[0] == 0
    stop(room, process)
    process = start(room)
    assert ask(room, OWNER, "select n from kept") == (0, "42\n")
    stop(room, process)
    assert room.log.read_text().count("making the cluster") == 1


def test_a_wrong_password_is_refused(room: Room) -> None:
    """Only the secret opens the database, over TCP and over the socket."""
    process = start(room)
    code, output = ask(room, Login(OWNER.user, "wrong"), "select 1")
    assert code != 0
    assert "password authentication failed" in output
    socket = "host=/run/postgresql user=langflix dbname=langflix"
    code, output = room.join(process, [f"{BIN}/psql", "-Xwc", "select 1", socket])
    assert code != 0
    assert "no password supplied" in output


def test_a_changed_secret_becomes_the_password(room: Room) -> None:
    """After the secret changed, the next start takes the new password and drops the old."""
    stop(room, start(room))
    room.secrets["postgres_password"] = "second one"
    process = start(room)
    assert ask(room, Login(OWNER.user, "second one"), "select 1") == (0, "1\n")
    assert ask(room, OWNER, "select 1")[0] != 0
    stop(room, process)


def test_a_changed_secret_after_a_crash_becomes_the_password(room: Room) -> None:
    """A pid file of a server that was killed does not keep the password from being set."""
    process = start(room)
    room.kill(process)
    assert (room.folder / "data/pgdata/postmaster.pid").read_text().startswith("1\n")
    room.secrets["postgres_password"] = "second one"
    start(room)
    assert ask(room, Login(OWNER.user, "second one"), "select 1") == (0, "1\n")


def test_a_killed_first_start_leaves_nothing_that_passes_for_a_cluster(room: Room) -> None:
    """A first start that is killed half-way is done again from the beginning."""
    data = room.folder / "data"
    process = room.start([START])
    wait_for(lambda: (data / "pgdata.unfinished/PG_VERSION").exists(), "initdb to begin")
    room.kill(process)
    assert not (data / "pgdata").exists()
    start(room)
    assert ask(room, OWNER, "select 1") == (0, "1\n")
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
    ("name", "secret", "says"),
    [
        ("postgres_password", None, "postgres_password is missing or can't be read"),
        ("postgres_password", "", "postgres_password is empty"),
        ("postgres_password", "\nsecond line", "postgres_password is empty"),
        ("postgres_app_login", None, "postgres_app_login is missing or can't be read"),
        ("postgres_app_login", "langflix_app_a:", "is not langflix_app_a or langflix_app_b, a"),
        ("postgres_app_login", "postgres:x", "is not langflix_app_a or langflix_app_b, a"),
    ],
)
def test_a_bad_secret_stops_the_start(room: Room, name: str, secret: str | None, says: str) -> None:
    """Without usable secrets nothing is made and one sentence says why."""
    del room.secrets[name]
    if secret is not None:
        room.secrets[name] = secret
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

    for secret in (OWNER.password, "canary-two"):
        room.secrets["postgres_password"] = secret
        room.secrets["postgres_app_login"] = f"{APP.user}:{secret}"
        process = room.start([START])
        wait_for(look, "PostgreSQL to accept connections", seconds=90)
        stop(room, process)
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
    start(room, "-c", "work_mem=9MB")
    assert ask(room, OWNER, "show work_mem") == (0, "9MB\n")
