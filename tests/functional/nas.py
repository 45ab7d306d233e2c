"""A stand-in of a TrueNAS, as somebody at its web interface sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.functional.conftest import Site

from slipway.hosts.rehearsal import ADMIN, machine
from slipway.hosts.rehearsal.values import Places

APP = "langflix"
#: Services that stand.
STANDING = 9
#: What the guide has people set for their login.
SUDO = f"{ADMIN} ALL=(ALL) NOPASSWD: /usr/bin/sh, /usr/bin/docker"
WAIT_S = 300.0


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

    def tokens(self) -> list[str]:
        """What the stack's database remembers."""
        listed = self.site.good("tokens.list", "--host", self.name, "--json").json
        return [one["name"] for one in listed["tokens"]]

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
