"""PostgreSQL's data put back from a snapshot: the real server takes them, whatever came since."""

from __future__ import annotations

import subprocess

from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.databases import OWNER, Login, ask, make_database_room, start, stop

from slipway.runner.putback import SNAPSHOTS, put_back


def test_rows_are_those_of_then_and_the_password_that_of_now(make_room: MakeRoom) -> None:
    """The snapshot is of a server that runs: it is as after a power cut.

    Since then rows came, the cluster was shut down well, and the password was changed.
    """
    room = make_database_room(make_room)
    data = room.folder / "data"
    process = start(room)
    assert ask(room, OWNER, "create table rows as select 1 as n")[0] == 0
    room.kill(process)
    shown = data / SNAPSHOTS / "then"
    shown.parent.mkdir(parents=True)
    copy = room.folder / "copy"
    subprocess.run(["cp", "--archive", str(data), str(copy)], check=True)
    copy.rename(shown)
    process = start(room)
    assert ask(room, OWNER, "insert into rows values (2); create table later ()")[0] == 0
    stop(room, process)

    put_back([str(data)], "then", lambda: None)
    room.secrets["postgres_password"] = "second one"
    process = start(room)
    now = Login(OWNER.user, "second one")
    assert ask(room, now, "select n from rows") == (0, "1\n")
    assert ask(room, now, "select to_regclass('later') is null") == (0, "t\n")
    assert ask(room, OWNER, "select 1")[0] != 0
    stop(room, process)
