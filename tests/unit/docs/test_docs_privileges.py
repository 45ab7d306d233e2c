"""What the page of rights says is what the files say."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from tests.unit.docs import pages

ROOT = Path(__file__).parents[3]
PAGE = pages.read(pages.DOCS / "reference/privileges.md")
STACK = yaml.safe_load((ROOT / "deploy/docker-compose.yml").read_text())
SQL = (ROOT / "deploy/images/postgres/etc/postgresql/roles.sql").read_text()
ACCESS = (ROOT / "deploy/images/postgres/etc/postgresql/pg_hba.conf").read_text()
USERS = (ROOT / "deploy/images/redis/etc/redis/users.acl").read_text()


def _rows(title: str) -> dict[str, list[str]]:
    """A table's rows by their first cell."""
    return {row[0]: row[1:] for row in pages.tables(pages.section(PAGE, title))[0]}


def _names(cell: str) -> set[str]:
    return set(re.findall(r"[a-z_]+", cell)) - {"none"}


def test_secrets_and_networks() -> None:
    """Each service has the secrets and networks of the table, and no others."""
    rows = _rows("Secrets and networks")
    assert set(rows) == set(STACK["services"])
    for name, body in STACK["services"].items():
        secrets, networks, _ = rows[name]
        assert _names(secrets) == set(body.get("secrets", [])), name
        assert _names(networks) == set(body["networks"]), name
    leading_out = {n for n, body in STACK["networks"].items() if not body.get("internal")}
    assert leading_out == {"outside"}


def test_who_is_reached() -> None:
    """Whoever shares a network with a service is named, and nobody else."""
    services = STACK["services"]
    rows = _rows("Secrets and networks")
    for name, body in services.items():
        networks = set(body["networks"])
        near = {other for other, one in services.items() if set(one["networks"]) & networks}
        assert _names(rows[name][2]) & set(services) == near - {name}, name


def test_roles_of_the_database() -> None:
    """The roles that the start makes, and those that may log in, are those of the table."""
    rows = _rows("Roles in the database")
    told = {role for cell in rows for role in _names(cell)}
    made = set(re.findall(r"'(langflix[a-z_]*)'", SQL)) | {"postgres"}
    assert told == made
    lines = [line.split() for line in ACCESS.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if line[0] == "host"] == [
        ["host", "langflix", "langflix,+langflix_app", "all", "scram-sha-256"]
    ]
    over_the_network = {
        role for cell, row in rows.items() if "with" in row[0] for role in _names(cell)
    }
    assert over_the_network == {"langflix", "langflix_app_a", "langflix_app_b"}


def test_users_of_redis() -> None:
    """Each user of the list is in the table."""
    told = {name for cell in _rows("Users of Redis") for name in _names(cell)}
    assert told == set(re.findall(r"^user (\S+) ", USERS, re.MULTILINE))


def test_no_user_of_redis_has_a_category_or_a_command_that_changes_the_server() -> None:
    """Rights are single commands: a category would grow with the next version."""
    assert not re.search(r"\+@|allkeys|allcommands|nopass|~\* |~\*$|&\*", USERS, re.MULTILINE)
    named = set(re.findall(r"\+([a-z|]+)", USERS))
    never = {"config", "flushall", "flushdb", "keys", "scan", "eval", "acl", "debug", "shutdown"}
    assert not named & never


def test_no_container_mounts_the_engines_socket() -> None:
    """As the answer to docker-bench-security says, and a health check is everybody's who stands."""
    text = (ROOT / "deploy/docker-compose.yml").read_text()
    assert "docker.sock" not in text
    for name, body in STACK["services"].items():
        assert name == "cli" or "healthcheck" in body
