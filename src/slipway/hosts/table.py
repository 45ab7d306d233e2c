"""Where a host is written down, in words for hints."""

from __future__ import annotations

#: The files: everybody's, and the operator's own, which git ignores.
HOSTS = "deploy/hosts.toml"
OWN = "deploy/hosts.local.toml"
FILES = f"{HOSTS} or {OWN}"
#: A host's own part of them.
TABLE = f"the host's table in {FILES}"
