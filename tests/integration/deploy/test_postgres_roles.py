"""Who may do what in the database: the roles that postgres-start sets, on the real server."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.databases import (
    APP,
    OWNER,
    START,
    START_BEFORE,
    Login,
    answer,
    as_superuser,
    ask,
    come_back,
    go_before,
    make_database_room,
    start,
    stop,
)
from tests.integration.deploy.rooms import Room

MADE = """
create type mood as enum ('good', 'bad'); create domain short as text check (length(value) < 9);
create table jobs (id serial primary key, n int generated always as identity, mood mood, s short);
create table parts (id int) partition by list (id);
create table part partition of parts for values in (1);
create view done as select * from jobs where mood = 'good';
create materialized view counted as select count(*) from jobs; create sequence loose;
create function told() returns trigger language plpgsql as 'begin return new; end';
create trigger tell before insert on jobs for each row execute function told();
create schema other;
create table other.things (id int);
create table alembic_version (version_num text); create table revision_history (revision text);
insert into alembic_version values ('0006'); insert into jobs (mood) values ('good');
"""
#: What belongs to somebody else than the owner, outside of what PostgreSQL itself brings.
STRANGE = """
select string_agg(owner::regrole || ' ' || name, ', ') from (
    select relowner as owner, relname as name, relnamespace as schema from pg_class
    union all select proowner, proname, pronamespace from pg_proc
    union all select typowner, typname, typnamespace from pg_type
    union all select nspowner, nspname, oid from pg_namespace where nspname <> 'public'
    union all select datdba, datname, 'public'::regnamespace from pg_database
    where datname = 'langflix'
) as objects
where owner <> 'langflix_owner'::regrole and schema not in (
    select oid from pg_namespace where nspname ~ '^pg_' or nspname = 'information_schema'
)
"""
SUPERUSERS = (
    "select string_agg(rolname || (rolpassword is null), ',') from pg_authid where rolsuper"
)
#: What somebody with the application's password would try next, and what he is told.
ATTACKS = {
    "copy jobs from program 'id'": "permission denied to COPY to or from an external program",
    "copy jobs to program 'sh'": "permission denied to COPY to or from an external program",
    "copy jobs from '/etc/passwd'": "permission denied to COPY from a file",
    "copy jobs to '/tmp/x'": "permission denied to COPY to a file",
    "select pg_read_file('/run/secrets/postgres_password')": "permission denied for function",
    "select pg_ls_dir('/')": "permission denied for function",
    "select pg_file_write('/tmp/x', 'x', true)": "does not exist",
    "select lo_import('/etc/passwd')": "permission denied for function",
    "create table mine (id int)": "permission denied for schema public",
    "create temporary table mine (id int)": "permission denied to create temporary tables",
    "select 1 as one into mine": "permission denied for schema public",
    "create schema mine": "permission denied for database",
    "create function f() returns int language sql as 'select 1'": "permission denied for schema",
    "create function f() returns int language c as 'libc.so.6', 'system'": "permission denied",
    "create extension dblink": "permission denied to create extension",
    "create database mine": "permission denied to create database",
    "create role mine": "permission denied to create role",
    "create event trigger e on ddl_command_start execute function told()": "permission denied",
    "create trigger t before insert on jobs execute function told()": "permission denied for table",
    "create rule r as on insert to jobs do nothing": "must be owner of",
    "create publication p for all tables": "permission denied",
    "create subscription s connection 'host=x' publication p": "permission denied",
    "create server s foreign data wrapper w": "does not exist",
    "create index on jobs (id)": "must be owner of",
    "alter table jobs add column mine int": "must be owner of",
    "alter table jobs disable trigger all": "must be owner of",
    "alter table jobs owner to langflix_app": "must be owner of",
    "drop table jobs": "must be owner of",
    "truncate jobs": "permission denied for table",
    "drop schema public cascade": "must be owner of",
    "drop database langflix": "must be owner of",
    "alter database langflix set log_statement = 'all'": "must be owner of",
    "alter system set archive_command = 'id'": "permission denied to set parameter",
    "alter role postgres password 'mine'": "permission denied to alter role",
    "alter role langflix password 'mine'": "permission denied to alter role",
    "alter role langflix_app_b password 'mine'": "permission denied to alter role",
    "alter role current_user superuser": "permission denied to alter role",
    "alter role current_user createdb createrole": "permission denied to alter role",
    "grant langflix_owner to langflix_app_a": "permission denied to grant role",
    "grant pg_execute_server_program to langflix_app_a": "permission denied to grant role",
    "grant select on jobs to public": "no privileges were granted",
    "set role langflix_owner": "permission denied to set role",
    "set role langflix_app": "permission denied to set role",
    "set role postgres": "permission denied to set role",
    "set session authorization postgres": "permission denied to set session authorization",
    "set session_replication_role = replica": "permission denied to set parameter",
    "set log_statement = 'none'": "permission denied to set parameter",
    "load 'libc.so.6'": "access to library",
    "select rolpassword from pg_authid": "permission denied for table pg_authid",
    "select passwd from pg_shadow": "permission denied for view pg_shadow",
    "select * from pg_hba_file_rules": "permission denied for view",
    "select pg_terminate_backend(1)": "is not a PostgreSQL backend process|permission denied",
    "select pg_reload_conf()": "permission denied for function",
    "select pg_switch_wal()": "permission denied for function",
    "select pg_create_restore_point('x')": "permission denied for function",
    "select * from pg_create_physical_replication_slot('x')": "permission denied",
    "checkpoint": "permission denied to execute CHECKPOINT",
    "vacuum full jobs": "permission denied to vacuum",
    "insert into alembic_version values ('x')": "permission denied for table alembic_version",
    "update alembic_version set version_num = 'x'": "permission denied for table alembic_version",
    "delete from revision_history": "permission denied for table revision_history",
    "select * from other.things": "permission denied for schema other",
}


@pytest.fixture
def room(make_room: MakeRoom) -> Room:
    """A room whose data path is empty and whose secrets are set."""
    return make_database_room(make_room)


def _may_work(room: Room, login: Login) -> None:
    """The application can do its work: rows of every kind, and a look at the revision."""
    answer(room, login, "insert into jobs (mood) values ('bad')")
    assert answer(room, login, "update jobs set s = 'x' where mood = 'bad' returning s") == "x"
    assert answer(room, login, "select count(*) from done") == "1"
    assert answer(room, login, "select version_num from alembic_version") == "0006"
    answer(room, login, "delete from jobs where mood = 'bad'")
    answer(room, login, "select nextval('loose'); select pg_notify('x', ''); listen x")


def test_the_application_can_do_its_work_and_nothing_else(room: Room) -> None:
    """Rows of every kind; each way out of that is refused, and so is each way further in."""
    process = start(room)
    answer(room, OWNER, MADE)
    stop(room, process)
    process = start(room)
    _may_work(room, APP)
    outcomes = {sql: ask(room, APP, sql) for sql in ATTACKS}
    wrong = {
        sql: output
        for sql, (_, output) in outcomes.items()
        if not any(one in output for one in ATTACKS[sql].split("|"))
    }
    assert wrong == {}
    assert as_superuser(room, process, SUPERUSERS) == "postgrestrue"
    assert answer(room, APP, "select count(*) from jobs") == "1"


def test_the_owner_is_no_superuser(room: Room) -> None:
    """Who migrates can make tables, which are the owner's, and runs no program."""
    process = start(room)
    answer(room, OWNER, MADE)
    assert as_superuser(room, process, STRANGE) == ""
    for sql, says in {
        "copy jobs from program 'id'": "permission denied to COPY",
        "select pg_read_file('/etc/passwd')": "permission denied for function",
        "select rolpassword from pg_authid": "permission denied for table pg_authid",
        "alter role langflix_app_a password 'mine'": "permission denied to alter role",
        "create role mine": "permission denied to create role",
        "create database mine": "permission denied to create database",
        "reset role; grant langflix_owner to langflix_app_a": "permission denied to grant role",
    }.items():
        assert says in ask(room, OWNER, sql)[1], sql


def test_who_only_reads_can_do_nothing_else(room: Room) -> None:
    """The part that the dump takes sees every row, and changes none."""
    start(room)
    answer(room, OWNER, MADE)
    assert answer(room, OWNER, "set role langflix_read; select count(*) from jobs") == "1"
    for sql in ("delete from jobs", "insert into jobs default values", "create table x ()"):
        code, output = ask(room, OWNER, f"set role langflix_read; {sql}")
        assert code != 0
        assert "permission denied" in output


@pytest.mark.parametrize(
    ("login", "database"),
    [
        (Login("postgres", OWNER.password), "langflix"),
        (Login("langflix_owner", OWNER.password), "langflix"),
        (Login("langflix_read", OWNER.password), "langflix"),
        (APP, "postgres"),
        (APP, "template1"),
        (OWNER, "postgres"),
    ],
)
def test_nobody_else_logs_in(room: Room, login: Login, database: str) -> None:
    """Over the network there are the owner and the application, in their own database."""
    start(room)
    code, output = ask(room, login, "select 1", database)
    assert code != 0
    assert "no pg_hba.conf entry" in output


def _reload(room: Room, process: subprocess.Popen[bytes]) -> None:
    code, said = room.join(process, [START, "reload"])
    assert (code, said) == (0, "")


def _lets_in(room: Room, login: Login) -> bool:
    code, said = ask(room, login, "select 1")
    assert code == 0 or "password authentication failed" in said
    return code == 0


def test_a_running_server_takes_other_passwords(room: Room) -> None:
    """The new login beside the old one, then alone: who still has a session of the old is out."""
    process = start(room)
    new = Login("langflix_app_b", "second '\"\\\\ $x;-one")
    owner = Login("langflix", "owner's '\"\\\\ $x; second")
    started = as_superuser(room, process, "select pg_postmaster_start_time()")
    room.change_secrets(
        process,
        postgres_password=owner.password,
        postgres_app_login=f"{new.user}:{new.password}",
        postgres_app_login__before=f"{APP.user}:{APP.password}\n",
    )
    _reload(room, process)
    assert [_lets_in(room, one) for one in (new, APP, owner, OWNER)] == [True, True, True, False]
    with _session(room, APP) as old, _session(room, new) as current:
        room.change_secrets(process, postgres_app_login__before="")
        _reload(room, process)
        assert [_lets_in(room, one) for one in (new, APP, owner)] == [True, False, True]
        with pytest.raises(psycopg.OperationalError):
            old.execute("select 1")
        current.execute("select 1")
    assert as_superuser(room, process, "select pg_postmaster_start_time()") == started
    assert "second" not in room.log.read_text()


@contextmanager
def _session(room: Room, login: Login) -> Iterator[psycopg.Connection[Any]]:
    with (
        room.house.entered(),
        psycopg.connect(
            host="127.0.0.1", dbname="langflix", user=login.user, password=login.password,
            autocommit=True,
        ) as connection,
    ):  # fmt: skip
        yield connection


def test_a_start_lets_in_with_both_while_both_are_there(room: Room) -> None:
    """As a reload does, should the server be started meanwhile; then with the one that is left."""
    new = Login("langflix_app_b", "second one")
    room.secrets["postgres_app_login"] = f"{new.user}:{new.password}"
    room.secrets["postgres_app_login.before"] = f"{APP.user}:{APP.password}"
    stop(room, start(room))
    del room.secrets["postgres_app_login.before"]
    (room.folder / "secrets/postgres_app_login.before").unlink()
    start(room)
    assert [_lets_in(room, one) for one in (new, APP)] == [True, False]


@pytest.mark.parametrize(
    "password", ["abc$password", "a$password$b", "it''s", "'", "a'; drop table x; --", "\\'"]
)
def test_any_text_is_a_password(room: Room, password: str) -> None:
    """At a start, and while the server runs; nothing of it is a statement, or told."""
    room.secrets["postgres_password"] = password
    process = start(room)
    assert _lets_in(room, Login("langflix", password))
    room.change_secrets(process, postgres_app_login=f"langflix_app_b:{password}")
    _reload(room, process)
    assert _lets_in(room, Login("langflix_app_b", password))
    assert "abc$password" not in room.log.read_text()


def test_who_came_in_with_the_owners_old_password_goes(room: Room) -> None:
    """Once it is valid no more; while it is, nobody is sent away."""
    process = start(room)
    with _session(room, OWNER) as old:
        room.change_secrets(
            process, postgres_password="second", postgres_password__before=OWNER.password
        )
        _reload(room, process)
        old.execute("select 1")
        room.change_secrets(process, postgres_password__before="")
        _reload(room, process)
        with pytest.raises(psycopg.OperationalError):
            old.execute("select 1")


def test_secrets_that_can_not_be_taken_change_nothing(room: Room) -> None:
    """Said in a sentence; who was let in still is."""
    process = start(room)
    room.change_secrets(process, postgres_app_login="langflix_app_c:x", postgres_password="other")
    code, said = room.join(process, [START, "reload"])
    assert code == 1
    assert "is not langflix_app_a or langflix_app_b" in said
    assert [_lets_in(room, one) for one in (OWNER, APP)] == [True, True]


def test_rights_given_by_hand_are_taken_back(room: Room) -> None:
    """A start brings the application's login back to what it may do."""
    process = start(room)
    answer(room, OWNER, MADE)
    as_superuser(
        room,
        process,
        "alter role langflix_app_a superuser createrole; grant langflix_owner to langflix_app_a; "
        "grant pg_read_all_data to langflix_app; grant pg_write_all_data to langflix_read; "
        "grant langflix_read to langflix_app_a; grant truncate on jobs to langflix_app",
    )
    stop(room, process)
    process = start(room)
    assert as_superuser(room, process, SUPERUSERS) == "postgrestrue"
    for sql in ("set role langflix_owner", "select * from other.things", "truncate jobs"):
        assert "permission denied" in ask(room, APP, sql)[1], sql
    assert "permission denied" in ask(room, OWNER, "set role langflix_read; delete from jobs")[1]


def _begin_before(room: Room) -> None:
    """The room's data path is what a release before there were roles leaves."""
    go_before(room)
    process = start(room, script=START_BEFORE)
    answer(room, OWNER, MADE)
    assert as_owner_is_superuser(room)
    stop(room, process)


def as_owner_is_superuser(room: Room) -> bool:
    """Whether langflix is superuser."""
    return answer(room, OWNER, "show is_superuser") == "on"


def test_a_cluster_of_before_is_brought_over(room: Room) -> None:
    """Everything becomes the owner's, the superuser can't log in, old code goes on; twice."""
    _begin_before(room)
    come_back(room)
    for _ in range(2):
        process = start(room)
        assert as_superuser(room, process, SUPERUSERS) == "postgrestrue"
        assert as_superuser(room, process, STRANGE) == ""
        assert not as_owner_is_superuser(room)
        assert "permission denied" in ask(room, OWNER, "copy jobs from program 'id'")[1]
        answer(room, OWNER, "alter table jobs add column more int; create table more ()")
        _may_work(room, OWNER)
        _may_work(room, APP)
        answer(room, OWNER, "alter table jobs drop column more; drop table more")
        assert as_superuser(room, process, STRANGE) == ""
        stop(room, process)


@pytest.mark.parametrize("tries", [12])
def test_a_start_that_is_killed_while_it_brings_over_is_done_again(room: Room, tries: int) -> None:
    """Whenever it is killed, the next start ends what it had begun."""
    _begin_before(room)
    come_back(room)
    for number in range(tries):
        process = room.start([START])
        time.sleep(0.04 * number)
        room.kill(process)
    process = start(room)
    assert as_superuser(room, process, SUPERUSERS) == "postgrestrue"
    assert as_superuser(room, process, STRANGE) == ""
    assert as_superuser(room, process, "select count(*) from pg_roles where rolsuper") == "1"
    _may_work(room, OWNER)
    _may_work(room, APP)


def test_the_way_back_to_before_and_forth_again(room: Room) -> None:
    """The release before runs on what this one made, also with a password of before."""
    _begin_before(room)
    come_back(room)
    room.secrets["postgres_password"] = "second one"
    stop(room, start(room))
    room.secrets["postgres_password"] = OWNER.password
    go_before(room)
    process = start(room, script=START_BEFORE)
    _may_work(room, OWNER)
    answer(room, OWNER, "create table since (id int); drop schema public cascade")
    answer(room, OWNER, "create schema public authorization pg_database_owner")
    answer(
        room, OWNER, MADE.replace("create schema other;\ncreate table other.things (id int);", "")
    )
    stop(room, process)
    come_back(room)
    process = start(room)
    assert as_superuser(room, process, STRANGE) == ""
    _may_work(room, APP)
