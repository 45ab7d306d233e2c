"""Reading a stack, and refusing what can't be carried to a host."""

from __future__ import annotations

import pytest
from tests.composing import stack as read
from tests.unit.demo import COMPOSE, wanted

from slipway.errors import ConfigError
from slipway.stack.health import replicas
from slipway.stack.model import (
    DataFolder,
    Edge,
    Migration,
    Piped,
    SecretSpec,
    Smoke,
    Soak,
    own_variables,
)

HEAD = 'x-slipway: {application: demo, url: "http://x"}\n'


def problems(*texts: str, **variables: str) -> tuple[str, ...]:
    """The problems of a stack, one a line."""
    with pytest.raises(ConfigError) as caught:
        read([(f"f{n}.yml", text) for n, text in enumerate(texts)], variables)
    assert caught.value.exit_code == 2
    return caught.value.details


def test_everything_that_compose_cannot_say() -> None:
    """``x-slipway`` becomes values, and leaves the Compose document."""
    stack = wanted().stack
    assert stack.secrets == (
        SecretSpec("acl", derive="redis-acl", source="db_password"),
        SecretSpec("db_password", generate=16),
    )
    assert stack.data == (DataFolder("db", 0o700, 568),)
    assert stack.migration == Migration("job", ("migrate",), ("migrate", "--plan"))
    assert stack.smoke == Smoke(("smoke", "{url}"), {"TOKEN_FILE": "db_password"})
    assert stack.standing == ("web", "db")
    assert stack.dependencies("job") == ("db",)
    assert stack.roles == {"web": "web", "db": "db", "job": "web"}
    assert not [key for key in stack.document if key.startswith("x-")]
    assert not [key for body in stack.services.values() for key in body if key.startswith("x-")]


def test_all_missing_variables_of_all_files_at_once() -> None:
    """Every variable that is missing is named, with file, path and reason."""
    first = HEAD + 'services: {a: {image: "${A:?image of a}", command: ["$B"]}}\n'
    found = problems(first, 'services: {c: {image: "$C"}}\n')
    assert [line.removeprefix("the stack: ") for line in found] == [
        "f0.yml: services.a.image: the variable A is not set: image of a (line 2)",
        "f0.yml: services.a.command[0]: the variable B is not set (line 2)",
        "f1.yml: services.c.image: the variable C is not set (line 1)",
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("build: .", "services.a.build: images come from slipway.toml"),
        ('volumes: ["./x:/x"]', "services.a.volumes[0]: ./x is not on the host"),
        ('volumes: ["~/x:/x:ro"]', "services.a.volumes[0]: ~/x is not on the host"),
        (
            "healthcheck: {test: t, interval: soon}",
            "healthcheck.interval: invalid duration",
        ),
        ("deploy: {replicas: many}", "services.a.deploy.replicas: "),
        ("x-slipway: {rolle: a}", "services.a.x-slipway.rolle: is unknown"),
        ('prots: ["80:80"]', "services.a.prots: is no key that Compose knows here (line 5)"),
        ("healthcheck: {interval: 10}", "services.a.healthcheck.interval: should be a text"),
        ("depends_on: [b]", 'service "a" depends on undefined service'),
        ("depends_on: [job]", "services.a.depends_on.job: has a profile"),
        ("networks: [n]", "refers to undefined network n"),
        ("env_file: x.env", "x.env not found"),
        ("extends: {file: more.yml, service: b}", "more.yml"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(body: str, said: str) -> None:
    """Each thing slipway can't do on a host is a problem with its path."""
    job = "  job: {image: i, profiles: [p]}\n"
    found = problems(HEAD + "services:\n  a:\n    image: i\n    " + body + "\n" + job)
    assert any(said in line for line in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {}", "services: should be a map of at least one service"),
        ("services: {a: 1}", "services.a: should be a map"),
        ("services: {a: {}}", "has neither an image nor a build context"),
        ("services: {a: {image: i}}\nsecrets: {s: {file: f}}", "secrets.s: is not declared"),
        ("include: [x.yml]\nservices: {a: {image: i}}", "x.yml"),
        ("[1]", "top-level object must be a mapping"),
        ("a: [", "is no YAML"),
        ("x: &a [*a]", "refers to itself"),
    ],
)
def test_shape_problems(text: str, said: str) -> None:
    """A document of another shape is a problem, not a traceback."""
    found = problems(text if text == "[1]" else HEAD + text)
    assert any(said in line for line in found)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("from: db_password", "from: other", "is derived from 'other'"),
        ("derive: redis-acl", "derive: magic", "can't derive 'magic'"),
        ('mode: "0700"', 'mode: "rwx"', "should be octal digits"),
        ("service: job", "service: nobody", "there is no service nobody"),
        ("TOKEN_FILE: db", "TOKEN_FILE: no", "secrets.TOKEN_FILE: there is no secret no_password"),
        ("{ TOKEN_FILE:", "{ TOKEN-FILE:", "smoke.secrets.TOKEN-FILE: is no name of an env"),
        ("{ TOKEN_FILE: db_password }", "[token]", "x-slipway.smoke.secrets: should be a table"),
        ("verify: {", "wait: 3\n  verify: {", "x-slipway.wait: is unknown"),
        ("application: demo", "applikation: demo", "x-slipway.application: is missing"),
    ],
)
def test_own_key_problems(old: str, new: str, said: str) -> None:
    """A wrong ``x-slipway`` is named field by field."""
    variables = own_variables("demo", ["web", "db"], app_dir="/a")
    found = problems(COMPOSE.replace(old, new), **variables)
    assert any(said in line for line in found)


def test_a_later_file_adds_secrets() -> None:
    """What ``x-slipway`` of a later file says is added to what the first one said."""
    base = HEAD + "services: {a: {image: i}}\n"
    over = (
        "x-slipway: {secrets: {key: {}}}\n"
        "services: {a: {secrets: [key]}}\nsecrets: {key: {file: f}}\n"
    )
    stack = read([("base.yml", base), ("over.yml", over)])
    assert stack.application == "demo"
    assert stack.secrets == (SecretSpec("key"),)


def test_all_the_schema_forbids_is_named_at_once() -> None:
    """Each misspelt key of each file is named with its line, not only the first."""
    first = HEAD + "services:\n  a:\n    image: i\n    prots: []\n    restrat: always\n"
    found = problems(first, "services:\n  a:\n    healthcheck:\n      interval: 10\n")
    assert [line.removeprefix("the stack: ") for line in found] == [
        "f0.yml: services.a.prots: is no key that Compose knows here (line 5)",
        "f0.yml: services.a.restrat: is no key that Compose knows here (line 6)",
        "f1.yml: services.a.healthcheck.interval: should be a text, got a number (line 4)",
    ]


def test_every_broken_file_is_named() -> None:
    """Compose stops at the first file that is no YAML; the others are named, too."""
    found = problems(HEAD + "services: [", "a: b: c\n")
    assert any("f0.yml" in line for line in found)
    assert any("f1.yml" in line for line in found)


def test_a_file_mounted_read_only_is_a_config() -> None:
    """Two services that mount the same file share one config; absolute mounts stay."""
    body = 'image: i, volumes: ["./conf/a.cfg:/etc/a.cfg:ro", "/srv:/srv"]'
    stack = read([("f.yml", f"{HEAD}services: {{a: {{{body}}}, b: {{{body}}}}}\n")])
    ((name, path),) = stack.config_files().items()
    assert path == "./conf/a.cfg"
    for service in stack.services.values():
        assert service["configs"] == [{"source": name, "target": "/etc/a.cfg"}]
        assert [mount["source"] for mount in service["volumes"]] == ["/srv"]


def test_what_is_left_out_is_said() -> None:
    """A container's name is dropped; a scalar that readers differ on is named with its line."""
    text = HEAD + "services:\n  a:\n    image: i\n    container_name: web\n    command: [yes]\n"
    stack = read([("f.yml", text)])
    assert "container_name" not in stack.services["a"]
    assert any("services.a.container_name is left out" in line for line in stack.warnings)
    assert any("services.a.command[0]: yes is true or false to some" in w for w in stack.warnings)


def test_references_are_put_in_afterwards() -> None:
    """A role's placeholder is replaced wherever it stands, also in one whose name it begins."""
    text = HEAD + (
        'services: {a: {image: "${A_IMAGE}", environment: {B: "x ${A_B_IMAGE}", C: "${A_IMAGE}"}}}'
    )
    stack = read([("f.yml", text)], own_variables("demo", ["a", "a-b"], app_dir="/a"))
    body = stack.with_images({"a": "demo/a:1", "a-b": "demo/a-b:2"}).services["a"]
    assert body["image"] == "demo/a:1"
    assert body["environment"] == {"B": "x demo/a-b:2", "C": "demo/a:1"}
    assert "unbuilt" in stack.services["a"]["image"]


def test_services_keep_the_order_of_the_files() -> None:
    """What people read names services as they wrote them."""
    text = HEAD + "services: {z: {image: i}, a: {image: i}, m: {image: i}}\n"
    assert read([("f.yml", text)]).standing == ("z", "a", "m")


ROLLING = """
x-slipway:
  application: demo
  url: "http://x"
  edge: {service: edge, socket: /run/admin.sock}
  migrate:
    service: job
    dump: {service: db, command: [dump, now]}
    restore: {service: db, command: [restore]}
  soak: {seconds: 2.5, errors: 0.5}
  trust: certificate/root.pem
services:
  edge: {image: i, ports: ["80:80"]}
  api: {image: i, x-slipway: {roll: true}}
  worker: {image: i, x-slipway: {roll: beside}}
  beat: {image: i, x-slipway: {roll: false}}
  db: {image: i}
  job: {image: i, profiles: [p]}
"""


def test_how_services_roll_and_what_watches_them() -> None:
    """Who switches, how each service rolls, what keeps the database, how long is watched."""
    stack = read([("f.yml", ROLLING)])
    assert stack.edge == Edge("edge", "/run/admin.sock")
    assert stack.rolled == {"api": "edge", "worker": "beside"}
    assert stack.migration.dump == Piped("db", ("dump", "now"))
    assert stack.migration.restore == Piped("db", ("restore",))
    assert stack.soak == Soak(2.5, 0.5)
    assert stack.trust == "certificate/root.pem"
    assert not stack.warnings


def test_a_stack_that_says_nothing_has_no_edge() -> None:
    """Nothing rolls, nothing is kept, and the new containers are watched for a while."""
    stack = read([("f.yml", HEAD + "services: {a: {image: i}}")])
    assert (stack.edge, stack.rolled, stack.migration) == (Edge(), {}, Migration())
    assert stack.soak == Soak(15.0, 0.05)
    silent = read([("f.yml", ROLLING.replace("seconds: 2.5, errors: 0.5", "seconds: 0"))])
    assert silent.soak == Soak(0.0, 0.05)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  edge: {service: edge, socket: /run/admin.sock}", "", "api.x-slipway.roll: needs an ed"),
        ("service: edge, s", "service: door, s", "edge.service: there is no service door"),
        ("service: edge, s", "service: job, s", "edge.service: job has a profile"),
        ("socket: /run", "socket: run", "edge.socket: should be an absolute path, got 'run/adm"),
        (", socket: /run/admin.sock", "", "x-slipway.edge.socket: is missing"),
        ("socket:", "sokcet:", "x-slipway.edge.sokcet: is unknown"),
        ("roll: true", "roll: twice", "services.api.x-slipway.roll: should be true, false or"),
        ("roll: true", "roll: 1", "services.api.x-slipway.roll: should be true, false or"),
        ("dump: {service: db,", "dump: {service: d,", "migrate.dump.service: there is no service"),
        ("dump: {service: db,", "dump: {service: job,", "migrate.dump.service: job has a profile"),
        ("dump: {service: db, command: [dump, now]}", "", "restore: would never have anything to"),
        ("[restore]", "[]", "x-slipway.migrate.restore.command: should begin with a program"),
        (", command: [restore]", "", "x-slipway.migrate.restore.command: is missing"),
        ("seconds: 2.5", "seconds: -1", "soak.seconds: should be a number from 0, got -1"),
        ("seconds: 2.5", "seconds: true", "soak.seconds: should be a number from 0, got True"),
        ("errors: 0.5", "errors: 5", "soak.errors: is a share, from 0 to 1, got 5"),
        ("errors: 0.5", "errors: 5%", "soak.errors: should be a number from 0, got '5%'"),
        ("errors", "error", "x-slipway.soak.error: is unknown"),
        (
            "certificate/r",
            "/r",
            "x-slipway.trust: should be a path below the data path, got '/root",
        ),
        (
            "certificate/r",
            "../r",
            "x-slipway.trust: should be a path below the data path, got '../r",
        ),
    ],
)
def test_rolling_problems(old: str, new: str, said: str) -> None:
    """Whatever is wrong about rolling and watching is named with its path."""
    found = problems(ROLLING.replace(old, new))
    assert any(said in line for line in found), found


def test_rolling_problems_come_at_once() -> None:
    """One pass finds them all."""
    text = ROLLING.replace("socket: /", "socket: ").replace("roll: true", "roll: maybe")
    assert len(problems(text.replace("errors: 0.5", "errors: 2"))) == 3


def test_the_edge_itself_rolls_beside_only() -> None:
    """Nothing could switch from one edge to another; two that share a port can be there."""
    text = ROLLING.replace('edge: {image: i, ports: ["80:80"]}', "edge: {image: i, x-slipway: %s}")
    (found,) = problems(text % "{roll: true}")
    assert "services.edge.x-slipway.roll: is the edge" in found
    assert read([("f.yml", text % "{roll: beside}")]).rolled["edge"] == "beside"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('ports: ["8000:80"]', "only one container can publish port 8000"),
        ('ports: ["80"]', ""),
        ('ports: ["8000-8010:80"]', ""),
        ("container_name: one", ""),
        ("network_mode: host", "its ports are those of network_mode host"),
        ("network_mode: 'service:db'", "its ports are those of network_mode service:db"),
        ("network_mode: none", ""),
        ("networks: {n: {ipv4_address: 10.9.0.3}}", "only one container can have 10.9.0.3 in the"),
        ("networks: {n: {aliases: [x]}}", ""),
        ("mac_address: '02:42:ac:11:65:43'", "only one container can have 02:42:ac:11:65:43"),
    ],
)
@pytest.mark.parametrize("how", ["true", "beside"])
def test_what_can_not_stand_twice_does_not_roll(how: str, body: str, why: str) -> None:
    """A service whose second container would fail is stopped first, and a person is told why."""
    text = ROLLING.replace("{image: i, x-slipway: {roll: true}}", f"{{image: i, {body}, %s}}")
    text = text % f"x-slipway: {{roll: {how}}}" + "networks: {n: {}}\n"
    stack = read([("f.yml", text)])
    told = [line for line in stack.warnings if "is stopped before its next container" in line]
    assert ("api" in stack.rolled) == (not why)
    assert [why in line and line.startswith("services.api ") for line in told] == [True] * bool(why)


TWO = HEAD + "services: {a: {image: i}, b: {image: i, profiles: [p]}}\n"


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        (
            "services:\n  a:\n    x-slipway:\n      roll: besides\n",
            "f1.yml: services.a.x-slipway.roll: should be true, false or beside, got 'besides' "
            "(line 4)",
        ),
        ("services:\n  more: {command: [x]}\n", 'f1.yml: services.more: service "more" has'),
        (
            "x-slipway:\n  verify: {path: api}\n",
            "f1.yml: x-slipway.verify.path: should begin with a slash, got 'api' (line 2)",
        ),
        ("services:\n  a: {depends_on: [b]}\n", "f1.yml: services.a.depends_on.b: has a profile"),
        ("x-slipway:\n  soak: {seconds: 1e300}\n", "f1.yml: x-slipway.soak.seconds: should be at "
         "most 3600, an hour, got 1e+300 (line 2)"),
        ("x-slipway:\n  soak: {seconds: .nan}\n", "f1.yml: x-slipway.soak.seconds: .nan is no "
         "number that can be counted with (line 2)"),
    ],
)  # fmt: skip
def test_a_fault_of_an_overlay_names_it(overlay: str, said: str) -> None:
    """The file that gives the value, and its line; nothing else is wrong then."""
    (line,) = problems(TWO, overlay)
    assert line.removeprefix("the stack: ").startswith(said)


def test_all_at_once_whatever_they_are_of() -> None:
    """Faults of keys, numbers, paths, services and names don't hide each other."""
    own = "verify: {path: api}, soak: {seconds: 99999999, errors: 2}, data: {d: {mode: '77777'}}"
    own += ", secrets: {s: {generate: 99999999, owner: 4294967295}}"
    text = f"x-slipway: {{application: demo, url: u, {own}}}\nservices:\n  e: {{image: i}}\n"
    text += "  a: {image: i, x-slipway: {roll: true, drain: 1.0e9}, deploy: {replicas: 3}}\n"
    found = "\n".join(problems(text))
    for where in (
        *("x-slipway.verify.path", "x-slipway.soak.seconds", "x-slipway.soak.errors"),
        *("x-slipway.data.d.mode", "x-slipway.secrets.s.generate", "x-slipway.secrets.s.owner"),
        *("services.a.x-slipway.drain: should be at most 86400", "services.a.x-slipway.roll"),
    ):
        assert where in found, where


def test_several_of_what_is_not_rolled_are_compose_s_affair() -> None:
    """It is taken as Compose takes it; that a change stops them all is said."""
    made = read([("f0.yml", TWO), ("f1.yml", "services:\n  a: {deploy: {replicas: 2}}\n")])
    assert replicas(made.services["a"]) == 2
    assert [line for line in made.warnings if "services.a: 2 containers of it" in line]
