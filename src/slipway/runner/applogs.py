"""What an app's containers write, as TrueNAS tells it; a program of its own, not a part of runs.

    python3 -c "$(cat applogs.py)" APP LINES once|follow SERVICE=CONTAINER …

Each line has the service, the time and what was written. A source of events has no end as long as
its container runs: `once` ends when nothing more came for a moment.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

_QUIET_S = 1.0
_LONGEST_S = 20.0


class Lines:
    """Takes lines as they come, from any number of threads.

    Args:
        show: takes each at once; None keeps them.

    Attributes:
        ended: of how many containers no more comes.
    """

    def __init__(self, show: Callable[[str], object] | None) -> None:
        self._show, self._lock = show, threading.Lock()
        self._kept: list[tuple[str, str]] = []
        self.last, self.ended = time.monotonic(), 0

    def hear(self, service: str) -> Callable[..., None]:
        """What a container's source of events calls."""

        def told(kind: str, **message: Any) -> None:
            fields = message.get("fields")
            if kind.lower() == "removed":
                self.end()
            if kind.lower() != "added" or not isinstance(fields, dict):
                return
            moment = str(fields.get("timestamp", ""))
            line = f"{service}  | {moment} {str(fields.get('data', '')).rstrip()}"
            with self._lock:
                self.last = time.monotonic()
                if self._show:
                    self._show(line)
                else:
                    self._kept.append((moment, line))

        return told

    def end(self) -> None:
        """No more comes of a container."""
        with self._lock:
            self.ended += 1

    def in_order(self) -> list[str]:
        """Those that were kept, by their times."""
        return [line for _, line in sorted(self._kept, key=lambda one: one[0])]


def main(argv: Sequence[str]) -> int:
    """Show them; the exit code."""
    app, count, how, *named = argv
    follows = how == "follow"
    lines = Lines(_show if follows else None)
    try:
        _listen(lines, app, int(count), named, follows=follows)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # whatever a client raises, a person is told in a sentence
        sys.stderr.write(f"TrueNAS does not tell what {app} writes: {error}\n")
        return 1
    for line in lines.in_order():
        _show(line)
    return 0


def _listen(lines: Lines, app: str, count: int, named: Sequence[str], *, follows: bool) -> None:
    """Until nothing more comes: for a moment, or, followed, of any container."""
    from truenas_api_client import Client  # type: ignore[import-not-found]

    with Client() as client:
        for one in named:
            service, _, number = one.partition("=")
            asked = {"app_name": app, "container_id": number, "tail_lines": count}
            client.subscribe(f"app.container_log_follow:{json.dumps(asked)}", lines.hear(service))
        end = time.monotonic() + _LONGEST_S
        while lines.ended < len(named) and (
            follows or (time.monotonic() - lines.last < _QUIET_S and time.monotonic() < end)
        ):
            time.sleep(0.1)


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
