"""``migrate``: bring the database to a revision, or say what that would do."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict

from langflix.cli import output
from langflix.data import migrate
from langflix.data.engine import connect
from langflix.data.migration_lock import Limits
from langflix.settings import Settings


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Migrate, or with ``--plan`` only print the revisions on the way."""
    engine = connect(Settings.from_env(environ, ("database",)).need_database(), pool_size=2)
    try:
        if arguments.plan:
            _print_plan(migrate.plan(engine, arguments.to), arguments.json)
        else:
            limits = Limits(arguments.wait, arguments.lock_timeout, arguments.statement_timeout)
            move = migrate.migrate(engine, arguments.to, limits, output.note)
            _print_done(move, arguments.json)
    finally:
        engine.dispose()
    return 0


def _print_plan(move: migrate.Move, as_json: bool) -> None:
    if as_json:
        output.data_json(_steps(move))
        return
    for step in move.steps:
        ends = "" if step.compatible else "  (code before it can't go on)"
        output.data(f"{step.revision}  {step.message}{ends}")
    if not move.steps:
        output.note(f"the database is at {move.before or 'no revision'} already")


def _print_done(move: migrate.Move, as_json: bool) -> None:
    if as_json:
        report = {"from": move.before, "to": move.after, "direction": move.direction}
        output.data_json({**report, "steps": _steps(move)})
        return
    for step in move.steps:
        output.data(f"{move.direction}  {step.revision}  {step.message}")
    output.note(f"the database is at {move.after or 'no revision'}")


def _steps(move: migrate.Move) -> list[dict[str, object]]:
    return [asdict(step) for step in move.steps]
