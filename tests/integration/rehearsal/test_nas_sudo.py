"""TrueNAS' sudo, which logs what commands start: nothing starts anything once it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.integration.rehearsal.conftest import Lab, ask

from slipway.hosts.rehearsal import ADMIN, RehearsalInfo
from slipway.hosts.ssh import SshHost

#: Answers, and leaves a process behind that starts a program when it may.
LEAVES = """echo answered; (
    while [ ! -e "$1/go" ]; do sleep 0.1; done
    ls / >"$1/seen" 2>&1
    : >"$1/over"
) >/dev/null 2>&1 </dev/null &
exit 3
"""


@pytest.fixture(scope="module")
def nas(make_lab: Callable[[], Lab]) -> RehearsalInfo:
    """A NAS whose admin may use sudo as the guide says."""
    lab = make_lab()
    info = lab.hosts.up("nas", lab.tree, release="25.10")
    ask(info, "sh", "-c", f"'echo \"{ADMIN} ALL=(ALL) NOPASSWD: ALL\" >>/etc/sudoers'")
    return info


def seen(nas: RehearsalInfo, name: str, *, launched: bool) -> str:
    """What a process left behind could do, once who started it had its answer."""
    folder = f"/mnt/tank/{name}"
    ask(nas, "mkdir", folder)
    host = SshHost(replace(nas.login, user=ADMIN), sudo=True)
    argv = ("sh", "-c", LEAVES, "leaves", folder)
    try:
        if launched:
            done = host.launch(argv, timeout=30, input=b"")
        else:
            done = host.run(argv, timeout=30, check=False)
        assert (done.exit_code, done.stdout, done.stderr) == (3, b"answered\n", b"")
    finally:
        host.close()
    ask(nas, "touch", f"{folder}/go")
    for _ in range(300):
        if ask(nas, "ls", folder).split() == ["go", "over", "seen"]:
            break
        time.sleep(0.1)
    return ask(nas, "cat", f"{folder}/seen")


def test_what_is_left_behind_can_start_programs(nas: RehearsalInfo) -> None:
    """sudo stays as long as it does, and nothing else of the command is left."""
    assert "mnt" in seen(nas, "launched", launched=True).split()
    left = ask(nas, "sh", "-c", "'ls -A /tmp; pgrep -l sudo || :'")
    assert left == ""


def test_without_that_it_could_not(nas: RehearsalInfo) -> None:
    """What the stand-in is for: its sudo is as strict as TrueNAS'."""
    assert "Function not implemented" in seen(nas, "run", launched=False)
