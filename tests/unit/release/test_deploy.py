"""A whole deploy on a host in memory: it goes well, it goes back, it touches nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from slipway.act.hands import PlanIsStale
from tests.unit.demo import APP, COMPOSE, URL, World, failed, wanted, world

from slipway.act import services
from slipway.act.deploy import deploy, make_draft
from slipway.act.outcome import Outcome
from slipway.doors import Answer
from slipway.errors import (
    ConfigError,
    DeployBroken,
    DeployError,
    HostUnreachable,
    SlipwayError,
)
from slipway.ledger.records import read_records
from slipway.secret import Secret

PENDING = [{"revision": "a1", "message": "create tables"}]


def _run(made: World, **changes: str) -> Outcome:
    made.clock.seconds += 60
    return deploy(wanted(**changes), made.doors, "token")  # type: ignore[arg-type]


def _first(made: World) -> Outcome:
    made.engine.pending = PENDING
    outcome = _run(made)
    made.engine.pending = []
    made.engine.commands.clear()
    made.engine.loads.clear()
    return outcome


def _journal(made: World) -> list[dict[str, object]]:
    text = made.host.files.get(f"{APP}/journal.jsonl", b"").decode()
    return [json.loads(line) for line in text.splitlines()]


def test_first_deploy_makes_everything() -> None:
    """A first deploy sends images, makes secrets, migrates, starts, records, in that order."""
    made = world()
    outcome = _first(made)
    assert outcome.outcome == "deployed"
    assert outcome.url == URL
    assert outcome.containers_touched == 2
    assert outcome.bytes_sent > 0
    assert [step.name for step in outcome.steps] == [
        "plan", "lease", "preflight", "transfer", "secrets", "files", "migrate", "up", "verify",
        "record", "prune",
    ]  # fmt: skip
    assert {one.service for one in made.engine.running} == {"web", "db"}
    assert read_records(made.host, APP).current == outcome.release
    assert [line["event"] for line in _journal(made)] == ["intent", "outcome"]
    assert f"{APP}/lease" not in made.host.files


def test_outcome_has_the_promised_fields() -> None:
    """``deploy --json`` prints exactly the promised fields."""
    value = _first(world()).to_json()
    assert list(value) == [
        "release", "outcome", "url", "bytes_sent", "containers_touched", "seconds", "steps",
    ]  # fmt: skip
    steps = value["steps"]
    assert isinstance(steps, list)
    assert all(list(step) == ["name", "seconds"] for step in steps)


def test_migration_starts_only_what_it_needs_first() -> None:
    """The database runs before the migration, the web service after it."""
    made = world()
    made.engine.pending = PENDING
    _run(made)
    ups = [command for command in made.engine.commands if command[0] in ("up", "run")]
    assert ups[0][-2:] == ("--no-deps", "db")
    assert ups[1][0] == "run"
    assert ups[1][-2:] == ("migrate", "--plan")
    assert ups[2][-1] == "migrate"
    assert ups[3][-1] == "--remove-orphans"


def test_second_deploy_touches_nothing() -> None:
    """With nothing changed nothing is sent, started, run, written or leased."""
    made = world()
    before = _first(made)
    files = dict(made.host.files)
    outcome = _run(made)
    assert outcome.outcome == "unchanged"
    assert outcome.release == before.release
    assert (outcome.bytes_sent, outcome.containers_touched) == (0, 0)
    assert made.engine.commands == []
    assert made.host.files == files


def test_changed_image_moves_only_its_service() -> None:
    """A changed web image recreates web, asks for migrations, leaves the database alone."""
    made = world()
    _first(made)
    db = next(one.id for one in made.engine.running if one.service == "db")
    outcome = _run(made, web="2")
    assert outcome.containers_touched == 1
    assert [layer.digest for layer in made.engine.loads[0].layers] == ["sha256:web2"]
    assert db in {one.id for one in made.engine.running}
    assert read_records(made.host, APP).current == outcome.release


def test_changed_database_is_asked_what_is_pending() -> None:
    """A database that was replaced may be another one, so its migrations are looked at again."""
    made = world()
    _first(made)
    outcome = _run(made, db="2")
    assert "migrate" in [step.name for step in outcome.steps]


def test_changed_config_file_goes_beside_the_old_one() -> None:
    """A changed config file is a new path, so the old release keeps its own."""
    made = world()
    _first(made)
    outcome = deploy(wanted(edge=b"listen 81\n"), made.doors, "token")
    edges = [path for path in made.host.files if path.endswith("/edge.cfg")]
    assert len(edges) == 2
    assert outcome.containers_touched == 1


def test_sick_image_is_undone() -> None:
    """A release that doesn't get well is replaced by the one before; exit code 5, with a log."""
    made = world()
    before = _first(made)
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError) as caught:
        _run(made, web="2")
    error = caught.value
    assert error.exit_code == 5
    assert "web is unhealthy" in error.message
    assert f"{before.release} is serving again" in error.message
    assert any("last words" in line for line in error.details)
    assert {one.image_id for one in made.engine.running if one.service == "web"} == {
        "sha256:config-web-1"
    }
    assert read_records(made.host, APP).current == before.release
    assert _journal(made)[-1]["outcome"] == "undone"
    assert f"{APP}/lease" not in made.host.files


def test_failed_first_deploy_is_taken_down() -> None:
    """Without a release before it the stack is taken down and data is kept."""
    made = world()
    made.engine.sick.add("sha256:config-web-1")
    made.engine.pending = PENDING
    with pytest.raises(DeployError, match="taken down, data was kept") as caught:
        _run(made)
    assert caught.value.exit_code == 5
    assert made.engine.running == []
    down = [command for command in made.engine.commands if command[0] == "down"]
    assert down
    assert not {"-v", "--volumes", "--rmi"} & set(down[0])


def test_failed_migration_names_its_last_lines() -> None:
    """A migration that fails undoes what was started for it and shows what it said."""
    made = world()
    _first(made)
    made.engine.pending = PENDING
    made.engine.migrate_code = 1
    with pytest.raises(DeployError, match="the migration failed") as caught:
        _run(made, web="2")
    assert caught.value.details == ("no such table",)
    assert caught.value.exit_code == 5


def test_failed_health_page_is_undone() -> None:
    """Healthy containers are not enough: the stack's own health page must agree."""
    made = world()
    before = _first(made)
    made.http.answers[f"{URL}/health"] = [Answer(503, b'{"status": "failed"}')]
    with pytest.raises(DeployError, match="gave 503") as caught:
        _run(made, web="2")
    assert any("failed" in line for line in caught.value.details)
    assert read_records(made.host, APP).current == before.release


def test_failed_smoke_job_is_undone() -> None:
    """A smoke job that fails puts the release before back."""
    made = world()
    made.shell.on("smoke", URL, reply=3)
    with pytest.raises(DeployError, match="the smoke job failed with code 3"):
        _run(made)
    assert made.shell.calls == [("smoke", URL)]
    assert made.engine.running == []


def test_the_smoke_job_gets_the_secret_of_its_release() -> None:
    """A changed secret is what the smoke job of that very deploy is given."""
    made, given = world(), []

    def smoke(argv: tuple[str, ...], data: bytes) -> int:
        given.append(Path(made.shell.environments[-1]["TOKEN_FILE"]).read_bytes())
        return 0

    made.shell.on("smoke", URL, reply=smoke)
    _run(made)
    deploy(replace(wanted(), supplied={"db_password": Secret("second")}), made.doors, "token")
    assert given == [made.host.files[f"{APP}/secrets/db_password/1"], b"second"]


def test_releases_with_and_without_a_secret_follow_each_other() -> None:
    """A secret that the release before has not heard of neither stops the way there nor back."""
    made = world()
    with_token = (
        COMPOSE.replace("TOKEN_FILE: db_password", "TOKEN_FILE: token")
        .replace("acl: { derive", "token: { generate: 8 }\n    acl: { derive")
        .replace("    configs: [edge]", "    configs: [edge]\n    secrets: [token]")
        .replace("\nsecrets:\n", '\nsecrets:\n  token: { file: "${DEMO_SECRETS:?}/token" }\n')
    )
    before = _first(made)
    made.shell.on("smoke", URL, reply=1)
    with pytest.raises(DeployError, match=f"{before.release} is serving again"):
        deploy(wanted(with_token), made.doors, "token")
    made.shell.on("smoke", URL)
    made.clock.seconds += 60
    token = made.host.files[f"{APP}/secrets/token/1"]
    assert deploy(wanted(with_token), made.doors, "token").outcome == "deployed"
    assert _run(made).outcome == "deployed"
    made.clock.seconds += 60
    assert deploy(wanted(with_token), made.doors, "token").outcome == "deployed"
    assert made.host.files[f"{APP}/secrets/token/1"] == token


def test_failed_undo_is_exit_code_6() -> None:
    """When going back fails too, the error names both failures and has exit code 6."""
    made = world()
    _first(made)
    made.engine.broken_up = lambda: failed("no space left")
    with pytest.raises(DeployBroken, match="going back failed too") as caught:
        _run(made, db="2")
    assert caught.value.exit_code == 6
    assert "no space left" in caught.value.details


def test_lost_host_in_the_middle_is_exit_code_6() -> None:
    """A host that vanishes while services change can't be put back: exit code 6 says so."""
    made = world()
    _first(made)
    made.engine.broken_up = lambda: HostUnreachable("the connection broke")
    with pytest.raises(DeployBroken, match="the connection broke"):
        _run(made, db="2")


def test_ctrl_c_while_starting_is_undone() -> None:
    """An interrupted deploy puts the release before back."""
    made = world()
    before = _first(made)
    answers: list[BaseException | None] = [KeyboardInterrupt(), None]

    def up() -> Exception | None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return None

    made.engine.broken_up = up
    with pytest.raises(DeployError, match="interrupted") as caught:
        _run(made, db="2")
    assert caught.value.exit_code == 130
    assert read_records(made.host, APP).current == before.release


def test_docker_that_is_still_at_it_is_asked_again() -> None:
    """A name that an interrupted Compose left taken is free a moment later."""
    made = world()
    _first(made)
    taken = 'Conflict. The container name "/demo-db-1" is already in use by container "c9".'
    answers: list[Exception | None] = [failed(taken), failed(taken), None, None]
    made.engine.broken_up = lambda: answers.pop(0)
    assert _run(made, db="2").outcome == "deployed"
    assert made.clock.seconds >= 2 * services._SETTLE_S


def test_a_name_that_stays_taken_is_a_failure() -> None:
    """Asking again ends: somebody else's container has the name."""
    made = world()
    _first(made)
    taken = 'Conflict. The container name "/demo-db-1" is already in use by container "c9".'
    asked: list[None] = []

    def up() -> Exception | None:
        asked.append(None)
        return failed(taken)

    made.engine.broken_up = up
    with pytest.raises(DeployBroken, match="going back failed too"):
        _run(made, db="2")
    assert len(asked) == 8


def test_held_lease_stops_before_anything() -> None:
    """While somebody else deploys nothing is changed, and the message says who."""
    made = world()
    _first(made)
    made.lease_held_by = "anna@desk"
    files = dict(made.host.files)
    with pytest.raises(DeployError, match="anna@desk is busy") as caught:
        _run(made, web="2")
    assert caught.value.exit_code == 5
    assert made.engine.commands == []
    assert {path: data for path, data in made.host.files.items() if path != f"{APP}/lease"} == files


def test_the_port_of_what_runs_is_free_for_its_successor() -> None:
    """The application's own running container publishes the port: that is no reason to refuse."""
    made = world()
    _first(made)
    made.ports = (8080,)
    assert _run(made, web="2").outcome == "deployed"
    made.engine.crash("web", state="exited")
    with pytest.raises(DeployError, match="port 8080 is in use"):
        _run(made, web="3")


def test_what_runs_from_another_folder_is_not_taken_over() -> None:
    """Containers that another application folder's deploy made stop this one's."""
    made = world()
    _first(made)
    made.engine.crash("web", file="/elsewhere/releases/1/compose.json")
    with pytest.raises(DeployError, match="deployed from /elsewhere/"):
        _run(made, web="2")
    made.engine.crash("web", file=f"{APP}/releases/1/compose.json")
    assert _run(made, web="2").outcome == "deployed"


def test_taken_port_stops_before_anything() -> None:
    """A port that another program uses is found before anything is sent."""
    made = world()
    made.ports = (8080,)
    with pytest.raises(DeployError, match="port 8080 is in use") as caught:
        _run(made)
    assert "nothing was changed" in caught.value.message
    assert made.engine.loads == []
    assert made.engine.commands == []


def test_stale_plan_stops_before_anything_that_runs() -> None:
    """A container that changed after planning stops the deploy before services are touched."""
    made = world()
    _first(made)
    load = made.engine.load

    def load_and_crash(transfer, progress):  # type: ignore[no-untyped-def]
        made.engine.crash("db", id="other")
        return load(transfer, progress)

    made.engine.load = load_and_crash  # type: ignore[method-assign]
    with pytest.raises(PlanIsStale, match="changed since the plan was made: db"):
        _run(made, web="2")
    assert made.engine.commands == []


def test_other_release_meanwhile_is_a_stale_plan() -> None:
    """A release that went live after planning stops the deploy."""
    made = world()
    _first(made)
    load = made.engine.load

    def load_and_switch(transfer, progress):  # type: ignore[no-untyped-def]
        made.current = "20990101-000000-ffffff"
        return load(transfer, progress)

    made.engine.load = load_and_switch  # type: ignore[method-assign]
    with pytest.raises(PlanIsStale, match="is live on nas now"):
        _run(made, web="2")
    assert made.engine.commands == []


def test_lost_lease_stops_the_next_step() -> None:
    """A lease that was taken over ends the deploy at its next step."""
    made = world()
    load_once = made.engine.load

    def load(transfer, progress):  # type: ignore[no-untyped-def]
        made.host.files[f"{APP}/lease"] = b"other"
        return load_once(transfer, progress)

    made.engine.load = load  # type: ignore[method-assign]
    with pytest.raises(DeployError, match="not ours any more"):
        _run(made)
    assert made.engine.running == []


def test_secrets_are_made_once_and_kept() -> None:
    """Generated secrets are the same files after any number of deploys, closed to others."""
    made = world()
    _first(made)
    path = f"{APP}/secrets/db_password/1"
    kept = made.host.files[path]
    assert made.host.modes[path] == 0o400
    assert len(kept) == 16
    _run(made, web="2")
    _run(made, db="2")
    assert made.host.files[path] == kept
    assert not [name for name in made.host.files if name.endswith("db_password/2")]


def test_supplied_secret_that_changed_is_a_new_version() -> None:
    """A new value from the operator is version 2; the service that reads it is recreated."""
    made = world()
    _first(made)
    new = replace(wanted(), supplied={"db_password": Secret("canary-value")})
    outcome = deploy(new, made.doors, "token")
    assert made.host.files[f"{APP}/secrets/db_password/2"] == b"canary-value"
    assert made.host.files[f"{APP}/secrets/acl/2"].startswith(b"user default on #")
    assert outcome.containers_touched == 1
    again = deploy(new, made.doors, "token")
    assert again.outcome == "unchanged"


def test_secret_values_are_nowhere_but_in_their_files() -> None:
    """No log line, command, error, record or journal holds a secret."""
    made = world()
    canary = "canary-5f2c"
    wanted = replace(wanted(), supplied={"db_password": Secret(canary)})
    deploy(wanted, made.doors, "token")
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError) as caught:
        deploy(replace(wanted(web="2"), supplied=wanted.supplied), made.doors, "token")
    shown = [
        made.talk.getvalue(),
        repr(made.host.calls),
        repr(made.host.inputs),
        repr(made.engine.commands),
        repr((made.shell.calls, made.shell.environments, made.shell.inputs)),
        repr(caught.value.to_json()),
        repr(caught.value.details),
        repr(wanted),
    ]
    shown += [
        data.decode()
        for path, data in made.host.files.items()
        if not path.startswith(f"{APP}/secrets/db_password/")
    ]
    assert not [text for text in shown if canary in text]


def test_missing_secret_is_a_configuration_error() -> None:
    """A secret that nobody supplied and nothing generates is named before anything is done."""
    made = world()
    text = COMPOSE.replace("{ generate: 16 }", "{}")
    with pytest.raises(ConfigError) as caught:
        deploy(wanted(text), made.doors, "token")
    assert any("db_password" in line for line in caught.value.details)
    assert made.host.files == {}


def test_prune_keeps_three_releases() -> None:
    """The last three releases keep their images; older tags, files and records go."""
    made = world()
    releases = [_first(made).release]
    releases += [_run(made, web=str(number)).release for number in range(2, 6)]
    assert {ref for ref in made.engine.held if "/web:" in ref} == {
        "demo/web:3", "demo/web:4", "demo/web:5",
    }  # fmt: skip
    known = [release.id for release in read_records(made.host, APP).releases]
    assert known == releases[:1:-1]
    assert "freed" in made.talk.getvalue()


def test_failing_prune_does_not_fail_the_deploy() -> None:
    """The release is live when pruning fails; a warning says what stayed."""
    made = world()
    _first(made)

    def refuse(references: object) -> tuple[str, ...]:
        raise failed("daemon is busy")

    made.engine.remove_images = refuse  # type: ignore[method-assign]
    for number in range(2, 5):
        assert _run(made, web=str(number)).outcome == "deployed"
    assert "could not be pruned" in made.talk.getvalue()


def test_dead_container_is_repaired_by_deploying_again() -> None:
    """With nothing changed but a dead container, the deploy recreates that one."""
    made = world()
    _first(made)
    made.engine.crash("web", state="exited")
    plan = make_draft(wanted(), made.doors).plan
    assert [(one.service, one.action, one.reason) for one in plan.containers] == [
        ("web", "recreate", "not running"),
        ("db", "keep", "unchanged"),
    ]


def test_unhealthy_container_is_replaced() -> None:
    """Compose would leave an unhealthy container alone; the deploy replaces that one only."""
    made = world()
    _first(made)
    before = {one.service: one.id for one in made.engine.running}
    made.engine.crash("web", health="unhealthy")
    outcome = _run(made)
    after = {one.service: one.id for one in made.engine.running}
    assert outcome.containers_touched == 1
    assert after["web"] != before["web"]
    assert after["db"] == before["db"]


def test_failed_preflight_keeps_its_own_error_kind() -> None:
    """A host that vanishes before anything was touched stays a host error, exit code 4."""
    made = world()

    def lost() -> object:
        raise HostUnreachable("the connection broke")

    made.engine.facts = lost  # type: ignore[method-assign, assignment]
    with pytest.raises(SlipwayError) as caught:
        _run(made)
    assert caught.value.exit_code == 4
