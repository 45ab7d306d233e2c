"""Reading a stack, and refusing what can't be carried to a host."""

from __future__ import annotations

import pytest
from tests.unit.demo import COMPOSE, wanted

from slipway.errors import ConfigError
from slipway.stack.model import DataFolder, Migration, SecretSpec, Smoke, own_variables
from slipway.stack.read import read_stack

HEAD = 'x-slipway: {application: demo, url: "http://x"}\n'


def problems(*texts: str, **variables: str) -> tuple[str, ...]:
    """The problems of a stack, one a line."""
    with pytest.raises(ConfigError) as caught:
        read_stack([(f"f{n}.yml", text) for n, text in enumerate(texts)], variables)
    assert caught.value.exit_code == 2
    return caught.value.details


def test_everything_that_compose_cannot_say() -> None:
    """``x-slipway`` becomes values, and leaves the Compose document."""
    stack = wanted().stack
    assert stack.secrets == (
        SecretSpec("db_password", generate=16),
        SecretSpec("acl", derive="redis-acl", source="db_password"),
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
        "f0.yml: services.a.image: the variable A is not set: image of a",
        "f0.yml: services.a.command[0]: the variable B is not set",
        "f1.yml: services.c.image: the variable C is not set",
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("build: .", "services.a.build"),
        ("env_file: x", "services.a.env_file"),
        ("extends: b", "services.a.extends"),
        ("container_name: x", "services.a.container_name"),
        ('volumes: ["./x:/x"]', "services.a.volumes[0]: ./x is not on the host"),
        ("healthcheck: {test: t, interval: soon}", "'soon' is no duration"),
        ("deploy: {replicas: many}", "services.a: "),
        ("x-slipway: {rolle: a}", "services.a.x-slipway.rolle: is unknown"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(body: str, said: str) -> None:
    """Each thing slipway can't do on a host is a problem with its path."""
    found = problems(HEAD + "services:\n  a:\n    image: i\n    " + body + "\n")
    assert any(said in line for line in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {}", "services: should be a map of at least one service"),
        ("services: {a: 1}", "services.a: should be a map"),
        ("services: {a: {}}", "services.a: has neither"),
        ("include: [x]\nservices: {a: {image: i}}", "include: is not read"),
        ("services: {a: {image: i}}\nsecrets: {s: {file: f}}", "secrets.s: is not declared"),
        ("[1]", "should be a map with services"),
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
    variables = own_variables("demo", {"web": "w", "db": "d"}, app_dir="/a")
    found = problems(COMPOSE.replace(old, new), **variables)
    assert any(said in line for line in found)


def test_a_later_file_adds_secrets() -> None:
    """What ``x-slipway`` of a later file says is added to what the first one said."""
    base = HEAD + "services: {a: {image: i}}\n"
    over = (
        "x-slipway: {secrets: {key: {}}}\n"
        "services: {a: {secrets: [key]}}\nsecrets: {key: {file: f}}\n"
    )
    stack = read_stack([("base.yml", base), ("over.yml", over)], {})
    assert stack.application == "demo"
    assert stack.secrets == (SecretSpec("key"),)
