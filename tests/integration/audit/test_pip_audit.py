"""The real pip-audit beside a database on the loopback: its answer is understood."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from slipway.audit.wheels import parse

HOLE = {
    "id": "GHSA-aaaa",
    "aliases": ["CVE-2026-1"],
    "summary": "it breaks",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "bad"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class Database(BaseHTTPRequestHandler):
    """OSV's ``/v1/query``: it knows a hole of the package ``bad``."""

    def do_POST(self) -> None:
        """Answer a query."""
        asked: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = asked["package"]["name"] == "bad"
        body = json.dumps({"vulns": [HOLE]} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_what_pip_audit_prints_is_understood(tmp_path: Path) -> None:
    """Of two wheels both were asked for, and one has a hole, with its names and what mends it."""
    file = tmp_path / "requirements.txt"
    file.write_text("bad==1.0\ngood==1.0\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Database)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    argv = [sys.executable, "-m", "pip_audit", "--requirement", str(file), "--no-deps"]
    argv += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
    argv += ["--vulnerability-service", "osv", "--cache-dir", str(tmp_path / "cache")]
    argv += ["--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

    (found,), asked = parse(json.loads(done.stdout), {"bad": ("api",)})

    assert asked == 2
    assert found.ids == ("CVE-2026-1", "GHSA-aaaa")
    assert (found.name, found.version, found.fixed) == ("bad", "1.0", "1.1")
    assert found.where == ("api",)
