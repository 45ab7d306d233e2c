"""``system.*`` and ``auth.*``, as far as a deploy asks.

Source: ``plugins/system/{info,lifecycle,product}.py``, ``plugins/auth.py`` of the middleware.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .checks import Field
from .errors import CallError
from .middleware import ANYBODY, NOBODY, Call, Method
from .releases import Release


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    general = "SYSTEM_GENERAL_READ"
    found = [
        Method("system.version", lambda call: release.version, role=ANYBODY),
        Method("system.version_short", lambda call: release.short, role=ANYBODY),
        Method("system.info", _info, role=ANYBODY),
        Method("system.boot_id", _boot_id, role=NOBODY),
        Method("system.state", lambda call: "READY", role=general),
        Method("system.ready", lambda call: True, role=general),
        Method("auth.me", _me, role=ANYBODY),
        Method("auth.login", lambda call, *given: False, _LOGIN, NOBODY),
        Method("auth.login_with_api_key", lambda call, key: False, (_KEY,), NOBODY),
    ]
    if release.json_rpc:
        found.append(Method("auth.login_ex", _login, (Field("login_data", "dict"),), NOBODY))
    return found


_KEY = Field("api_key", secret=True)
_LOGIN = (
    Field("username"),
    Field("password", secret=True),
    Field("otp_token", "str", None, null=True, secret=True),
)


def _login(call: Call, data: dict[str, Any]) -> dict[str, Any]:
    return {"response_type": "AUTH_ERR"}


def _boot_id(call: Call) -> str:
    # Hosts that share a kernel would have the kernel's in common; this one goes with ``/run``.
    path = call.middleware.settings.socket.with_name("boot_id")
    with contextlib.suppress(FileExistsError), path.open("x", encoding="utf-8") as stream:
        stream.write(str(uuid.uuid4()))
    return path.read_text("utf-8")


def _info(call: Call) -> dict[str, Any]:
    release = call.middleware.release
    up = float(Path("/proc/uptime").read_text("utf-8").split()[0])
    now = datetime.fromtimestamp(int(time.time()), UTC)
    cores = os.cpu_count() or 1
    return {
        "version": release.short if release.short_info else release.version,
        "buildtime": datetime(2025, 8, 4, tzinfo=UTC),
        "hostname": socket.gethostname(),
        "physmem": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "model": "stand-in",
        "cores": cores,
        "physical_cores": cores,
        "loadavg": list(os.getloadavg()),
        "uptime": str(timedelta(seconds=up)),
        "uptime_seconds": up,
        "system_serial": None,
        "system_product": None,
        "system_product_version": None,
        "license": None,
        "boottime": now - timedelta(seconds=int(up)),
        "datetime": now,
        "timezone": "UTC",
        "system_manufacturer": None,
        "ecc_memory": False,
    }


def _me(call: Call) -> dict[str, Any]:
    person = call.person
    if person is None:
        raise CallError("`app` is required")
    entry = pwd.getpwuid(person.uid)
    return {
        **_passwd(entry),
        "privilege": {
            "allowlist": [{"method": "*", "resource": "*"}] if person.full_admin else [],
            "roles": set(person.roles),
            "web_shell": person.full_admin,
            "webui_access": True,
        },
        "account_attributes": ["LOCAL", "SYS_ADMIN"] if person.uid == 0 else ["LOCAL"],
        "attributes": {},
        "two_factor_config": None,
    }


def _passwd(entry: pwd.struct_passwd) -> dict[str, Any]:
    return {
        "pw_name": entry.pw_name,
        "pw_gecos": entry.pw_gecos,
        "pw_dir": entry.pw_dir,
        "pw_shell": entry.pw_shell,
        "pw_uid": entry.pw_uid,
        "pw_gid": entry.pw_gid,
        "grouplist": None,
        "sid": None,
        "source": "LOCAL",
        "local": True,
    }
