"""What of a model becomes a stack, place by place; the model is made by hand here."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from slipway.errors import ConfigError
from slipway.stack.compose import Model
from slipway.stack.model import (
    DataFolder,
    Edge,
    Migration,
    Piped,
    SecretSpec,
    Smoke,
    Soak,
    Stack,
)
from slipway.stack.read import read_stack

OWN = {"application": "demo", "url": "u"}
FULL = {
    **OWN,
    "edge": {"service": "a", "socket": "/s"},
    "verify": {"path": "/health"},
    "smoke": {"command": ["try", "it"], "secrets": {"KEY_FILE": "key"}},
    "soak": {"seconds": 3, "errors": 1},
    "secrets": {
        "key": {"generate": 8, "owner": 5},
        "acl": {"derive": "redis-acl", "from": "key"},
        "login": {"derive": "login", "from": "key", "login": "demo"},
        "old": {"optional": True},
    },
    "data": {"d": {"mode": "0750", "owner": 7}, "e": {}},
    "migrate": {
        "service": "a",
        "command": ["up"],
        "plan": ["show"],
        "source": "src/migrations",
        "dump": {"service": "a", "command": ["dump"]},
        "restore": {"service": "a", "command": ["restore", "it"]},
    },
}


def model(
    services: dict[str, Any],
    own: dict[str, Any] = OWN,
    extra: dict[str, dict[str, Any]] | None = None,
    **document: Any,
) -> Model:
    """What the program answers of these services; ``extra`` is what x-slipway says at each."""
    keys = {name: {"x-slipway": body} for name, body in (extra or {}).items()}
    return Model(
        {"services": services, **document},
        {"x-slipway": own},
        {name: keys.get(name, {}) for name in services},
    )


def read(services: dict[str, Any], *more: Any, **document: Any) -> Stack:
    """The stack of a model."""
    return read_stack(model(services, *more, **document))


def where(services: dict[str, Any], *more: Any, **document: Any) -> list[str]:
    """Where the problems are that a model has."""
    with pytest.raises(ConfigError) as caught:
        read(services, *more, **document)
    return [line.split(": ")[1] for line in caught.value.details]


A = {"a": {"image": "i"}}


def test_all_of_x_slipway() -> None:
    """Every field has its place in the stack."""
    found = read(A, FULL)
    assert (found.application, found.url, found.verify_path) == ("demo", "u", "/health")
    assert found.edge == Edge("a", "/s")
    assert found.smoke == Smoke(("try", "it"), {"KEY_FILE": "key"})
    assert found.soak == Soak(3.0, 1.0)
    assert found.secrets == (
        SecretSpec("key", generate=8, owner=5),
        SecretSpec("acl", derive="redis-acl", source="key", owner=568),
        SecretSpec("login", derive="login", source="key", login="demo"),
        SecretSpec("old", optional=True),
    )
    assert found.data == (DataFolder("d", 0o750, 7), DataFolder("e", 0o755, 568))
    assert found.migration == Migration(
        *("a", ("up",), ("show",), "src/migrations"),
        dump=Piped("a", ("dump",)),
        restore=Piped("a", ("restore", "it")),
    )


def test_what_is_left_out_is_usual() -> None:
    """Nothing but a name and an address is needed."""
    assert read(A) == Stack("demo", "u", {"services": A}, {})


def test_what_migrates_needs_nothing_else() -> None:
    """A service alone is enough; a part of the migration is the rest of none."""
    assert read(A, {**OWN, "migrate": {"service": "a"}}).migration == Migration("a")


@pytest.mark.parametrize(
    "path",
    [
        *("", "verify", "smoke", "edge", "soak", "migrate", "migrate.dump", "migrate.restore"),
        *("secrets.key", "data.d"),
    ],
)
def test_a_misspelt_key_has_its_place(path: str) -> None:
    """In every table."""
    own = copy.deepcopy(FULL)
    table: Any = own
    for part in path.split("."):
        table = table[part] if part else table
    table["odd"] = 1
    assert where(A, own) == [".".join(part for part in ("x-slipway", path, "odd") if part)]
    assert where(A, OWN, {"a": {"odd": 1}}) == ["services.a.x-slipway.odd"]


@pytest.mark.parametrize(
    ("path", "value", "also"),
    [
        ("edge.socket", "s", ""),
        ("edge.socket", None, ""),
        ("edge.service", None, ""),
        ("migrate.dump.command", [], ".migrate.restore"),
        ("migrate.dump.service", None, ""),
        ("migrate.restore.command", [], ""),
        ("soak.errors", 1.5, ""),
        ("soak.seconds", "x", ""),
        ("data.d.mode", "", ""),
        ("data.d.mode", "0o7", ""),
        ("data.d.mode", 7, ".data.d.mode"),
        ("application", None, ""),
        ("url", 1, ""),
        ("verify.path", 1, ""),
        ("smoke.command", "x", ""),
    ],
)
def test_a_wrong_value_has_its_place(path: str, value: object, also: str) -> None:
    """With what follows from it, and nothing else."""
    own = copy.deepcopy(FULL)
    table: Any = own
    *parents, key = path.split(".")
    for part in parents:
        table = table[part]
    table[key] = value
    expected = [f"x-slipway.{path}", *([f"x-slipway{also}"] if also else [])]
    assert sorted(where(A, own)) == sorted(expected)


def test_roles_and_rolling() -> None:
    """A service that says anything has a role: that of its name, unless it names another."""
    extra: dict[str, Any] = {"a": {}, "b": {"role": "web"}, "c": {"roll": True}}
    extra |= {"d": {"roll": "beside"}, "e": {"roll": False}}
    services: dict[str, Any] = {name: {"build": "."} for name in "abcde"}
    own = {**OWN, "edge": {"service": "a", "socket": "/s"}}
    found = read({**services, "f": {"image": "i"}}, own, extra)
    assert found.roles == {"a": "a", "b": "web", "c": "c", "d": "d", "e": "e"}
    assert found.rolled == {"c": "edge", "d": "beside"}
    assert found.services["a"] == {}
    assert where(A, OWN, {"a": {"roll": "twice"}}) == ["services.a.x-slipway.roll"]


def test_how_long_requests_of_an_old_container_are_given() -> None:
    """Only what says so has another time than its stop; what no edge counts has none to say."""
    services: dict[str, Any] = {name: {"image": "i"} for name in "abc"}
    own = {**OWN, "edge": {"service": "a", "socket": "/s"}}
    extra: dict[str, Any] = {"b": {"roll": True, "drain": 0}, "c": {"roll": True}}
    assert read(services, own, extra).drains == {"b": 0.0}
    for wrong in ({"roll": True, "drain": "5s"}, {"drain": 1}, {"roll": "beside", "drain": 1}):
        assert where(services, own, {"b": wrong}) == ["services.b.x-slipway.drain"]


def test_what_is_refused_has_its_place() -> None:
    """A build without a role, mounts and volumes of this machine."""
    volumes = [
        {"type": "bind", "source": source, "target": "/t"} for source in ("./x", "../x", ".", "..")
    ]
    sent: dict[str, Any] = {"type": "bind", "source": "./x", "target": "/t", "read_only": True}
    volumes += [{**sent, "consistency": "cached"}, {**sent, "source": "~/x"}]
    devices = {name: {"driver_opts": {"device": at}} for name, at in (("v", "./d"), ("w", "/d"))}
    found = where(
        {"a": {"image": "i", "build": "."}, "b": {"image": "i", "volumes": volumes}},
        volumes={**devices, "n": None, "o": {"driver_opts": None}, "p": {"driver_opts": {}}},
    )
    assert found == [
        "services.a.build",
        *(f"services.b.volumes[{index}]" for index in range(6)),
        "volumes.v.driver_opts.device",
    ]
    assert where({}) == ["services"]


@pytest.mark.parametrize("path", ["/x", ".hidden", "named", "..x", "x/./y", ""])
def test_other_paths_are_the_hosts(path: str) -> None:
    """What does not start beside the Compose files is on the host, or a volume's name."""
    mount = {"type": "bind", "source": path, "target": "/t"}
    volume = {"type": "volume", "source": "./x", "target": "/u"}
    body = {"image": "i", "volumes": [mount, volume, {"type": "tmpfs", "target": "/v"}]}
    assert read({"a": body}).services == {"a": body}


def test_a_mounted_file_is_a_config_by_its_path() -> None:
    """One path is one config however it is written; its name tells the file's, in plain letters."""

    def mount(source: str) -> dict[str, object]:
        return {
            "type": "bind",
            "source": source,
            "target": f"/{source}",
            "read_only": True,
            "bind": {},
        }

    sources = ("./É/a b-C.1_z", "./É/../É/a b-C.1_z", "./other/a b-C.1_z")
    given = model(
        {
            "a": {"image": "i", "configs": [{"source": "f"}], "volumes": [mount(sources[0])]},
            "b": {"image": "i", "volumes": [mount(sources[1]), mount(sources[2])]},
        },
        configs={"f": {"file": "./f"}},
    )
    before = copy.deepcopy(given)
    found = read_stack(given)
    assert given == before, "the model is not changed"
    first, other = (list(found.config_files())[at] for at in (1, 2))
    assert found.config_files() == {"f": "./f", first: sources[1], other: sources[2]}
    assert [name.rpartition("-")[0] for name in (first, other)] == ["mount-a_b-C.1_z"] * 2
    assert [len(name.rpartition("-")[2]) for name in (first, other)] == [8, 8]
    assert found.services["a"] == {
        "image": "i",
        "configs": [{"source": "f"}, {"source": first, "target": f"/{sources[0]}"}],
    }
    assert [config["source"] for config in found.services["b"]["configs"]] == [first, other]


def test_what_is_said_beside() -> None:
    """The program's own warnings come first; each of slipway's names its service."""
    services = {
        "a": {"image": "i", "container_name": "x", "ports": [{"published": "80"}]},
        "b": {"image": "i", "container_name": "y"},
    }
    given = model(
        services, {**OWN, "edge": {"service": "b", "socket": "/s"}}, {"a": {"roll": True}}
    )
    found = read_stack(Model(given.document, given.top, given.services, warnings=("first",)))
    assert found.services["b"] == {"image": "i"}
    assert found.rolled == {}
    first, *told = found.warnings
    assert first == "first"
    starts = ["services.a.container_name ", "services.a is stopped ", "services.b.container_name "]
    assert [line.startswith(start) for line, start in zip(told, starts, strict=True)] == [True] * 3
    assert "port 80" in told[1]
