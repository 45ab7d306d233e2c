"""Put fresh secret versions on the host."""

from __future__ import annotations

from slipway.ledger.entries import Directory, Entry, File, Source
from slipway.ledger.layout import SECRETS, secret_file
from slipway.plan.actions import Write
from slipway.plan.draft import Draft
from slipway.plan.loss import given_again
from slipway.plan.secrets import SecretChoice
from slipway.plan.step import Step
from slipway.plan.steps.common import UNUSED
from slipway.stack.project import ONLY

MODE = 0o400
#: Where the login user isn't root, and reads what it wrote as the file's group.
ASKED_MODE = 0o440


def step(draft: Draft) -> Step | None:
    """None when the host has every version. A version that is there is never written again."""
    fresh = [choice for choice in draft.choices if choice.origin != "kept"]
    if not fresh:
        return None
    folders: list[Entry] = [Directory(SECRETS, 0o700)]
    folders += [Directory(f"{SECRETS}/{choice.spec.name}", 0o700) for choice in fresh]
    # Those that others are derived from come first.
    mode = ASKED_MODE if draft.wanted.stack.mode == ONLY else MODE
    ordered = sorted(fresh, key=lambda choice: bool(choice.spec.derive))
    names = ", ".join(choice.spec.name for choice in fresh)
    again = given_again(draft.seen.memory, ordered)
    files = [_file(choice, mode) for choice in ordered]
    files += [_file(one, mode, path) for path, one in again]
    do = (Write((*folders, *files)),)
    return Step("secrets", names, do=do, reason=UNUSED)


def _file(choice: SecretChoice, mode: int, path: str = "") -> File:
    name, version = choice.spec.name, choice.version
    source = Source("secret", name, version)
    return File(path or secret_file(name, version), source, mode, choice.spec.owner, fresh=True)
