"""What the file is asked to do, by its first word. Each answers with lines of JSON.

start           begin a run; what is asked comes on standard input, packed by zlib
follow RUN N    its events from number N on, as soon as there is something to say
tell RUN WORD   leave it a word, which comes on standard input
settle          end the run whose process is gone

A packed file is compiled anew each time it is started, and whoever attends starts it once a second:
so what only a run needs is imported for a run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.runner.follow import follow
from slipway.runner.spool import Spool


def main(argv: Sequence[str]) -> int:
    """Do what the first word says; the exit code."""
    os.umask(0o077)
    verb, app_dir, *rest = argv
    if verb == "follow":
        for event in follow(app_dir, rest[0], int(rest[1])):
            _show(event)
    elif verb == "tell":
        spool = Spool(app_dir, rest[0])
        spool.touch("heard")
        spool.say(rest[1], json.load(sys.stdin))
    elif verb in ("start", "settle"):
        from slipway.runner import work

        begun = verb == "start"
        _show(work.start(app_dir, _asked()) if begun else work.settle_last(app_dir))
    else:
        return 2
    return 0


def _asked() -> Mapping[str, Any]:
    import zlib

    asked: Mapping[str, Any] = json.loads(zlib.decompress(sys.stdin.buffer.read()))
    return asked


def _show(value: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()
