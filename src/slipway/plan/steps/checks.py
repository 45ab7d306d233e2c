"""Services' own health checks, as programs that are run when an answer is wanted at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.stack.model import Stack


def checks(stack: Stack, services: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Service, and program and arguments of its health check; those without one are left out."""
    found = []
    for service in services:
        check = stack.services[service].get("healthcheck") or {}
        kind, *argv = check.get("test") or ["NONE"]
        if kind == "CMD":
            found.append((service, tuple(argv)))
        elif kind == "CMD-SHELL":
            found.append((service, ("/bin/sh", "-c", *argv)))
    return tuple(found)
