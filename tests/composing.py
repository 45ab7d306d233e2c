"""Compose files read in tests, by the program that reads them in a deploy."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.app.workspace import Workspace
from slipway.report import Report
from slipway.stack.compose import ComposeModel, Model, Request, Source
from slipway.stack.model import Stack
from slipway.stack.read import read_stack

ROOT = Path(__file__).resolve().parents[1]
NOWHERE = Path("/nowhere/deploy")


@functools.cache
def compose_model() -> ComposeModel:
    """The program; built when it isn't."""
    return Workspace(ROOT, Report(quiet=True)).compose_model(locked=True)


def model(
    files: Sequence[tuple[str, str]],
    variables: Mapping[str, str] | None = None,
    *,
    folder: Path = NOWHERE,
    project: str = "demo",
    environment: Sequence[Source] = (),
) -> Model:
    """What Compose files mean; each question is asked once."""
    sources = (*environment, dict(variables or {}))
    return compose_model().read(Request(project, folder, tuple(files), sources))


@functools.cache
def _stack(files: tuple[tuple[str, str], ...], variables: tuple[tuple[str, str], ...]) -> Stack:
    return read_stack(model(files, dict(variables)))


def stack(files: Sequence[tuple[str, str]], variables: Mapping[str, str] | None = None) -> Stack:
    """The stack that Compose files make."""
    return copy.deepcopy(_stack(tuple(files), tuple(sorted((variables or {}).items()))))
