"""What TrueNAS tells of containers' lines, by a program that is run with its client."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from slipway.runner import applogs

CLIENT = """
import json, threading
class Client:
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def subscribe(self, source, hear):
        name, _, asked = source.partition(":")
        given = json.loads(asked)
        assert (name, given["app_name"], given["tail_lines"]) == (
            "app.container_log_follow", "demo", 7)
        times = {"1": ("10", "30"), "2": ("20",)}[given["container_id"]]
        def tell():
            hear("ADDED", fields=None)
            hear("CHANGED", fields={"data": "no"})
            for time in times:
                hear("ADDED", fields={"data": f"said {time}\\n", "timestamp": time}, id=None)
        threading.Thread(target=tell).start()
"""


def run(folder: Path, how: str, client: str = CLIENT) -> subprocess.CompletedProcess[str]:
    """The program, with a client."""
    (folder / "truenas_api_client.py").write_text(client)
    program = Path(applogs.__file__).read_text("utf-8")
    return subprocess.run(
        [sys.executable, "-c", program, "demo", "7", how, "web=1", "db=2"],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )  # fmt: skip


def test_lines_of_several_containers_come_in_their_order(tmp_path: Path) -> None:
    """And it ends by itself when nothing more comes."""
    done = run(tmp_path, "once")
    assert (done.returncode, done.stdout.splitlines()) == (0, [
        "web  | 10 said 10", "db  | 20 said 20", "web  | 30 said 30",
    ])  # fmt: skip


def test_following_ends_with_the_containers(tmp_path: Path) -> None:
    """As when TrueNAS starts all anew: nobody waits for what can't come."""
    gone = CLIENT.replace("        threading.Thread", """
        def end(then=tell):
            then()
            hear("REMOVED", fields={"error": None})
        tell = end
        threading.Thread""")  # fmt: skip
    done = run(tmp_path, "follow", gone)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3


def test_a_client_that_refuses_is_no_traceback(tmp_path: Path) -> None:
    """What it said is told."""
    refuses = CLIENT.replace("        name, _, asked", '''        raise ValueError("no right")
        name, _, asked''')  # fmt: skip
    done = run(tmp_path, "once", refuses)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "TrueNAS does not tell what demo writes: no right\n"


def test_what_is_followed_is_shown_at_once() -> None:
    """Nothing is kept."""
    shown: list[str] = []
    lines = applogs.Lines(shown.append)
    lines.hear("web")("added", fields={"data": "one", "timestamp": "1"})
    assert shown == ["web  | 1 one"]
    assert lines.in_order() == []
