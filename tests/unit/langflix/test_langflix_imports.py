"""Each role imports only what its image has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[3] / "src"
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
