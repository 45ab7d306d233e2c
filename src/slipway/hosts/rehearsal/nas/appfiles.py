"""The files of apps below ``/mnt/.ix-apps``, as the middleware lays them.

Source: ``plugins/apps/ix_apps/{path,setup,lifecycle,metadata,portals}.py`` of the middleware, and
``catalog_reader/custom_app.py`` of apps_validation.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

from . import yamls
from .settings import Settings

Table = dict[str, Any]
VERSION = "1.0.0"  # a custom app has no other, ever
_README = """
# Custom App

This is a custom app where user can use his/her own docker compose file for deploying services.
"""
_METADATA: Table = {
    "name": "custom-app",
    "train": "stable",
    "version": VERSION,
    "app_version": "custom",
    "title": "Custom App",
    "description": "This is a custom app where user can use his/her own docker compose file for "
    "deploying services",
    "home": "",
    "sources": [],
    "maintainers": [],
    "run_as_context": [],
    "capabilities": [],
    "host_mounts": [],
}
_LAST_UPDATE = "2024-10-21 00:00:00"
_SCHEMES = {"http": 80, "https": 443}


class AppFiles:
    """The files of all apps."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.apps
        self._quotes = settings.release.quotes

    @property
    def configs(self) -> Path:
        """The folder with a folder for each app."""
        return self.root / "app_configs"

    def folder(self, app: str) -> Path:
        """An app's folder."""
        return self.configs / app

    def names(self) -> list[str]:
        """The apps that have a folder."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(path.name for path in self.configs.iterdir() if path.is_dir())
        return []

    def rendered(self, app: str) -> list[Path]:
        """The Compose files that an app consists of."""
        folder = self._version(app) / "templates/rendered"
        with contextlib.suppress(FileNotFoundError):
            return sorted(path for path in folder.iterdir() if path.name.endswith(".yaml"))
        return []

    def make(self, app: str, config: Table) -> None:
        """Lay a new custom app's files."""
        version = self._version(app)
        (version / "templates/rendered").mkdir(parents=True, exist_ok=True)
        (version / "README.md").write_text(_README, "utf-8")
        self._write(version / "app.yaml", _METADATA | {"last_update": _LAST_UPDATE})
        self.configure(app, config)
        self._write(self.folder(app) / "metadata.yaml", self._metadata(config))

    def configure(self, app: str, config: Table) -> None:
        """Put a Compose file in the place of an app's."""
        version = self._version(app)
        self._write(version / "user_config.yaml", config)
        self._write(version / "templates/rendered/docker-compose.yaml", config)

    def config(self, app: str) -> Table:
        """An app's Compose file, as a table."""
        text = (self._version(app) / "user_config.yaml").read_text("utf-8")
        return yamls.load(text) or {}

    def remove(self, app: str) -> None:
        """Remove an app's folder."""
        shutil.rmtree(self.folder(app), ignore_errors=True)

    def metadata(self) -> dict[str, Table]:
        """What is kept of all apps."""
        return yamls.load_table(self.root / "metadata.yaml")

    def collect(self, without: list[str]) -> None:
        """Write what is kept of all apps anew, from their folders.

        Args:
            without: apps to leave out.
        """
        kept = {
            app: told
            for app in self.names()
            if app not in without and (told := yamls.load_table(self.folder(app) / "metadata.yaml"))
        }
        self.root.mkdir(parents=True, exist_ok=True)
        self._write(self.root / "metadata.yaml", kept, 0o644)
        self._write(self.root / "user_config.yaml", {app: self.config(app) for app in kept})

    def _version(self, app: str) -> Path:
        return self.folder(app) / "versions" / VERSION

    def _write(self, path: Path, value: object, mode: int = 0o600) -> None:
        yamls.write(path, yamls.dump(value, quotes=self._quotes), mode)

    def _metadata(self, config: Table) -> Table:
        return {
            "metadata": _METADATA,
            "migrated": False,
            "custom_app": True,
            "version": VERSION,
            "human_version": f"{VERSION}_custom",
            **portals_and_notes(config),
        }


def portals_and_notes(config: Table) -> Table:
    """What a Compose file says for the interface: links and a text. Nothing where it is wrong."""
    portals, notes = config.get("x-portals", []), config.get("x-notes")
    right = isinstance(portals, list) and all(_is_portal(portal) for portal in portals)
    if not right or not isinstance(notes, str | None):
        return {"portals": {}, "notes": None}
    return {"portals": {one["name"]: _uri(one) for one in portals}, "notes": notes}


def _is_portal(portal: object) -> bool:
    match portal:
        case {"name": str(), "scheme": "http" | "https", "host": str(), "port": int(), **rest}:
            return isinstance(rest.get("path", ""), str)
    return False


def _uri(portal: Table) -> str:
    host = f"[{portal['host']}]" if ":" in portal["host"] else portal["host"]
    usual = _SCHEMES[portal["scheme"]] == portal["port"]
    port = "" if usual else f":{portal['port']}"
    return f"{portal['scheme']}://{host}{port}{portal.get('path', '')}"
