"""A script that prints sections behaves the same whether its host can pack them or not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from slipway.hosts.sections import compact, sections

LONG = "words " * 2000
SCRIPT = compact("""
[ "$1" != nothing ] || exit 0
text first "$1"
shift
for name; do text "$name" "$(cat)"; done
[ "$#" -ne 1 ] || exit 9
false
text never "false did not end it"
""")


@pytest.fixture(params=["with gzip", "without"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where programs are."""
    names = ("sh", "cat", "wc", *(("gzip",) if request.param == "with gzip" else ()))
    for name in names:
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    return str(tmp_path)


def run(path: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run it, as it is run on a host."""
    return subprocess.run(
        ["/bin/sh", "-c", SCRIPT, "compact", *arguments],
        input=LONG.encode(), env={"PATH": path}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_arguments_input_and_code_are_the_scripts_own(path: str) -> None:
    """It is packed where that can be done, and ends as the script does in the middle of it."""
    done = run(path, "a b", "c d")
    assert (done.returncode, done.stderr) == (9, b"")
    assert sections(done.stdout, where="here") == [("first", b"a b"), ("c d", LONG.encode())]
    assert (len(done.stdout) < 1000) == Path(path, "gzip").exists()


def test_a_command_that_fails_ends_it(path: str) -> None:
    """By its code; what was printed before is there."""
    done = run(path, "a", "b", "c")
    assert done.returncode == 1
    assert [name for name, _ in sections(done.stdout, where="here")] == ["first", "b", "c"]


def test_an_early_end_is_no_failure(path: str) -> None:
    """Nothing was printed."""
    done = run(path, "nothing")
    assert (done.returncode, sections(done.stdout, where="here")) == (0, [])
