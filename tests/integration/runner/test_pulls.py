"""A run that pulls, as a process: where its login is meanwhile, and that nothing of it stays."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.runner.site import RUN, Site, request, until

from slipway.plan.pulling import Pull, PulledImage

SOURCE = "lan:5000/demo/web@sha256:{}"
CANARY = "canary-0451"
SHOWN = {"auths": {"lan:5000": {"auth": CANARY}}}
MEMORY = Path("/dev/shm")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A host on which nothing is live."""
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.clear()


def pulling(which: str) -> dict[str, Any]:
    """A run of an application of its own that pulls."""
    asked = request(turns=())
    image = PulledImage("demo/web:9", SOURCE.format(which))
    step = {
        "name": "pull", "about": "", "belief": None, "undo": [], "reason": "",
        "do": [Pull((image,), 5).to_json()],
    }  # fmt: skip
    return {
        **asked, "project": f"demo-{uuid.uuid4().hex}", "steps": [step],
        "login": json.dumps(SHOWN),
    }  # fmt: skip


def logins(asked: dict[str, Any]) -> list[Path]:
    """What lies in memory for it."""
    return list(MEMORY.glob(f"slipway-login-{asked['project']}.*"))


def kept(site: Site) -> list[Path]:
    """Files of the application's folder that hold the login."""
    files = [path for path in site.app.rglob("*") if path.is_file()]
    assert any(path.name == "request.json" for path in files)
    return [path for path in files if CANARY.encode() in path.read_bytes()]


def test_a_login_is_shown_and_gone(site: Site) -> None:
    """Docker sees it; the image has its own name alone; no file has the login."""
    asked = pulling("9")
    site.start(asked)
    events = site.follow()
    assert events[-1]["outcome"] == "done", events
    state = json.loads((site.bin / "docker-state.json").read_text())
    assert state["shown"] == SHOWN
    assert state["images"]["demo/web:9"]["Id"] == "sha256:9"
    assert not [name for name in state["images"] if "lan:5000" in name]
    assert CANARY not in json.dumps([state["commands"], events])
    assert kept(site) == logins(asked) == []


def test_a_wish_to_end_ends_a_pull(site: Site) -> None:
    """Nothing that runs was touched, and nothing lies about."""
    asked = pulling("stuck")
    site.start(asked)
    until(lambda: logins(asked))
    site.ask("tell", RUN, "cancel", input={})
    end = site.follow()[-1]
    assert (end["outcome"], end["cause"]["kind"]) == ("untouched", "interrupted")
    assert kept(site) == logins(asked) == []


def test_a_killed_run_leaves_no_login_for_long(site: Site) -> None:
    """Whoever ends it takes it away."""
    asked = pulling("stuck")
    site.start(asked)
    until(lambda: logins(asked))
    site.kill()
    assert logins(asked) and kept(site) == []
    (settled,) = site.ask("settle")
    assert settled["settled"]["outcome"] == "untouched"
    assert kept(site) == logins(asked) == []
