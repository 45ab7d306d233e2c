"""What fails is undone: what ran before runs again, is watched, and is the current release."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.act.runs import PENDING, first, journal, run
from tests.unit.demo import COMPOSE, URL, World, world

from slipway.act.runner import Event
from slipway.doors import Answer
from slipway.errors import DeployBroken, DeployError, HostUnreachable


def test_sick_image_is_undone() -> None:
    """A release that doesn't get well is replaced by the one before; exit code 5, with a log."""
    made = world()
    before = first(made)
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError) as caught:
        run(made, web="2")
    error = caught.value
    assert error.exit_code == 5
    assert "web is unhealthy" in error.message
    assert f"{before.release} is serving again" in error.message
    assert any("last words" in line for line in error.details)
    assert {one.image_id for one in made.engine.running if one.service == "web"} == {
        "sha256:config-web-1"
    }
    assert made.folder.live == before.release
    assert journal(made)[-1]["outcome"] == "undone"


def test_failed_first_deploy_is_taken_down() -> None:
    """Without a release before it the stack is taken down and data is kept."""
    made = world()
    made.engine.sick.add("sha256:config-web-1")
    made.engine.pending = PENDING
    with pytest.raises(DeployError, match="taken down, data was kept") as caught:
        run(made)
    assert caught.value.exit_code == 5
    assert made.engine.running == []
    down = [command for command in made.engine.commands if command[0] == "down"]
    assert down
    assert not {"-v", "--volumes", "--rmi"} & set(down[0])


def test_failed_migration_names_its_last_lines() -> None:
    """A migration that fails undoes what was started for it and shows what it said."""
    made = world()
    first(made)
    made.engine.pending = PENDING
    made.engine.migrate_code = 1
    with pytest.raises(DeployError, match="the migration failed") as caught:
        run(made, web="2")
    assert caught.value.details == ("no such table",)
    assert caught.value.exit_code == 5


def test_failed_health_page_is_undone() -> None:
    """Healthy containers are not enough: the stack's own health page must agree."""
    made = world()
    before = first(made)
    made.http.answers[f"{URL}/health"] = [Answer(503, b'{"status": "failed"}')]
    with pytest.raises(DeployError, match="gave 503") as caught:
        run(made, web="2")
    assert any("failed" in line for line in caught.value.details)
    assert made.folder.live == before.release


def test_failed_smoke_job_is_undone() -> None:
    """A smoke job that fails puts the release before back."""
    made = world()
    made.shell.on("smoke", URL, reply=3)
    with pytest.raises(DeployError, match="the smoke test failed with code 3"):
        run(made)
    assert made.shell.calls == [("smoke", URL)]
    assert made.engine.running == []


def test_failed_undo_is_exit_code_6() -> None:
    """When going back fails too, the error names both failures and has exit code 6."""
    made = world()
    first(made)
    made.engine.broken_up = lambda: "no space left"
    with pytest.raises(DeployBroken, match="going back failed too") as caught:
        run(made, db="2")
    assert caught.value.exit_code == 6
    assert "no space left" in caught.value.details


def test_a_connection_that_is_gone_leaves_the_rest_to_the_host() -> None:
    """Whoever deploys is told so, exit code 4; what the host had begun it ends all the same."""
    made = world()
    first(made)
    ended = threading.Event()
    append = made.folder.append

    def noted(path: str, line: str) -> None:
        append(path, line)
        if '"outcome": "deployed"' in line:
            ended.set()

    made.folder.append = noted  # type: ignore[method-assign]
    made.runner.cuts, made.runner.alone = 1000, True
    with pytest.raises(HostUnreachable, match="The host ends the deploy, or goes back") as caught:
        run(made, db="2")
    assert caught.value.exit_code == 4
    assert ended.wait(30)
    assert made.folder.read().records.history[0].images["db"].reference == "demo/db:2"


def test_a_connection_that_comes_back_is_no_failure() -> None:
    """It is opened again, and how often is told."""
    made = world()
    first(made)
    made.runner.cuts = 3
    outcome = run(made, db="2")
    assert (outcome.outcome, outcome.resumed) == ("deployed", 3)


def interrupt(made: World, times: int) -> None:
    """Press Ctrl-C while ``up`` goes on, which goes on until the host was told."""
    begun, follow = threading.Event(), made.runner.follow
    presses = iter(range(times))

    def up() -> None:
        if not begun.is_set():
            begun.set()
            while "cancel" not in made.runner.told:
                threading.Event().wait(0.01)

    def pressed(run: str, number: int) -> Sequence[Event]:
        assert begun.wait(30)
        if next(presses, None) is not None:
            raise KeyboardInterrupt
        return follow(run, number)

    made.engine.broken_up = up
    made.runner.follow = pressed  # type: ignore[method-assign, assignment]


def test_ctrl_c_while_starting_is_undone() -> None:
    """An interrupted deploy puts the release before back."""
    made = world()
    before = first(made)
    interrupt(made, 1)
    with pytest.raises(DeployError, match="interrupted") as caught:
        run(made, db="2")
    assert caught.value.exit_code == 130
    assert f"{before.release} is serving again" in caught.value.message
    assert made.folder.live == before.release


def test_the_second_ctrl_c_does_not_wait() -> None:
    """The host goes back by itself, and whoever can't wait is told so."""
    made = world()
    first(made)
    interrupt(made, 2)
    with pytest.raises(DeployError, match="nas goes back by itself") as caught:
        run(made, db="2")
    assert caught.value.exit_code == 130


@pytest.mark.parametrize("step", ["up", "verify"])
def test_a_failure_of_this_machine_is_undone(step: str) -> None:
    """A full disk here is a failure like any other: the release before is put back, code 5."""
    made = world()
    before = first(made)
    full = [OSError(28, "No space left on device")]

    def once() -> None:
        if full:
            raise full.pop()

    def smoke(*_: object) -> bytes:
        once()
        return b""

    if step == "up":
        made.engine.broken_up = once
    else:
        made.shell.on("smoke", URL, reply=smoke)
    with pytest.raises(DeployError, match="No space left") as caught:
        run(made, web="2")
    assert caught.value.exit_code == 5
    assert made.folder.live == before.release


def test_a_name_that_stays_taken_is_a_failure() -> None:
    """Asking again ends: somebody else's container has the name."""
    made = world()
    first(made)
    taken = 'Conflict. The container name "/demo-db-1" is already in use by container "c9".'
    asked: list[None] = []

    def up() -> str:
        asked.append(None)
        return taken

    made.engine.broken_up = up
    with pytest.raises(DeployBroken, match="going back failed too"):
        run(made, db="2")
    assert len(asked) == 8


def test_what_was_put_back_is_watched() -> None:
    """A release before that doesn't get well again either is not called serving: exit code 6."""
    made = world()
    first(made)
    made.engine.sick |= {"sha256:config-web-1", "sha256:config-web-2"}
    with pytest.raises(DeployBroken, match="going back failed too: web is unhealthy") as caught:
        run(made, web="2")
    assert caught.value.exit_code == 6
    assert "serving again" not in caught.value.message


def test_the_link_goes_back_too() -> None:
    """A deploy that fails after it made its release the current one makes the old one current."""
    made = world()
    before = first(made)
    link, switched = made.folder.link, list[str | None]()

    def link_and_fail(path: str, target: str) -> None:
        link(path, target)
        if made.folder.live != before.release and not switched:
            switched.append(made.folder.live)
            raise OSError(28, "No space left on device")

    made.folder.link = link_and_fail  # type: ignore[method-assign]
    with pytest.raises(DeployError, match=f"{before.release} is serving again"):
        run(made, web="2")
    assert len(switched) == 1
    assert made.folder.live == before.release
    assert {one.image_id for one in made.engine.running if one.service == "web"} == {
        "sha256:config-web-1"
    }


def test_a_first_deploy_that_fails_leaves_no_current_release() -> None:
    """After a failed record of the first deploy nothing is called live."""
    made = world()
    link = made.folder.link

    def link_and_fail(path: str, target: str) -> None:
        link(path, target)
        if made.folder.live:
            raise OSError(28, "No space left on device")

    made.folder.link = link_and_fail  # type: ignore[method-assign]
    with pytest.raises(DeployError, match="taken down, data was kept"):
        run(made)
    assert made.folder.live is None
    assert made.engine.running == []


def test_going_back_puts_networks_back() -> None:
    """The networks of the release before are made anew on the way back too."""
    text = COMPOSE + "networks: { inner: { internal: true } }\n"
    text = text.replace("secrets: [db_password]", "secrets: [db_password]\n    networks: [inner]")
    made = world()
    before = first(made, compose=text)
    made.engine.sick.add("sha256:config-web-2")
    with pytest.raises(DeployError, match=f"{before.release} is serving again"):
        run(made, compose=text.replace("internal: true", "internal: false"), web="2")
    assert made.engine.removed_networks == ["inner", "inner"]
    assert {one.service for one in made.engine.running} == {"web", "db"}


def test_an_error_while_going_back_names_what_is_left() -> None:
    """The details hold the cause's lines and the second failure's, and whose is whose."""
    made = world()
    first(made)
    made.engine.sick.add("sha256:config-web-2")
    ups = iter([None, None])
    made.engine.broken_up = lambda: next(ups, "disk is gone")
    with pytest.raises(DeployBroken) as caught:
        run(made, web="2")
    details = list(caught.value.details)
    assert any("last words" in line for line in details[: details.index("going back:")])
    behind = details[details.index("going back:") + 1 :]
    assert [line for line in behind if line.endswith(" of web:")] == [
        "health check of web:", "last lines of web:",
    ]  # fmt: skip


def test_what_ran_once_is_not_blamed_for_a_failed_start() -> None:
    """A job that ended badly long ago is not why Compose failed: its own words are shown."""
    made = world()
    first(made)
    made.engine.running.append(
        replace(made.engine.running[0], id="once", one_off=True, state="exited", exit_code=1)
    )
    answers = iter(["no space left"])
    made.engine.broken_up = lambda: next(answers, None)
    with pytest.raises(DeployError, match="`compose up` failed") as caught:
        run(made, db="2")
    assert "no space left" in caught.value.details
