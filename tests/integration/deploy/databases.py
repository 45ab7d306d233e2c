"""The postgres role's real server, as its container runs it, and ways to log in."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass

from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.rooms import APPS, ROOT, Room, wait_for

BIN = "/usr/lib/postgresql/17/bin"
START = "/usr/bin/postgres-start"
READY = [f"{BIN}/pg_isready", "-h", "127.0.0.1", "-U", "langflix", "-q", "-t", "1"]
#: Each with what would break out of a badly quoted statement.
OWNER_PASSWORD = "canary-'\"\\ $x;-one"
APP_PASSWORD = "canary-app-:'\"\\ $x;"
#: The release before there were roles, and where its start script is then.
BEFORE = ROOT / "tests/data/postgres-before-roles"
START_BEFORE = "/srv/www/postgres-start"


@dataclass(slots=True)
class Login:
    """Somebody who logs in over TCP."""

    user: str
    password: str


OWNER = Login("langflix", OWNER_PASSWORD)
APP = Login("langflix_app_a", APP_PASSWORD)


def make_database_room(make_room: MakeRoom) -> Room:
    """A room whose data path is empty and whose secrets are set."""
    made = make_room("postgres")
    data = made.folder / "data"
    data.mkdir(mode=0o700)
    os.chown(data, APPS, APPS)
    made.binds[data] = "/var/lib/postgresql/data"
    made.secrets["postgres_password"] = OWNER_PASSWORD + "\n"
    made.secrets["postgres_app_login"] = f"{APP.user}:{APP.password}\n"
    return made


def start(room: Room, *arguments: str, script: str = START) -> subprocess.Popen[bytes]:
    """Start the server and wait until it accepts connections."""
    process = room.start([script, *arguments])

    def up() -> bool:
        assert process.poll() is None, room.log.read_text()
        return room.run(READY)[0] == 0

    wait_for(up, "PostgreSQL to accept connections", seconds=90)
    return process


def stop(room: Room, process: subprocess.Popen[bytes]) -> None:
    """Stop the server as Docker does."""
    room.signal(process, signal.SIGINT)
    assert process.wait(120) == 0


def ask(room: Room, login: Login, sql: str, database: str = "langflix") -> tuple[int, str]:
    """Exit code and output of statements, over TCP."""
    connection = f"host=127.0.0.1 dbname={database} user={login.user}"
    argv = [f"{BIN}/psql", "-XtAqwc", sql, connection]
    return room.run(argv, env={"PGPASSWORD": login.password})


def answer(room: Room, login: Login, sql: str) -> str:
    """What statements print that have to succeed."""
    code, output = ask(room, login, sql)
    assert code == 0, output
    return output.strip()


def as_superuser(room: Room, process: subprocess.Popen[bytes], sql: str) -> str:
    """What statements print that the server's own user gives over its socket."""
    connection = "host=/run/postgresql dbname=langflix user=postgres"
    code, output = room.join(process, [f"{BIN}/psql", "-XtAqwc", sql, connection])
    assert code == 0, output
    return output.strip()


def go_before(room: Room) -> None:
    """Have the room run the release before there were roles, from the next start on."""
    room.binds |= {BEFORE: "/srv/www", BEFORE / "etc": "/etc/postgresql"}


def come_back(room: Room) -> None:
    """Have the room run this release again."""
    for folder in (BEFORE, BEFORE / "etc"):
        room.binds.pop(folder, None)
