"""Commands for a host, and files written and read by them. Pure.

A command is a tuple of arguments; :mod:`slipway.hosts.frame` alone makes it a line that a shell
reads. Values reach our small scripts as ``"$1"`` and so on, never glued into them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePosixPath

from slipway.doors import Completed
from slipway.errors import CommandFailed, HostError

#: What makes a command run as root; it never asks for a password.
SUDO = ("sudo", "-n", "--")
C_LOCALE = ("env", "LC_ALL=C")
MISSING = 66
MISSING_PROGRAM = 127
SHORT = 65
UNSEARCHABLE = 77
_KILL_AFTER_S = 5
# As coreutils has it, and what the shell says of a command that a signal ended: busybox' timeout
# has that code, too.
_TIMED_OUT = frozenset({124, 128 + 9, 128 + 15})

# $1 seconds, then the command. On a host without `timeout` the shell watches the command itself, by
# pauses of a second, so that no long one is left behind; what the command started is not ended
# then. A background job's standard input would be /dev/null.
_LIMITED = f"""limit=$1
shift
! command -v timeout >/dev/null || exec timeout -k {_KILL_AFTER_S} "$limit" "$@"
exec 3<&0
"$@" <&3 3<&- &
child=$!
{{
    while [ "$limit" -gt 0 ] && sleep 1; do limit=$((limit - 1)); done
    kill "$child"
    sleep {_KILL_AFTER_S}
    kill -9 "$child"
}} >/dev/null 2>&1 </dev/null 3<&- &
watcher=$!
{{
    wait "$child"
    code=$?
    kill "$watcher"
}} 2>/dev/null
exit "$code"
"""

# mv -T: a folder of that name is an error, not a place to move into. The byte count is checked
# because a broken connection looks like the end of the input.
_PUT = """set -eu
umask 022
folder=$(dirname -- "$1")
mkdir -p -- "$folder"
fresh=$(mktemp -- "$folder/.slipway.XXXXXXXXXX")
trap 'rm -f -- "$fresh"' EXIT
trap 'exit 75' HUP INT TERM
cat >"$fresh"
[ "$(wc -c <"$fresh")" -eq "$4" ] || exit 65
[ "$3" = - ] || chown -- "$3:$3" "$fresh"
chmod -- "$2" "$fresh"
sync -- "$fresh"
mv -fT -- "$fresh" "$1"
trap - EXIT
"""

# A file that is not there and a folder that may not be looked into both fail in `cat` with 1.
_READ = """set -eu
[ ! -e "$1" ] || exec cat -- "$1"
near=$1
while [ ! -e "$near" ]; do near=$(dirname -- "$near"); done
[ -x "$near" ] || exit 77
exit 66
"""


def sound(argv: Sequence[str]) -> Sequence[str]:
    """The same arguments.

    Raises:
        HostError: one holds a NUL byte, which no program can be given.
    """
    if any("\0" in argument for argument in argv):
        raise HostError("a command's argument holds a NUL byte; no program can be given one")
    return argv


def wrapped(argv: Sequence[str], *, sudo: bool, timeout: float | None) -> tuple[str, ...]:
    """``argv`` with C locale, as root when wanted, and stopped by the host itself in time.

    The host's own ``timeout`` (coreutils, busybox) is what ends a command there, or its shell where
    it has none: closing the connection doesn't. ``sudo`` keeps ``LC_ALL`` (it is on its list of
    harmless variables).

    Args:
        argv: program and arguments.
        sudo: prefix :data:`SUDO`.
        timeout: seconds, rounded up, or None for no limit.
    """
    root = SUDO if sudo else ()
    limit: tuple[str, ...] = ()
    if timeout is not None:
        limit = ("sh", "-c", _LIMITED, "limit", str(max(1, math.ceil(timeout))))
    return (*C_LOCALE, *root, *limit, *argv)


def client_limit(timeout: float) -> float:
    """Seconds until this side gives up: later than the host, whose answer is the better one."""
    return max(1, math.ceil(timeout)) + _KILL_AFTER_S + 5


def ran_out(exit_code: int, seconds: float, timeout: float) -> bool:
    """Whether its time ended the command, not the command itself with the same code.

    On a busy machine its beginning is seen late, so half of the time is enough.
    """
    return exit_code in _TIMED_OUT and seconds >= max(1, math.ceil(timeout)) / 2


def checked(completed: Completed, *, where: str) -> Completed:
    """The same, or CommandFailed when it ended with a code other than 0."""
    if completed.ok:
        return completed
    raise CommandFailed(completed.argv, completed.exit_code, completed.error_text, where=where)


def put_argv(path: str, size: int, *, mode: int, owner: int | None) -> tuple[str, ...]:
    """A command that writes its ``size`` bytes of standard input to ``path``, whole or not at all.

    Raises:
        HostError: ``path`` isn't absolute, or is a folder's.
    """
    _absolute(path)
    given = "-" if owner is None else str(owner)
    return ("sh", "-c", _PUT, "slipway-put", path, f"{mode:04o}", given, str(size))


def check_put(completed: Completed, path: str, *, where: str) -> None:
    """Raise what a failed :func:`put_argv` means.

    Raises:
        HostError: the content came short; the file is as it was.
        CommandFailed: anything else.
    """
    if completed.exit_code == SHORT:
        raise HostError(
            f"{path} on {where} was not written: not all bytes arrived, the file is as it was",
            hint="run the same command again",
        )
    checked(_renamed(completed, "write", path), where=where)


def read_argv(path: str) -> tuple[str, ...]:
    """A command that prints a file, or ends with :data:`MISSING`."""
    _absolute(path)
    return ("sh", "-c", _READ, "slipway-read", path)


def read_result(completed: Completed, path: str, *, where: str) -> bytes | None:
    """What :func:`read_argv` found; None when there is no such file.

    Raises:
        HostError: a folder on the way may not be looked into.
        CommandFailed: it is there and can't be read.
    """
    if completed.exit_code == MISSING:
        return None
    if completed.exit_code == UNSEARCHABLE:
        raise HostError(
            f"{path} on {where} can't be looked up: the login user may not enter its folder",
            hint="set sudo = true for this host, or log in as the folder's owner",
        )
    return checked(_renamed(completed, "read", path), where=where).stdout


def _renamed(completed: Completed, verb: str, path: str) -> Completed:
    """With a short name for the script in place of its text, for the message."""
    return Completed((verb, path), completed.exit_code, completed.stdout, completed.stderr)


def _absolute(path: str) -> None:
    pure = PurePosixPath(path)
    if not pure.is_absolute() or path.endswith("/") or ".." in pure.parts:
        raise HostError(f"a file on a host needs an absolute path, got {path!r}")
