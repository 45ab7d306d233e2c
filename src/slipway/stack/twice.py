"""Whether two containers of a service can be there at the same time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHARED = ("host", "service:", "container:")


def stands_once(body: Mapping[str, Any]) -> str:
    """Why Docker would refuse a second container of a service, or it could not listen.

    A name is no reason: slipway leaves ``container_name`` out.

    Args:
        body: the service's definition in Compose's long form.

    Returns:
        The rest of a sentence; empty when nothing speaks against it.
    """
    ports = (str(port.get("published", "")) for port in body.get("ports") or ())
    # Of a range each container takes a free one.
    if fixed := [port for port in ports if port not in ("", "0") and "-" not in port]:
        return f"only one container can publish port {fixed[0]}"
    mode = str(body.get("network_mode", ""))
    if mode.startswith(_SHARED):
        return f"its ports are those of network_mode {mode}"
    for name, network in (body.get("networks") or {}).items():
        for key in ("ipv4_address", "ipv6_address", "mac_address"):
            if address := (network or {}).get(key):
                return f"only one container can have {address} in the network {name}"
    if address := body.get("mac_address"):
        return f"only one container can have {address}"
    return ""
