"""All data, on datasets of a NAS: kept before a migration, back with a release, and forward."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.functional.conftest import Site
from tests.functional.migrations import LAST, REVISIONS, VERSIONS, add_migration, remove_migration
from tests.functional.nas import APP, Nas
from tests.functional.standin import stand_in

from slipway.hosts.rehearsal import POOL, machine
from slipway.hosts.rehearsal.nasfiles import RELEASES
from slipway.hosts.rehearsal.values import Places

FOLDER = f"{POOL}/apps/{APP}"
DATASET = f"tank/apps/{APP}/data"
#: Copying these takes long enough to be broken off in it.
FILES_BETWEEN = 4000
WAIT_S = 120.0


@pytest.fixture(params=[("25.10", "compose"), ("24.10", "app")], ids="-".join)
def nas(site: Site, request: pytest.FixtureRequest) -> Iterator[Nas]:
    """A stand-in whose data lie on a dataset, PostgreSQL's on one below it."""
    release, mode = request.param
    with stand_in(site, release, mode, kept=(REVISIONS,)) as made:
        site.good("rehearsal.up", "--name", made.name)
        for dataset in (DATASET, f"{DATASET}/postgres"):
            made.call("pool.dataset.create", {"name": dataset, "create_ancestors": True})
        made.sh("sh", "-c", f"cd {FOLDER}/data && chown 568:568 postgres && chmod 700 postgres")
        try:
            yield made
        finally:
            for added in (site.root / VERSIONS).glob("9*.py"):
                added.unlink()


def inv(nas: Nas, *words: str) -> Any:
    """What a command for the host printed as JSON."""
    return nas.site.good(*words, "--host", nas.name, "--json").json


def tokens(nas: Nas) -> list[str]:
    """What the stack's database remembers."""
    return sorted(nas.tokens())


def space(nas: Nas) -> str:
    """Whose methods there are."""
    return "pool.snapshot" if RELEASES[nas.release].pool_snapshot else "zfs.snapshot"


def snapshots(nas: Nas) -> list[str]:
    """Every snapshot below the data."""
    rows = nas.call(f"{space(nas)}.query", [["dataset", "^", DATASET]], {"select": ["name"]})
    return sorted(row["name"] for row in rows)


def revision(nas: Nas) -> str:
    """What the database is at."""
    words = (
        "read -r PGPASSWORD </run/secrets/postgres_password; export PGPASSWORD; "
        "exec /usr/lib/postgresql/17/bin/psql -h /run/postgresql -U langflix -At langflix "
        "-c 'SELECT version_num FROM alembic_version'"
    )
    done = nas.site.good("exec", "postgres", "--host", nas.name, "--", "/usr/bin/dash", "-c", words)
    return done.out.strip()


def of(release: str, more: str = "") -> list[str]:
    """A release's snapshot, of both datasets."""
    return [f"{one}@slipway-{APP}-{release}{more}" for one in (DATASET, f"{DATASET}/postgres")]


def power_lost_while_data_come_back(nas: Nas, to: str) -> None:
    """The host is gone in the middle of the copying, and so is who asked for it."""
    argv = nas.site.argv("rollback", "--data", "--yes", "--to", to, "--host", nas.name)
    asking = subprocess.Popen(
        argv, cwd=nas.site.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    places = Places(nas.site.root / ".slipway/rehearsal" / nas.name)
    seen = (
        f"i=0; until [ -e {FOLDER}/restoring ] || [ $i -gt 600 ]; do sleep .2; i=$((i + 1)); done"
    )
    nas.sh("sh", "-c", seen)
    assert machine.stop(machine.processes(places.marker), gently_s=0, kill_s=30) == ()
    asking.kill()
    asking.wait(WAIT_S)
    nas.site.good("rehearsal.up", "--name", nas.name)
    end = time.monotonic() + WAIT_S
    while nas.site.inv("rehearsal.shell", "--name", nas.name, "--", "true").code:
        assert time.monotonic() < end
        time.sleep(1)


@pytest.mark.long  # test_nas_snapshots and the unit tests show each part of it in seconds
def test_all_data_go_back_with_a_release(nas: Nas) -> None:
    """Back to what was there before a migration, whatever is broken off, and forward again.

    Meanwhile a password was changed, which the database of before does not know.
    """
    site = nas.site
    first = inv(nas, "deploy")["release"]
    assert snapshots(nas) == [], "there was nothing to keep yet"
    inv(nas, "tokens.add", "--name", "early", "--scope", "read")
    nas.call(f"{space(nas)}.create", {"dataset": DATASET, "name": "auto-2026-01-01_00-00"})
    foreign = [f"{DATASET}@auto-2026-01-01_00-00"]

    migration = add_migration(site, "9002_stars", "Expand: code of before goes on.")
    plan = inv(nas, "plan")
    assert plan["snapshot"]["dataset"] == DATASET
    second = inv(nas, "deploy")["release"]
    assert snapshots(nas) == sorted([*foreign, *of(second)])
    listed = {one["release"]: one["snapshot"] for one in inv(nas, "releases")}
    assert listed == {second: of(second)[0], first: None}

    inv(nas, "tokens.add", "--name", "late", "--scope", "read")
    many = f"cd {FOLDER}/data/media && mkdir m && cd m && seq {FILES_BETWEEN} | xargs touch"
    nas.sh("sh", "-c", many)
    third = inv(nas, "secrets.rotate", "postgres_password")["release"]
    assert revision(nas) == "9002"

    refused = site.inv("rollback", "--data", "--to", first, "--host", nas.name)
    assert refused.code == 2, refused.err
    assert "is lost" in refused.err
    assert "--yes" in refused.err
    assert tokens(nas) == ["early", "late"]

    power_lost_while_data_come_back(nas, first)
    healed = inv(nas, "deploy")
    assert healed["release"] == third
    assert tokens(nas) == ["early", "late"]
    assert revision(nas) == "9002"
    assert nas.sh("sh", "-c", f"ls {FOLDER}/data/media/m | wc -l").strip() == str(FILES_BETWEEN)

    back = inv(nas, "rollback", "--data", "--yes", "--to", first)
    assert (back["release"], back["outcome"]) == (first, "rolled back")
    assert (tokens(nas), revision(nas)) == (["early"], LAST)
    assert nas.sh("sh", "-c", f"ls {FOLDER}/data/media").split() == []
    assert snapshots(nas) == sorted([*foreign, *of(second), *of(third, "-left")])

    inv(nas, "rollback", "--data", "--yes", "--to", third)
    assert (tokens(nas), revision(nas)) == (["early", "late"], "9002")
    inv(nas, "rollback", "--data", "--yes", "--to", first)

    remove_migration(site, migration)
    site.replace("src/langflix/data/revisions.py", "HEAD = ", "# another line\nHEAD = ")
    assert inv(nas, "deploy")["outcome"] == "deployed"
    assert snapshots(nas) == sorted([*foreign, *of(first, "-left")]), "of a release that is kept"
    assert inv(nas, "status")["drift"] == []
