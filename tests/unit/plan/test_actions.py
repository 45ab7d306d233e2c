"""Each action says in JSON what it is, where it is done, and every field."""

from __future__ import annotations

import json
from typing import get_args

from tests.unit.demo import URL

from slipway.ledger.entries import File, Link, Source
from slipway.ledger.snapshots import Taken
from slipway.plan.actions import (
    Action,
    Ask,
    Check,
    Compose,
    Count,
    Hand,
    Load,
    Remove,
    Retire,
    Roll,
    Room,
    Run,
    Soak,
    Start,
    Watch,
    Write,
)
from slipway.plan.pulling import Pull, PulledImage
from slipway.plan.registering import Redeploy, Register, Stop, Unregister
from slipway.plan.snapshotting import Forget, Revert, Rewind, Snapshot
from slipway.runner.expected import Expected
from slipway.runner.roll import Rolling

ROLLING = Rolling("web", 1, "h", ("sha256:c", "sha256:m"), 11, 10, True)
TAKEN = Taken("zfs", "pool/data", "/pool/data", "then")
EXAMPLES: tuple[Action, ...] = (
    Load(("demo/web:1",), 5),
    Pull((PulledImage("demo/web:1", "lan:5000/demo/web@sha256:1"),), 5),
    Write((Link("current", "releases/r"), File("a", Source("secret", "s", 2), 0o400, 568, True))),
    Remove(("demo/web:0",), ("inner",), ("files/a/b",), 7),
    Compose("r", ("up",), 3.0, "it failed", gate=True),
    Watch((Expected("web", 2, 11),)),
    Ask(URL),
    Run(("smoke",), (("TOKEN_FILE", "token", 3),)),
    Roll("r", (ROLLING,)),
    Retire((ROLLING,)),
    Soak((Expected("web", 2, 11),), 10.0, 0.5),
    Start("r", (ROLLING,)),
    Room((ROLLING,)),
    Count(),
    Check((("web", ("probe", "http://localhost")),)),
    Hand("db", (("password", "secrets/db_password/2"),), ("reload", "now")),
    Register("demo", {"include": ["/pool/demo/app.json"], "services": {}}),
    Unregister("demo"),
    Redeploy("demo"),
    Stop("demo"),
    Forget((TAKEN,)),
    Rewind(("/pool/data",), "then", "now"),
)
REVERTING = Revert(TAKEN)
TAKING = Snapshot(TAKEN, "releases/r/snapshot", anew=True)
WHERE = {
    "load": "here", "write": "here", "remove": "host", "compose": "host", "watch": "host",
    "ask": "here", "run": "here", "roll": "host", "retire": "host", "soak": "host",
    "check": "host", "start": "host", "pull": "host",
    "room": "host", "count": "host", "hand": "host", "register": "host", "unregister": "host",
    "redeploy": "host", "stop": "host", "forget": "host", "rewind": "host",
}  # fmt: skip


def test_every_action_has_a_json_form() -> None:
    """It names the action, where it is done, and every field; no two are alike."""
    assert {type(one) for one in (*EXAMPLES, TAKING, REVERTING)} == set(get_args(Action))
    shown = [one.to_json() for one in EXAMPLES]
    assert {str(one["action"]): one["where"] for one in shown} == WHERE
    for action, form in zip(EXAMPLES, shown, strict=True):
        assert json.loads(json.dumps(form)) == form
        limit = {"timeout_s"} if action.where == "here" and "timeout_s" in form else set()
        assert set(form) - limit == {"action", "where", *action.__dataclass_fields__} - limit
        assert action.where == form["where"]


def test_a_snapshot_in_json() -> None:
    """Its own fields stand beside the action's."""
    assert TAKING.to_json() == {
        "action": "snapshot",
        "where": "host",
        **TAKEN.to_json(),
        "link": "releases/r/snapshot",
        "anew": True,
    }
    assert REVERTING.to_json() == {"action": "revert", "where": "host", **TAKEN.to_json()}


def test_fields_in_json() -> None:
    """Modes are octal digits, sources and secrets are named with their version, never shown."""
    shown = {str(one.to_json()["action"]): one.to_json() for one in EXAMPLES}
    assert shown["write"]["entries"] == [
        {"kind": "link", "path": "current", "target": "releases/r"},
        {
            "kind": "file",
            "path": "a",
            "mode": "0400",
            "owner": 568,
            "source": "secret:s/2",
            "fresh": True,
        },
    ]
    for kind in ("roll", "start", "retire", "room"):
        assert shown[kind]["services"] == [ROLLING.to_json()]
    assert shown["run"]["secrets"] == {"TOKEN_FILE": "token/3"}
    assert shown["watch"]["expected"] == [
        {
            "service": "web",
            "containers": 2,
            "deadline_s": 11,
            "ends": False,
            "config": "",
            "images": [],
        }
    ]
