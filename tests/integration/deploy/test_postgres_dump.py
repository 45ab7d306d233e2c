"""The programs of the Compose file that keep the database and put it back, on the real server."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from tests.composing import stack as read_stack
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.databases import (
    APP,
    BIN,
    OWNER,
    answer,
    as_superuser,
    ask,
    make_database_room,
    start,
)
from tests.integration.deploy.rooms import APPS, ROOT, Room, wait_for

from slipway.config import load
from slipway.stack.model import Stack, own_variables

PASSWORD = OWNER.password
CONNECTION = "host=127.0.0.1 dbname=langflix user=langflix"
TABLES = "select string_agg(tablename, ',' order by tablename) from pg_tables where schemaname = "
SCHEMA = (
    "select nspowner::regrole, has_schema_privilege('public', 'public', 'usage') "
    "from pg_namespace where nspname = 'public'"
)


class Server:
    """PostgreSQL as its container runs it, with the stack's programs for its data."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.process = start(room)

    def ask(self, sql: str) -> str:
        """The one answer to a statement."""
        return answer(self.room, OWNER, sql)

    def pipe(
        self, command: tuple[str, ...], given: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program in the container, as ``docker exec -i`` does."""
        place = f"/proc/{self.room.leader(self.process)}/root"
        with self.room.house.entered():
            return subprocess.run(
                ["chroot", f"--userspec={APPS}:{APPS}", place, *command],
                input=given,
                capture_output=True,
                timeout=60,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The stack of the Compose file."""
    text = (ROOT / "deploy/docker-compose.yml").read_text()
    variables = own_variables("langflix", load(ROOT).roles, app_dir="/a")
    return read_stack([("docker-compose.yml", text)], {**variables, "LANGFLIX_DATA": "/a/data"})


def test_rights_come_back_with_the_tables(server: Server, stack: Stack) -> None:
    """What a restore brings, the application can use as it could before, and no more."""
    server.ask("grant select, insert on jobs to langflix_app; create table alembic_version (n int)")
    server.ask("grant select on alembic_version to langflix_app")
    kept = _dump(server, stack)
    assert server.pipe(stack.migration.restore.command, kept).returncode == 0
    assert answer(server.room, APP, "insert into jobs values (2, 'y') returning id") == "2"
    for refused in ("delete from jobs", "insert into alembic_version values (1)"):
        assert "permission denied for table" in ask(server.room, APP, refused)[1]
    owners = (
        "select string_agg(distinct tableowner, ',') from pg_tables where schemaname = 'public'"
    )
    assert as_superuser(server.room, server.process, owners) == "langflix_owner"


def test_the_dump_only_reads(server: Server, stack: Stack) -> None:
    """It takes the role that can do nothing else."""
    as_superuser(server.room, server.process, "revoke pg_read_all_data from langflix_read")
    done = server.pipe(stack.migration.dump.command)
    assert done.returncode != 0
    assert b"permission denied for table jobs" in done.stderr


@pytest.fixture
def server(make_room: MakeRoom) -> Server:
    """A server with one table, in which a row refers to another."""
    made = Server(make_database_room(make_room))
    made.ask("create table jobs (id int primary key, title text); insert into jobs values (1, 'x')")
    return made


def _dump(server: Server, stack: Stack) -> bytes:
    done = server.pipe(stack.migration.dump.command)
    assert (done.returncode, done.stderr) == (0, b"")
    assert isinstance(done.stdout, bytes)
    return done.stdout


def test_what_a_migration_did_is_undone(server: Server, stack: Stack) -> None:
    """Rows, columns and tables are those of the dump, even when newer ones refer to them."""
    before = server.ask(SCHEMA)
    kept = _dump(server, stack)
    server.ask(
        "alter table jobs add column more int; delete from jobs; insert into jobs values (2, 'y'); "
        "create table films (job int references jobs); insert into films values (2); "
        "create function f() returns int language sql as 'select 1'"
    )
    for _ in range(2):
        done = server.pipe(stack.migration.restore.command, kept)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert server.ask("select * from jobs") == "1|x"
        assert server.ask(TABLES + "'public'") == "jobs"
        assert server.ask("select count(*) from pg_proc where proname = 'f'") == "0"
        assert server.ask(SCHEMA) == before == "pg_database_owner|t"
        kept = _dump(server, stack)


def test_a_dump_that_is_not_whole_changes_nothing(server: Server, stack: Stack) -> None:
    """An empty, cut off or foreign file is refused, and the database stays as it is."""
    server.ask("insert into jobs select n, md5(n::text) from generate_series(2, 5000) n")
    kept = _dump(server, stack)
    server.ask("insert into jobs values (9000, 'z')")
    for given in (b"", kept[:5], kept[: len(kept) // 2], kept[:-1000], b"no dump\n"):
        done = server.pipe(stack.migration.restore.command, given)
        assert done.returncode != 0, len(given)
        assert b"the dump is not whole" in done.stderr
        assert server.ask("select count(*) from jobs") == "5001"


LOCKED = "select count(*) from pg_locks where relation = 'jobs'::regclass and granted"


def _holding(server: Server, sql: str, name: str = "psql") -> subprocess.Popen[bytes]:
    """A session that has begun statements and has the table's lock."""
    held = server.room.start(
        [f"{BIN}/psql", "-Xwc", f"lock table jobs; {sql}", CONNECTION],
        env={"PGPASSWORD": PASSWORD, "PGAPPNAME": name},
    )
    wait_for(lambda: server.ask(LOCKED) == "1", "the table to be locked")
    return held


def test_a_dump_does_not_wait_for_a_lock_for_ever(server: Server, stack: Stack) -> None:
    """A session that holds on to a table ends it with an error, and is left alone by it."""
    holder = _holding(server, "select pg_sleep(60)")
    command = tuple(word.replace("30s", "200ms") for word in stack.migration.dump.command)
    assert command != stack.migration.dump.command
    done = server.pipe(command)
    assert done.returncode != 0
    assert b"timeout" in done.stderr
    assert server.ask(LOCKED) == "1"
    server.room.kill(holder)


def test_what_a_migration_had_begun_is_over_before_the_dump_comes_back(
    server: Server, stack: Stack
) -> None:
    """It can neither keep the table from the restore nor change it afterwards."""
    kept = _dump(server, stack)
    holder = _holding(server, "select pg_sleep(30); alter table jobs add column late int")
    done = server.pipe(stack.migration.restore.command, kept)
    assert (done.returncode, done.stderr) == (0, b"")
    assert server.ask(LOCKED) == "0"
    assert holder.wait(60) != 0
    assert server.ask("select * from jobs") == "1|x"


def test_a_dump_ends_one_whose_client_was_killed(server: Server, stack: Stack) -> None:
    """That goes on in the container; its locks would be in the migration's way."""
    holder = _holding(server, "select pg_sleep(60)", "slipway-dump")
    _dump(server, stack)
    assert server.ask(LOCKED) == "0"
    assert holder.wait(60) != 0


def test_nothing_tells_the_password(server: Server, stack: Stack) -> None:
    """Neither the commands nor what they print hold it; a missing secret is an error."""
    for piped in (stack.migration.dump, stack.migration.restore):
        assert piped.service == "postgres"
        assert PASSWORD not in " ".join(piped.command)
    secret = Path(f"/proc/{server.room.leader(server.process)}/root/run/secrets/postgres_password")
    secret.write_text("")
    done = server.pipe(stack.migration.dump.command)
    assert (done.returncode != 0, done.stdout) == (True, b"")
    server.room.signal(server.process, signal.SIGINT)
    assert server.process.wait(120) == 0
