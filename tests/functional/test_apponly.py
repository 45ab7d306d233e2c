"""Deploys by somebody who has no right to Docker on a TrueNAS: its middleware is asked for all."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.functional.conftest import Site
from tests.functional.keeper import APP_DIR, PASSWORD, USER, Keeper, keeper
from tests.functional.migrations import REVISIONS, add_migration, remove_migration
from tests.functional.nas import APP, STANDING, until
from tests.functional.standin import stand_in
from tests.functional.test_other_hosts import HOSTS

from slipway.hosts.rehearsal.nas.people import KEEPER
from slipway.hosts.rehearsal.nasfiles import RELEASES
from slipway.stack.project import ONLY

USUAL = "25.10"
MAIN = "src/langflix/api/app.py"
DATASET = f"tank/apps/{APP}/data"


@pytest.fixture
def kept(site: Site, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeper]:
    """A keeper of a stand-in; hosts.toml and the changed file are put back."""
    with (
        stand_in(site, request.param, "app", kept=(MAIN, REVISIONS)) as nas,
        keeper(nas, tmp_path) as made,
    ):
        yield made


@pytest.mark.parametrize(
    "kept",
    [pytest.param(one, marks=() if one == USUAL else pytest.mark.long) for one in RELEASES],
    indirect=True,
)
def test_a_nas_is_deployed_to_by_its_middleware_alone(
    kept: Keeper, record_property: Callable[[str, object], None]
) -> None:
    """A first deploy, no change, a changed line, one that fails, back, a reboot, with data."""
    record_property("release", RELEASES[kept.nas.release].version)
    record_property("mode", ONLY)

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        record_property(what, time.monotonic() - began)

    main = kept.nas.site.root / MAIN
    before = main.read_bytes()
    with timed("all"):
        first = _first(kept)
        kept.send_film()
        there = kept.jobs()
        _append(kept, "# another line\n")
        with timed("a changed line"):
            changed = kept.good("deploy")
        assert changed["outcome"] == "deployed" and changed["bytes_sent"] == 0
        _fails(kept, changed["release"])
        with timed("back"):
            kept.good("rollback")
        main.write_bytes(before)
        assert kept.good("status")["release"] == first
        with timed("stopped, started, deleted, deployed"):
            _in_other_hands(kept)
        with timed("a reboot"):
            kept.nas.reboot()
            until(kept.healthy, "the stack after a reboot")
        assert kept.jobs() == there
        if kept.nas.release == USUAL:
            _switched(kept, there)
        _no_login_is_left(kept)
        kept.good("down")
    assert kept.nas.app()["state"] == "STOPPED"


@pytest.mark.long  # tests/unit/plan/test_apponly.py has the steps
@pytest.mark.parametrize("kept", [USUAL], indirect=True)
def test_data_come_back_when_a_migration_with_an_outage_fails(kept: Keeper) -> None:
    """Code of before can't read what it left: TrueNAS rolls its snapshot back, with what came last.

    What is mended goes, and the snapshot before it stays with the release.
    """
    nas, site = kept.nas, kept.nas.site
    for dataset in (DATASET, f"{DATASET}/postgres"):
        nas.call("pool.dataset.create", {"name": dataset, "create_ancestors": True})
    nas.sh("sh", "-c", f"cd {APP_DIR} && chown {KEEPER} . data && chown 568:568 data/postgres && "
           "chmod 700 data/postgres")  # fmt: skip
    main = site.root / MAIN
    before = main.read_bytes()
    first = kept.good("deploy")["release"]
    kept.send_film()
    there = kept.jobs()
    migration = add_migration(site, "9003_stars", "Contract.", "# slipway: downtime")
    try:
        _append(kept, '\nraise SystemExit("broken on purpose")\n')
        failed = kept.inv("deploy", "--host", kept.host)
        assert failed.code == 5, failed.err
        assert f"{first} is serving again" in failed.err
        assert kept.healthy() and kept.jobs() == there

        main.write_bytes(before)
        second = kept.good("deploy")
        assert second["outcome"] == "deployed" and kept.jobs() == there
        (listed,) = (one for one in kept.good("releases") if one["release"] == second["release"])
        assert str(listed["snapshot"]).startswith(f"{DATASET}@slipway-")
        assert kept.good("deploy")["outcome"] == "unchanged"
    finally:
        remove_migration(site, migration)
        kept.good("down")


def _first(kept: Keeper) -> str:
    """A first deploy, and nothing to do after it."""
    planned = kept.good("plan")
    assert planned["pull"]["images"] > STANDING and planned["outage"] == []
    first = kept.good("deploy")
    assert (first["outcome"], first["bytes_sent"]) == ("deployed", 0)
    assert kept.good("deploy")["outcome"] == "unchanged"
    seen = kept.good("status")
    assert seen["drift"] == [] and kept.healthy()
    kept.good("host.doctor")
    return str(seen["release"])


def _fails(kept: Keeper, before: str) -> None:
    """A version that does not start: what ran before is started again, and it is said why."""
    _append(kept, '\nraise SystemExit("broken on purpose")\n')
    failed = kept.inv("deploy", "--host", kept.host)
    assert failed.code == 5, failed.err
    assert "api" in failed.err and f"{before} is serving again" in failed.err
    assert "broken on purpose" in failed.err, "the last lines of what failed"
    assert kept.healthy()
    assert kept.good("status")["release"] == before


def _in_other_hands(kept: Keeper) -> None:
    """Stopped, started and deleted at the web interface: a deploy brings back what is gone."""
    nas = kept.nas
    nas.call("app.stop", APP, job=True)
    assert nas.app()["state"] == "STOPPED"
    nas.call("app.start", APP, job=True)
    until(kept.healthy, "what the web interface started")
    planned = kept.good("plan")["containers"]
    assert {one["action"] for one in planned} == {"keep"}, planned
    assert nas.call("app.delete", APP, {"remove_images": False}, job=True) == "True"
    assert kept.good("deploy")["outcome"] == "deployed"
    assert nas.app()["state"] == "RUNNING"


def _switched(kept: Keeper, there: list[str]) -> None:
    """Deployed as root by Docker, and by the keeper again, to the same folder."""
    site, name = kept.nas.site, kept.nas.name
    site.replace(HOSTS, "variables = {  }", 'variables = { LANGFLIX_API_TOKEN_FILE = "" }')
    by_docker = site.good("deploy", "--host", name, "--json").json
    assert by_docker["outcome"] == "deployed"
    assert kept.jobs() == there
    kept.own()
    assert kept.good("deploy")["outcome"] == "deployed"
    assert kept.healthy() and kept.jobs() == there


def _no_login_is_left(kept: Keeper) -> None:
    """Neither in the application's folder nor where logins are for a moment."""
    secrets = (PASSWORD, b64encode(f"{USER}:{PASSWORD}".encode()).decode())
    words = [word for one in secrets for word in ("-e", one)]
    script = 'grep -rlsF "$@" || [ $? -le 2 ]'
    places = (APP_DIR, "/dev/shm", "/run", "/tmp")
    assert kept.nas.sh("sh", "-c", script, "sh", *words, "--", *places).strip() == ""


def _append(kept: Keeper, text: str) -> None:
    with (kept.nas.site.root / MAIN).open("a", encoding="utf-8") as file:
        file.write(text)
