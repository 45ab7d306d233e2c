"""Faults are seeded on a host: the doctor names each, and nothing else; mended, a deploy passes.

The host is the site's, reached as a TrueNAS is: over SSH, by its admin, with sudo. The stack was
deployed and taken down, so that its images, folders and records are there, and its names are free.
What can't be had of a real host, such as another processor, is a program before the real one on
sudo's path.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.functional.conftest import FILES, Site

from slipway.hosts.rehearsal import ADMIN, POOL

HOSTS = "deploy/hosts.local.toml"
OVERRIDE = "deploy/docker-compose.override.yml"
APP = f"{POOL}/apps/langflix"
DATA = f"{APP}/data"
BIN = f"{POOL}/bin"
FILMS = f"{POOL}/films"
MEDIA = [*FILES[:2], "docker-compose.media.yml", *FILES[2:]]
SUDO = f'Defaults env_reset\nDefaults secure_path="{BIN}:/usr/sbin:/usr/bin:/sbin:/bin"\n'
RIGHT = f"{ADMIN} ALL=(ALL:ALL) NOPASSWD: ALL\n"
LISTEN = (
    "import socket, time; s = socket.create_server(('', 8099));"
    " open('/tmp/listens', 'w'); time.sleep(3600)"
)


@dataclass(frozen=True)
class Fault:
    """Something wrong.

    Attributes:
        code: what the doctor calls it.
        seed: a script, run as root on the host.
        mend: likewise, afterwards; what the hint says, where it is about the host.
        programs: name to the script of a program that stands before the host's own.
        entry: what the host's table says otherwise.
        variables: what it says of these.
        override: the text of the operator's Compose file.
        said: a part of what was seen.
    """

    code: str
    seed: str = ""
    mend: str = ""
    programs: Mapping[str, str] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    override: str = ""
    said: str = ""


def small(place: str, options: str) -> tuple[str, str]:
    """Scripts that put a small file system over a folder, with a copy of its small files."""
    seed = f"""held=$(mktemp -d); mount -t tmpfs -o {options} small "$held"; cd {place}
        for one in *; do case $one in data|cache|'*') ;; *) cp -a -- "$one" "$held";; esac; done
        mount --move "$held" {place}"""
    return seed, f"umount {place}"


def docker(answer: str) -> dict[str, str]:
    """A program before Docker that answers some commands otherwise."""
    return {"docker": f'case "$1 $2" in {answer} esac\nexec /usr/bin/docker "$@"\n'}


def df(kind: str, line: str) -> dict[str, str]:
    """A program before ``df`` that knows a disk of Docker's that is nearly full."""
    return {"df": f'case "$1 $3" in "{kind} "*/docker*) echo "{line}"; exit;; esac\n'
                  'exec /usr/bin/df "$@"\n'}  # fmt: skip


# Its answers come from where the client of the middleware is looked for.
CLIENT = """
class ClientException(Exception):
    errno = 201
class ValidationErrors(ClientException): pass
class CallTimeout(ClientException): pass
class Client:
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def call(self, method, *args, timeout):
        if method not in ANSWERS:
            raise ClientException("Method does not exist")
        return ANSWERS[method]
"""


def nas(**answers: object) -> dict[str, str]:
    """Programs of a TrueNAS that answers as one that is well, but for some methods."""
    well: dict[str, object] = {
        "system.version": "TrueNAS-25.10.6", "docker.status": {"status": "RUNNING"},
        "app.query": [], "pool.dataset.query": [], "update.status": {"code": "NORMAL"},
    }  # fmt: skip
    said = well | {name.replace("_", ".", 1): told for name, told in answers.items()}
    return {
        "midclt": "exit 1\n",
        "truenas_api_client.py": f"ANSWERS = {said!r}\n{CLIENT}",
        "python3": 'PYTHONPATH="${0%/*}" exec /usr/bin/python3 "$@"\n',
    }


FLOWER = "services:\n  flower:\n"


def service(text: str, more: str = "") -> str:
    """An override of one service."""
    return f"{FLOWER}    {text}\n{more}"


ACL = [{"id": "tank/apps", "acltype": {"value": "NFSV4"}, "aclmode": {"value": "RESTRICTED"}}]
CONTAINER = (
    "docker create {} $(docker image ls --quiet --filter 'reference=langflix/api' | head -1)"
)
#: Most of TrueNAS' pool for networks, 172.16.0.0/12 in parts of 24 bits: what is left is soon full.
LARGE = "24.0.0/13 20.0.0/14 18.0.0/15 17.0.0/16 16.128.0/17 16.64.0/18 16.32.0/19 16.16.0/20"
FAULTS = [
    Fault("port-taken", f'setsid python3 -c "{LISTEN}" >/dev/null 2>&1 & echo $! >/tmp/pid; '
          "until [ -e /tmp/listens ]; do sleep 0.1; done",
          "kill $(cat /tmp/pid); rm /tmp/listens",
          variables={"LANGFLIX_PORT": "8099"}, said="python3 (process "),
    Fault("postgres-owner", f"chown 0:0 {DATA}/postgres", f"chown -R 568:568 {DATA}/postgres"),
    Fault("postgres-mode", f"chmod 0770 {DATA}/postgres", f"chmod 0700 {DATA}/postgres"),
    Fault("not-writable", f"chown 0:0 {DATA}/media", f"chown -R 568:568 {DATA}/media",
          said=f"can't write in {DATA}/media"),
    Fault("folder-missing", entry={"compose": MEDIA}, variables={"LANGFLIX_MEDIA": FILMS}),
    Fault("not-readable", f"mkdir -m 0700 {FILMS}", f"rmdir {FILMS}",
          entry={"compose": MEDIA}, variables={"LANGFLIX_MEDIA": FILMS}),
    Fault("app-space", *small(APP, "size=12m")),
    Fault("app-inodes", *small(APP, "nr_inodes=1500")),
    Fault("docker-space", programs=df("-Pk", "disk 1000000 950000 50000 95% /d")),
    Fault("docker-inodes", programs=df("-Pi", "disk 100000 99000 1000 99% /d")),
    Fault("network-foreign", "docker network create langflix_back >/dev/null",
          "docker network rm langflix_back >/dev/null"),
    Fault("container-foreign", CONTAINER.format("--name langflix-api-7"),
          "docker container rm langflix-api-7"),
    Fault("deployed-elsewhere",
          CONTAINER.format("--name away --label com.docker.compose.project=langflix --label "
                           "com.docker.compose.service=api --label "
                           "com.docker.compose.project.config_files=/srv/c.yml"),
          "docker container rm away"),
    Fault("address-pools", f"for net in {LARGE}; do docker network create --label pools=full "
          "--subnet 172.$net large${net%%.*}${net##*/} >/dev/null 2>&1 || :; done; "
          "for n in $(seq 200); do docker network create --label pools=full "
          "pool$n >/dev/null 2>&1 || exit 0; done; exit 1",
          "docker network rm $(docker network ls --quiet --filter label=pools=full) >/dev/null"),
    Fault("sudo", f"printf '%s' '{SUDO}' >/etc/sudoers", f"printf '%s' '{SUDO}{RIGHT}' "
          ">/etc/sudoers"),
    Fault("host-key", entry={"known_hosts": "/dev/null"}, said="is not known here"),
    Fault("login", entry={"key_file": "STRANGER"}),
    Fault("unreachable", entry={"address": "127.0.0.1", "port": 0}, said="refused the connection"),
    Fault("docker-missing", entry={"docker": "/usr/bin/nodocker"}),
    Fault("docker-stopped", programs={"stopped": 'exec docker -H unix:///nowhere "$@"\n'},
          entry={"docker": "stopped"}),
    Fault("docker-old", programs=docker('"info --format") /usr/bin/docker "$@" | sed '
          "'s/\"ServerVersion\":\"[^\"]*\"/\"ServerVersion\":\"19.03.1\"/'; exit;;")),
    Fault("compose-missing", programs=docker('"compose version") exit 1;;')),
    Fault("compose-old", programs=docker('"compose version") echo 2.3.3; exit;;')),
    Fault("clock", programs={"date": "echo $(($(/usr/bin/date +%s) + 90))\n"},
          said=" s ahead of this machine"),
    Fault("processor", programs={"uname": "echo aarch64\n"}),
    Fault("zstd-missing", programs={"zstd": "exit 127\n"}),
    Fault("processors-limit", variables={"LANGFLIX_WORKER_CPUS": "999"}),
    Fault("memory-limits", variables={"LANGFLIX_WORKER_MEMORY": "9000G"}),
    Fault("restart-missing", override=service('restart: "no"')),
    Fault("yaml-ambiguous", override=service("environment: { LANGFLIX_X: 0755 }")),
    Fault("env-file-relative", override=service("env_file: [./x.env]")),
    Fault("named-volume", override=service('volumes: ["pile:/pile"]', "volumes: { pile: {} }\n")),
    Fault("stack", override=service("imagee: x")),
    Fault("truenas-old", programs=nas(system_version="TrueNAS-SCALE-24.04.2")),
    Fault("truenas-docker", programs=nas(docker_status={"status": "FAILED"})),
    Fault("app-name", programs=nas(app_query=[{"name": "gflix"}])),
    Fault("acl-restricted", programs=nas(**{"pool_dataset.query": ACL})),
    Fault("update-waits", programs=nas(update_status={"code": "REBOOT_REQUIRED"})),
]  # fmt: skip
#: The others are among the twenty at once, too.
QUICK = ("port-taken",)


@dataclass(frozen=True)
class Sick:
    """The host, and what is found on it when nothing is seeded.

    Attributes:
        site: where the command line is.
        info: how the host is reached.
        well: the codes that are found anyhow, none of which is an error.
    """

    site: Site
    info: Mapping[str, Any]
    well: frozenset[str]

    def root(self, script: str) -> None:
        """Run a script as root on the host."""
        if script:
            self.site.sh("sh", "-euc", script)

    def write(self, *faults: Fault) -> None:
        """Write the host's table."""
        otherwise = {key: value for one in faults for key, value in one.entry.items()}
        entry = {
            "kind": "ssh", "address": self.info["address"], "user": ADMIN, "sudo": True,
            "key_file": self.info["key_path"], "known_hosts": self.info["known_hosts_path"],
            "app_dir": APP, "compose": FILES, **otherwise,
        }  # fmt: skip
        if entry["key_file"] == "STRANGER":
            entry["key_file"] = str(stranger(self.site.root))
        if entry.get("port") == 0:
            with socket.create_server(("127.0.0.1", 0)) as server:
                entry["port"] = server.getsockname()[1]
        variables = {"LANGFLIX_API_TOKEN_FILE": ""}
        for one in faults:
            variables |= one.variables
        lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
        lines += ["[host.sick.variables]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in variables.items()]
        text = "format = 1\n[host.sick]\n" + "\n".join(lines) + "\n"
        (self.site.root / HOSTS).write_text(text, "utf-8")

    def diagnosis(self) -> dict[str, Any]:
        """What the doctor finds."""
        ended = self.site.inv("host.doctor", "--host", "sick", "--json")
        assert "Traceback" not in ended.err, ended.err
        found: dict[str, Any] = ended.json
        assert "findings" in found, ended.err
        if not found["errors"]:
            assert ended.code == 0
        else:
            assert ended.code == (2 if {*codes(found, "error")} == {"stack"} else 4)
        return found

    @contextmanager
    def seeded(self, *faults: Fault) -> Iterator[None]:
        """The host with faults; they are mended at the end."""
        place = self.site.root / OVERRIDE
        with ExitStack() as undone:
            for name, text in (item for one in faults for item in one.programs.items()):
                self.program(name, text)
                undone.callback(self.root, f"rm {BIN}/{name}")
            if override := merged([one.override for one in faults if one.override]):
                place.write_text(override, "utf-8")
                undone.callback(place.unlink)
            self.write(*faults)
            undone.callback(self.write)
            for one in faults:
                undone.callback(self.root, one.mend)
                self.root(one.seed)
            yield

    def program(self, name: str, text: str) -> None:
        """Put a program before the host's own."""
        script = 'printf "%s" "$1" >"$2" && chmod 0755 "$2"'
        self.site.sh("sh", "-euc", script, "x", f"#!/bin/sh\n{text}", f"{BIN}/{name}")


def merged(overrides: list[str]) -> str:
    """Overrides of one service as one; YAML's own writer would make other texts of theirs."""
    lines = [line for text in overrides for line in text.removeprefix(FLOWER).splitlines()]
    inner = [line for line in lines if line.startswith("    ")]
    outer = [line for line in lines if not line.startswith("    ")]
    return FLOWER + "\n".join((*inner, *outer)) + "\n" if lines else ""


def stranger(root: Path) -> Path:
    """A key that the host does not know."""
    path = root / "stranger"
    if not path.exists():
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
        subprocess.run(argv, check=True, capture_output=True)
    return path


def codes(found: Mapping[str, Any], severity: str = "") -> list[str]:
    """The code of each finding."""
    return [one["code"] for one in found["findings"] if severity in ("", one["severity"])]


@pytest.fixture(scope="module")
def sick(site: Site) -> Iterator[Sick]:
    """The host, with the stack down and sudo's path prepared; all is put back."""
    (site.root / "deploy/x.env").write_text("LANGFLIX_X=1\n", "utf-8")
    site.good("deploy")
    site.good("down")
    info = site.good("rehearsal.up", "--name", site.host, "--json").json
    made = Sick(site, info, frozenset())
    before = site.sh("cat", "/etc/sudoers")
    try:
        made.root(f"mkdir -p {BIN}; printf '%s' '{SUDO}{RIGHT}' >/etc/sudoers")
        made.write()
        found = made.diagnosis()
        assert codes(found, "error") == [], found
        assert found["unchecked"] == []
        yield Sick(site, info, frozenset(codes(found)))
    finally:
        made.root(f"rm -rf {BIN}")
        site.sh("sh", "-c", 'printf "%s" "$1" >/etc/sudoers', "x", before)
        (site.root / HOSTS).unlink(missing_ok=True)
        (site.root / OVERRIDE).unlink(missing_ok=True)
        (site.root / "deploy/x.env").unlink()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            one, id=one.code, marks=() if one.code in QUICK else pytest.mark.long
        )  # tests/unit/plan/test_doctor.py, tests/integration/hosts/test_checkup_scripts.py
        for one in FAULTS
    ],
)
def test_each_fault_is_named_and_nothing_else(sick: Sick, fault: Fault) -> None:
    """Its code, what was seen and what to do; mended, it is gone. Nothing is left behind."""
    with sick.seeded(fault):
        found = sick.diagnosis()
    told = [one for one in found["findings"] if one["code"] not in sick.well]
    assert {one["code"] for one in told} == {fault.code}, told
    assert all(fault.said in one["what"] and one["hint"] and one["why"] for one in told)
    left = "docker network ls --quiet --filter label=io.slipway.probe; docker container ls "
    left += (
        "--all --quiet --filter label=io.slipway.probe; ls -A /mnt/tank/apps/langflix/data/media"
    )
    assert ".slipway" not in sick.site.sh("sh", "-c", left)


#: Those that can be there at once: each program is another one, each seed is in a hand of its own.
TOGETHER = (
    "port-taken", "postgres-owner", "not-writable", "not-readable", "docker-space",
    "network-foreign", "container-foreign", "deployed-elsewhere", "address-pools", "clock",
    "processor", "zstd-missing", "processors-limit", "memory-limits", "restart-missing",
    "yaml-ambiguous", "env-file-relative", "named-volume", "compose-old", "update-waits",
)  # fmt: skip


def test_twenty_at_once_and_a_deploy_when_all_are_mended(sick: Sick) -> None:
    """All are told in one run, and nothing else; each hint was followed, and the deploy passes."""
    named = {one.code: one for one in FAULTS}
    with sick.seeded(*(named[code] for code in TOGETHER)):
        found = sick.diagnosis()
        refused = sick.site.inv("deploy", "--host", "sick", "--json")
    assert sorted({*codes(found)} - sick.well) == sorted(TOGETHER)
    assert refused.code != 0
    assert set(codes(sick.diagnosis())) == sick.well
    assert sick.site.good("deploy", "--host", "sick", "--json").json["outcome"] == "deployed"
    again = sick.diagnosis()
    assert codes(again, "error") == []
    assert set(codes(again)) <= sick.well
    sick.site.good("down", "--host", "sick")


def test_there_are_twenty_and_more() -> None:
    """Each has a code of its own."""
    assert len({one.code for one in FAULTS}) == len(FAULTS) >= 20
