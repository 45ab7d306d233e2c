"""From the checkout to a job."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.composing import compose_model
from tests.unit.demo import COMPOSE, image

from slipway.app.checkout import (
    Reading,
    bracketed,
    git_commit,
    make_wanted,
    read_checkout,
)
from slipway.app.commands import Commands
from slipway.errors import ConfigError
from slipway.hosts.config import HostEntry
from slipway.plan.wanted import Wanted
from slipway.report import Report
from slipway.supply.sources import GIT
from slipway.testing import FakeShell

NO_COMMANDS = Commands(FakeShell(), Report(quiet=True), Path("/checkout"), {})
ENTRY = HostEntry("nas", "ssh", "/pool/demo", variables={"GREETING": "from host"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the sample stack."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/docker-compose.yml").write_text(COMPOSE)
    (tmp_path / "deploy/edge.cfg").write_text("listen 80\n")
    return tmp_path


def check(
    root: Path,
    entry: HostEntry = ENTRY,
    roles: tuple[str, ...] = ("web", "db", "unused"),
    application: str = "demo",
    environment: Mapping[str, str] | None = None,
) -> Reading:
    """What the sample checkout says."""
    return read_checkout(
        root, entry, roles, application, compose_model(), environment or {}, NO_COMMANDS
    )


def read(root: Path, entry: HostEntry = ENTRY, **environment: str) -> Wanted:
    """What the sample checkout wants, with images built."""
    images = [image("web"), image("db"), image("unused")]
    reading = check(root, entry, environment=environment)
    return make_wanted(reading, root, entry, "fe80::1", images, who="me", commit="")


def test_job_of_a_checkout(root: Path) -> None:
    """Images are those the stack uses; the URL has the host's address; configs have content."""
    job = read(root)
    assert [one.role for one in job.images] == ["web", "db"]
    assert job.url == "http://[fe80::1]:8080"
    assert job.contents == {"edge": b"listen 80\n"}
    assert job.data_dir == "/pool/demo/data"
    assert job.stack.services["web"]["image"] == "demo/web:1"


def test_own_variables_are_slipways_alone(root: Path) -> None:
    """Nobody's environment changes an image's reference or the secrets' folder; the data path is
    the operator's, and the check before a build reads what the deploy reads."""
    given = {"WEB_IMAGE": "evil:1", "DEMO_SECRETS": "/elsewhere", "DEMO_DATA": "/pool/data"}
    path = root / "deploy/docker-compose.yml"
    path.write_text(path.read_text().replace("secrets: [db_password]",
        'secrets: [db_password]\n    volumes: ["${DEMO_DATA:?}:/data"]'))  # fmt: skip
    for entry in (ENTRY, HostEntry("nas", "ssh", "/pool/demo", variables=given)):
        job = read(root, entry, **given)
        assert job.stack.services["web"]["image"] == "demo/web:1"
        assert job.stack.document["secrets"]["acl"]["file"] == "/pool/demo/secrets/acl"
        assert job.data_dir == "/pool/data"
        assert job.stack.services["db"]["volumes"][0]["source"] == "/pool/data"
    assert read(root).stack.services["db"]["volumes"][0]["source"] == "/pool/demo/data"


def test_variables_in_order(root: Path) -> None:
    """``deploy/.env`` is the weakest, then the host's variables, then the environment."""
    (root / "deploy/.env").write_text("GREETING=from file\n")
    bare = HostEntry("nas", "ssh", "/pool/demo")
    for entry, environment, said in (
        (bare, {}, "from file"),
        (ENTRY, {}, "from host"),
        (ENTRY, {"GREETING": "from environment"}, "from environment"),
    ):
        job = read(root, entry, **environment)
        assert job.stack.services["web"]["environment"]["GREETING"] == said


def test_what_supplies_no_secret_is_seen(root: Path) -> None:
    """A misspelt file stops it, a misspelt variable is a warning."""
    found = check(root, environment={"SLIPWAY_SECRET_DB_PASWORD": "canary"})
    assert [one for one in found.stack.warnings if "did you mean SLIPWAY_SECRET_DB_PASSWORD" in one]
    (root / "deploy/secrets").mkdir()
    (root / "deploy/secrets/db_passwort").write_text("canary")
    with pytest.raises(ConfigError, match="1 problem of supplied secrets") as caught:
        check(root)
    assert "did you mean db_password?" in caught.value.details[0]


def test_a_variable_of_a_host_that_nothing_mentions_is_seen(root: Path) -> None:
    """It is misspelt, or left of a file of before; one that a service takes as it is has a use."""
    path = root / "deploy/docker-compose.yml"
    bare = '[db_password]\n    environment: ["TAKEN"]'
    path.write_text(path.read_text().replace("[db_password]\n", f"{bare}\n", 1))
    given = {"GREETING": "x", "GRETING": "x", "TAKEN": "x", "ZZZ": "x"}
    found = check(root, HostEntry("nas", "ssh", "/pool/demo", variables=given))
    where = "deploy/hosts.toml or deploy/hosts.local.toml: host.nas.variables"
    assert found.stack.warnings == (
        f"{where}.GRETING: no Compose file of this host mentions it; did you mean GREETING?",
        f"{where}.ZZZ: no Compose file of this host mentions it",
    )
    assert check(root).stack.warnings == ()


def test_override_is_taken_along(root: Path) -> None:
    """The operator's own override file applies last, without being named."""
    text = 'services: { web: { environment: { EXTRA: "1" } } }\n'
    (root / "deploy/docker-compose.override.yml").write_text(text)
    assert read(root).stack.services["web"]["environment"]["EXTRA"] == "1"


def test_the_stack_does_not_know_where_it_was_read(root: Path, tmp_path: Path) -> None:
    """Another folder, of any name, and another user's environment make the same stack."""
    other = tmp_path / "an other ü+"
    shutil.copytree(root / "deploy", other / "deploy")
    theirs = read(other, HOME="/home/other", USER="other", PWD="/")
    assert theirs.stack == read(root).stack
    assert theirs.files == read(root).files


def test_missing_files_are_named(root: Path) -> None:
    """A Compose file or config that isn't there is a configuration error with its name."""
    entry = HostEntry("nas", "ssh", "/a", compose=("docker-compose.yml", "more.yml", "x.yml"))
    with pytest.raises(ConfigError) as caught:
        read(root, entry)
    assert len(caught.value.details) == 2
    (root / "deploy/edge.cfg").unlink()
    with pytest.raises(ConfigError) as caught:
        read(root)
    assert "configs.edge" in caught.value.details[0]


def test_a_folder_cannot_be_sent(root: Path) -> None:
    """A read-only mount of a folder is refused by its path; one of a file goes along."""
    path = root / "deploy/docker-compose.yml"
    path.write_text(path.read_text().replace("configs: [edge]",
        'configs: [edge]\n    volumes: ["./conf:/conf:ro"]'))  # fmt: skip
    (root / "deploy/conf").mkdir()
    with pytest.raises(ConfigError) as caught:
        read(root)
    assert "./conf is a folder; only single files" in caught.value.details[0]
    (root / "deploy/conf").rmdir()
    (root / "deploy/conf").write_text("x")
    job = read(root)
    assert sorted(job.contents.values()) == [b"listen 80\n", b"x"]
    assert {file.name for file in job.files.values()} == {"edge.cfg", "conf"}


def test_a_program_that_is_mounted_stays_one(root: Path) -> None:
    """A script is executable on the host when it is here; as a text it is another file there."""
    path = root / "deploy/docker-compose.yml"
    mount = 'configs: [edge]\n    volumes: ["./start:/start:ro"]'
    path.write_text(path.read_text().replace("configs: [edge]", mount))
    script = root / "deploy/start"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o644)
    as_text = set(read(root).files.values())
    script.chmod(0o755)
    as_program = set(read(root).files.values())
    (one,) = as_program - as_text
    assert one.program
    assert len(as_text - as_program) == 1


def test_the_check_needs_no_images(root: Path) -> None:
    """The stack is checked before anything is built, with every role's name."""
    check(root, roles=("web", "db"))
    with pytest.raises(ConfigError) as caught:
        check(root, roles=("web",), application="other",
              environment={"DB_IMAGE": "x", "DEMO_SECRETS": "/s"})  # fmt: skip
    own, role = caught.value.details
    file = "the stack: deploy/docker-compose.yml: "
    assert own == f"{file}x-slipway.application: is demo, slipway.toml's is other (line 3)"
    assert role.startswith(f"{file}services.db.x-slipway.role: slipway.toml has no image for db;")


def test_dotenv_never_ends_in_a_traceback(root: Path) -> None:
    """A line that is no setting is an error with file and line; bytes of any encoding are read."""
    (root / "deploy/.env").write_bytes(b"GREETING=caf\xe9\n")
    bare = HostEntry("nas", "ssh", "/pool/demo")
    assert read(root, bare).stack.services["web"]["environment"]["GREETING"] == "caf\ufffd"
    (root / "deploy/.env").write_text("A=1\nB%=2\n")
    with pytest.raises(ConfigError) as caught:
        read(root)
    (line,) = caught.value.details
    assert line.startswith("the stack: deploy/.env: line 2: unexpected character")


def test_extended_included_and_environment_files_are_read_here(root: Path) -> None:
    """Nothing of them is left for the host to look for."""
    text = "services: { base: { image: i, environment: { ONE: '1' }, env_file: [more.env] } }\n"
    (root / "deploy/base.yml").write_text(text)
    (root / "deploy/more.env").write_text("TWO=2\n")
    (root / "deploy/other.yml").write_text("services: { other: { image: o } }\n")
    more = (
        "include: [other.yml]\nservices: { web: { extends: { file: base.yml, service: base } } }\n"
    )
    (root / "deploy/docker-compose.override.yml").write_text(more)
    services = read(root).stack.services
    assert services["web"]["environment"] == {"GREETING": "from host", "ONE": "1", "TWO": "2"}
    assert services["other"]["image"] == "o"
    assert not {"extends", "env_file"} & set(services["web"])
    (root / "deploy/base.yml").write_text(text.replace("image: i", 'image: "${NOWHERE}"'))
    with pytest.raises(ConfigError) as caught:
        read(root)
    assert any("deploy/base.yml: services.base.image: the variable NOWHERE is not set (line 1)"
               in line for line in caught.value.details)  # fmt: skip


def test_commit_says_when_the_checkout_differs() -> None:
    """A clean checkout is its commit, a changed one says so, no git is nothing."""
    shell = FakeShell()
    shell.on("git", reply=b"")
    shell.on(*GIT, "-C", "/c", "rev-parse", reply=b"abc\n")
    assert git_commit(shell, Path("/c")) == "abc"
    shell.on(*GIT, "-C", "/c", "status", reply=b" M x\n")
    assert git_commit(shell, Path("/c")) == "abc+changes"
    shell.on(*GIT, "-C", "/c", "status", reply=b"")
    shell.on(*GIT, "ls-files", reply=b"src/.0007.py.swp\0src/__pycache__/a.pyc\0")
    assert git_commit(shell, Path("/c"), ("src",)) == "abc"
    shell.on(*GIT, "ls-files", reply=b"src/0007.py\0")
    assert git_commit(shell, Path("/c"), ("src",)) == "abc+changes"
    assert shell.calls[-1][-3:] == ("--", "src", "deploy")
    shell.on(*GIT, "-C", "/c", "rev-parse", reply=128)
    assert git_commit(shell, Path("/c")) == ""


def test_addresses_in_urls() -> None:
    """IPv6 addresses stand in brackets."""
    assert (bracketed("fe80::1"), bracketed("nas.local")) == ("[fe80::1]", "nas.local")


def test_other_letters_of_a_name_become_those_of_the_dns(root: Path) -> None:
    """Of a variable's name and of the host's own; what is no name is refused while it is read."""
    composed = COMPOSE.replace("http://{address}:8080", "https://${DOMAIN:-{address}}:8443")
    (root / "deploy/docker-compose.yml").write_text(composed)
    assert check(root, environment={"DOMAIN": "küche.example"}).stack.url == (
        "https://xn--kche-0ra.example:8443"
    )
    wanted = make_wanted(check(root), root, ENTRY, "küche.lan", [], who="me", commit="")
    assert wanted.url == "https://xn--kche-0ra.lan:8443"
    with pytest.raises(ConfigError, match=r"https://-ü\.example:8443: Invalid IDNA hostname"):
        check(root, environment={"DOMAIN": "-ü.example"})
