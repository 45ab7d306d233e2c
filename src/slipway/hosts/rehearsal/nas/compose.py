"""How the middleware calls Compose, and what it says when that fails.

Source: ``plugins/apps/compose_utils.py`` of the middleware.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from . import engine, faults
from .appstates import PREFIX
from .errors import CallError
from .middleware import Middleware

TIMEOUT_S = 1200
CHECK_S = 30
LOGS_S = 60
_TOO_LATE = "Timed out waiting for response"
_FLAGS = {
    "down": ["--remove-orphans"],
    "up": ["-d", "--force-recreate", "--remove-orphans"],
    "pull": ["--policy", "always"],
}


class Compose:
    """Compose, for apps."""

    def __init__(self, middleware: Middleware) -> None:
        self._middleware = middleware
        self._settings = middleware.settings

    def up(self, app: str, files: list[Path]) -> None:
        """Take down what there is, then start all of it.

        Raises:
            CallError: it failed; what Compose said is in the log alone.
        """
        self.down(app, files)
        self._act(app, files, "up", _FLAGS["up"])

    def down(self, app: str, files: list[Path], *, images: bool = False,
             volumes: bool = False) -> None:  # fmt: skip
        """Remove the containers and networks.

        Args:
            app: the app.
            files: its Compose files.
            images: its images, too.
            volumes: its named volumes, too.

        Raises:
            CallError: as of :meth:`up`.
        """
        flags = [*_FLAGS["down"]]
        flags += ["--rmi", "all"] if images else []
        flags += ["-v"] if volumes else []
        self._act(app, files, "down", flags)

    def pull(self, app: str, files: list[Path]) -> None:
        """Have images pulled, also those that are here.

        Raises:
            CallError: as of :meth:`up`.
        """
        self._act(app, files, "pull", _FLAGS["pull"])

    def logs(self, app: str, files: list[Path]) -> str:
        """What the app's containers wrote."""
        if not files:
            return f"No compose files found for app {app!r}"
        argv = [*self._argv(app, files), "logs", "--no-color", "--timestamps"]
        done = engine.run(argv, LOGS_S, both=True)
        return done.stdout if not done.returncode else ""

    def refused(self, text: str) -> str | None:
        """Why Compose refuses a file; None when it takes it.

        The file lies alone in a folder for temporary ones, so relative paths in it lead nowhere.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            done = engine.run([*self._program(), "-f", file.name, "config"], CHECK_S)
        if not done.returncode:
            return None
        return done.stderr.strip() or "Invalid compose configuration"

    def _act(self, app: str, files: list[Path], action: str, flags: list[str]) -> None:
        if not files:
            raise CallError(f"No compose files found for app {app!r}")
        said = self._said(app, files, action, flags)
        if said is None:
            return
        self._log(f"Failed {action!r} action for {app!r} app: {said}")
        text = f"Failed {action!r} action for {app!r} app."
        if "toomanyrequests:" in said:
            text += " It appears you have reached your pull rate limit. Please try again later."
        raise CallError(f"{text} Please check /var/log/app_lifecycle.log for more details")

    def _said(self, app: str, files: list[Path], action: str, flags: list[str]) -> str | None:
        """What Compose said when it failed; None when it did not."""
        wrong = self._middleware.faults().compose.get(action)
        if wrong is not None:
            return _TOO_LATE if wrong == faults.TIMEOUT else wrong
        done = engine.run([*self._argv(app, files), action, *flags], TIMEOUT_S)
        return done.stderr if done.returncode else None

    def _program(self) -> list[str]:
        config = ["--config", self._settings.docker_config]
        named = config if self._settings.release.docker_config else []
        return [self._settings.docker, *named, "compose"]

    def _argv(self, app: str, files: list[Path]) -> list[str]:
        named = [part for file in files for part in ("-f", str(file))]
        return [*self._program(), *named, "-p", f"{PREFIX}{app}"]

    def _log(self, text: str) -> None:
        stamp = time.strftime("%Y/%m/%d %H:%M:%S")
        line = text.replace("\n", "\\n")
        self._settings.log.parent.mkdir(parents=True, exist_ok=True)
        with self._settings.log.open("a", encoding="utf-8") as stream:
            stream.write(f"[{stamp}] (ERROR) app_lifecycle.compose_action():56 - {line}\n")
