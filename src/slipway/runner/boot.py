"""Have a run that the host's reboot breaks off be ended when the host is up again.

While a run goes on, something that the host starts at the end of its boot stands there for it, and
is removed at the run's end: a unit where systemd is process 1 (sd_booted(3), systemd.unit(5)), a
program in ``/etc/local.d`` where OpenRC's service ``local`` runs those (openrc-run(8)). Where
neither can be written, the next deploy ends the run.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Mapping

_SYSTEMD = "run/systemd/system"
_UNITS = "etc/systemd/system"
_WANTS = f"{_UNITS}/multi-user.target.wants"
_LOCAL = "etc/local.d"

_UNIT = """[Unit]
Description=End what the reboot broke off in {folder}
After=docker.service local-fs.target
Wants=docker.service

[Service]
Type=oneshot
ExecStart={command}
"""


class AtBoot:
    """What the host does at its next boot for one application.

    Args:
        application: its name.
        folder: its folder.
        root: where the host's file system begins.
    """

    def __init__(self, application: str, folder: str, root: str = "/") -> None:
        self._name, self._folder, self._root = f"slipway-{application}", folder, root

    def arm(self, argv: tuple[str, ...]) -> bool:
        """Have a program run at the next boot.

        Args:
            argv: it and its arguments, absolute.

        Returns:
            Whether the host has a place for it that we may write.
        """
        try:
            for path, (text, mode) in self._files(argv).items():
                self._write(path, text, mode)
            if self._systemd:
                link = self._at(f"{_WANTS}/{self._name}.service")
                os.makedirs(os.path.dirname(link), exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    os.symlink(f"../{self._name}.service", link)
        except OSError:
            self.disarm()
            return False
        return self._systemd or self._openrc

    def disarm(self) -> None:
        """The run has ended: nothing is left for the next boot."""
        names = (f"{_WANTS}/{self._name}.service", f"{_UNITS}/{self._name}.service",
                 f"{_LOCAL}/{self._name}.start")  # fmt: skip
        for name in names:
            with contextlib.suppress(OSError):
                os.unlink(self._at(name))

    @property
    def _systemd(self) -> bool:
        return os.path.isdir(self._at(_SYSTEMD))

    @property
    def _openrc(self) -> bool:
        return not self._systemd and os.path.isdir(self._at(_LOCAL))

    def _files(self, argv: tuple[str, ...]) -> Mapping[str, tuple[str, int]]:
        if self._systemd:
            command = " ".join(_quoted(word) for word in argv)
            unit = _UNIT.format(folder=self._folder.replace("%", "%%"), command=command)
            return {f"{_UNITS}/{self._name}.service": (unit, 0o644)}
        if self._openrc:
            # OpenRC waits for it; the runner has a time of its own for Docker to come up.
            text = f"#!/bin/sh\n{shlex.join(argv)} >/dev/null 2>&1 </dev/null &\n"
            return {f"{_LOCAL}/{self._name}.start": (text, 0o755)}
        return {}

    def _write(self, path: str, text: str, mode: int) -> None:
        place = self._at(path)
        fresh = f"{place}.new"
        with open(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, place)

    def _at(self, path: str) -> str:
        return os.path.join(self._root, path)


def settling(folder: str) -> tuple[str, ...]:
    """How this very file is started to end a run: Python, the file, what to do."""
    return (sys.executable, "-I", os.path.abspath(sys.argv[0]), "settle", folder)


def _quoted(word: str) -> str:
    """A word of a unit's command line (systemd.service(5): quotes, ``%`` and ``$`` doubled)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'
