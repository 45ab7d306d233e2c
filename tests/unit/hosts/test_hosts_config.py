"""deploy/hosts.toml is read strictly, every problem at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ConfigError
from slipway.hosts.config import HostEntry, parse_hosts, read_hosts

GOOD = """
format = 1
default = "nas"
[host.nas]
kind = "ssh"
address = "nas.example"
port = 2222
user = "truenas_admin"
key_file = "~/.ssh/nas"
known_hosts = "/etc/nas_hosts"
app_dir = "/mnt/tank/apps/langflix/"
sudo = true
docker = "/usr/bin/docker"
compose = ["docker-compose.yml", "docker-compose.truenas.yml"]
variables = { LANGFLIX_PORT = "8080" }
[host.local]
kind = "local"
app_dir = "~/langflix"
"""


def problems(text: str) -> tuple[str, ...]:
    """What is wrong with a file."""
    with pytest.raises(ConfigError) as caught:
        parse_hosts(text, home="/home/me")
    assert caught.value.exit_code == 2
    return caught.value.details


def one(body: str) -> str:
    """A file with one host ``x`` of these lines."""
    return f'format = 1\ndefault = "x"\n[host.x]\n{body}\n'


ONLY = 'kind = "ssh"\naddress = "a"\napp_dir = "/mnt/tank/x"\nmode = "app-only"\n'


def test_without_a_right_to_docker_images_come_from_a_registry() -> None:
    """Which has to be named; what would take root or Docker has no meaning."""
    made = parse_hosts(one(f'{ONLY}registry = "registry.lan:5000/home"'), home="/home/me").pick()
    assert (made.mode, str(made.registry)) == ("app-only", "registry.lan:5000/home")
    assert made.to_json()["registry"] == "registry.lan:5000/home"
    (lacks,) = problems(one(ONLY))
    assert 'host.x.registry: is needed with mode = "app-only"' in lacks
    assert "./inv push --to" in lacks
    both = f'{ONLY}registry = "registry.lan:5000"\nsudo = true\ndocker = "docker"'
    assert [text.split(": ")[1] for text in problems(one(both))] == [
        "host.x.sudo",
        "host.x.docker",
    ]
    (wrong,) = problems(one(f'{ONLY}registry = "no server"'))
    assert "host.x.registry: should be a server" in wrong


def test_every_field_is_read() -> None:
    """All fields come as values, with ~/ resolved and defaults filled in."""
    hosts = parse_hosts(GOOD, home="/home/me")
    assert hosts.pick() == HostEntry(
        name="nas", kind="ssh", app_dir="/mnt/tank/apps/langflix", address="nas.example",
        port=2222, user="truenas_admin", key_file="/home/me/.ssh/nas",
        known_hosts="/etc/nas_hosts", sudo=True, docker="/usr/bin/docker",
        compose=("docker-compose.yml", "docker-compose.truenas.yml"),
        variables={"LANGFLIX_PORT": "8080"},
    )  # fmt: skip
    assert hosts.pick("local") == HostEntry("local", "local", "/home/me/langflix")


def test_json_names_every_field() -> None:
    """The JSON form has each field of the entry."""
    entry = parse_hosts(GOOD, home="/home/me").pick()
    assert set(entry.to_json()) == set(HostEntry.__slots__)
    assert entry.to_json()["variables"] == {"LANGFLIX_PORT": "8080"}


def test_an_unknown_host_lists_the_known() -> None:
    """A name that isn't there is answered with those that are."""
    with pytest.raises(ConfigError, match=r"no host 'naz' in .*; it has: local, nas") as caught:
        parse_hosts(GOOD, home="/h").pick("naz")
    assert caught.value.exit_code == 2


def test_all_problems_at_once() -> None:
    """One pass finds everything wrong, each with its path."""
    text = """
format = 2
default = "gone"
extra = 1
[host.a]
kind = "rsh"
app_dir = "relative"
[host.b]
kind = "ssh"
app_dir = "/mnt"
port = 70000
sudo = "yes"
adress = "typo"
"""
    assert problems(text) == tuple(
        f"deploy/hosts.toml: {each}"
        for each in (
            "format: should be 1, got 2; another version wrote it",
            "host.a.kind: should be one of rehearsal, local, ssh, got 'rsh'",
            "host.a.app_dir: should be an absolute path without .., got 'relative'",
            "host.b.app_dir: should be a folder of its own, not '/mnt'",
            "host.b.address: is missing",
            "host.b.port: should be a TCP port from 1 to 65535, got 70000",
            "host.b.sudo: should be true or false, got 'yes'",
            "host.b.adress: is unknown",
            "default: names 'gone', which is no host of this file",
            "extra: is unknown",
        )
    )


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('kind = "local"\napp_dir = "/srv/a/../b"', "host.x.app_dir"),
        ('kind = "ssh"\napp_dir = "~/a"\naddress = "n"', "host.x.app_dir"),
        ('kind = "local"\napp_dir = "/a\\nb"', "host.x.app_dir"),
        ('kind = "ssh"\napp_dir = "/srv/a"\naddress = "-oProxyCommand=id"', "host.x.address"),
        ('kind = "ssh"\napp_dir = "/srv/a"\naddress = "a b"', "host.x.address"),
        ('kind = "ssh"\napp_dir = "/srv/a"\naddress = ""', "host.x.address"),
        ('kind = "ssh"\napp_dir = "/srv/a"\naddress = "[fd00::7]"', "host.x.address"),
        ('kind = "ssh"\napp_dir = "/srv/a"\naddress = "n"\nuser = ""', "host.x.user"),
        ('kind = "ssh"\napp_dir = "/srv/a"\naddress = "n"\nport = 0', "host.x.port"),
        ('kind = "ssh"\napp_dir = "/srv/a"\naddress = "n"\nkey_file = "k"', "host.x.key_file"),
        ('kind = "local"\napp_dir = "/srv/a"\naddress = "n"', "host.x.address"),
        ('kind = "local"\napp_dir = "/srv/a"\ndocker = "docker -H x"', "host.x.docker"),
        ('kind = "local"\napp_dir = "/srv/a"\ncompose = []', "host.x.compose"),
        ('kind = "local"\napp_dir = "/srv/a"\ncompose = ["../x.yml"]', "host.x.compose[0]"),
        ('kind = "local"\napp_dir = "/srv/a"\ncompose = ["/x.yml"]', "host.x.compose[0]"),
        ('kind = "local"\napp_dir = "/srv/a"\nvariables = {PORT = 80}', "host.x.variables.PORT"),
        ('kind = "local"\napp_dir = "/srv/a"\nvariables = {"A-B" = "x"}', "host.x.variables.A-B"),
        ('kind = "local"\napp_dir = "/srv/a"\nmode = "swarm"', "host.x.mode"),
        ('kind = "local"\napp_dir = "/srv/a"\nmode = ""', "host.x.mode"),
        ('kind = "rehearsal"\napp_dir = "/srv/a"\nrelease = "25"', "host.x.release"),
        ('kind = "local"\napp_dir = "/srv/a"\nrelease = "25.10"', "host.x.release"),
        ('app_dir = "/srv/a"', "host.x.kind"),
        ('kind = "local"', "host.x.app_dir"),
    ],
)
def test_each_bad_value_is_one_problem(body: str, where: str) -> None:
    """A single bad value gives a single problem, at its place."""
    found = problems(one(body))
    assert [each.split(": ")[1] for each in found] == [where]


@pytest.mark.parametrize("name", ["A", "1a", "a_b", "a" * 22])
def test_bad_names_are_refused(name: str) -> None:
    """A host's name must do as a name of an interface, a folder and an option."""
    text = f'format = 1\ndefault = "{name}"\n[host.{name}]\nkind = "local"\napp_dir = "/srv/a"\n'
    assert "is no host name" in problems(text)[0]


def test_no_hosts_at_all() -> None:
    """A file without hosts says that they are missing."""
    assert problems("format = 1") == ("deploy/hosts.toml: host: is missing",)


@given(st.text())
def test_any_text_gives_hosts_or_a_config_error(text: str) -> None:
    """No text leads to anything but a value or a ConfigError."""
    try:
        parse_hosts(text, home="/h")
    except ConfigError as error:
        assert error.details


@given(
    st.dictionaries(
        st.sampled_from(
            ["kind", "address", "port", "app_dir", "sudo", "compose", "docker", "mode", "release"]
        ),
        st.sampled_from(['"x"', "1", "-1", "true", "[]", '["a"]', "[1]", "{}", "1.5", '""']),
    )
)
def test_any_types_give_hosts_or_a_config_error(fields: dict[str, str]) -> None:
    """A value of any type in any field is a problem with a path, never a traceback."""
    body = "\n".join(f"{key} = {value}" for key, value in fields.items())
    assert all("host.x" in each for each in problems(one(body)))


def test_the_committed_file_is_sound() -> None:
    """The project's own file names a default and a local host."""
    path = Path(__file__).parents[3] / "deploy" / "hosts.toml"
    hosts = read_hosts(path)
    assert hosts.pick().kind == "rehearsal"
    assert hosts.pick("local").kind == "local"


OWN = 'format = 1\n[host.attic]\nkind = "ssh"\naddress = "a"\napp_dir = "/srv/a"\n'


def test_hosts_of_the_operators_own() -> None:
    """They stand beside the others; a default there is the stronger one."""
    both = parse_hosts(GOOD, home="/h", own=OWN)
    assert set(both.entries) == {"local", "nas", "attic"}
    assert both.pick() == parse_hosts(GOOD, home="/h").pick()
    assert parse_hosts(GOOD, home="/h", own=f'default = "attic"\n{OWN}').pick().name == "attic"
    assert (
        parse_hosts(GOOD, home="/h", own='format = 1\ndefault = "local"\n').pick().name == "local"
    )
    with pytest.raises(
        ConfigError, match=r"in deploy/hosts.toml and deploy/hosts.local.toml"
    ) as no:
        both.pick("cellar")
    assert no.value.hint == "name one of them with --host, or add it: ./inv host.add cellar"


def test_problems_of_both_files_are_told_at_once() -> None:
    """A host that is in both, and a default that is in neither, are problems of the second."""
    twice = OWN.replace("attic", "nas").replace("format = 1", 'format = 1\ndefault = "gone"')
    with pytest.raises(ConfigError) as caught:
        parse_hosts(GOOD, home="/h", own=twice)
    assert caught.value.details == (
        "deploy/hosts.local.toml: host.nas: is in deploy/hosts.toml, too: remove one, or give it "
        "another name",
        "deploy/hosts.local.toml: default: names 'gone', which is no host of this file",
    )
    with pytest.raises(ConfigError, match="the hosts has 3 problems") as caught:
        parse_hosts(GOOD.replace("format = 1", "format = 7"), home="/h", own=twice)
    assert "deploy/hosts.toml: format" in caught.value.details[0]


def test_a_file_of_the_operators_own_is_found(tmp_path: Path) -> None:
    """It lies beside the first one, and need not be there."""
    (tmp_path / "hosts.toml").write_text(GOOD)
    assert "attic" not in read_hosts(tmp_path / "hosts.toml").entries
    (tmp_path / "hosts.local.toml").write_text(OWN)
    assert "attic" in read_hosts(tmp_path / "hosts.toml").entries


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    """A file that isn't there is a ConfigError with a hint."""
    with pytest.raises(ConfigError, match="can't be read") as caught:
        read_hosts(tmp_path / "hosts.toml")
    assert caught.value.hint
