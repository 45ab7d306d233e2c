"""slipway reads Compose files as Compose itself does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.composing import model

from slipway.app.workspace import Workspace
from slipway.config import load
from slipway.errors import ConfigError
from slipway.report import Report
from slipway.stack.compose import DotEnv
from slipway.stack.model import Stack, own_variables
from slipway.stack.read import read_stack
from slipway.stack.references import OWN
from slipway.stack.render import render

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
HEAD = f'{OWN}: {{application: demo, url: "http://x"}}\n'

BASE = (
    HEAD
    + """
x-log: &log {driver: json-file, options: {max-size: 10m}}
services:
  web:
    image: ${WEB:-web:1}
    command: run "two words" $$HOME
    environment: {A: "1", B: "${B-two}", C: null, N: 5, T: true}
    ports: ["127.0.0.1:${PORT:-8080}:80", "9000:9000/udp"]
    expose: ["80"]
    volumes: ["/srv/data:/data", "/srv/other:/other:ro", "cache:/cache"]
    tmpfs: /tmp
    dns: 1.1.1.1
    labels: ["one=1", "two=2"]
    networks: [front, back]
    depends_on: [db]
    healthcheck: {test: [CMD, check], interval: 1m30s, retries: 3}
    cap_drop: [ALL]
    cap_add: [CHOWN]
    logging: *log
    deploy: {resources: {limits: {cpus: "0.5", memory: 128m}}}
    ulimits: {nofile: 1024}
    configs: [conf]
    secrets: [pass]
    security_opt: ["no-new-privileges:true"]
    read_only: ${RO:-true}
    stop_grace_period: 20s
  db:
    image: db:1
    restart: "no"
  job:
    image: db:1
    profiles: [job]
networks: {front: {}, back: {internal: true}}
volumes: {cache: {}}
configs: {conf: {file: /etc/hosts}}
secrets: {pass: {file: /etc/hostname}}
"""
)
BESIDE = {
    "base2.yml": "services: {far: {image: far:1, environment: [X=1], env_file: inner/two.env}}\n",
    "one.env": 'ONE=1\nA=from file\nTWO="a\\nb" # note\n',
    "inner/two.env": "IN=${ONE:-none}\n",
    "inner/more.yml": (
        "services: {inner: {image: inner:1, env_file: two.env, depends_on: [db]},"
        " db: {image: db:1}}\n"
    ),
}
SLIPWAY_PASS = f"{OWN}: {{secrets: {{pass: {{generate: 8}}}}}}\n"

OVERRIDES = {
    "nothing": "services: {}\n",
    "scalars": "services: {web: {image: web:2, read_only: false, stop_grace_period: 1m}}\n",
    "environment as a list": "services: {web: {environment: [A=9, D=4, E]}}\n",
    "a port again": 'services: {web: {ports: ["127.0.0.1:8080:80", "81:81"]}}\n',
    "a long port": "services: {web: {ports: [{target: 80, published: 1234}]}}\n",
    "a mount's other source": 'services: {web: {volumes: ["/new:/data", "/n:/n"]}}\n',
    "a long mount": "services: {web: {volumes: [{type: bind, source: /z, target: /data}]}}\n",
    "command and test": "services: {web: {command: [a, b], healthcheck: {test: probe it}}}\n",
    "depends": "services: {web: {depends_on: {db: {condition: service_healthy}}}}\n",
    "networks": "services: {web: {networks: {back: {aliases: [w]}}}}\n",
    "logging, same driver": "services: {web: {logging: {options: {max-file: '3'}}}}\n",
    "logging, other driver": "services: {web: {logging: {driver: local}}}\n",
    "reset": "services: {web: {ports: !reset [], command: !reset null}}\n",
    "override": 'services: {web: {ports: !override ["1:1"], environment: !override {Z: "1"}}}\n',
    "new service": "services: {more: {image: more:1, depends_on: [web]}}\n",
    "labels": "services: {web: {labels: {two: '22', three: '3'}}}\n",
    "sets": "services: {web: {cap_drop: [ALL], tmpfs: [/tmp, /run], dns: [8.8.8.8]}}\n",
    "limits": "services: {web: {deploy: {resources: {limits: {memory: 256m}}}}}\n",
    "ulimits": "services: {web: {ulimits: {nofile: {soft: 1, hard: 2}}}}\n",
    "an empty variable's value": "services: {web: {environment: {A: null, B: null}}}\n",
    "another protocol": 'services: {web: {ports: ["9000:9000/tcp", "53:53/udp", "53:53/tcp"]}}\n',
    "a slash at the end": 'services: {web: {volumes: ["/new:/data/"]}}\n',
    "reset in a map": "services: {web: {environment: {A: !reset null}, healthcheck: !reset {}}}\n",
    "override of a list": (
        "services: {web: {cap_add: !override [KILL], networks: !override [back]}}\n"
    ),
    "extends of one's own": (
        "services: {a: {image: i, cap_add: [X]}, b: {extends: a, cap_add: !reset []}}\n"
    ),
    "extends of another file": "services: {more: {extends: {file: base2.yml, service: far}}}\n",
    "include": "include: [inner/more.yml]\nservices: {web: {labels: [x=y]}}\n",
    "environment of a file": (
        "services: {web: {env_file: [one.env, {path: no.env, required: false}]}}\n"
    ),
    "anchors": "x-e: &e {A: '7', Q: q}\nservices: {web: {environment: {<<: *e, Q: own}}}\n",
    "profiles": "services: {web: {profiles: [p]}, db: {profiles: [p, q]}}\n",
    "presence": (
        'services: {web: {environment: {P: "${PORT:+set}", Q: "${NO+x}", R: "${NO-$$a}"}}}\n'
    ),
    "foreign keys": "services: {web: {x-any: {a: 1}}}\nx-more: [1]\n",
    "sizes": "services: {web: {mem_limit: 1g, shm_size: 64m, deploy: !reset {}}}\n",
    "extra hosts": 'services: {web: {extra_hosts: ["a:1.2.3.4"], sysctls: [net.a=1]}}\n',
    "a host's network": (
        "services: {web: {network_mode: host, networks: !reset [], ports: !reset []}}\n"
    ),
    "a mounted file": 'services: {db: {volumes: ["/etc/hosts:/h:ro", "cache:/c:ro"]}}\n',
    "replicas": "services: {db: {scale: 2}, web: {deploy: {replicas: 3}}}\n",
    "a hard stop": "services: {db: {stop_signal: SIGINT, init: true, user: '1:1', tty: true}}\n",
    "numbers": "services: {db: {environment: [P=0755, Q=1_0], oom_score_adj: -5, pids_limit: 9}}\n",
    "volume options": "volumes: {cache: {driver_opts: {type: nfs, o: addr=x, device: ':/x'}}}\n",
    "network options": (
        "networks: {front: {driver_opts: {a: b}, ipam: {config: [{subnet: 10.1.0.0/24}]}}}\n"
    ),
    "second secret": "services: {web: {secrets: [{source: pass, target: other}]}}\n",
}


@pytest.fixture(scope="session")
def compose() -> tuple[str, ...]:
    """The real Compose, the rehearsal host's own; ``config`` needs no daemon."""
    named = os.environ.get("SLIPWAY_COMPOSE")
    if named is None:
        tree = Workspace(ROOT, Report(quiet=True)).tree(locked=True)
        named = str(tree / "usr/libexec/docker/cli-plugins/docker-compose")
    return (named,)


def _run(
    compose: tuple[str, ...],
    folder: Path,
    names: list[str],
    variables: dict[str, str],
    project: str = "demo",
) -> subprocess.CompletedProcess[str]:
    files = [argument for name in names for argument in ("-f", str(folder / name))]
    return subprocess.run(
        [*compose, "-p", project, *files, "--profile", "*", "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
    )


def _config(
    compose: tuple[str, ...],
    folder: Path,
    names: list[str],
    *,
    project: str = "demo",
    **variables: str,
) -> dict[str, Any]:
    done = _run(compose, folder, names, variables, project)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    for key in [key for key in document if key.startswith("x-")]:
        del document[key]
    for body in document["services"].values():
        body.pop(OWN, None)
        for label in ("io.slipway.config", "io.slipway.role"):
            body.get("labels", {}).pop(label, None)
        if not body.get("labels"):
            body.pop("labels", None)
    return document


def _rendered(stack: Stack) -> bytes:
    return render(stack, images={}, files={}, secrets={}, app_dir="/app").text


def _written(folder: Path, texts: list[tuple[str, str]]) -> None:
    for file, text in [*texts, *BESIDE.items()]:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text, "utf-8")


@pytest.mark.parametrize("name", OVERRIDES)
def test_merged_file_means_what_the_files_mean(
    name: str, tmp_path: Path, compose: tuple[str, ...]
) -> None:
    """Compose reads slipway's one file exactly as it reads the files it was made of."""
    texts = [("base.yml", BASE), ("over.yml", OVERRIDES[name]), ("own.yml", SLIPWAY_PASS)]
    _written(tmp_path, texts)
    theirs = _config(compose, tmp_path, ["base.yml", "over.yml"])
    one = _rendered(read_stack(model(texts, {}, folder=tmp_path)))
    assert str(tmp_path).encode() not in one
    (tmp_path / "one").mkdir()
    (tmp_path / "one/one.json").write_bytes(one)
    assert _config(compose, tmp_path / "one", ["one.json"]) == theirs


DOTENVS = {
    "a quote and a note": b'V="x" # note\n',
    "an earlier one": b"B=b\nV=${B}-$B\n",
    "a default": b"V=${NO:-d}\n",
    "an escape": b'V="a\\nb\\tc"\n',
    "no escape": b"V='a\\nb $B'\n",
    "a byte order mark": b"\xef\xbb\xbfV=1\n",
    "a colon": b"V: v\n",
    "another encoding": b"V=caf\xe9\n",
    "export": b"export V=1\n",
    "Windows": b"V=1\r\nW=2\r\n",
    "several lines": b'V="a\nb"\n',
    "nothing": b"V=\n",
    "a hash": b"V=a#b\n",
    "two dollars": b"V=a$$b\n",
    "a space before": b"  V = x y  \n",
    "inherited": b"V\n",
    "a demand": b"V=${NO:?why}\n",
    "no end": b'V="x\n',
    "a wrong name": b"V%=1\n",
}


@pytest.mark.parametrize("name", DOTENVS)
def test_dotenv_is_what_compose_takes_it_for(
    name: str, tmp_path: Path, compose: tuple[str, ...]
) -> None:
    """Each line of a .env file has Compose's own value, or is refused as Compose refuses it."""
    text = HEAD + 'services: {a: {image: i, environment: {V: "[${V-unset}]"}}}\n'
    (tmp_path / "a.yml").write_text(text)
    (tmp_path / ".env").write_bytes(DOTENVS[name])
    done = _run(compose, tmp_path, ["a.yml"], {})
    source = DotEnv(tmp_path / ".env", ".env")
    if done.returncode:
        with pytest.raises(ConfigError):
            model([("a.yml", text)], folder=tmp_path, environment=[source])
        return
    ours = model([("a.yml", text)], folder=tmp_path, environment=[source])
    theirs = json.loads(done.stdout)["services"]["a"]["environment"]["V"]
    assert ours.document["services"]["a"]["environment"]["V"].replace("$", "$$") == theirs


REFUSED = {
    "a misspelt key": "services: {a: {image: i, prots: []}}",
    "a number for a duration": "services: {a: {image: i, healthcheck: {interval: 10}}}",
    "a text for a duration": "services: {a: {image: i, healthcheck: {interval: soon}}}",
    "no such network": "services: {a: {image: i, networks: [n]}}",
    "no such volume": "services: {a: {image: i, volumes: ['vol:/v']}}",
    "no such service": "services: {a: {image: i, depends_on: [b]}}",
    "a circle": "services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}",
    "a key twice": "services: {a: {image: i, image: j}}",
    "a list": "[1]",
    "no file": "services: {a: {image: i, env_file: none.env}}",
    "a demanded variable": "services: {a: {image: '${NO:?why}'}}",
    "a broken variable": "services: {a: {image: '${NO'}}",
    "a service without image": "services: {a: {command: x}}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_compose_refuses_is_refused(
    name: str, tmp_path: Path, compose: tuple[str, ...]
) -> None:
    """A file that would fail on the host fails here, with a sentence."""
    (tmp_path / "a.yml").write_text(REFUSED[name])
    assert _run(compose, tmp_path, ["a.yml"], {}).returncode != 0
    with pytest.raises(ConfigError) as caught:
        model([("a.yml", REFUSED[name])], folder=tmp_path)
    assert caught.value.details
    assert str(tmp_path) not in "".join(caught.value.details)


@pytest.mark.parametrize("given", [{}, {"LANGFLIX_API_TOKEN_FILE": ""}], ids=["token", "open"])
@pytest.mark.parametrize(
    "overlays",
    [[], ["truenas"], ["truenas", "media", "gemini"], ["override.example"]],
    ids="+".join,
)
def test_the_stacks_own_files_mean_the_same(
    overlays: list[str], given: dict[str, str], tmp_path: Path, compose: tuple[str, ...]
) -> None:
    """LangFlix's own files, too, with a variable that is unset and with one that is empty."""
    names = ["docker-compose.yml", *(f"docker-compose.{one}.yml" for one in overlays)]
    roles = load(ROOT).roles
    variables = {
        **own_variables("langflix", roles, app_dir="/app"), "LANGFLIX_DATA": "/app/data",
        "LANGFLIX_MEDIA": "/films", **given,
    }  # fmt: skip
    texts = [(name, (DEPLOY / name).read_text("utf-8")) for name in names]
    for name, text in texts:
        (tmp_path / name).write_text(text, "utf-8")
    stack = read_stack(model(texts, variables, folder=tmp_path, project="langflix"))
    images = {role: variables[f"{role.upper()}_IMAGE"] for role in roles}
    one = render(stack, images=images, files={}, secrets={}, app_dir="/app").text
    (tmp_path / "one.json").write_bytes(one)
    theirs = _config(compose, tmp_path, names, project="langflix", **variables)
    assert theirs["services"]["api"]["environment"]["LANGFLIX_API_TOKEN_FILE"] == given.get(
        "LANGFLIX_API_TOKEN_FILE", "/run/secrets/api_token"
    )
    ours = _config(compose, tmp_path, ["one.json"], project="langflix")
    assert ours == _with_folders(theirs, ("postgres", "redis"))


def _with_folders(theirs: dict[str, Any], services: tuple[str, ...]) -> dict[str, Any]:
    """What services take while they run lies in a folder: the one thing that is meant otherwise."""
    for service in services:
        body = theirs["services"][service]
        del body["secrets"]
        folder = {"type": "bind", "source": f"/app/handed/{service}", "target": "/run/secrets"}
        body["volumes"].append({**folder, "read_only": True, "bind": {}})
    used = {
        one["source"] for body in theirs["services"].values() for one in body.get("secrets") or ()
    }
    theirs["secrets"] = {
        name: theirs["secrets"][name] for name in theirs["secrets"] if name in used
    }
    return theirs
