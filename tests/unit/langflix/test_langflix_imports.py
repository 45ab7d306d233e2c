"""Each role imports only what its image has."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from langflix.cli.serve import ROLES
from slipway import config

ROOT = Path(__file__).resolve().parents[3]
SRC = ROOT / "src"
#: What every role's process starts by, and what its health check runs.
ALWAYS = ("langflix.__main__", "langflix.cli.main", "langflix.cli.serve", "langflix.cli.check")
MEDIA = ("pysubs2", "imageio_ffmpeg", "charset_normalizer", "httpx", "wordfreq")
WEB = ("fastapi", "starlette", "uvicorn", "pydantic")


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("langflix.api.app", (*MEDIA, "flower", "tornado", "alembic")),
        ("langflix.queue.worker", (*WEB, "flower", "tornado", "alembic")),
        ("langflix.queue.beat", (*MEDIA, *WEB, "flower", "sqlalchemy", "psycopg")),
        ("langflix.queue.monitor", (*MEDIA, *WEB, "sqlalchemy", "psycopg")),
        ("langflix.cli.migrate", (*MEDIA, *WEB, "celery", "redis")),
        ("langflix.cli.run", (*WEB, "celery", "redis", "sqlalchemy", "psycopg")),
        ("langflix.cli.jobs", (*MEDIA, *WEB, "celery", "redis", "sqlalchemy", "httpx")),
        ("langflix.cli.health", (*MEDIA, *WEB, "celery", "redis", "sqlalchemy")),
    ],
)
def test_a_role_loads_nothing_that_its_image_lacks(module: str, absent: tuple[str, ...]) -> None:
    """With these packages made impossible to import, the role's module still loads."""
    code = (
        f"import sys; sys.path.insert(0, {str(SRC)!r})\n"
        f"for name in {absent!r}: sys.modules[name] = None\n"
        f"import {module}"
    )
    argv = [sys.executable, "-W", "ignore", "-c", code]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_reaches_no_folder_that_its_image_does_without(role: str) -> None:
    """Nor does a function import one later."""
    excluded = set(config.load(ROOT).images[role].exclude)

    assert excluded, "it would be replaced for every line"
    reached = reachable((*ALWAYS, ROLES[role][0]))
    assert {name for name in reached if excluded & set(name.split("."))} == set()


def test_what_images_do_without_is_there() -> None:
    """A folder that is spelt wrongly would be left in."""
    for role, image in config.load(ROOT).images.items():
        assert [name for name in image.exclude if not (SRC / "langflix" / name).is_dir()] == [], (
            role
        )


def reachable(start: tuple[str, ...]) -> set[str]:
    """The application's modules that these import, wherever in their text, and so on."""
    found: set[str] = set()
    ahead = list(start)
    while ahead:
        name = ahead.pop()
        if name not in found and (path := module_path(name)):
            found.add(name)
            ahead += imported(path)
    return found


def imported(path: Path) -> list[str]:
    """What a module imports, whole names; a function of a module counts as one more."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, path
            names += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def module_path(name: str) -> Path | None:
    """Where a module of the application is; None when it is another's, or no module."""
    base = SRC.joinpath(*name.split("."))
    paths = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in paths if name.startswith("langflix") and path.is_file()), None)
