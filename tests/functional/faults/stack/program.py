"""The API, the worker and the migration of the small stack; broken as its settings ask for.

A job is a row; the worker adds one to ``done`` in the transaction in which it holds the row, so a
job that was lost has 0, and one that was done twice has 2.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg

VERSION, FAULT = os.environ.get("VERSION", ""), os.environ.get("FAULT", "")
BEGAN = time.monotonic()
TABLE = "CREATE TABLE IF NOT EXISTS jobs (id text PRIMARY KEY, done int NOT NULL DEFAULT 0)"


def connect() -> psycopg.Connection:
    password = Path("/run/secrets/postgres_password").read_text("utf-8").strip()
    return psycopg.connect(
        host="postgres", dbname="langflix", user="langflix", password=password, connect_timeout=3
    )


def healthy() -> bool:
    return FAULT != "never" and not (FAULT == "later" and time.monotonic() - BEGAN > 20)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200 if healthy() else 503)
        elif self.path == "/api/verify":
            with connect() as connection:
                connection.execute("SELECT 1")
            self.answer(200)
        elif self.path == "/api/jobs":
            with connect() as connection:
                rows = connection.execute("SELECT id, done FROM jobs").fetchall()
            self.answer(200, json.dumps(dict(rows)))
        else:
            self.answer(500 if FAULT == "errors" else 200, VERSION)

    def do_POST(self) -> None:
        name = self.path.rpartition("/")[2]
        try:
            with connect() as connection:
                connection.execute(
                    "INSERT INTO jobs VALUES (%s) ON CONFLICT (id) DO NOTHING", (name,)
                )
        except psycopg.Error:
            self.answer(503)
        else:
            self.answer(201)

    def answer(self, status: int, text: str = "") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def serve() -> None:
    server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def api() -> None:
    if FAULT == "crash":
        sys.exit("broken on purpose")
    if Path("/run/secrets/token").read_text("utf-8") == "wrong-for-the-app":
        sys.exit("the token is refused")
    serve()
    if FAULT == "memory":
        held = []
        while True:
            held.append(bytearray(os.urandom(1 << 20)) * 8)
            time.sleep(0.3)
    signal.sigwait([signal.SIGTERM])


def worker() -> None:
    serve()
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    while not ending.is_set():
        try:
            with connect() as connection:
                while not ending.is_set():
                    work(connection)
        except psycopg.Error:
            time.sleep(0.5)


def work(connection: psycopg.Connection) -> None:
    with connection.transaction():
        row = connection.execute(
            "SELECT id FROM jobs WHERE done = 0 LIMIT 1 FOR UPDATE SKIP LOCKED"
        ).fetchone()
        if row:
            time.sleep(0.1)
            connection.execute("UPDATE jobs SET done = done + 1 WHERE id = %s", row)
    if not row:
        time.sleep(0.2)


def migrate() -> None:
    with connect() as connection:
        connection.execute(TABLE)
        connection.commit()
        if FAULT in ("fail", "half", "hang"):
            connection.execute("CREATE TABLE half (id int)")
        if FAULT == "fail":
            sys.exit("the migration is broken on purpose")
        if FAULT == "half":
            os.kill(os.getpid(), signal.SIGKILL)
        if FAULT == "hang":
            time.sleep(3600)
    if FAULT == "long":
        with connect() as connection:
            connection.autocommit = True
            # In one message: the server needs nobody any more to commit it.
            connection.execute("SELECT pg_sleep(40); ALTER TABLE jobs ADD COLUMN late int")


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM] if sys.argv[1] == "api" else [])
    if sys.argv[1] == "plan":
        sys.stdout.write(json.dumps([{"revision": "next", "message": "for the test"}]))
    else:
        {"api": api, "worker": worker, "migrate": migrate}[sys.argv[1]]()
