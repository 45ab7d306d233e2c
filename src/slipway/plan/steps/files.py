"""Put config files, data folders and the release's own folder on the host."""

from __future__ import annotations

from slipway.ledger.entries import Directory, Entry, File, Source
from slipway.ledger.layout import compose_file, record_file
from slipway.plan.actions import Write
from slipway.plan.draft import Draft
from slipway.plan.step import Step
from slipway.plan.steps.common import UNUSED


def step(draft: Draft) -> Step:
    """Config files lie under the hash of their content: those that are there are left."""
    wanted, release = draft.wanted, draft.release
    there = set(draft.seen.memory.files)
    entries: list[Entry] = [
        File(path, Source("config", name), 0o555 if file.program else 0o444)
        for name, file in sorted(wanted.files.items())
        if (path := file.path(wanted.app_dir).removeprefix(f"{wanted.app_dir}/")) not in there
    ]
    entries.append(Directory(wanted.data_dir, 0o755))
    entries += [
        Directory(f"{wanted.data_dir}/{folder.name}", folder.mode, folder.owner)
        for folder in wanted.stack.data
    ]
    entries += [
        File(compose_file(release.id), Source("compose", release.id), 0o644),
        File(record_file(release.id), Source("release", release.id), 0o644),
    ]
    # The live release's Compose file is lost, and of the same content as this one's.
    entries += [
        File(one.name, Source("compose", release.id), 0o644)
        for one in draft.plan.lost
        if one.kind == "compose" and one.anew
    ]
    about = "config files and release record"
    return Step("files", about, do=(Write(tuple(entries)),), reason=UNUSED)
