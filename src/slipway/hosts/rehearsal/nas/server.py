"""The socket: who connects, and which protocol they speak."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from pathlib import Path

from . import people
from .ddp import DdpSession
from .frames import Gone
from .middleware import Middleware
from .rpc import RpcSession
from .session import Session
from .wire import Wire

LEGACY = "/websocket"
CURRENT = "/api/current"
_LOOK_S = 0.2
_BACKLOG = 128
log = logging.getLogger("middlewared")


def serve(middleware: Middleware) -> None:
    """Answer clients, for ever; nobody answers while the faults say that it is down."""
    while True:
        if middleware.faults().down:
            time.sleep(_LOOK_S)
            continue
        _serve(middleware, middleware.settings.socket)


def _serve(middleware: Middleware, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        path.chmod(0o666)
        listening.listen(_BACKLOG)
        listening.settimeout(_LOOK_S)
        while not middleware.faults().down:
            with contextlib.suppress(TimeoutError):
                connection, _ = listening.accept()
                connection.settimeout(None)
                threading.Thread(target=_client, args=(middleware, connection), daemon=True).start()
    path.unlink(missing_ok=True)


def _client(middleware: Middleware, connection: socket.socket) -> None:
    wire = Wire(connection)
    try:
        uid = people.peer(connection)
        paths = (CURRENT, LEGACY) if middleware.release.json_rpc else (LEGACY,)
        if wire.greet(paths):
            _session(middleware, wire, uid).serve()
    except Gone:
        pass
    except Exception:
        log.exception("a client's connection ended")
    finally:
        wire.end()


def _session(middleware: Middleware, wire: Wire, uid: int) -> Session:
    person = people.who(uid, middleware.faults().privileges)
    if wire.path == LEGACY:
        return DdpSession(middleware, wire, person)
    session = RpcSession(middleware, wire, person)
    session.options = {"legacy_jobs": True, "private_methods": False, "py_exceptions": False}
    return session
