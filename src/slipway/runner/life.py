"""Whether a process of this host lives, and its end; by what the kernel says (proc(5)).

A number of a process is given again after its end, but not together with its time of start.
"""

from __future__ import annotations

import contextlib
import os
import signal


def uptime() -> float:
    """Seconds since the host's boot, as programs of the shell read them; 0 when it isn't told."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/uptime", encoding="ascii") as file:
            return float(file.read().split()[0])
    return 0.0


def started(pid: int) -> int:
    """When a process was started, in ticks since the boot; 0 when there is none."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    return 0


def doings(pid: int) -> tuple[str, ...]:
    """How often each of its threads was given a processor; equal at two looks: it did nothing."""
    found = []
    with contextlib.suppress(OSError):
        for thread in sorted(os.listdir(f"/proc/{pid}/task")):
            path = f"/proc/{pid}/task/{thread}/status"
            with (
                contextlib.suppress(OSError),
                open(path, encoding="utf-8", errors="replace") as file,
            ):
                found += [line for line in file if "ctxt_switches" in line]
    return tuple(found)


def end(pid: int, start: int) -> bool:
    """End a process at once, if it is the one that was started then; whether it was told to."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        # From here on the handle means one process: if that is the right one it is the one ended.
        if not start or started(pid) != start:
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
