"""The Redis role: its configuration with the real server, as uid 568 in the image's files."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.integration.deploy.conftest import MakeRoom
from tests.integration.deploy.rooms import APPS, ROOT, Room, wait_for

from slipway.config import load

ETC = ROOT / "deploy/images/redis/etc/redis"
IMAGE = load(ROOT).images["redis"]
START = list(IMAGE.entrypoint)
RELOAD = ["/usr/bin/acl", "reload", *START[1:4], "127.0.0.1:6379"]
USERS = ("api", "worker", "beat", "flower", "default")
#: Somebody for the tests, who may do everything; the image knows nobody like that.
ADMIN = "\nuser admin password:redis_admin ~* &* +@all\n"
#: Every command with which somebody could read, empty or change what is none of his business.
FORBIDDEN = (
    "ACL SETUSER api +@all", "ACL LIST", "ACL WHOAMI", "CONFIG GET requirepass",
    "CONFIG SET dir /tmp", "CONFIG REWRITE", "FLUSHALL", "FLUSHDB", "KEYS *", "SCAN 0",
    "RANDOMKEY", "DBSIZE", "DUMP media", "RESTORE media 0 x", "MIGRATE h 1 k 0 1", "MOVE media 1",
    "RENAME media x", "COPY media x", "SORT media", "SWAPDB 0 1", "SELECT 1", "EVAL return 0",
    "EVAL_RO return 0", "FCALL f 0", "FUNCTION LIST", "FUNCTION FLUSH", "SCRIPT FLUSH",
    "SCRIPT KILL", "SCRIPT DEBUG YES", "MODULE LIST", "MODULE LOAD /tmp/x.so", "DEBUG SLEEP 0",
    "MONITOR", "SLOWLOG GET", "LATENCY LATEST", "MEMORY STATS", "INFO", "CLIENT LIST",
    "CLIENT KILL TYPE normal", "CLIENT PAUSE 1000", "CLIENT NO-EVICT ON", "SHUTDOWN NOSAVE",
    "REPLICAOF h 1", "SLAVEOF h 1", "SYNC", "PSYNC ? -1", "FAILOVER", "CLUSTER INFO", "BGSAVE",
    "SAVE", "BGREWRITEAOF", "LASTSAVE", "WAIT 1 1", "PUBSUB CHANNELS", "COMMAND LIST",
    "OBJECT HELP",
)  # fmt: skip
#: User to what is forbidden to him of what others may do.
FOREIGN = {
    "api": (
        "LPOP media", "BRPOP media 1", "DEL media", "LPUSH light x", "LRANGE media 0 -1",
        "HGET unacked x", "HDEL unacked x", "ZREM unacked_index x", "SET langflix:x 1",
        "SUBSCRIBE /0.celery.pidbox", "PUBLISH other x", "SET x 1", "GET x",
    ),
    "worker": (
        "SET x 1", "GET x", "BRPOP a.reply.celery.pidbox 1", "PUBLISH other x", "SUBSCRIBE other",
        "PSUBSCRIBE *",
    ),
    "beat": (
        "LPUSH media x", "BRPOP light 1", "DEL light", "LRANGE light 0 -1", "GET langflix:x",
        "PUBLISH /0.celery.pidbox x", "SADD _kombu.binding.media x",
    ),
    "flower": (
        "LPUSH media x", "LPUSH light x", "BRPOP media 1", "LRANGE media 0 -1", "DEL media",
        "HGET unacked x", "ZREM unacked_index x", "GET langflix:x", "SET x 1",
    ),
    "default": ("SET x 1", "GET x", "PUBLISH other x", "PSUBSCRIBE *"),
}  # fmt: skip


@pytest.fixture
def room(make_room: MakeRoom, acl: Path) -> Room:
    """A room with all that the server reads."""
    return make_queue_room(make_room, acl)


def make_queue_room(make_room: MakeRoom, acl: Path) -> Room:
    """A room whose data path is empty, with each user's password, and somebody for the tests."""
    made = make_room("redis")
    data, etc = made.folder / "data", made.folder / "etc"
    data.mkdir(mode=0o700)
    os.chown(data, APPS, APPS)
    shutil.copytree(ETC, etc)
    with (etc / "users.acl").open("a") as users:
        users.write(ADMIN)
    shutil.copy2(acl, made.root / "usr/bin/acl")
    made.binds |= {data: "/data", etc: "/etc/redis"}
    for user in (*USERS, "admin"):
        made.secrets[f"redis_{'password' if user == 'default' else user}"] = f"canary-{user}"
    return made


def _ask(room: Room, *command: str, user: str = "admin", password: str = "") -> str:
    argv = ["/usr/bin/redis-cli", "-h", "127.0.0.1", "--no-auth-warning", "--user", user, *command]
    return room.run(argv, env={"REDISCLI_AUTH": password or f"canary-{user}"})[1].strip()


def _log_in(room: Room, user: str, password: str = "", *, greets: bool = True) -> Any:
    """A connection of a user's, from within the house."""
    with room.house.entered():
        client = redis.Redis(
            username=user,
            password=password or f"canary-{user}",
            single_connection_client=True,
            decode_responses=True,
        )
        if greets:
            client.ping()
    return client


def _refused(client: Any, command: str) -> bool:
    """Whether a command is refused for want of rights, or because it is off altogether."""
    try:
        client.execute_command(*command.split())
    except redis.exceptions.NoPermissionError:
        return True
    except redis.exceptions.RedisError as error:
        return "command not allowed" in str(error)
    return False


def _start(room: Room) -> subprocess.Popen[bytes]:
    process = room.start(START)

    def up() -> bool:
        assert process.poll() is None, room.log.read_text()
        return _ask(room, "PING") == "PONG"

    wait_for(up, "Redis to answer")
    return process


@pytest.mark.parametrize("user", USERS)
def test_what_could_do_harm_is_refused(room: Room, user: str) -> None:
    """Nobody looks at all keys, empties a database or changes the server, or does others' work."""
    _start(room)
    client = _log_in(room, user)
    commands = (*FORBIDDEN, *FOREIGN[user])
    assert [one for one in commands if not _refused(client, one)] == []
    assert client.ping()


def _granted(user: str) -> set[str]:
    """The commands that users.acl names for somebody."""
    text = (ETC / "users.acl").read_text()
    own = re.search(rf"^user {user} .*\n(?: .*\n)*", text, re.MULTILINE)
    assert own is not None
    return set(re.findall(r"[ (]\+([a-z|]+)", own[0]))


@pytest.mark.parametrize("user", USERS)
def test_of_all_commands_only_those_named_are_allowed(room: Room, user: str) -> None:
    """The server itself is asked about each command that it has, for a key of the user's own."""
    _start(room)
    admin = _log_in(room, "admin")
    admin.response_callbacks.clear()
    allowed = set()
    for info in admin.execute_command("COMMAND"):
        for name, arity in _forms(info):
            words = [*name.split("|"), *["1"] * (abs(arity) - len(name.split("|")))]
            answer = str(admin.execute_command("ACL", "DRYRUN", user, *words))
            if "has no permissions to run" not in answer:
                allowed.add(name)
    # These are what one logs in and out with: no right is needed for them.
    assert allowed == _granted(user) | {"auth", "hello", "quit", "reset"}


def _forms(info: list[Any]) -> list[tuple[str, int]]:
    """A command, or its subcommands, with the number of words that each wants."""
    name, arity, subcommands = str(info[0]), int(info[1]), info[9] if len(info) > 9 else []
    return [(str(one[0]), int(one[1])) for one in subcommands] or [(name, arity)]


def test_a_running_server_takes_other_passwords(room: Room) -> None:
    """Both, then the new one alone; who is connected stays so, and a start makes it the same."""
    process = _start(room)
    client = _log_in(room, "api")
    room.change_secrets(process, redis_api="canary-new\n", redis_api__before="canary-api\n")
    assert room.join(process, RELOAD) == (0, "")
    for password in ("canary-new", "canary-api"):
        assert _log_in(room, "api", password).ping()
    room.change_secrets(process, redis_api__before="")
    assert room.join(process, RELOAD) == (0, "")
    assert _log_in(room, "api", "canary-new").ping()
    with pytest.raises(redis.exceptions.AuthenticationError):
        _log_in(room, "api")
    assert client.ping()
    assert _log_in(room, "worker").ping()
    assert "canary" not in room.log.read_text()


def test_who_changes_passwords_can_do_nothing_else(room: Room) -> None:
    """Their password is in the container alone, and of one start."""
    process = _start(room)
    password = _reloads(room, process)
    client = _log_in(room, "reload", password, greets=False)
    with room.house.entered():
        assert not _refused(client, "ACL SETUSER nobody off")
    commands = [one for one in FORBIDDEN if not one.startswith(("ACL SETUSER", "ACL WHOAMI"))]
    assert [one for one in (*commands, "GET x", "PING") if not _refused(client, one)] == []
    room.kill(process)
    assert _reloads(room, _start(room)) != password


def _reloads(room: Room, process: subprocess.Popen[bytes]) -> str:
    """The password of who changes passwords."""
    return Path(f"/proc/{room.leader(process)}/root/run/redis/users.acl.reload").read_text()


def test_nobody_comes_in_without_a_name(room: Room) -> None:
    """Without a password, or with a wrong one, every command is refused."""
    _start(room)
    for command in (["PING"], ["GET", "x"]):
        argv = ["/usr/bin/redis-cli", "-h", "127.0.0.1", *command]
        assert room.run(argv)[1].startswith("NOAUTH")
    assert "WRONGPASS" in _ask(room, "GET", "x", password="wrong")
    assert "WRONGPASS" in _ask(room, "PING", user="api", password="canary-worker")


def test_the_one_user_of_before_is_off_where_there_was_none(room: Room) -> None:
    """An empty password lets nobody in, not even with an empty one."""
    room.secrets["redis_password"] = ""
    _start(room)
    argv = ["/usr/bin/redis-cli", "-h", "127.0.0.1", "AUTH", "default", ""]
    assert "WRONGPASS" in room.run(argv)[1]
    assert "default off" in _ask(room, "ACL", "LIST")


def test_the_password_of_before_goes_on(room: Room) -> None:
    """A release before there were users knows one password and no name; it can do its work."""
    _start(room)
    assert _ask(room, "LPUSH", "media", "x", user="default") == "1"
    argv = ["/usr/bin/redis-cli", "-h", "127.0.0.1", "--no-auth-warning", "BRPOP", "media", "1"]
    assert room.run(argv, env={"REDISCLI_AUTH": "canary-default"})[1].split() == ["media", "x"]


def test_two_passwords_can_be_valid_at_once(room: Room) -> None:
    """Another hash beside the first lets both in, until one is taken away; nobody is cut off."""
    _start(room)
    old = _log_in(room, "api")
    digest = hashlib.sha256(b"second one").hexdigest()
    assert _ask(room, "ACL", "SETUSER", "api", f"#{digest}") == "OK"
    assert _log_in(room, "api").ping()
    assert _log_in(room, "api", "second one").ping()
    first = hashlib.sha256(b"canary-api").hexdigest()
    assert _ask(room, "ACL", "SETUSER", "api", f"!{first}") == "OK"
    assert old.ping()
    assert "WRONGPASS" in _ask(room, "PING", user="api")


def test_a_missing_password_stops_the_start(room: Room) -> None:
    """One sentence says which."""
    del room.secrets["redis_beat"]
    code, output = room.run(START)
    assert code == 1
    assert output.startswith("acl: a secret can't be read: open /run/secrets/redis_beat")


def test_passwords_are_in_no_log(room: Room) -> None:
    """Nor in the list that the server reads."""
    process = _start(room)
    listed = Path(f"/proc/{room.leader(process)}/root/run/redis/users.acl")
    assert (listed.stat().st_mode & 0o777, listed.stat().st_uid) == (0o600, APPS)
    assert "canary" not in listed.read_text()
    assert "canary" not in room.log.read_text()


def test_what_was_written_outlives_a_kill(room: Room) -> None:
    """The append-only file brings back what was written more than a second before a kill."""
    process = _start(room)
    assert _ask(room, "SET", "kept", "42") == "OK"
    assert _ask(room, "WAITAOF", "1", "0", "5000").split() == ["1", "0"]
    room.kill(process)
    _start(room)
    assert _ask(room, "GET", "kept") == "42"


def test_a_stop_saves_and_ends_with_success(room: Room) -> None:
    """SIGTERM, which Docker sends, is an orderly stop."""
    process = _start(room)
    room.signal(process, signal.SIGTERM)
    assert process.wait(120) == 0


def test_full_is_refused_and_nothing_is_dropped(room: Room) -> None:
    """At its memory limit Redis refuses writes; what it holds stays."""
    _start(room)
    assert _ask(room, "SET", "kept", "42") == "OK"
    assert _ask(room, "CONFIG", "SET", "maxmemory", "1") == "OK"
    assert "OOM command not allowed" in _ask(room, "SET", "more", "1")
    assert _ask(room, "GET", "kept") == "42"


def test_dangerous_commands_are_off(room: Room) -> None:
    """Even who may do everything can't load modules or change protected settings."""
    _start(room)
    assert "not allowed" in _ask(room, "MODULE", "LOAD", "/tmp/x.so")
    assert "not allowed" in _ask(room, "DEBUG", "SLEEP", "0")
    assert "protected config" in _ask(room, "CONFIG", "SET", "dir", "/tmp")


def test_the_configuration_gives_no_warning(room: Room) -> None:
    """The server starts without a warning about its own configuration."""
    _start(room)
    about_the_machine = ("overcommit", "Transparent Huge", "TCP backlog", "clocksource")
    lines = [line for line in room.log.read_text().splitlines() if " # " in line]
    assert [
        line
        for line in lines
        if "WARNING" in line and not any(w in line for w in about_the_machine)
    ] == []
