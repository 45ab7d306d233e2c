"""What TrueNAS is told of an application that it is to show as one of its apps. Pure.

A custom app is a Compose file of TrueNAS' own, which it calls ``up`` and ``down`` with. Ours
includes the live release's, so that the web interface starts and stops what slipway deployed, and
slipway deploys into the same project without TrueNAS' own way, which ends all before it starts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from slipway.ledger.layout import APP_FILE, COMPOSE, CURRENT

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Register:
    """Have TrueNAS know the application as one of its apps.

    Attributes:
        app: its name there.
        document: its Compose file.
    """

    where: ClassVar[str] = "host"
    app: str
    document: dict[str, Any]

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {
            "action": "register",
            "where": self.where,
            "app": self.app,
            "document": self.document,
        }


@dataclass(frozen=True, slots=True)
class _OfApp:
    """Something that TrueNAS is asked to do with an app, by its name alone.

    Attributes:
        app: its name there.
    """

    where: ClassVar[str] = "host"
    action: ClassVar[str]
    app: str

    def to_json(self) -> dict[str, object]:
        """All fields, and the action's name."""
        return {"action": self.action, "where": self.where, "app": self.app}


@dataclass(frozen=True, slots=True)
class Unregister(_OfApp):
    """Have TrueNAS forget an app that it was just told of."""

    action: ClassVar[str] = "unregister"


@dataclass(frozen=True, slots=True)
class Redeploy(_OfApp):
    """Have TrueNAS end all that an app has, and start what its file says by now."""

    action: ClassVar[str] = "redeploy"


@dataclass(frozen=True, slots=True)
class Stop(_OfApp):
    """Have TrueNAS end all that an app has; it goes on knowing it."""

    action: ClassVar[str] = "stop"


def app_document(app_dir: str, application: str, url: str) -> dict[str, Any]:
    """The Compose file that TrueNAS keeps; it takes portals and notes from the first one only.

    Args:
        app_dir: the application's folder on the host.
        application: its name.
        url: where people reach it.
    """
    parts = urlsplit(url)
    portal = {
        "name": "Web UI",
        "scheme": parts.scheme,
        "host": parts.hostname or "0.0.0.0",  # noqa: S104 - TrueNAS puts its own address there
        "port": parts.port or _PORTS[parts.scheme],
        "path": parts.path or "/",
    }
    notes = (
        f"{application} is deployed by slipway from {app_dir}. Start and stop it here as you like. "
        "Deploy, go back and look after it with `./inv`; what is edited here is not deployed."
    )
    return {
        "include": [included(app_dir)],
        "services": {},
        "x-portals": [portal],
        "x-notes": notes,
    }


def included(app_dir: str) -> str:
    """The file that TrueNAS' own one includes."""
    return f"{app_dir}/{APP_FILE}"


def placeholder(image: str) -> str:
    """What is included until there is a live release: TrueNAS starts an app that it is told of.

    Args:
        image: one that the host has; no container is made of it.
    """
    service = {"image": image, "scale": 0, "pull_policy": "never"}
    return json.dumps({"services": {"placeholder": service}}) + "\n"


#: Where the link at :data:`~slipway.ledger.layout.APP_FILE` leads.
LIVE = f"{CURRENT}/{COMPOSE}"
