"""Migrations on a real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect
from tests.integration.langflix.conftest import Postgres, Stack

from langflix.data import migrate
from langflix.data.engine import connect, current_revision, session
from langflix.data.models import Base, Expression, Job
from langflix.data.revisions import HEAD, REVISIONS
from langflix.errors import LangflixError, SettingsError


@pytest.fixture
def engine(postgres: Postgres) -> Iterator[Engine]:
    """Give an empty database."""
    engine = connect(postgres.new_database())
    yield engine
    engine.dispose()


def test_models_and_migrations_agree(engine: Engine) -> None:
    """After all migrations the database has exactly the models' tables."""
    migrate.migrate(engine)
    with engine.connect() as connection:
        own = {"revision_history"}  # the migrating code's, as alembic_version is Alembic's
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: not (kind == "table" and name in own),
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_the_known_revisions_are_the_migrations(engine: Engine) -> None:
    """The list that the API compares with is the migrations' own order."""
    assert tuple(step.revision for step in migrate.plan(engine).steps) == REVISIONS


def test_a_plan_changes_nothing(engine: Engine) -> None:
    """Planning names every pending revision and leaves the database empty."""
    assert migrate.plan(engine).direction == "up"
    assert inspect(engine).get_table_names() == []
    with session(engine) as db:
        assert current_revision(db) is None


def test_up_down_and_up_again(engine: Engine) -> None:
    """The way down removes everything, and the way up works a second time."""
    assert migrate.migrate(engine).after == HEAD
    assert migrate.migrate(engine).direction == "none"
    assert migrate.migrate(engine, "base").direction == "down"
    assert sorted(inspect(engine).get_table_names()) == ["alembic_version", "revision_history"]
    assert migrate.migrate(engine).steps[-1].revision == HEAD


def test_unknown_revisions_are_refused(engine: Engine) -> None:
    """A target that does not exist, or a database of a newer release, is named and left alone."""
    with pytest.raises(SettingsError, match="no revision 'nowhere'"):
        migrate.plan(engine, "nowhere")
    migrate.migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'zzzz'")
    with pytest.raises(
        LangflixError, match=f"revision zzzz: this release ends with {HEAD} and can't run on it"
    ):
        migrate.migrate(engine)


def test_the_command_prints_the_plan_as_json(stack: Stack) -> None:
    """``migrate --plan --json`` prints pending revisions with messages, else an empty list."""
    nothing = stack.run("migrate", "--plan", "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)) == (0, [])
    assert stack.run("migrate", "--to", "base").returncode == 0
    pending = json.loads(stack.run("migrate", "--plan", "--json").stdout)
    assert [one["revision"] for one in pending] == list(REVISIONS)
    assert all(one["message"] for one in pending)
    assert stack.run("migrate").returncode == 0


#: What code of revision 0001 says to the database, word for word.
OLD_INSERT = (
    "INSERT INTO jobs (id, status, progress, error, video_name, subtitle_name, upload_bytes, "
    "started_at, ended_at, upload_removed_at) VALUES (%(id)s, 'PENDING', 0, NULL, %(name)s, "
    "'a.srt', 8, NULL, NULL, NULL) RETURNING jobs.created_at"
)
OLD_EXPRESSION = (
    "INSERT INTO expressions (id, job_id, position, phrase, kind, level, said, dialogue, start_ms, "
    "end_ms, score, score_parts) VALUES (%(id)s, %(id)s, 0, 'wake up', 'phrasal verb', 'A2', "
    "'Wake up', 'Wake up!', 0, 1000, 1.0, '{}')"
)
OLD_UPDATE = "UPDATE jobs SET status='RUNNING', progress=0, started_at=now() WHERE id = %(id)s"
OLD_SELECT = "SELECT id, status, progress, error, video_name FROM jobs WHERE id = %(id)s"


@pytest.mark.parametrize("revision", REVISIONS)
def test_old_code_runs_beside_every_newer_schema(engine: Engine, revision: str) -> None:
    """Statements of code at revision 0001 work at each revision, and new code reads their rows."""
    migrate.migrate(engine, revision)
    with engine.begin() as connection:
        for job_id, name in (("a", "My. Film.mp4"), ("b", ".mp4")):
            connection.exec_driver_sql(OLD_INSERT, {"id": job_id, "name": name})
            connection.exec_driver_sql(OLD_EXPRESSION, {"id": job_id})
            connection.exec_driver_sql(OLD_UPDATE, {"id": job_id})
            row = connection.exec_driver_sql(OLD_SELECT, {"id": job_id}).one()
            assert tuple(row) == (job_id, "RUNNING", 0, None, name)
    migrate.migrate(engine)
    with session(engine) as db:
        first, second = db.get_one(Job, "a"), db.get_one(Job, "b")
        assert (first.title, second.title) == ("My. Film", ".mp4")
        assert (first.level, first.language, first.source) == ("B1", "ko", "upload")
        assert (first.cancel_requested, first.film) == (False, None)
        assert db.get_one(Expression, "a").similar == []
