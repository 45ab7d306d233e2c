"""The launcher: a virtual environment that could not be made is never taken for a good one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def launch(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "inv", "--version"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_failed_packages_leave_nothing(tmp_path: Path) -> None:
    """When pip can't install, the exit code is 3, the hint names the index, and .venv is gone."""
    shutil.copy(ROOT / "inv", tmp_path / "inv")
    hashes = "0" * 64
    (tmp_path / "requirements.txt").write_text(f"no-such-package==1 --hash=sha256:{hashes}\n")

    done = launch(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))

    assert done.returncode == 3
    assert "hint: is the index that pip is set to reachable?" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_no_python(tmp_path: Path) -> None:
    """Without a Python that is new enough the exit code is 2, and the message says which one."""
    shutil.copy(ROOT / "inv", tmp_path / "inv")
    (tmp_path / "requirements.txt").write_text("")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "sha256sum", "cut", "cat", "rm", "id"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)

    done = launch(tmp_path, PATH=str(tools))

    assert done.returncode == 2
    assert "no Python 3.11 or newer was found" in done.stderr
    assert not (tmp_path / ".venv").exists()
