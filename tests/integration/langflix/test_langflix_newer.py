"""Releases with more migrations than this one, beside this one, on a real PostgreSQL.

A newer release is a copy of the code with files of its own among the migrations.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from tests.integration.langflix.conftest import ROOT, Postgres, wait_until

from langflix.api.health import check_database
from langflix.data import migrate
from langflix.data.engine import connect
from langflix.data.history import floors
from langflix.data.migration_lock import SESSION
from langflix.data.revisions import HEAD, REVISIONS, problem
from langflix.errors import LangflixError
from langflix.settings import Endpoint

FIRST = 'op.add_column("jobs", sa.Column("mood", sa.Text()))'
MARK = "# slipway: downtime"
BACK = 'op.drop_column("jobs", "mood")'
MIGRATION = '''"""Expand: {name}."""

import time

import sqlalchemy as sa
from alembic import op
{mark}
revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go."""
    {body}


def downgrade() -> None:
    """Go back."""
    {back}
'''


@dataclass
class Release:
    """A newer release, and the database that it is to migrate."""

    source: Path
    environ: dict[str, str]
    engine: Engine

    def add(self, body: str, *, mark: str = "", back: str = "pass") -> str:
        """Add a migration after the last one, and give its revision."""
        known = self.source / "langflix/data/revisions.py"
        there = re.findall(r'"(\d{4})"', known.read_text("utf-8"))
        revision = f"{int(there[-1]) + 1:04}"
        names = ", ".join(f'"{one}"' for one in [*there, revision])
        said = re.sub(r"REVISIONS = .*", f"REVISIONS = ({names})", known.read_text("utf-8"))
        known.write_text(said, "utf-8")
        made = MIGRATION.format(
            name=f"step {revision}",
            mark=mark,
            revision=revision,
            before=there[-1],
            body=body,
            back=back,
        )
        path = self.source / f"langflix/migrations/versions/{revision}_step.py"
        path.write_text(made, "utf-8")
        return revision

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``migrate``."""
        return subprocess.Popen(
            [sys.executable, "-m", "langflix", "migrate", *arguments],
            env={**os.environ, **self.environ, "PYTHONPATH": str(self.source)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def migrate(self, *arguments: str) -> tuple[int, str, str]:
        """Run ``migrate`` to its end: code, output and what it told."""
        process = self.start(*arguments)
        output, told = process.communicate(timeout=90)
        return process.returncode, output, told

    def columns(self) -> set[str]:
        """The columns of jobs."""
        return {column["name"] for column in inspect(self.engine).get_columns("jobs")}

    def revision(self) -> str:
        """Where the database is."""
        with self.engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version"))
            return str(found.scalar_one())

    def sessions(self) -> int:
        """How many sessions of migrations the server has."""
        query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name")
        with self.engine.connect() as connection:
            return int(connection.execute(query, {"name": SESSION}).scalar_one())


@pytest.fixture
def newer(postgres: Postgres, tmp_path: Path) -> Iterator[Release]:
    """A copy of this release, and a database that this release has migrated."""
    endpoint: Endpoint = postgres.new_database()
    source = tmp_path / "src"
    unwanted = shutil.ignore_patterns("__pycache__", "*.tsv", "web")
    shutil.copytree(ROOT / "src/langflix", source / "langflix", ignore=unwanted)
    engine = connect(endpoint)
    migrate.migrate(engine)
    environ = {
        "LANGFLIX_DATABASE_URL": endpoint.url,
        "LANGFLIX_DATABASE_PASSWORD_FILE": str(postgres.password_file),
    }
    yield Release(source, environ, engine)
    engine.dispose()


def _untouched(release: Release, before: set[str]) -> None:
    """All that a migration did is undone, and nobody is at it any more."""
    wait_until(lambda: release.sessions() == 0, "the migration's session to end")
    assert release.columns() == before
    assert release.revision() == HEAD
    with release.engine.connect() as connection:
        held = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert connection.execute(held).scalar_one() == 0
        rows = connection.execute(text("SELECT revision FROM revision_history ORDER BY revision"))
        assert tuple(row[0] for row in rows) == REVISIONS


def test_of_two_the_second_fails_and_none_stays(newer: Release) -> None:
    """One report names the step that failed and why; mended, both are taken."""
    before = newer.columns()
    newer.add(FIRST, back=BACK)
    second = newer.add('op.execute("SELECT 1/0")')
    code, output, told = newer.migrate()
    assert (code, output) == (1, "")
    assert f"migration {second} (Expand: step {second}.) failed: division by zero" in told
    assert f"all was undone, the database is at {HEAD} as before" in told
    assert "Traceback" not in told
    _untouched(newer, before)
    path = newer.source / f"langflix/migrations/versions/{second}_step.py"
    path.write_text(path.read_text("utf-8").replace("1/0", "1/1"), "utf-8")
    assert newer.migrate()[0] == 0
    assert newer.columns() == before | {"mood"}
    assert newer.revision() == second


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise KeyError('nobody')", "KeyError: 'nobody'"),
        ("op.drop_table('nothing')", 'table "nothing" does not exist'),
        ("op.get_context().autocommit_block().__enter__()", "AssertionError"),
        ("op.execute('CREATE INDEX CONCURRENTLY i ON jobs (id)')", "cannot run inside a trans"),
    ],
)
def test_what_a_migration_can_not_do_is_told(newer: Release, body: str, why: str) -> None:
    """A mistake in a migration is a sentence, and leaves nothing."""
    before = newer.columns()
    newer.add(FIRST)
    newer.add(body)
    code, _, told = newer.migrate()
    assert code == 1
    assert why in told
    assert "Traceback" not in told
    _untouched(newer, before)


def test_one_that_hangs_ends(newer: Release) -> None:
    """A statement that takes too long is ended, and told as that."""
    before = newer.columns()
    newer.add(FIRST)
    newer.add('op.execute("SELECT pg_sleep(600)")')
    code, _, told = newer.migrate("--statement-timeout", "0.3")
    assert code == 1
    assert "failed: a statement took longer than 0.3 s; all was undone" in told
    _untouched(newer, before)


def test_a_migration_has_its_limits(newer: Release) -> None:
    """The server itself ends what takes too long, and looks whether the migrating process lives."""
    names = ("statement_timeout", "lock_timeout", "client_connection_check_interval")
    newer.add(f"raise KeyError(*[op.get_bind().scalar(sa.text('SHOW ' + n)) for n in {names}])")
    assert "KeyError: ('5min', '10s', '1s')" in newer.migrate()[2]
    given = newer.migrate("--statement-timeout", "0", "--lock-timeout", "2.5")[2]
    assert "KeyError: ('0', '2500ms', '1s')" in given


def test_one_that_waits_for_a_table_ends_and_says_for_whom(newer: Release) -> None:
    """A session that holds a table is named."""
    before = newer.columns()
    newer.add(FIRST)
    with newer.engine.connect() as holder:
        pid = holder.execute(
            text("SELECT pg_backend_pid() FROM jobs RIGHT JOIN (SELECT 1) AS o ON true")
        ).scalar_one()
        code, _, told = newer.migrate("--lock-timeout", "0.3")
    assert code == 1
    assert "it waited 0.3 s for a lock that another session holds" in told
    assert f"session {pid}, langflix at 127.0.0.1, since 2" in told
    _untouched(newer, before)


def _at_work(newer: Release) -> bool:
    """Whether a migration sleeps in the database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state"
    with newer.engine.connect() as connection:
        return bool(connection.execute(text(f"{query} = 'active'")).scalar_one())


def test_one_that_is_killed_leaves_nothing(newer: Release) -> None:
    """The server ends what a killed process began, also in the middle of a long statement."""
    before = newer.columns()
    newer.add(FIRST)
    newer.add('op.execute("SELECT pg_sleep(600)")')
    process = newer.start()
    wait_until(lambda: _at_work(newer), "the migration to be in its second step")
    process.kill()
    process.communicate(timeout=120)
    _untouched(newer, before)


def test_a_second_one_leaves_or_waits(newer: Release) -> None:
    """Who comes second is told who is at it; it leaves with a code of its own, or has its turn."""
    before = newer.columns()
    newer.add(FIRST)
    newer.add('op.execute("SELECT pg_sleep(600)")')
    first = newer.start()
    wait_until(lambda: _at_work(newer), "the migration to be in its second step")
    code, _, told = newer.migrate("--wait", "0.3")
    assert code == 4
    assert re.search(r"another migration is under way \(session \d+, langflix migrate at ", told)
    assert "waited 0.3 s for it and changed nothing" in told
    second = newer.start("--statement-timeout", "0.3")
    assert second.stderr is not None
    assert "waiting up to 60 s for it" in second.stderr.readline()
    first.kill()
    first.communicate(timeout=120)
    _, told = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "a statement took longer than 0.3 s" in told
    _untouched(newer, before)


def test_two_at_once_migrate_once(newer: Release) -> None:
    """The second finds the first one's work done."""
    newer.add(FIRST)
    newer.add("time.sleep(0.5)")
    both = [newer.start("--json"), newer.start("--json")]
    reports = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(report["direction"] for report in reports) == ["none", "up"]


def _ready(newer: Release) -> tuple[str, str]:
    """What this release's API says of the database, and why."""
    check = check_database(_Services(newer.engine))  # type: ignore[arg-type]
    return check.status, str(check.facts.get("error", ""))


@dataclass
class _Services:
    """As much of the API's services as the question needs."""

    engine: Engine


def test_this_release_goes_on_after_a_newer_one_that_only_adds(newer: Release) -> None:
    """The older release is ready, migrates nothing and says so; the newer can step back."""
    newer.add(FIRST, back=BACK)
    last = newer.add("pass")
    output = newer.migrate("--plan", "--json")[1]
    assert [one["compatible"] for one in json.loads(output)] == [True, True]
    assert _ready(newer) == ("ok", "")
    assert newer.migrate()[0] == 0
    assert _ready(newer) == ("ok", "")
    move = migrate.migrate(newer.engine)
    assert (move.before, move.after, move.direction, move.steps) == (last, last, "none", ())
    assert migrate.plan(newer.engine) == move
    with pytest.raises(LangflixError, match=f"only a release that knows it can bring it to {HEAD}"):
        migrate.migrate(newer.engine, HEAD)
    assert newer.revision() == last
    before = newer.columns() - {"mood"}
    assert newer.migrate("--to", HEAD)[0] == 0
    _untouched(newer, before)


def test_this_release_refuses_a_database_that_took_something_away(newer: Release) -> None:
    """One marked step is enough, whatever comes after it; the message tells what can be done."""
    newer.add("pass")
    marked = newer.add('op.drop_column("jobs", "note")', mark=MARK)
    last = newer.add("pass")
    output = newer.migrate("--plan", "--json")[1]
    assert [one["compatible"] for one in json.loads(output)] == [True, False, True]
    assert "(code before it can't go on)" in newer.migrate("--plan")[1].splitlines()[1]
    assert newer.migrate()[0] == 0
    status, why = _ready(newer)
    assert status == "failed"
    assert f"at revision {last}, which needs code of revision {marked} or newer" in why
    with pytest.raises(LangflixError, match="deploy a newer release, or put the database back"):
        migrate.migrate(newer.engine)
    assert newer.revision() == last


def test_a_database_of_before_the_table_gets_it(newer: Release) -> None:
    """A release that is deployed over an older one writes down what it knows of the past."""
    with newer.engine.begin() as connection:
        connection.execute(text("DROP TABLE revision_history"))
    assert _ready(newer) == ("ok", "")
    added = newer.add("pass")
    assert newer.migrate()[0] == 0
    assert _ready(newer) == ("ok", "")
    with newer.engine.connect() as connection:
        rows = connection.execute(text("SELECT revision, oldest FROM revision_history ORDER BY 1"))
        assert [tuple(row) for row in rows] == [
            *((name, REVISIONS[0]) for name in REVISIONS),
            (added, REVISIONS[0]),
        ]


def test_a_release_that_lacks_a_migration_changes_nothing(newer: Release) -> None:
    """Code that knows of a migration without its file is told, before anything is changed."""
    revision = newer.add(FIRST)
    path = newer.source / f"langflix/migrations/versions/{revision}_step.py"
    path.rename(newer.source / "kept.py")
    code, _, told = newer.migrate()
    assert code == 1
    assert f"this release is not whole: its migrations are {', '.join(REVISIONS)}, and its " in told
    assert f"{HEAD}, {revision}; the database was left as it is" in told
    assert newer.revision() == HEAD


@pytest.mark.parametrize(
    ("current", "oldest", "why"),
    [
        (None, None, "not migrated to this release"),
        (REVISIONS[0], None, "not migrated to this release"),
        (HEAD, None, ""),
        ("9999", REVISIONS[0], ""),
        ("9999", HEAD, ""),
        ("9999", "9998", "needs code of revision 9998 or newer"),
        ("9999", None, "at revision 9999: this release ends with"),
    ],
)
def test_which_databases_this_code_runs_on(
    current: str | None, oldest: str | None, why: str
) -> None:
    """One it knows and has migrated, or a newer one whose own word allows it."""
    found = problem(current, oldest)
    assert bool(found) == bool(why)
    assert why in found


def test_the_oldest_code_of_each_revision() -> None:
    """It rises with each step that takes something away, and stays with the others."""
    steps = {"1": True, "2": True, "3": False, "4": True, "5": False}
    assert floors(steps) == {"1": "1", "2": "1", "3": "3", "4": "3", "5": "5"}
