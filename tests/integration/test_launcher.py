"""The launcher: whatever this machine is set to, it ends in a whole .venv or says what is wrong.

The packages here are two small wheels that the tests make, so that nothing is downloaded.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
import zipfile
from pathlib import Path

import pytest

from slipway.supply.venv import STAMP, is_good, remove, state

ROOT = Path(__file__).parents[2]
ODD = "a b ä+c?d#e%20f'g\"h$i"
# Stands for slipway: says where it runs.
COMMANDLINE = """
import sys, invoke, queue
print("ran", sys.prefix, invoke.WHERE, *sys.argv[1:])
"""


def wheel(folder: Path, name: str, modules: dict[str, str]) -> str:
    """Make a wheel; the line of a requirements file that pins it."""
    info = f"{name}-1.dist-info"
    files = {f"{path}": text.encode() for path, text in modules.items()}
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()[:-1]},"
        f"{len(data)}\n"
        for path, data in files.items()
    )
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for place, data in files.items():
            archive.writestr(place, data)
    return f"{name}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Checkout:
    """A checkout in a folder of an odd name, with an index of its own."""

    def __init__(self, folder: Path) -> None:
        self.root, self.index = folder / ODD, folder / "index"
        (self.root / "src/slipway/supply").mkdir(parents=True)
        self.index.mkdir()
        shutil.copy(ROOT / "inv", self.root / "inv")
        script = "src/slipway/supply/venv.py"
        shutil.copy(ROOT / script, self.root / script)
        (self.root / "src/slipway/__init__.py").touch()
        (self.root / "src/slipway/commandline.py").write_text(COMMANDLINE)
        self.require("invoke")

    def require(self, *names: str) -> None:
        lines = [wheel(self.index, one, {f"{one}.py": "WHERE = __file__\n"}) for one in names]
        (self.root / "requirements.txt").write_text("".join(lines))

    def command(self, environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.index)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return [str(self.root / "inv"), "--list"], {**kept, **index, **environment}

    def launch(
        self, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        argv, environment = self.command(env or {})
        return subprocess.run(
            argv,
            env=environment,
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def ran(self, done: subprocess.CompletedProcess[str]) -> bool:
        """Whether slipway was started in this .venv, with the packages that are in it."""
        assert done.returncode == 0, done.stderr
        venv = self.root / ".venv"
        assert done.stdout.startswith(f"ran {venv} {venv}/lib/"), done.stdout
        return "Preparing" not in done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One with a good .venv, for tests that leave it as it is."""
    made = Checkout(tmp_path_factory.mktemp("prepared"))
    assert not made.ran(made.launch())
    return made


def test_a_good_one_is_used_as_it_is(prepared: Checkout) -> None:
    """The second start prepares nothing: the shell and Python agree on what is good."""
    assert prepared.ran(prepared.launch())


@pytest.mark.parametrize("how", ["PYTHONPATH", "PYTHONHOME", "cwd"])
def test_modules_of_elsewhere_are_not_taken(prepared: Checkout, how: str, tmp_path: Path) -> None:
    """Neither variables for another Python nor the folder one is in bring modules."""
    for name in ("invoke.py", "queue.py"):
        (tmp_path / name).write_text("raise SystemExit('of elsewhere')\n")

    environment: dict[str, str] = {} if how == "cwd" else {how: str(tmp_path)}
    assert prepared.ran(prepared.launch(tmp_path, environment))


def test_settings_of_pip_and_python(checkout: Checkout) -> None:
    """Packages land in .venv, whatever pip and Python are set to for other work."""
    conf = checkout.index / "pip.conf"
    conf.write_text("[global]\nuser = true\n[install]\nuser = true\n")
    settings = {
        "PIP_USER": "1",
        "PIP_TARGET": "/nowhere/target",
        "PIP_PREFIX": "/nowhere/prefix",
        "PIP_ROOT": "/nowhere/root",
        "PIP_DRY_RUN": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PYTHONHOME": "/nowhere/home",
        "PYTHONPATH": "/nowhere/path",
        "PIP_CONFIG_FILE": str(conf),
    }

    assert not checkout.ran(checkout.launch(env=settings))


@pytest.mark.long  # test_what_makes_one_bad, without packages
def test_a_pip_that_installs_elsewhere(checkout: Checkout, tmp_path: Path) -> None:
    """A pip.conf with a target can't be overruled; it is named."""
    (tmp_path / "pip.conf").write_text(f"[install]\ntarget = {tmp_path / 'target'}\n")

    done = checkout.launch(env={"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")})

    assert done.returncode == 3
    assert "does a pip.conf set target" in done.stderr
    assert not (checkout.root / ".venv").exists()


@pytest.fixture
def stubbed(checkout: Checkout) -> Checkout:
    """One whose .venv is a stub, good as it stands, and where making another only says so."""
    python = checkout.root / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    (checkout.index / "python3.11").write_text("#!/bin/sh\necho used\n")
    (checkout.index / "python3.11").chmod(0o755)
    python.symlink_to(checkout.index / "python3.11")
    (checkout.root / "src/slipway/supply/venv.py").write_text("raise SystemExit('made anew')\n")
    (checkout.root / ".venv" / STAMP).write_text(f"{state(checkout.root)}\n")
    return checkout


def spoil(checkout: Checkout, fault: str) -> None:
    """Make a good .venv bad."""
    venv = checkout.root / ".venv"
    python = venv / "bin/python"
    if fault == "base":
        (checkout.index / "python3.11").unlink()
    elif fault == "version":
        (checkout.index / "python3.11").rename(checkout.index / "python3.12")
        (checkout.index / "python3").symlink_to("python3.12")
        python.unlink()
        python.symlink_to(checkout.index / "python3")
    elif fault == "requirements":
        checkout.require("invoke", "another")
    elif fault == "interrupted":
        (venv / STAMP).unlink()
    elif fault == "empty":
        shutil.rmtree(venv / "bin")
    elif fault == "moved":
        checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    elif fault == "file":
        shutil.rmtree(venv)
        venv.touch()


@pytest.mark.parametrize(
    ("fault", "good"),
    [
        ("none", True), ("base", False), ("version", False), ("requirements", False),
        ("interrupted", False), ("empty", False), ("moved", False), ("file", False),
    ],
)  # fmt: skip
def test_what_makes_one_bad(stubbed: Checkout, fault: str, good: bool) -> None:
    """A Python that is gone or another, changed requirements, a half installation, another place.

    The launcher, which looks each time, and the script that makes one judge alike.
    """
    spoil(stubbed, fault)

    done = stubbed.launch()

    assert is_good(stubbed.root) is good
    assert done.stdout == ("used\n" if good else "")
    assert done.stderr.endswith("" if good else "made anew\n")


def test_a_linked_one_is_only_unlinked(stubbed: Checkout, tmp_path: Path) -> None:
    """A .venv that is a link is used while it fits; replacing it leaves what it leads to."""
    place = (stubbed.root / ".venv").rename(tmp_path / "elsewhere")
    (stubbed.root / ".venv").symlink_to(place)
    (place / STAMP).write_text(f"{state(stubbed.root)}\n")
    assert stubbed.launch().stdout == "used\n"

    remove(stubbed.root / ".venv")

    assert (place / STAMP).exists() and not (stubbed.root / ".venv").exists()


@pytest.mark.long  # test_what_makes_one_bad, without packages
def test_an_active_one_that_is_stale(checkout: Checkout) -> None:
    """Where the .venv to be replaced is the active one, its Python does not replace itself."""
    checkout.launch()
    checkout.require("invoke", "another")
    venv = checkout.root / ".venv"

    done = checkout.launch(
        env={"VIRTUAL_ENV": str(venv), "PATH": f"{venv}/bin:{os.environ['PATH']}"}
    )

    assert not checkout.ran(done)


def test_two_at_once(checkout: Checkout) -> None:
    """One prepares, the other waits for it and says so; both run."""
    done: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda: done.append(checkout.launch())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    said = sorted(one.stderr.strip().split(" ")[0] for one in done)
    assert [checkout.ran(one) for one in done].count(True) == 1
    assert said == ["Preparing", "Waiting"]


def test_something_is_said_before_the_slow_part(checkout: Checkout) -> None:
    """The first line is there while pip still works; an interrupted one leaves none behind."""
    # An index that answers nobody: pip asks it until the end.
    slow = checkout.index / "slow"
    os.mkfifo(slow)
    argv, env = checkout.command({"PIP_CONFIG_FILE": str(slow)})
    with subprocess.Popen(
        argv,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        # Shells let what they run in the background ignore it, and what that runs does, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Preparing Python packages in .venv")
        while not (checkout.root / ".venv/bin/python").exists():
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()

    # The launcher's shell ends by the same signal, which a calling shell shows as 130.
    assert process.returncode in (130, -2)
    assert "interrupted; .venv was removed" in rest
    assert not (checkout.root / ".venv").exists()
    assert not checkout.ran(checkout.launch())


def test_failed_packages_leave_nothing(checkout: Checkout) -> None:
    """When pip can't install, the exit code is 3, the hint names the index, and .venv is gone."""
    hashes = "0" * 64
    (checkout.root / "requirements.txt").write_text(f"no-such-package==1 --hash=sha256:{hashes}\n")

    done = checkout.launch()

    assert done.returncode == 3
    assert "no-such-package" in done.stderr
    assert "hint: is the index that pip is set to reachable?" in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_a_folder_that_can_not_be_written(checkout: Checkout) -> None:
    """Where .venv can't be made at all, it is said; no traceback."""
    (checkout.root / ".slipway").write_text("a file where a folder should be")

    done = checkout.launch()

    assert done.returncode == 2
    assert "hint: the checkout must be writable" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_python(checkout: Checkout, tmp_path: Path) -> None:
    """Without a Python that is new enough the exit code is 2, and the message says which one."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "sha256sum", "readlink", "cat"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)

    done = checkout.launch(env={"PATH": str(tools)})

    assert done.returncode == 2
    assert "no Python 3.11 or newer was found" in done.stderr
    assert not (checkout.root / ".venv").exists()
