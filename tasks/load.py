"""Measure what a change of the stack does to its users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from slipway.errors import ConfigError
from tasks.command import JSON, command

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace

_MOST_RATE, _MOST_SECONDS, _MOST_DEPLOYS, _MOST_PATIENCE = 500, 3600, 1000, 600


@command(
    help={
        "url": "load this stack and change nothing (default: one on a rehearsal host of its own)",
        "seconds": "for how long at least",
        "rate": "requests in a second",
        "deploys": "how many deploys meanwhile, of two versions in turn",
        "rollbacks": "how many rollbacks after that, each to the release before",
        "peer": "do the same by `compose` or `rollout=PATH`; may be given several times",
        "changes": "how often each peer does (default: as often as deploys)",
        "patience": "seconds after which an answer counts as failed",
        "json": JSON,
    },
    iterable=["peer"],
)
def load(
    workspace: Workspace,
    peer: list[str],
    url: str = "",
    seconds: int = 30,
    rate: int = 50,
    deploys: int = 0,
    rollbacks: int = 0,
    changes: int | None = None,
    patience: int = 10,
    json: bool = False,
) -> Answer:
    """Load a stack with all kinds of traffic."""
    from slipway.app.load import Asked, load_deploys, load_site
    from slipway.app.switches import read_peers
    from slipway.app.underload import runs_json, runs_text

    bounds = (
        ("rate", rate, 1, _MOST_RATE),
        ("seconds", seconds, 1, _MOST_SECONDS),
        ("deploys", deploys, 1 if peer or rollbacks else 0, _MOST_DEPLOYS),
        ("rollbacks", rollbacks, 0, _MOST_DEPLOYS),
        ("changes", 1 if changes is None else changes, 1, _MOST_DEPLOYS),
        ("patience", patience, 1, _MOST_PATIENCE),
    )
    wrong = [
        f"--{name} {value} should be {least} to {most}"
        for name, value, least, most in bounds
        if not least <= value <= most
    ]
    if url and (deploys or peer):
        wrong.append("--url is of a stack that is not changed: leave out --deploys and --peer")
    if changes is not None and not peer:
        wrong.append("--changes counts those of a --peer, and there is none")
    if wrong:
        raise ConfigError("; ".join(wrong), hint="./inv --help bench.load", stage="config")
    peers = read_peers(peer or ())
    times = deploys if changes is None else changes
    asked = Asked(rate, seconds, deploys, rollbacks, times, peers, patience)
    if url:
        workspace.supplies(locked=True).bring_samples(workspace.config)
        runs = load_site(workspace.root, url, asked, workspace.report)
    else:
        workspace.images(locked=True, samples=True, tree=True)
        runs = load_deploys(workspace.root, asked, workspace.report)
    return Answer(runs_json(runs), runs_text(runs))
