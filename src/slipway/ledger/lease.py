"""The lease: one deploy at a time on a host.

It is one file on the host, made by ``ln``: a hard link appears whole or not at all and fails when
the name is taken, so two deploys can't both get it, and nobody ever sees it half written. Its
first line is the second (of the host's own clock) at which it ends and a token, the rest says in
JSON whose it is. There is no heartbeat: the holder renews it before each step that changes the
host, and a holder that vanished is outwaited, never asked. Whoever takes or renews it is told which
release is live, so that a plan made for another one is found out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from slipway.doors import Host
from slipway.errors import CommandFailed, DeployError

LEASE_S = 1800
HELD, TAKEN_OVER, LOST, STUCK = 40, 41, 42, 43

# $1 the lease, $2 seconds it lasts, $3 token; the JSON comes on standard input.
# Only who made the folder .taking may replace a lease, and only after reading it again; a rename
# leaves no moment without one, so nobody else's ln slips in between.
_TAKE = """set -eu
umask 077
mkdir -p -- "$(dirname -- "$1")"
now=$(date +%s)
fresh=$1.$3
taking=
live() { readlink -- "$(dirname -- "$1")/current" || echo; }
trap 'rm -f -- "$fresh"; [ -z "$taking" ] || rmdir -- "$taking"' EXIT
{ echo "$((now + $2)) $3"; cat; } >"$fresh"
for _ in 1 2 3 4 5; do
    if ln -- "$fresh" "$1" 2>/dev/null; then live "$1"; exit 0; fi
    read -r ends _ 2>/dev/null <"$1" || continue
    if [ "$now" -lt "$ends" ]; then
        echo "$((ends - now))"
        tail -n +2 -- "$1" 2>/dev/null || :
        exit 40
    fi
    if mkdir -- "$1.taking" 2>/dev/null; then
        taking=$1.taking
        if read -r ends _ 2>/dev/null <"$1" && [ "$now" -ge "$ends" ]; then
            before=$(tail -n +2 -- "$1")
            mv -f -- "$fresh" "$1"
            live "$1"
            printf '%s\n' "$before"
            exit 41
        fi
        rmdir -- "$taking"
        taking=
    else
        sleep 1
    fi
done
if [ -d "$1.taking" ]; then exit 43; fi
ln -- "$fresh" "$1"
live "$1"
"""

# $1 the lease, $2 seconds it lasts from now on, $3 token. 0 seconds give it up.
_RENEW = """set -eu
umask 077
[ -e "$1" ] || exit 42
read -r _ token <"$1"
[ "$token" = "$3" ] || exit 42
if [ "$2" = 0 ]; then rm -f -- "$1"; exit 0; fi
fresh=$1.$3
{ echo "$(($(date +%s) + $2)) $3"; tail -n +2 -- "$1"; } >"$fresh"
mv -f -- "$fresh" "$1"
readlink -- "$(dirname -- "$1")/current" || echo
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease.

    Attributes:
        who: user and machine.
        what: what they do, such as ``deploy 20261123-2051-ab12``.
        since: ISO 8601 in UTC, by their clock.
    """

    who: str
    what: str
    since: str

    def to_json(self) -> dict[str, str]:
        """All fields."""
        return {"who": self.who, "what": self.what, "since": self.since}


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease that was taken.

    Attributes:
        current: id of the live release, or None.
        stale: the holder whose lease had run out and was taken over, or None.
    """

    current: str | None = None
    stale: Holder | None = None


class Lease(Protocol):
    """A lease that this process holds, or holds no more. Every method is one round trip."""

    def take(self, holder: Holder) -> Taken:
        """Get the lease.

        Raises:
            DeployError: somebody else holds it; nothing was changed.
        """

    def renew(self) -> str | None:
        """Make it last its full time again.

        Returns:
            The id of the live release, or None.

        Raises:
            DeployError: it ran out and somebody else took it, or it was removed.
        """

    def give_up(self) -> None:
        """Let others in; a lease that is gone already is no error."""


class HostLease:
    """The :class:`Lease` on a real host.

    Args:
        host: where.
        path: the file there.
        token: letters and digits that nobody else uses.
    """

    def __init__(self, host: Host, path: str, token: str) -> None:
        self._host, self._path, self._token = host, path, token

    def take(self, holder: Holder) -> Taken:
        """Get the lease; see :meth:`Lease.take`."""
        code, text = self._run(_TAKE, LEASE_S, json.dumps(holder.to_json()).encode())
        first, _, rest = text.partition("\n")
        if code == 0:
            return Taken(_release(first))
        if code == TAKEN_OVER:
            return Taken(_release(first), _holder(rest))
        if code == STUCK:
            raise DeployError(
                f"somebody has been taking over a lease that ran out on {self._host.name} for "
                "some seconds; nothing was changed",
                hint=f"if nobody is deploying, remove the folder {self._path}.taking there",
                stage="lease",
            )
        other = _holder(rest)
        raise DeployError(
            f"{other.who} is busy on {self._host.name} with `{other.what}` since {other.since}; "
            "nothing was changed",
            hint="wait: without a sign from them the lease ends in "
            f"{first.strip()} s at the latest; or, if their deploy is surely dead, remove "
            f"{self._path} there",
            stage="lease",
        )

    def renew(self) -> str | None:
        """Make it last its full time again; see :meth:`Lease.renew`."""
        code, text = self._run(_RENEW, LEASE_S)
        if code == LOST:
            raise DeployError(
                f"the lease on {self._host.name} is not ours any more; somebody else may be "
                "changing the host",
                hint="look with `./inv status`, then deploy again",
                stage="lease",
            )
        return _release(text)

    def give_up(self) -> None:
        """Let others in; a lease that is gone already is no error."""
        self._run(_RENEW, 0)

    def _run(self, script: str, lasts: int, data: bytes = b"") -> tuple[int, str]:
        argv = ("sh", "-c", script, "lease", self._path, str(lasts), self._token)
        done = self._host.run(argv, timeout=30, input=data, check=False)
        if done.exit_code not in (0, HELD, TAKEN_OVER, LOST, STUCK):
            raise CommandFailed(
                ("sh", "lease", self._path),
                done.exit_code,
                done.error_text,
                where=self._host.name,
                hint=f"the login user must be able to write {self._path}",
            )
        return done.exit_code, done.text


def _release(link: str) -> str | None:
    """The release that the link ``current`` points to."""
    return link.strip().rpartition("/")[2] or None


def _holder(text: str) -> Holder:
    """The holder in a lease's JSON; a lease we can't read is somebody's all the same."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, Mapping):
        return Holder("somebody", "an unreadable lease", "an unknown time")
    return Holder(str(value.get("who")), str(value.get("what")), str(value.get("since")))
