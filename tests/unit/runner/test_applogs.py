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


def test_lines_of_several_containers_come_in_their_order(tmp_path: Path) -> None:
    """And it ends by itself when nothing more comes."""
    (tmp_path / "truenas_api_client.py").write_text(CLIENT)
    program = Path(applogs.__file__).read_text("utf-8")
    done = subprocess.run(
        [sys.executable, "-c", program, "demo", "7", "once", "web=1", "db=2"],
        capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "web  | 10 said 10", "db  | 20 said 20", "web  | 30 said 30",
    ]  # fmt: skip


def test_what_is_followed_is_shown_at_once() -> None:
    """Nothing is kept."""
    shown: list[str] = []
    lines = applogs.Lines(shown.append)
    lines.hear("web")("added", fields={"data": "one", "timestamp": "1"})
    assert shown == ["web  | 1 one"]
    assert lines.in_order() == []
