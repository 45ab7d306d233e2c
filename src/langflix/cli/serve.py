"""``api``, ``worker``, ``beat``, ``flower``: run until told to stop."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

from langflix import logs
from langflix.settings import Need, Settings

#: Command: module with ``run(settings) -> exit code``, and what it cannot start without.
ROLES: Mapping[str, tuple[str, tuple[Need, ...]]] = {
    "api": ("langflix.api.app", ("database", "redis")),
    "worker": ("langflix.queue.worker", ("database", "redis")),
    "beat": ("langflix.queue.beat", ("redis",)),
    "flower": ("langflix.queue.monitor", ("redis", "flower")),
}


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Start the role; return its exit code when it has ended."""
    module, need = ROLES[arguments.command]
    settings = Settings.from_env(environ, need)
    logs.configure(settings.log_level)
    return int(importlib.import_module(module).run(settings))
