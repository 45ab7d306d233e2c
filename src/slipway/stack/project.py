"""What Compose calls the project of an application, by the mode it is deployed in. Pure."""

from __future__ import annotations

#: ``compose``: a project of its own. ``app``: one that TrueNAS takes for its app of that name.
MODES = ("compose", "app")
#: TrueNAS calls the project of an app so (middlewared, ``plugins/apps/compose_utils.py``).
APP_PREFIX = "ix-"


def project_of(application: str, mode: str) -> str:
    """Compose's project name.

    Args:
        application: its name in ``slipway.toml``.
        mode: one of :data:`MODES`.
    """
    return f"{APP_PREFIX}{application}" if mode == "app" else application
