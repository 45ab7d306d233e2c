"""``migrate``: bring the database to a revision, or say what that would do."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from langflix.cli import output
from langflix.data import migrate
from langflix.data.engine import connect
from langflix.settings import Settings


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Migrate, or with ``--plan`` only print the revisions on the way."""
    engine = connect(Settings.from_env(environ, ("database",)).need_database(), pool_size=1)
    try:
        if arguments.plan:
            _print_plan(migrate.plan(engine, arguments.to), arguments.json)
        else:
            _print_done(migrate.migrate(engine, arguments.to), arguments.json)
    finally:
        engine.dispose()
    return 0


def _print_plan(move: migrate.Move, as_json: bool) -> None:
    if as_json:
        output.data_json(_steps(move))
        return
    for step in move.steps:
        output.data(f"{step.revision}  {step.message}")
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


def _steps(move: migrate.Move) -> list[dict[str, str]]:
    return [{"revision": step.revision, "message": step.message} for step in move.steps]
