"""The rehearsal host: a disposable machine of TrueNAS' shape, in namespaces of this one.

:class:`Rehearsals` boots, looks at and removes them; :class:`RehearsalInfo` says how to reach one.
"""

from __future__ import annotations

from slipway.hosts.rehearsal.host import Rehearsals
from slipway.hosts.rehearsal.machine import require_root
from slipway.hosts.rehearsal.values import ADMIN, DOCKER_DATA, POOL, ROOT, RehearsalInfo

__all__ = ["ADMIN", "DOCKER_DATA", "POOL", "ROOT", "RehearsalInfo", "Rehearsals", "require_root"]
