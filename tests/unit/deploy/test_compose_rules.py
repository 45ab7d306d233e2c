"""The rules that the Compose files keep, checked on the files as a host gets them."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from tests.composing import stack as read_stack

from langflix.queue import heartbeat
from langflix.scoring import settings as scoring
from slipway.config import load
from slipway.hosts.config import read_hosts
from slipway.runner.durations import seconds
from slipway.stack.model import Stack, own_variables
from slipway.stack.yamlfile import Findings, lint

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
BASE = "docker-compose.yml"
TRUENAS = "docker-compose.truenas.yml"
DEV = "docker-compose.dev.yml"
MEDIA = "docker-compose.media.yml"
GEMINI = "docker-compose.gemini.yml"
HTTPS = "docker-compose.https.yml"
ACME = "docker-compose.acme.yml"
EXAMPLE = "docker-compose.override.example.yml"
FILES = [BASE, TRUENAS, MEDIA, GEMINI, HTTPS, ACME, DEV, EXAMPLE]
ROLES = load(ROOT).roles
STANDING = [role for role in ROLES if role != "cli"]
STATEFUL = {"postgres", "redis"}

Service = dict[str, Any]


def _stack(*files: str, **given: str) -> Stack:
    variables = own_variables("langflix", ROLES, app_dir="/mnt/tank/apps/langflix")
    variables |= {"LANGFLIX_DATA": "/mnt/tank/apps/langflix/data"}
    variables |= {"LANGFLIX_SOURCE": "/src", "LANGFLIX_MEDIA": "/mnt/tank/media", **given}
    return read_stack([(name, (DEPLOY / name).read_text()) for name in files], variables)


def _secrets_of(service: Service) -> list[str]:
    return [one["source"] for one in service.get("secrets", [])]


STACKS = {
    "base": _stack(BASE),
    "truenas": _stack(BASE, TRUENAS),
    "media": _stack(BASE, TRUENAS, MEDIA),
    "gemini": _stack(BASE, GEMINI),
    "https": _stack(BASE, HTTPS),
    "acme": _stack(BASE, TRUENAS, HTTPS, ACME, LANGFLIX_DOMAIN="lessons.example.org"),
    "all": _stack(BASE, TRUENAS, MEDIA, GEMINI, EXAMPLE),
    "dev": _stack(BASE, DEV),
    "example": _stack(BASE, EXAMPLE),
}
#: Those whose edge has a certificate.
SECURE = {"https", "acme"}
EVERY = [
    pytest.param(stack.services[name], id=f"{kind}-{name}")
    for kind, stack in STACKS.items()
    for name in stack.services
]
EVERY_STANDING = [
    pytest.param(stack.services[name], id=f"{kind}-{name}")
    for kind, stack in STACKS.items()
    for name in stack.standing
]


@pytest.mark.parametrize("kind", STACKS)
def test_the_services_are_the_roles(kind: str) -> None:
    """Each role of slipway.toml is one service of its name; only cli does not stand.

    The one that keeps a certificate is there where there is one.
    """
    stack, without = STACKS[kind], set() if kind in SECURE else {"certificate"}
    assert stack.roles == {role: role for role in ROLES if role not in without}
    assert set(stack.standing) == set(STANDING) - without
    assert stack.application == load(ROOT).application


@pytest.mark.parametrize("service", EVERY)
def test_no_service_has_more_rights_than_it_needs(service: Service) -> None:
    """Unprivileged user, read-only root, no capability, no way to gain one, no host namespace."""
    assert service["user"] == "568:568"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    forbidden = {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode"}
    assert not forbidden & set(service)


@pytest.mark.parametrize("service", EVERY)
def test_every_service_is_limited(service: Service) -> None:
    """Processor, memory, processes and open files each have a limit."""
    limits = service["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert int(limits["memory"]) >= 64 << 20
    assert limits["pids"] > 0
    assert service["ulimits"]["nofile"]["hard"] >= service["ulimits"]["nofile"]["soft"] > 0


@pytest.mark.parametrize("service", EVERY)
def test_every_log_is_rotated(service: Service) -> None:
    """No container's log grows without an end."""
    assert service["logging"]["driver"] in ("local", "json-file")
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])


@pytest.mark.parametrize("service", EVERY)
def test_every_temporary_file_system_is_bounded(service: Service) -> None:
    """Each tmpfs has a size and belongs to the service's user."""
    for mount in service.get("tmpfs", []):
        options = mount.partition(":")[2].split(",")
        assert "uid=568" in options
        assert any(option.startswith("size=") for option in options)


@pytest.mark.parametrize("service", EVERY)
def test_every_mount_is_a_bind_that_must_exist(service: Service) -> None:
    """Data is under one path that slipway makes; Docker never makes a folder as root."""
    for mount in service.get("volumes", []):
        assert mount["type"] == "bind"
        assert mount["bind"] == {"create_host_path": False}
        assert mount["source"].startswith("/")


@pytest.mark.parametrize("service", EVERY)
def test_no_secret_is_in_the_environment(service: Service) -> None:
    """Variables name files of secrets; none holds one."""
    for name, value in service.get("environment", {}).items():
        if re.search("PASSWORD|SECRET|TOKEN|KEY", name):
            assert name.endswith("_FILE")
            assert value.removeprefix("/run/secrets/") in _secrets_of(service)
        assert not re.search(r"://[^/@]*:[^/@]+@", str(value))


@pytest.mark.parametrize("service", EVERY_STANDING)
def test_every_standing_service_comes_back_and_is_watched(service: Service) -> None:
    """It restarts after a reboot, has a health check without a shell, and time to stop."""
    assert service["restart"] == "always"
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert check["test"][1].startswith("/")
    needed = {"interval", "timeout", "retries", "start_period", "start_interval"}
    assert needed <= set(check)
    assert service["stop_grace_period"]


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_who_has_no_port_is_asked_by_its_heartbeat(role: str, tmp_path: Path) -> None:
    """The probe looks at the file that it touches, and how long it may be old is the probe's usual.

    Starting Python for it every few seconds costs a small server more than all other checks.
    """
    heartbeat.beat(role, tmp_path)
    (touched,) = tmp_path.iterdir()
    service = STACKS["base"].services[role]
    assert "LANGFLIX_RUN_DIR" not in service["environment"]
    where = Path("/tmp/langflix") / touched.name
    assert service["healthcheck"]["test"] == ["CMD", "/usr/bin/probe", f"file://{where}"]
    usual = (ROOT / "nix/go/probe/main.go").read_text("utf-8")
    assert f'"age", {heartbeat.STALE_AFTER_S:.0f}*time.Second' in usual


@pytest.mark.parametrize("kind", STACKS)
def test_dependencies_wait_for_health(kind: str) -> None:
    """Whoever needs another service waits until it is healthy."""
    for service in STACKS[kind].services.values():
        for needed in service.get("depends_on", {}).values():
            assert needed["condition"] == "service_healthy"


@pytest.mark.parametrize("kind", sorted(set(STACKS) - {"dev"}))
def test_only_the_door_publishes_ports(kind: str) -> None:
    """Nothing but the door, which lends the edge its socket, can be reached from outside."""
    stack = STACKS[kind]
    assert [name for name, body in stack.services.items() if body.get("ports")] == ["door"]


def test_a_host_with_an_ipv6_address_is_reached_there() -> None:
    """As docs/guides/deploy.md says; the URL has the address in brackets."""
    stack = _stack(BASE, HTTPS, LANGFLIX_BIND="[::]").with_images({}, "[fd00::7]")
    assert {port["host_ip"] for port in stack.services["door"]["ports"]} == {"::"}
    assert stack.url == "https://[fd00::7]:8443"
    names = stack.services["certificate"]["environment"]["CERTIFICATE_NAMES"]
    assert names == "[fd00::7],[fd00::7],localhost"


@pytest.mark.parametrize("kind", STACKS)
def test_the_edge_borrows_from_the_door(kind: str) -> None:
    """Both have the folder of the socket, and what waits at one edge's socket can go to another."""
    door, edge = (STACKS[kind].services[name] for name in ("door", "edge"))
    (lent,), borrowed = door["volumes"], edge["volumes"]
    assert lent in borrowed
    images = load(ROOT).images
    address, path, secure, other = images["door"].command[1:]
    assert images["edge"].entrypoint[:4] == ("/usr/bin/edge", path, other, "--")
    assert door["healthcheck"]["test"] == ["CMD", "/usr/bin/door", "check", path]
    assert {Path(path).parent, Path(other).parent} == {Path(lent["target"])}
    open_to_all = {address, secure} if kind in SECURE else {address}
    assert {f":{port['target']}" for port in door["ports"]} == open_to_all
    assert door["sysctls"] == {"net.ipv4.tcp_migrate_req": "1"}
    config = (DEPLOY / "edge/haproxy.cfg").read_text()
    assert re.findall(r"^ +bind (.*)$", config, re.MULTILINE) == [
        "fd@3",
        'fd@4 ssl crt "${EDGE_CERTIFICATE}" alpn h2,http/1.1',
        ":8405",
    ]


@pytest.mark.parametrize("kind", sorted(SECURE))
def test_the_edge_serves_what_is_kept(kind: str) -> None:
    """The one writes where the other reads, and keeps its keys where that can't."""
    certificate, edge = (STACKS[kind].services[name] for name in ("certificate", "edge"))
    kept = {mount["target"]: mount for mount in certificate["volumes"]}
    (read,) = (mount for mount in edge["volumes"] if mount["source"] == kept["/site"]["source"])
    assert read["read_only"] is True
    assert edge["environment"]["EDGE_CERTIFICATE"] == f"{read['target']}/site.pem"
    assert kept["/private"]["source"] not in {mount["source"] for mount in edge["volumes"]}
    assert load(ROOT).images["certificate"].command == ("keep", "/site", "/private")
    folders = {one.name: one.mode for one in STACKS[kind].data}
    assert (folders["certificate"], folders["authority"]) == (0o755, 0o700)
    assert STACKS[kind].trust == f"{Path(read['source']).name}/root.pem"
    assert STACKS[kind].url.startswith("https://")


def test_who_has_a_name_is_remembered_to_be_safe() -> None:
    """A certificate that browsers trust is insisted on for a year; of our authority it isn't."""
    promised = {
        kind: STACKS[kind].services["edge"]["environment"].get("EDGE_HSTS") for kind in STACKS
    }
    assert promised["base"] is None
    assert (promised["https"], promised["acme"]) == ("max-age=0", "max-age=31536000")
    names = STACKS["acme"].services["certificate"]["environment"]
    assert names["ACME_NAMES"] == "lessons.example.org"
    assert names["CERTIFICATE_NAMES"].startswith("lessons.example.org,")
    assert STACKS["acme"].url == "https://lessons.example.org:8443"


def test_an_edge_has_the_time_that_its_streams_need() -> None:
    """Its container is not killed before HAProxy itself gives up what still runs."""
    config = (DEPLOY / "edge/haproxy.cfg").read_text()
    own = re.search(r"^    hard-stop-after ([0-9]+)s$", config, re.MULTILINE)
    assert own is not None
    assert seconds(STACKS["base"].services["edge"]["stop_grace_period"], 0) > int(own[1])


def test_development_publishes_on_this_machine_alone() -> None:
    """The further ports of the development file are bound to the loopback address."""
    for name, body in STACKS["dev"].services.items():
        for port in body.get("ports", []) if name != "door" else []:
            assert port["host_ip"] == "127.0.0.1"


#: Network to who is on it; whoever shares one can talk to each other.
NETWORKS = {
    "outside": {"door"},
    "front": {"edge", "api", "frontend", "flower"},
    "back": {"api", "worker", "cli", "postgres", "redis"},
    "queue": {"beat", "flower", "redis"},
}


@pytest.mark.parametrize("kind", sorted(set(STACKS) - {"dev"}))
def test_who_can_talk_to_whom(kind: str) -> None:
    """Each network has just those that need one another; only the door's leads out of the host.

    Who asks an authority for a certificate is there, too.
    """
    stack = STACKS[kind]
    found = {
        network: {name for name, body in stack.services.items() if network in body["networks"]}
        for network in stack.document["networks"]
    }
    wanted = copy.deepcopy(NETWORKS)
    if kind in SECURE:
        wanted["front"].add("certificate")  # proofs of a name come by the edge
    if kind == "acme":
        wanted["outside"].add("certificate")
    assert {name: who for name, who in found.items() if name != "egress"} == wanted
    open_ones = {n for n, body in stack.document["networks"].items() if not body.get("internal")}
    assert open_ones - {"egress"} == {"outside"}


def test_development_opens_the_stores_to_this_machine() -> None:
    """Its file moves them to a network that leads out, where their ports can be published."""
    services = STACKS["dev"].services
    assert {n for n, body in services.items() if "dev" in body["networks"]} == STATEFUL


#: Service to the secrets that it is given, without the overlays' own.
SECRETS = {
    "api": {"postgres_app_login", "redis_api", "api_token", "api_token_before"},
    "worker": {"postgres_app_login", "redis_worker"},
    "beat": {"redis_beat"},
    "flower": {"redis_flower", "flower_password"},
    "cli": {"postgres_password", "api_token"},
    "certificate": {"tls_certificate"},
    "postgres": {"postgres_password", "postgres_app_login"},
    "redis": {"redis_api", "redis_worker", "redis_beat", "redis_flower", "redis_password"},
}


@pytest.mark.parametrize("kind", STACKS)
def test_everybody_has_his_own_secrets_only(kind: str) -> None:
    """The database's owner is known to who migrates; each role has its own login for the queue."""
    for name, body in STACKS[kind].services.items():
        given = set(_secrets_of(body)) - {"gemini_api_key", "acme_dns"}
        assert given == SECRETS.get(name, set()), name
        url = body.get("environment", {}).get("LANGFLIX_REDIS_URL")
        assert url in (None, f"redis://{name}@redis:6379/0")


@pytest.mark.parametrize("kind", STACKS)
def test_only_the_door_is_where_a_way_leads_in(kind: str) -> None:
    """Whoever answers strangers could not call anybody outside: all its networks are internal."""
    stack = STACKS[kind]
    networks = stack.document["networks"]
    lead_out = {name for name, body in networks.items() if not (body or {}).get("internal")}
    assert set(stack.services["door"]["networks"]) == {"outside"}
    reaching = {
        name for name, body in stack.services.items() if lead_out & set(body.get("networks", ()))
    }
    asking = {"worker", "cli"} if kind in ("gemini", "all") else set()
    own = {"postgres", "redis"} if kind == "dev" else set()
    own |= {"certificate"} if kind == "acme" else set()
    assert reaching == {"door"} | asking | own


@pytest.mark.parametrize("kind", STACKS)
def test_only_who_asks_gemini_has_a_way_out(kind: str) -> None:
    """The overlay for Gemini, and nothing else, gives worker and cli a network that leads out."""
    stack, asking = STACKS[kind], {"worker", "cli"} if kind in ("gemini", "all") else set()
    assert {n for n, body in stack.services.items() if "egress" in body["networks"]} == asking
    assert {n for n, body in stack.services.items() if "gemini_api_key" in _secrets_of(body)
            } == asking  # fmt: skip
    assert not stack.document["networks"].get("egress", {}).get("internal")
    assert ("gemini_api_key" in {spec.name for spec in stack.secrets}) is bool(asking)


def test_the_overlays_add_nothing_else() -> None:
    """Without the keys an overlay is about, the stack is the one below it."""

    def bare(stack: Stack) -> dict[str, Service]:
        kept = copy.deepcopy(stack.services)
        for body in kept.values():
            body.get("environment", {}).pop("LANGFLIX_MEDIA_DIR", None)
            for name in [n for n in body.get("environment", {}) if "GEMINI" in n]:
                del body["environment"][name]
            body["networks"].pop("egress", None)
            body["secrets"] = [n for n in _secrets_of(body) if n != "gemini_api_key"]
            mounts = body.get("volumes", [])
            body["volumes"] = [mount for mount in mounts if mount["target"] != "/media"]
        return kept

    assert bare(_stack(BASE, MEDIA, GEMINI)) == bare(STACKS["base"])


def test_the_defaults_for_gemini_are_the_codes() -> None:
    """What the overlay passes on when nothing is set is what the application would take."""
    assert scoring.KEY_FILE in STACKS["gemini"].services["worker"]["environment"]
    for service in ("worker", "cli"):
        given = STACKS["gemini"].services[service]["environment"]
        assert given[scoring.MODEL] == scoring.DEFAULT_MODEL
        assert given[scoring.MAX_COST] == scoring.DEFAULT_MAX_COST
        assert given[scoring.PRICES] == scoring.DEFAULT_PRICES


@pytest.mark.parametrize("kind", ["media", "all"])
def test_the_media_share_is_only_read(kind: str) -> None:
    """Whoever lists films or makes lessons of them has the share, read-only; nobody else does."""
    services = STACKS[kind].services
    shares = {
        name: mount
        for name, body in services.items()
        for mount in body.get("volumes", [])
        if mount["source"] == "/mnt/tank/media"
    }
    assert set(shares) == {"api", "worker", "cli"}
    for name, mount in shares.items():
        assert mount["read_only"] is True
        assert services[name]["environment"]["LANGFLIX_MEDIA_DIR"] == mount["target"] == "/media"


def test_the_token_is_wanted_unless_it_is_switched_off() -> None:
    """API, cli and smoke job know the token; an empty variable, and only that, switches it off."""
    name, file = "LANGFLIX_API_TOKEN_FILE", "/run/secrets/api_token"
    for given, wanted in (({}, file), ({name: ""}, "")):
        services = _stack(BASE, **given).services
        having = {n for n, body in services.items() if name in body.get("environment", {})}
        assert having == {"api", "cli"}
        for service in having:
            assert services[service]["environment"][name] == wanted
            assert "api_token" in _secrets_of(services[service])
    assert STACKS["base"].smoke.secrets == {name: "api_token"}


def test_only_the_rehearsal_host_goes_without_a_token() -> None:
    """Of the hosts in hosts.toml only the one that nobody else reaches has it switched off."""
    entries = read_hosts(DEPLOY / "hosts.toml").entries
    off = {n for n, e in entries.items() if e.variables.get("LANGFLIX_API_TOKEN_FILE") == ""}
    assert off == {n for n, entry in entries.items() if entry.kind == "rehearsal"} == {"rehearsal"}


@pytest.mark.parametrize("kind", STACKS)
def test_only_stateless_services_roll(kind: str) -> None:
    """What rolls holds no state, and answers HTTP behind the edge or takes jobs by itself."""
    stack = STACKS[kind]
    behind = {name for name, rolling in stack.rolled.items() if rolling == "edge"}
    assert behind == {"api", "frontend", "flower"}
    assert set(stack.rolled) - behind == {"worker", "edge"}
    config = (DEPLOY / "edge/haproxy.cfg").read_text()
    assert re.search(rf"^    stats socket {stack.edge.socket} .*level admin", config, re.MULTILINE)
    for name in behind:
        assert re.search(rf"^backend {name}$", config, re.MULTILINE)
        assert re.search(rf"^    server a {name}:[0-9]+ ", config, re.MULTILINE)


def test_data_folders_are_those_that_are_mounted() -> None:
    """Every folder below the data path is declared, so that it exists with the right owner."""
    stack = STACKS["base"]
    sources = {
        Path(mount["source"]).relative_to("/mnt/tank/apps/langflix/data").name
        for service in stack.services.values()
        for mount in service.get("volumes", [])
    }
    assert sources == {folder.name for folder in stack.data}
    assert {folder.owner for folder in stack.data} == {568}


@pytest.mark.parametrize("kind", STACKS)
def test_every_secret_is_used_and_every_used_one_is_declared(kind: str) -> None:
    """The secrets of services, of Compose and of slipway are the same, but for a source."""
    stack = STACKS[kind]
    used = {name for body in stack.services.values() for name in _secrets_of(body)}
    declared = set(stack.document["secrets"])
    sources = {spec.source for spec in stack.secrets if spec.source} - used
    assert used == declared == {spec.name for spec in stack.secrets} - sources


def test_limits_leave_room_in_the_programs_own_settings() -> None:
    """Redis's own limit and PostgreSQL's buffers fit in their containers with room to spare."""
    redis = (DEPLOY / "images/redis/etc/redis/redis.conf").read_text()
    own = re.search(r"^maxmemory ([0-9]+)mb$", redis, re.MULTILINE)
    postgres = (DEPLOY / "images/postgres/etc/postgresql/postgresql.conf").read_text()
    buffers = re.search(r"^shared_buffers = ([0-9]+)MB$", postgres, re.MULTILINE)
    assert own is not None
    assert buffers is not None
    limits = {
        name: int(STACKS["base"].services[name]["deploy"]["resources"]["limits"]["memory"]) >> 20
        for name in STATEFUL
    }
    assert limits["redis"] >= 2 * int(own[1])
    assert limits["postgres"] >= 3 * int(buffers[1])


def test_the_program_versions_agree() -> None:
    """The PostgreSQL version is the same in package, start script and health check."""
    packages = load(ROOT).images["postgres"].debian
    majors = {name.rsplit("-", 1)[1] for name in packages if name.startswith("postgresql")}
    script = (DEPLOY / "images/postgres/usr/bin/postgres-start").read_text()
    majors |= set(re.findall(r"^major=([0-9]+)$", script, re.MULTILINE))
    check = STACKS["base"].services["postgres"]["healthcheck"]["test"][1]
    majors.add(check.split("/")[4])
    assert majors == {"17"}


@pytest.mark.parametrize("name", FILES)
def test_yaml_means_the_same_to_every_reader(name: str) -> None:
    """No scalar is one thing to YAML 1.1 and another to YAML 1.2."""
    assert lint((DEPLOY / name).read_text()) == Findings()


@pytest.mark.parametrize("name", FILES)
def test_every_port_and_mode_is_quoted(name: str) -> None:
    """Mappings with colons, and numbers with a leading zero, are in quotes."""
    for line in (DEPLOY / name).read_text().splitlines():
        text = line.partition(" #")[0].strip()
        assert not re.match(r"-?\s*[0-9.]+:[0-9:]+$", text), line
        assert not re.search(r":\s+0[0-9]+\b", text), line


def _mentions() -> dict[str, set[str]]:
    """Variable to what follows its name wherever it is used."""
    found: dict[str, set[str]] = {}
    for name in FILES:
        lines = (DEPLOY / name).read_text().splitlines()
        text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
        for variable, rest in re.findall(r"\$\{([A-Z_]+)([^}]*)\}", text):
            found.setdefault(variable, set()).add(rest)
    return found


def _documented() -> dict[str, tuple[bool, str]]:
    """Variable to whether its line is active, and its value, in .env.example."""
    text = (DEPLOY / ".env.example").read_text()
    rows = re.findall(r"^(#?)([A-Z_]+)=(.*)$", text, re.MULTILINE)
    return {name: (not mark, value) for mark, name, value in rows}


def test_every_variable_is_documented_and_every_documented_one_used() -> None:
    """The example of .env lists the variables of the Compose files, no more and no fewer."""
    assert set(_mentions()) == set(_documented())


@pytest.mark.parametrize("variable", sorted(_mentions()))
def test_every_variable_has_a_default_or_a_reason(variable: str) -> None:
    """None can be empty unless the example says so, and it shows the default of the base file.

    One that a further file insists on has none there.
    """
    rests = {rest for rest in _mentions()[variable] if len(_mentions()[variable]) == 1
             or not rest.startswith(":?")}  # fmt: skip
    active, value = _documented()[variable]
    if all(rest.startswith(":?") and len(rest) > 10 for rest in rests):
        assert not active
    else:
        # A single "-" is for a variable that means something when it is empty, too.
        assert all(re.match(":?-." if value else ":?-$", rest) for rest in rests)
        assert active
        assert value in {re.sub("^:?-", "", rest) for rest in rests}
