"""What Compose calls the project of an application, by the mode it is deployed in. Pure."""

from __future__ import annotations

#: The mode of a TrueNAS whose login user has no right to Docker: all goes by its middleware.
ONLY = "app-only"
#: ``compose``: a project of its own. ``app``: one that TrueNAS takes for its app of that name.
MODES = ("compose", "app", ONLY)
#: TrueNAS calls the project of an app so (middlewared, ``plugins/apps/compose_utils.py``).
APP_PREFIX = "ix-"


def is_app(mode: str) -> bool:
    """Whether TrueNAS knows what is deployed in a mode as one of its apps."""
    return mode in ("app", ONLY)


def project_of(application: str, mode: str) -> str:
    """Compose's project name.

    Args:
        application: its name in ``slipway.toml``.
        mode: one of :data:`MODES`.
    """
    return f"{APP_PREFIX}{application}" if is_app(mode) else application
