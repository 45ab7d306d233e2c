"""Every release of TrueNAS that has a stand-in, in both modes: deployed, changed, rebooted.

What the stand-in has of a TrueNAS, and what it has not, is in docs/reference/stand-in.md.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.functional.conftest import FILES, Site
from tests.functional.test_other_hosts import HOSTS, STANDING, add_host, whole_life

from slipway.hosts.rehearsal import POOL, machine
from slipway.hosts.rehearsal.nasfiles import RELEASES
from slipway.hosts.rehearsal.values import Places

APP = "langflix"
WAIT_S = 300.0
#: In the short run: the release most people have, by what differs most from another server.
SHORT = ("25.10", "app")
CASES = [
    pytest.param(release, mode, marks=() if (release, mode) == SHORT else pytest.mark.long)
    for release in RELEASES
    for mode in ("compose", "app")
]


@dataclass(frozen=True)
class Nas:
    """A stand-in, and the checkout that deploys to it.

    Attributes:
        site: the checkout.
        name: the host's name.
        release: of TrueNAS.
    """

    site: Site
    name: str
    release: str

    def sh(self, *argv: str) -> str:
        """What a command on the host printed."""
        return self.site.good("rehearsal.shell", "--name", self.name, "--", *argv).out

    def call(self, method: str, *arguments: object, job: bool = False) -> Any:
        """Call the middleware, as somebody at the web interface would."""
        # 24.10 takes the word after -j for its value.
        flags = (("--job", "true") if self.release == "24.10" else ("--job",)) if job else ()
        texts = [one if isinstance(one, str) else json.dumps(one) for one in arguments]
        out = self.sh("midclt", "call", *flags, method, *texts).strip()
        return json.loads(out) if out[:1] in "[{n0123456789" else out

    def app(self) -> Any:
        """The entry on the Apps page; None when there is none."""
        found = self.call("app.query", [["name", "=", APP]])
        return found[0] if found else None

    def reboot(self) -> None:
        """Have it lose its power and boot again."""
        places = Places(self.site.root / ".slipway/rehearsal" / self.name)
        left = machine.stop(machine.processes(places.marker), gently_s=0, kill_s=30)
        assert left == ()
        self.site.good("rehearsal.up", "--name", self.name)

    def healthy(self) -> bool:
        """Whether all of the stack is well."""
        seen = self.site.inv("status", "--host", self.name, "--json")
        return (
            seen.code == 0
            and [one["health"] for one in seen.json["services"]] == ["healthy"] * STANDING
        )


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for it."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, f"{what} did not come to be"
        time.sleep(1)


@pytest.fixture
def nas(site: Site, request: pytest.FixtureRequest) -> Iterator[Nas]:
    """A stand-in of its own; hosts.toml and the changed file are put back."""
    release, mode = request.param
    kept = {name: (site.root / name).read_bytes() for name in (HOSTS, "src/langflix/api/app.py")}
    name = f"nas-{secrets.token_hex(3)}"
    add_host(site, name, {
        "kind": "rehearsal",
        "release": release,
        "mode": mode,
        "app_dir": f"{POOL}/apps/{APP}",
        "compose": FILES,
        "variables": {},
    })  # fmt: skip
    try:
        yield Nas(site, name, release)
    finally:
        for path, data in kept.items():
            (site.root / path).write_bytes(data)
        site.inv("rehearsal.down", "--name", name)


@pytest.mark.parametrize(
    ("nas", "mode"), [pytest.param(one.values, one.values[1], marks=one.marks) for one in CASES],
    indirect=["nas"],
)  # fmt: skip
def test_a_nas_is_deployed_to(nas: Nas, mode: str) -> None:
    """A first deploy, no change, a changed line beside what runs, back, and a reboot, with data."""
    app = Path("src/langflix/api/app.py")

    def changed() -> None:
        before = nas.site.good("status", "--host", nas.name, "--json").json["release"]
        with (nas.site.root / app).open("a", encoding="utf-8") as file:
            file.write("# another line\n")
        there = nas.site.good("deploy", "--host", nas.name, "--json").json
        assert (there["outcome"], there["downtime_s"]["seen"]) == ("deployed", {})
        nas.site.good("rollback", "--host", nas.name)
        assert nas.site.good("status", "--host", nas.name, "--json").json["release"] == before

    def tokens() -> list[str]:
        """What the stack's database remembers."""
        listed = nas.site.good("tokens.list", "--host", nas.name, "--json").json
        return [one["name"] for one in listed]

    def lived() -> None:
        assert nas.call("system.version") == RELEASES[nas.release].version
        nas.site.good("tokens.add", "--name", "kept", "--scope", "read", "--host", nas.name)
        changed()
        if mode == "app":
            shown(nas)
        else:
            assert nas.app() is None
        nas.reboot()
        until(nas.healthy, "the stack after a reboot")
        assert tokens() == ["kept"]

    whole_life(nas.site.inv, nas.name, lived)
    if mode == "app":
        assert nas.app()["state"] == "STOPPED"


def shown(nas: Nas) -> None:
    """It is among the apps, and is stopped, started and deleted there without a loss."""
    entry = nas.app()
    assert (entry["state"], entry["custom_app"]) == ("RUNNING", True)
    assert list(entry["portals"]) == ["Web UI"]
    assert f"{POOL}/apps/{APP}" in entry["notes"]
    nas.call("app.stop", APP, job=True)
    assert nas.app()["state"] == "STOPPED"
    nas.call("app.start", APP, job=True)
    until(nas.healthy, "what the web interface started")
    deployed = nas.site.good("deploy", "--host", nas.name, "--json").json
    assert deployed["downtime_s"]["seen"] == {}, "what was started there is the release itself"
    assert nas.call("app.delete", APP, {"remove_images": False}, job=True) == "True"
    healed = nas.site.good("deploy", "--host", nas.name, "--json").json
    assert healed["outcome"] == "deployed"
    assert nas.app()["state"] == "RUNNING"
