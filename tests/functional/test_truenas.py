"""Every release of TrueNAS that has a stand-in, in two modes: deployed, changed, rebooted.

What the stand-in has of a TrueNAS, and what it has not, is in docs/reference/stand-in.md;
``./inv dev.releases`` runs all of these and writes its table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.functional.conftest import Site
from tests.functional.nas import APP, Nas, until
from tests.functional.standin import stand_in
from tests.functional.test_other_hosts import whole_life

from slipway.hosts.rehearsal import POOL
from slipway.hosts.rehearsal.nasfiles import RELEASES
from slipway.stack.project import MODES, ONLY

#: The third mode is in test_apponly.py.
CASES = [(release, mode) for release in RELEASES for mode in MODES if mode != ONLY]


@pytest.fixture
def nas(site: Site, request: pytest.FixtureRequest) -> Iterator[Nas]:
    """A stand-in of its own; hosts.toml and the changed file are put back."""
    release, mode = request.param
    with stand_in(site, release, mode, kept=("src/langflix/api/app.py",)) as made:
        yield made


@pytest.mark.long  # all others deploy to a stand-in of 25.10, and test_other_hosts has an app there
@pytest.mark.parametrize(
    ("nas", "mode"), [(one, one[1]) for one in CASES],
    indirect=["nas"], ids=map("-".join, CASES),
)  # fmt: skip
def test_a_nas_is_deployed_to(
    nas: Nas, mode: str, record_property: Callable[[str, object], None]
) -> None:
    """A first deploy, no change, a changed line beside what runs, back, and a reboot, with data."""
    app = Path("src/langflix/api/app.py")
    record_property("release", RELEASES[nas.release].version)
    record_property("mode", mode)

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        record_property(what, time.monotonic() - began)

    def changed() -> None:
        before = nas.site.good("status", "--host", nas.name, "--json").json["release"]
        with (nas.site.root / app).open("a", encoding="utf-8") as file:
            file.write("# another line\n")
        with timed("a changed line"):
            there = nas.site.good("deploy", "--host", nas.name, "--json").json
        assert (there["outcome"], there["downtime_s"]["seen"]) == ("deployed", {})
        with timed("back"):
            nas.site.good("rollback", "--host", nas.name)
        assert nas.site.good("status", "--host", nas.name, "--json").json["release"] == before

    def lived() -> None:
        assert nas.call("system.version") == RELEASES[nas.release].version
        nas.site.good("tokens.add", "--name", "kept", "--scope", "read", "--host", nas.name)
        changed()
        if mode == "app":
            with timed("stopped, started, deleted, deployed"):
                shown(nas)
        else:
            assert nas.app() is None
        with timed("a reboot"):
            nas.reboot()
            until(nas.healthy, "the stack after a reboot")
        assert nas.tokens() == ["kept"]

    with timed("all"):
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
