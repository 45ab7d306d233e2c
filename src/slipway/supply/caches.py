"""Binary caches that Nix is set to: whatever one of them has needs no mirror."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

from slipway.doors import Shell
from slipway.errors import CommandFailed
from slipway.report import Report
from slipway.supply.nixtool import FEATURES
from slipway.supply.store import StoreFile

_TIMEOUT_S = 1800.0


def substituters(shell: Shell) -> tuple[str, ...]:
    """The caches that Nix asks on this machine; empty when it asks none or doesn't say."""
    # Nix 2.20 renamed the command.
    for words in (("config", "show"), ("show-config",)):
        done = shell.run(["nix", *FEATURES, *words, "--json"], timeout=60, check=False)
        try:
            return tuple(json.loads(done.text)["substituters"]["value"])
        except (ValueError, KeyError, TypeError):
            continue
    return ()


def take(shell: Shell, files: Sequence[StoreFile], report: Report) -> bool:
    """Have Nix take files from its caches, as far as these have them; nothing is built.

    Returns:
        Whether there was a cache to ask.
    """
    if not files or not substituters(shell):
        return False
    noun = "input" if len(files) == 1 else "inputs"
    report.step("fetch", f"{len(files)} {noun} from the caches that Nix is set to, if they have it")
    argv = ["nix-store", "--realise", "--keep-going", "--max-jobs", "0"]
    # What a cache lacks makes Nix fail in the end, and one that hangs is given up: then it is the
    # mirrors' turn.
    with contextlib.suppress(CommandFailed):
        shell.run([*argv, *(file.path for file in files)], timeout=_TIMEOUT_S)
    return True
