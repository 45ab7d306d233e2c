"""Have TrueNAS know an application as one of its apps, and forget it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.runner.doors import Nas
from slipway.runner.failure import Failed
from slipway.runner.middleware import NasError, call

_THERE, _GONE = "EEXIST", "ENOENT"
_LINES = 10


class HostNas:
    """The middleware of the machine this runs on."""

    def run(self, method: str, *args: object) -> Any:
        """Call a method that starts a job; see :class:`slipway.runner.doors.Nas`."""
        return call(method, *args, job=True)


def register(nas: Nas, app: str, document: Mapping[str, Any]) -> None:
    """Tell TrueNAS of an app; it then runs Compose's ``up`` with its file.

    Args:
        app: its name.
        document: its Compose file. It is sent as an object: text would be read by the rules of
            YAML 1.1, which take ``22:22`` for a number.

    Raises:
        Failed: TrueNAS did not take it; it then keeps nothing of it.
    """
    asked = {"app_name": app, "custom_app": True, "custom_compose_config": dict(document)}
    try:
        nas.run("app.create", asked)
    except NasError as error:
        if error.errname != _THERE:
            raise _failed("did not take the app", app, error) from error


def unregister(nas: Nas, app: str) -> None:
    """Have TrueNAS forget an app; images stay.

    Raises:
        Failed: it still knows it.
    """
    try:
        nas.run("app.delete", app, {"remove_images": False})
    except NasError as error:
        if error.errname != _GONE:
            raise _failed("still has the app", app, error) from error


def _failed(what: str, app: str, error: NasError) -> Failed:
    lines = error.message.strip().splitlines()
    return Failed(f"TrueNAS {what} {app}: {lines[0] if lines else error.kind}",
                  details=lines[1 : _LINES + 1])  # fmt: skip
