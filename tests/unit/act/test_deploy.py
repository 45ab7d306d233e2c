"""A whole deploy on a host in memory: its order, what it sends, touches and leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.act.runs import PENDING, first, journal, run
from tests.unit.demo import APP, COMPOSE, URL, wanted, world

from slipway.act.deploy import deploy, make_draft
from slipway.runner import compose
from slipway.secret import Secret


def test_first_deploy_makes_everything() -> None:
    """A first deploy sends images, makes secrets, migrates, starts, records, in that order."""
    made = world()
    outcome = first(made)
    assert outcome.outcome == "deployed"
    assert outcome.url == URL
    assert outcome.containers_touched == 2
    assert outcome.bytes_sent > 0
    assert [step.name for step in outcome.steps] == [
        "plan", "preflight", "transfer", "secrets", "files", "migrate", "up", "verify",
        "smoke", "record",
    ]  # fmt: skip
    assert {one.service for one in made.engine.running} == {"web", "db"}
    assert made.folder.live == outcome.release
    assert [line["event"] for line in journal(made)] == ["intent", "outcome"]


def test_outcome_has_the_promised_fields() -> None:
    """``deploy --json`` prints exactly the promised fields."""
    value = first(world()).to_json()
    assert list(value) == [
        "release", "outcome", "url", "bytes_sent", "containers_touched", "seconds", "steps",
        "round_trips", "downtime_s", "failed_over", "resumed", "subject",
    ]  # fmt: skip
    steps = value["steps"]
    assert isinstance(steps, list)
    assert all(list(step) == ["name", "seconds", "parts"] for step in steps)


def test_migration_starts_only_what_it_needs_first() -> None:
    """The database runs before the migration, the web service after it."""
    made = world()
    made.engine.pending = PENDING
    run(made)
    ups = [command for command in made.engine.commands if command[0] in ("up", "run")]
    assert ups[0][-2:] == ("never", "db")
    assert ups[1][0] == "run"
    assert ups[1][-2:] == ("migrate", "--plan")
    assert ups[2][-1] == "migrate"
    assert ups[3][-3:] == ("--remove-orphans", "web", "db")


def test_second_deploy_touches_nothing() -> None:
    """With nothing changed nothing is sent, started, run or written."""
    made = world()
    before = first(made)
    files = dict(made.folder.files)
    outcome = run(made)
    assert outcome.outcome == "unchanged"
    assert outcome.release == before.release
    assert (outcome.bytes_sent, outcome.containers_touched) == (0, 0)
    assert made.engine.commands == []
    assert made.folder.files == files


def test_a_deploy_within_the_same_second_touches_nothing() -> None:
    """An id has no finer time than seconds: a release that was just made is live all the same."""
    made = world()
    before = deploy(wanted(), made.doors, "token").outcome
    again = deploy(wanted(), made.doors, "token").outcome
    assert (again.outcome, again.release) == ("unchanged", before.release)


def test_changed_image_moves_only_its_service() -> None:
    """A changed web image recreates web, asks for migrations, leaves the database alone."""
    made = world()
    first(made)
    db = next(one.id for one in made.engine.running if one.service == "db")
    outcome = run(made, web="2")
    assert outcome.containers_touched == 1
    assert [layer.digest for layer in made.engine.loads[0].layers] == ["sha256:web2"]
    assert db in {one.id for one in made.engine.running}
    assert made.folder.live == outcome.release


def test_changed_database_is_asked_what_is_pending() -> None:
    """A database that was replaced may be another one, so its migrations are looked at again."""
    made = world()
    first(made)
    outcome = run(made, db="2")
    assert "migrate" in [step.name for step in outcome.steps]


def test_changed_config_file_goes_beside_the_old_one() -> None:
    """A changed config file is a new path, so the old release keeps its own."""
    made = world()
    first(made)
    outcome = deploy(wanted(edge=b"listen 81\n"), made.doors, "token").outcome
    edges = [path for path in made.folder.files if path.endswith("/edge.cfg")]
    assert len(edges) == 2
    assert outcome.containers_touched == 1


def test_the_smoke_job_gets_the_secret_of_its_release() -> None:
    """A changed secret is what the smoke job of that very deploy is given."""
    made, given = world(), []

    def smoke(argv: tuple[str, ...], data: bytes) -> int:
        given.append(Path(made.shell.environments[-1]["TOKEN_FILE"]).read_bytes())
        return 0

    made.shell.on("smoke", URL, reply=smoke)
    run(made)
    deploy(replace(wanted(), supplied={"db_password": Secret("second")}), made.doors, "token")
    assert given == [made.folder.files["secrets/db_password/1"], b"second"]


def test_docker_that_is_still_at_it_is_asked_again() -> None:
    """A name that an interrupted Compose left taken is free a moment later."""
    made = world()
    first(made)
    taken = 'Conflict. The container name "/demo-db-1" is already in use by container "c9".'
    answers = [taken, taken, None, None]
    made.engine.broken_up = lambda: answers.pop(0)
    assert run(made, db="2").outcome == "deployed"
    assert made.clock.seconds >= 2 * compose._SETTLE_S


def test_dead_container_is_repaired_by_deploying_again() -> None:
    """With nothing changed but a dead container, the deploy recreates that one."""
    made = world()
    first(made)
    made.engine.crash("web", state="exited")
    plan = make_draft(wanted(), made.doors).plan
    assert [(one.service, one.action, one.reason) for one in plan.containers] == [
        ("web", "recreate", "not running"),
        ("db", "keep", "unchanged"),
    ]


def test_unhealthy_container_is_replaced() -> None:
    """Compose would leave an unhealthy container alone; the deploy replaces that one only."""
    made = world()
    first(made)
    before = {one.service: one.id for one in made.engine.running}
    made.engine.crash("web", health="unhealthy")
    outcome = run(made)
    after = {one.service: one.id for one in made.engine.running}
    assert outcome.containers_touched == 1
    assert after["web"] != before["web"]
    assert after["db"] == before["db"]


@pytest.mark.parametrize(("running", "left"), [(3, 2), (1, 2)])
def test_other_number_of_containers_is_put_right(running: int, left: int) -> None:
    """Where more or fewer run than are wanted the plan says so, and Compose makes it so."""
    text = COMPOSE.replace("{ role: db }", "{ role: db, roll: beside }")
    text = text.replace("stop_grace_period: 20s", "deploy: { replicas: 2 }")
    made = world()
    first(made, compose=text)
    db = [one for one in made.engine.running if one.service == "db"]
    others = [one for one in made.engine.running if one.service != "db"]
    assert len(db) == 2
    made.engine.running = [*others, *[*db, replace(db[0], id="third")][-running:]]
    change = next(
        one for one in make_draft(wanted(text), made.doors).plan.containers if one.service == "db"
    )
    assert change.reason == f"{running} containers run instead of 2"
    outcome = run(made, compose=text)
    assert (outcome.outcome, outcome.containers_touched) == ("deployed", 1)
    assert sum(one.service == "db" for one in made.engine.running) == left


def test_data_folders_get_what_the_stack_says() -> None:
    """Mode and owner are the stack's; a folder that is there is left alone."""
    made = world()
    text = COMPOSE.replace('db: { mode: "0700" }', 'db: { mode: "0711", owner: 70 }, media: {}')
    made.folder.modes[f"{APP}/data/media"] = 0o705
    first(made, compose=text)
    assert made.folder.modes[f"{APP}/data/db"] == 0o711
    assert made.folder.owners[f"{APP}/data/db"] == 70
    assert made.folder.modes[f"{APP}/data/media"] == 0o705
    assert f"{APP}/data/media" not in made.folder.owners


def test_changed_network_is_applied() -> None:
    """It is removed, with the containers on it, before anything that may need it is started."""
    text = COMPOSE + "networks: { inner: { internal: true } }\n"
    text = text.replace("secrets: [db_password]", "secrets: [db_password]\n    networks: [inner]")
    made = world()
    first(made, compose=text)
    web = next(one.id for one in made.engine.running if one.service == "web")
    outcome = run(made, compose=text.replace("internal: true", "internal: false"))
    names = [step.name for step in outcome.steps]
    assert names.index("networks") < names.index("migrate") < names.index("up")
    assert made.engine.removed_networks == ["inner"]
    assert made.engine.commands[0] == ("rm", "--stop", "--force", "db")
    assert {one.service for one in made.engine.running} == {"web", "db"}
    assert web in {one.id for one in made.engine.running}


def test_a_config_file_that_the_host_lost_is_put_back() -> None:
    """A container that starts anew needs its file, so a host without it is not as it should be."""
    made = world()
    first(made)
    (path,) = (path for path in made.folder.files if path.startswith("files/"))
    content = made.folder.files.pop(path)
    assert run(made).outcome == "deployed"
    assert made.folder.files[path] == content
    assert run(made).outcome == "unchanged"
