"""Booting, illness and removal of rehearsal hosts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.rehearsal.conftest import ROOT, Lab, ask, busybox_archive, ssh

from slipway.errors import ConfigError, HostError
from slipway.hosts.rehearsal import RehearsalInfo, machine, spec
from slipway.hosts.rehearsal.values import Places

USE_AS = """
import sys
from pathlib import Path
from slipway.doors import SystemClock
from slipway.errors import SlipwayError
from slipway.hosts.rehearsal import Rehearsals
from slipway.report import Report
from slipway.shell import LocalShell
report = Report()
hosts = Rehearsals(Path(sys.argv[1]), shell=LocalShell(), clock=SystemClock(), report=report)
try:
    getattr(hosts, sys.argv[2])(*([sys.argv[3], Path(sys.argv[4])][:int(sys.argv[5])]))
except SlipwayError as error:
    report.error(error)
    sys.exit(error.exit_code)
"""


def _wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)


def _first_process(lab: Lab, name: str) -> int:
    (pid,) = machine.processes(Places((lab.root / name).resolve()).marker)
    return pid


def _traces(lab: Lab, name: str) -> list[str]:
    """Everything of a host that can be seen on this machine."""
    places = Places((lab.root / name).resolve())
    mounts = Path("/proc/mounts").read_text().splitlines()
    found = [line for line in mounts if str(places.state) in line]
    if Path("/sys/class/net", places.interface).exists():
        found.append(places.interface)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if places.group in (entry / "cgroup").read_text():
                    found.append(f"process {entry.name}")
    walk = subprocess.run(
        ["find", "/sys/fs/cgroup", "-maxdepth", "3", "-name", places.group],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found += walk.stdout.split()
    found += [str(places.state)] if places.state.exists() else []
    return found


def _machine() -> dict[str, object]:
    """What a host must leave as it was on the whole machine."""
    netns = subprocess.run(["ip", "netns"], capture_output=True, timeout=20, check=True)
    return {
        "mounts": Path("/proc/mounts").read_text(),
        "netns": netns.stdout,
        "forward": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        "host name": os.uname().nodename,
    }


def test_up_again_is_nothing_and_down_leaves_nothing(lab: Lab) -> None:
    """A healthy host stays as it is on a second up; after down no trace of it is left."""
    before = _machine()
    info = lab.up("once")
    pid = _first_process(lab, "once")
    assert _machine() == before
    assert len(_traces(lab, "once")) > 3
    assert lab.up("once") == info
    assert _first_process(lab, "once") == pid
    assert lab.hosts.status("once") == info
    assert lab.hosts.down("once")
    assert _traces(lab, "once") == []
    assert _machine() == before
    assert lab.hosts.status("once") is None
    assert not lab.hosts.down("once")


def test_two_hosts_run_side_by_side(lab: Lab) -> None:
    """Two names are two machines with their own address, key and Docker; one goes, one stays."""
    one, two = lab.up("one"), lab.up("two")
    assert one.address != two.address
    assert Path(one.key_path).read_text() != Path(two.key_path).read_text()
    assert ask(one, "hostname") == "one"
    assert ask(two, "hostname") == "two"
    assert [info.name for info in lab.hosts.list_all()] == ["one", "two"]
    lab.hosts.down("one")
    assert ask(two, "hostname") == "two"
    assert [info.name for info in lab.hosts.list_all()] == ["two"]


def test_two_ups_at_once_make_one_host(lab: Lab) -> None:
    """A second up that comes while the first boots waits and finds the host."""
    got: list[RehearsalInfo] = []
    threads = [threading.Thread(target=lambda: got.append(lab.up("shy"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(got) == 2
    assert got[0] == got[1]
    assert _first_process(lab, "shy")


def _fill(lab: Lab, info: RehearsalInfo) -> None:
    ask(info, "docker", "import", "-", "box:1", data=busybox_archive(lab.tree))
    run = ["docker", "run", "-d", "--init", "--restart", "unless-stopped", "--name", "stays"]
    ask(info, *run, "box:1", "sleep", "1000")
    ask(info, "touch", "/mnt/tank/kept", "/root/lost")


def _kept(info: RehearsalInfo) -> None:
    assert "box:1" in ask(info, "docker", "images", "--format", "'{{.Repository}}:{{.Tag}}'")
    status = ["docker", "inspect", "-f", "'{{.State.Status}}'", "stays"]
    _wait(lambda: ask(info, *status) == "running", "the container's restart")
    assert ask(info, "ls", "/mnt/tank") == "kept"
    assert ssh(info, "ls", "/root/lost").returncode != 0


def test_data_survives_a_lost_host(lab: Lab) -> None:
    """After kill -9 of its first process, up boots it again with its images and pool."""
    info = lab.up("phoenix")
    _fill(lab, info)
    pid = _first_process(lab, "phoenix")
    os.kill(pid, signal.SIGKILL)
    _wait(lambda: not Path("/proc", str(pid)).exists(), "the end of the host")
    ill = lab.hosts.status("phoenix")
    assert ill is not None
    assert ill.problem == "it does not run"
    again = lab.up("phoenix")
    assert (again.address, again.key_path) == (info.address, info.key_path)
    _kept(again)


def test_dead_service_is_seen_and_healed(lab: Lab) -> None:
    """A host whose sshd was killed has a problem, and up boots it anew."""
    info = lab.up("patient")
    _fill(lab, info)
    # The listener is the oldest sshd; the connection that kills it outlives it.
    ssh(info, "kill -9 $(ps -o pid= -C sshd --sort start_time | head -1)")
    _wait(lambda: (lab.hosts.status("patient") or info).problem, "the discovery")
    ill = lab.hosts.status("patient")
    assert ill is not None
    assert ill.problem == "its sshd does not answer"
    again = lab.up("patient")
    assert again.healthy
    _kept(again)


def test_dead_docker_is_started_again(lab: Lab) -> None:
    """As by systemd, and without a boot: the first process is the same, the daemon another one."""
    info = lab.up("patient")
    first, daemon = _first_process(lab, "patient"), ask(info, "pgrep -x dockerd")
    ssh(info, "kill -9 $(pgrep -x dockerd)")

    def healed() -> bool:
        seen = lab.hosts.status("patient")
        return seen is not None and seen.healthy and ask(info, "pgrep -x dockerd") != daemon

    _wait(healed, "Docker's return")
    assert _first_process(lab, "patient") == first


def test_programs_are_run_at_the_end_of_a_boot(lab: Lab) -> None:
    """Those that may be executed and end in .start, once Docker answers; they outlive a crash."""
    info = lab.up("patient")
    for name, mode in (("a.start", "755"), ("b.start", "644"), ("c.stop", "755")):
        script = f"#!/bin/sh\\ndocker version >/mnt/tank/{name} 2>&1\\n"
        ssh(info, f"printf '{script}' >/etc/local.d/{name}; chmod {mode} /etc/local.d/{name}")
    os.kill(_first_process(lab, "patient"), signal.SIGKILL)
    info = lab.up("patient")
    _wait(lambda: "Server" in ask(info, "cat /mnt/tank/a.start || :"), "the program's end")
    assert ask(info, "ls /mnt/tank/*.start /mnt/tank/*.stop 2>/dev/null || :") == (
        "/mnt/tank/a.start"
    )


def test_killed_boot_ends_by_itself_and_can_be_done_again(lab: Lab) -> None:
    """When the booting command is killed, the half host ends and the next up makes a whole one."""
    halt = "machine.plug = lambda *_: (print('born', flush=True), time.sleep(300))\n"
    script = f"import time\nfrom slipway.hosts.rehearsal import machine\n{halt}{USE_AS}"
    argv = [sys.executable, "-c", script, str(lab.root), "up", "torn", str(lab.tree), "2"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as booting:
        assert booting.stdout is not None
        assert booting.stdout.readline() == b"born\n"
        marker = Places((lab.root / "torn").resolve()).marker
        assert machine.processes(marker)
        booting.kill()
    _wait(lambda: not machine.processes(marker), "the end of the half host")
    info = lab.up("torn")
    assert ask(info, "hostname") == "torn"
    assert len(machine.processes(marker)) == 1


def test_failed_boot_says_why_and_stops_everything(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When dockerd can't start, the error has its last words and nothing is left running."""
    make = spec.make

    def broken(*args: object) -> dict[str, object]:
        document = make(*args)  # type: ignore[arg-type]
        init = document["init"]
        assert isinstance(init, dict)
        return {**document, "init": {**init, "dockerd": ["/usr/sbin/dockerd", "--no-such-flag"]}}

    monkeypatch.setattr(spec, "make", broken)
    with pytest.raises(HostError) as caught:
        lab.up("broken")
    assert caught.value.exit_code == 4
    assert "dockerd ended with code" in caught.value.message
    assert any("no-such-flag" in line for line in caught.value.details)
    state = str((lab.root / "broken").resolve())
    assert _traces(lab, "broken") == [state]
    lab.hosts.down("broken")
    assert _traces(lab, "broken") == []


def test_changed_programs_mean_a_new_boot(lab: Lab, tmp_path: Path) -> None:
    """Another tree under the same name boots anew from it and keeps the data."""
    info = lab.up("moved")
    _fill(lab, info)
    other = tmp_path / "tree"
    other.symlink_to(lab.tree)
    same = lab.hosts.up("moved", other)
    assert same == info, "a link to the same tree is the same tree"
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", f"{lab.tree}/", str(copy)], timeout=300, check=True)
    moved = lab.hosts.up("moved", copy)
    assert moved.tree == str(copy)
    _kept(moved)
    lab.hosts.down("moved")


def test_without_root_it_says_so(lab: Lab, tmp_path: Path) -> None:
    """Another user gets one sentence with a way around, exit code 4, and nothing is made."""
    lab.root.parent.chmod(0o755)
    root = lab.root / "none"
    # Only the identity changes: the tests' Python may lie where another user can't read it.
    script = USE_AS.replace("import sys\n", "import os, sys\n", 1)
    script = script.replace("try:\n", "os.seteuid(65534)\ntry:\n", 1)
    for verb, count in (("up", 2), ("down", 1), ("status", 1), ("list_all", 0)):
        argv = [sys.executable, "-c", script, str(root), verb, "a", str(lab.tree), str(count)]
        done = subprocess.run(
            argv, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True,
            text=True, timeout=60, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 4
        assert "needs root" in done.stderr
        assert "--host local" in done.stderr
        assert "Traceback" not in done.stderr
    assert not root.exists()


def test_bad_name_and_bad_tree_change_nothing(lab: Lab, tmp_path: Path) -> None:
    """A bad name or a folder that is no tree is refused before anything is made."""
    for name in ("../x", "", "UP"):
        with pytest.raises(ConfigError):
            lab.up(name)
        with pytest.raises(ConfigError):
            lab.hosts.down(name)
    with pytest.raises(ConfigError, match="no tree"):
        lab.hosts.up("ok", tmp_path)
    assert not lab.root.exists()


def test_damaged_info_is_healed(lab: Lab) -> None:
    """A host whose info.json was damaged is ill, and up boots it anew."""
    lab.up("smudged")
    (lab.root / "smudged/info.json").write_text(json.dumps({"info": 3}))
    ill = lab.hosts.status("smudged")
    assert ill is not None
    assert not ill.healthy
    assert lab.up("smudged").healthy


def test_something_mounted_inside_stops_removal(lab: Lab) -> None:
    """A mount somebody put into the pool is not deleted through; removal says where it is."""
    lab.up("guarded")
    inside = lab.root / "guarded/pool/outer"
    inside.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(inside)], timeout=20, check=True)
    try:
        (inside / "precious").write_text("x")
        with pytest.raises(HostError, match="mounted inside") as caught:
            lab.hosts.down("guarded")
        assert str(inside) in (caught.value.hint or "")
        assert (inside / "precious").exists()
    finally:
        subprocess.run(["umount", str(inside)], timeout=20, check=True)
    assert lab.hosts.down("guarded")


def test_state_that_cannot_be_written_is_a_sentence(lab: Lab) -> None:
    """A state folder that can't be made (here: a file is in its place) is an error with a hint."""
    lab.root.mkdir()
    (lab.root / "blocked").write_text("")
    with pytest.raises(HostError, match="can't be worked on") as caught:
        lab.up("blocked")
    assert caught.value.hint is not None
    (lab.root / "blocked").unlink()
