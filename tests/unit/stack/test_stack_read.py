"""Reading a stack, and refusing what can't be carried to a host."""

from __future__ import annotations

import pytest
from tests.composing import stack as read
from tests.unit.demo import COMPOSE, wanted

from slipway.errors import ConfigError
from slipway.stack.model import DataFolder, Migration, SecretSpec, Smoke, own_variables

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
