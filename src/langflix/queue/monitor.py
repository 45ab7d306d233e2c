"""Starts Flower, which shows workers and tasks to people, behind a password.

Flower's own options are set in the process: its command line would put the password into the
process list.  ``/flower/healthcheck`` answers without the password.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

from flower.app import Flower
from flower.command import extract_settings, setup_logging
from flower.options import options
from flower.urls import settings as tornado_settings
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from langflix.queue import app as queue
from langflix.settings import Settings

PREFIX = "flower"
USER = "admin"
#: Of a request, in bytes: its forms hold a number or two. Tornado itself would take 100 MB into
#: memory before anybody is asked for the password.
MAX_BODY = 64 * 1024
MAX_HEAD = 16 * 1024
BODY_S = 10
IDLE_S = 75


def run(settings: Settings) -> int:
    """Serve until told to stop; return the exit code."""
    queue.keep_our_logging()
    options.port = settings.flower_port
    options.url_prefix = PREFIX
    options.basic_auth = [f"{USER}:{settings.need_flower_password().reveal()}"]
    options.xheaders = True
    options.persistent = False
    options.purge_offline_workers = 600
    extract_settings()
    setup_logging()
    flower = _Flower(capp=queue.create(settings), options=options, **tornado_settings)
    signal.signal(signal.SIGTERM, _stop)
    flower.start_http_server()
    try:
        flower.start()
    except (KeyboardInterrupt, SystemExit):
        flower.stop()
    return 0


class _Flower(Flower):
    """Flower, whose server takes small requests only."""

    def start_http_server(self) -> None:
        """Listen on every address of the container."""
        server = HTTPServer(
            self,
            xheaders=self.options.xheaders,
            max_header_size=MAX_HEAD,
            max_body_size=MAX_BODY,
            max_buffer_size=2 * MAX_BODY,
            body_timeout=BODY_S,
            idle_connection_timeout=IDLE_S,
        )
        server.add_sockets(bind_sockets(self.options.port))


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
