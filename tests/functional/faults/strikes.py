"""The faults themselves. Each is given the place and the deploy that is under way."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

from tests.functional.faults.place import Deploying, Late, Place, until

Strike = Callable[[Place, Deploying], None]


def killed(place: Place, deploying: Deploying) -> None:
    """The client is gone with everything it had started."""
    deploying.kill()


def signalled(number: int, times: int = 1) -> Strike:
    """The client is told to end, once or twice."""

    def strike(place: Place, deploying: Deploying) -> None:
        for turn in range(times):
            if turn:
                time.sleep(0.7)
            deploying.signal(number)

    return strike


def cut(seconds: float | None) -> Strike:
    """The network to the host is gone: for a time, or until the deploy has given up."""

    def strike(place: Place, deploying: Deploying) -> None:
        wire(place, "down")
        try:
            if seconds is None:
                deploying.end(240)
            else:
                time.sleep(seconds)
        finally:
            wire(place, "up")

    return strike


def wire(place: Place, state: str) -> None:
    """Set this machine's end of the wire up or down."""
    argv = ["ip", "link", "set", place.places.interface, state]
    subprocess.run(argv, check=True, capture_output=True)


def runner_killed(place: Place, deploying: Deploying) -> None:
    """The host's process that carries out the deploy is gone."""
    pid = place.runner()
    if not pid:
        raise Late("nobody works at the run")
    os.kill(pid, signal.SIGKILL)


def runner_killed_in_migration(place: Place, deploying: Deploying) -> None:
    """The same, once the migration's statements have reached the database."""
    at_work = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(40)%'"
    until(lambda: place.ask_database(at_work) == "1", 60, "the migration is under way")
    runner_killed(place, deploying)


def runner_frozen(place: Place, deploying: Deploying) -> None:
    """The host's process that carries out the deploy does nothing any more, and holds the lease."""
    pid = place.runner()
    if not pid:
        raise Late("nobody works at the run")
    os.kill(pid, signal.SIGSTOP)


def schema_stays(place: Place) -> None:
    """Nothing of the migration arrives after its end, for longer than it would have taken."""
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'jobs'"
    end = time.monotonic() + 45
    while time.monotonic() < end:
        if place.ask_database(columns) != "2":
            raise Late("the migration that was broken off has changed the table afterwards")
        time.sleep(1)
    place.whole(1)


def nothing_loads(place: Place) -> None:
    """What read the line on the host has ended, and with it what it had written."""

    def is_so() -> bool:
        loads = place.inside("pgrep", "-f", "docker load").stdout.split()
        return not loads and not list((place.places.docker / "tmp").glob("docker-import-*"))

    until(is_so, 400, "no image is being loaded", 1)


def docker_killed(place: Place, deploying: Deploying) -> None:
    """Docker's daemon is gone; what starts a host's services starts it again."""
    done = place.inside("pkill", "-KILL", "-x", "dockerd")
    if done.returncode:
        raise Late(f"dockerd was not found: {done.stderr}")


def rebooted(place: Place, deploying: Deploying) -> None:
    """The host loses its power and is booted again; the client is gone as well."""
    deploying.kill()
    place.crash()
    place.boot()


def rebooted_alone(place: Place, deploying: Deploying) -> None:
    """The host loses its power and is booted again; the client waits for it."""
    place.crash()
    place.boot()


def edge_restarted(place: Place, deploying: Deploying) -> None:
    """Somebody restarts the edge in the middle of the switch."""
    done = place.inside("docker", "restart", "--time", "1", "langflix-edge-1")
    if done.returncode:
        raise Late(done.stderr)


def nothing(place: Place, deploying: Deploying) -> None:
    """The release itself is the fault."""


def leave(place: Place) -> None:
    """Change nothing."""


def link_lost(place: Place) -> None:
    """The host's record of which release is live is gone."""
    (place.folder / "current").unlink()


_ACL = "    redis_acl: { derive: redis-acl, from: redis_password }\n"
_WANTED = "    wanted: {}\n"


def secret_wanted(place: Place) -> None:
    """The stack wants a secret that nobody has."""
    place.site.replace("deploy/docker-compose.faults.yml", _ACL, _ACL + _WANTED)


def secret_not_wanted(place: Place) -> None:
    """As before."""
    place.site.replace("deploy/docker-compose.faults.yml", _WANTED, "")


_IMAGE = "deploy/images/frontend/faults.bin"


def image_changed(place: Place) -> None:
    """An image has some megabytes that the host lacks."""
    (place.site.root / _IMAGE).write_bytes(os.urandom(24 << 20))
    place.site.good("build")


def image_as_before(place: Place) -> None:
    """Without them."""
    (place.site.root / _IMAGE).unlink()


def corrupting(place: Place) -> None:
    """What comes to Docker has a byte in its middle that was not sent."""
    image_changed(place)
    place.docker_program('case $1 in load) exec python3 -I /mnt/tank/corrupt.py "$@";; esac\n')
    (place.places.pool / "corrupt.py").write_text(_CORRUPT)


_CORRUPT = """import subprocess, sys
with subprocess.Popen(["docker", *sys.argv[1:]], stdin=subprocess.PIPE) as docker:
    seen = 0
    while data := bytearray(sys.stdin.buffer.read(1 << 16)):
        if seen < 4_000_000 <= seen + len(data):
            data[0] ^= 1
            open("/mnt/tank/corrupted", "w").close()
        seen += len(data)
        docker.stdin.write(data)
    docker.stdin.close()
sys.exit(docker.returncode)
"""


def not_corrupting(place: Place) -> None:
    """As before."""
    image_as_before(place)
    place.docker_program()
    if not (place.places.pool / "corrupted").exists():
        raise Late("nothing was corrupted")


def disk_full(place: Place, deploying: Deploying) -> None:
    """The host's disk is full until the deploy has ended."""
    resize(place, 1 << 20)
    try:
        deploying.end(300)
    finally:
        resize(place, None)


def resize(place: Place, left: int | None) -> None:
    """Leave so many bytes free on the host's disk, which is in memory; None for plenty."""
    for folder in (place.places.docker, place.places.pool):
        held = os.statvfs(folder)
        used = (held.f_blocks - held.f_bfree) * held.f_frsize
        size = ROOM if left is None else used + left + 4096
        argv = ["mount", "-o", f"remount,size={size}", str(folder)]
        subprocess.run(argv, check=True, capture_output=True)


ROOM = 6 << 30


def clock_jumps(place: Place, deploying: Deploying) -> None:
    """Files of the run look an hour older, as after a jump of the clock."""
    folder = place.folder / "runs" / place.run()
    for path in folder.iterdir():
        os.utime(path, (time.time() - 3600, time.time() - 3600))


def second_deploy(place: Place, deploying: Deploying) -> None:
    """Somebody else deploys at the same time: refused, with who and since when."""
    second = place.begin(VERSION=f"{place.version}", USER="somebody", LOGNAME="somebody")
    code = second.end(120)
    if code != 3 and code != 5:
        raise Late(f"the second deploy ended with {code}: {second.text()}")
    if "is busy on" not in second.text():
        raise Late(f"the second deploy said: {second.text()}")


def second_waits(place: Place, deploying: Deploying) -> None:
    """Somebody else deploys at the same time and waits."""
    second = place.begin("--wait", USER="somebody", LOGNAME="somebody")
    code = second.end(240)
    if code:
        raise Late(f"the second deploy ended with {code}: {second.text()}")
    until(lambda: deploying.process.poll() is not None, 60, "the first deploy has ended")
