"""What the edge's configuration has for the services behind it, as far as a look at it tells. Pure.

HAProxy alone knows what its configuration means. What is read here is what can be read without it:
a line that begins with a section's keyword begins that section, a ``server`` line is a server of it
(HAProxy 3.0 configuration manual, sections 2.1 and 4). Where the file has alternatives, variables
or templates nothing is said of it; a section under a condition counts as there. The host asks
HAProxy itself before anything is switched.
"""

from __future__ import annotations

from collections.abc import Mapping

from slipway.stack.health import replicas
from slipway.stack.model import Stack

_SECTIONS = {
    *("global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "mailers"),
    *("userlist", "cache", "program", "http-errors", "ring", "log-forward", "log-profile"),
    *("fcgi-app", "crt-store", "traces"),
}
_UNCLEAR = {"server-template", ".elif", ".else"}
_DEPTHS = {".if": 1, ".endif": -1}


def read_backends(text: str) -> dict[str, int] | None:
    """Backend to the number of its servers; None where a look at the text does not tell."""
    found: dict[str, int] = {}
    section, depth, began = "", 0, 0
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] in _UNCLEAR:
            return None
        depth += _DEPTHS.get(words[0], 0)
        if words[0] in _SECTIONS:
            began = depth
            section = words[1] if words[0] in ("backend", "listen") and len(words) > 1 else ""
            if set(section) & set("\"'\\$"):
                return None
            if section:
                found[section] = 0
        elif words[0] == "server" and section:
            if depth != began:
                return None
            found[section] += 1
    return found or None


def edge_backends(stack: Stack, contents: Mapping[str, bytes]) -> dict[str, int]:
    """Backend to number of servers, of the files that the edge's service is given.

    Args:
        stack: the services.
        contents: config name to that file's content.

    Returns:
        Nothing where it can't be told.
    """
    body = stack.services.get(stack.edge.service) or {}
    found: dict[str, int] = {}
    for one in body.get("configs") or ():
        text = contents.get(one["source"], b"").decode("utf-8", "replace")
        found |= read_backends(text) or {}
    return found


def unreached(stack: Stack, contents: Mapping[str, bytes]) -> tuple[str, ...]:
    """A warning for each service with ``roll: true`` that the edge seems to have no backend for."""
    backends = edge_backends(stack, contents)
    behind = (name for name in stack.standing if stack.rolled.get(name) == "edge")
    return tuple(
        f"services.{name} has roll: true, and the configuration of {stack.edge.service} shows no "
        f"backend {name}: a deploy that replaces it is refused; add the backend, or take roll: "
        "beside if no request comes to it through the edge"
        for name in behind
        if backends and name not in backends and replicas(stack.services[name])
    )
