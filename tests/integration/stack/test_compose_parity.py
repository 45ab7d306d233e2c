"""slipway reads Compose files as Compose itself does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from slipway.app.workspace import Workspace
from slipway.config import load
from slipway.report import Report
from slipway.stack.model import Stack, own_variables
from slipway.stack.read import OWN, read_stack
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


def _config(
    compose: tuple[str, ...], folder: Path, names: list[str], **variables: str
) -> dict[str, Any]:
    files = [argument for name in names for argument in ("-f", str(folder / name))]
    done = subprocess.run(
        [*compose, "-p", "demo", *files, "--profile", "*", "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
    )
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


@pytest.mark.parametrize("name", OVERRIDES)
def test_merged_file_means_what_the_files_mean(
    name: str, tmp_path: Path, compose: tuple[str, ...]
) -> None:
    """Compose reads slipway's one file exactly as it reads the files it was made of."""
    texts = [("base.yml", BASE), ("over.yml", OVERRIDES[name]), ("own.yml", SLIPWAY_PASS)]
    for file, text in texts:
        (tmp_path / file).write_text(text)
    (tmp_path / "one.json").write_bytes(_rendered(read_stack(texts, {})))
    theirs = _config(compose, tmp_path, ["base.yml", "over.yml"])
    assert _config(compose, tmp_path, ["one.json"]) == theirs


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
    images = {role: f"langflix/{role}:1" for role in load(ROOT).roles}
    variables = {
        **own_variables("langflix", images, app_dir="/app"), "LANGFLIX_MEDIA": "/films", **given,
    }  # fmt: skip
    texts = [(name, (DEPLOY / name).read_text("utf-8")) for name in names]
    for name, text in texts:
        (tmp_path / name).write_text(text, "utf-8")
    stack = read_stack(texts, variables)
    one = render(stack, images=images, files={}, secrets={}, app_dir="/app").text
    (tmp_path / "one.json").write_bytes(one)
    theirs = _config(compose, tmp_path, names, **variables)
    assert theirs["services"]["api"]["environment"]["LANGFLIX_API_TOKEN_FILE"] == given.get(
        "LANGFLIX_API_TOKEN_FILE", "/run/secrets/api_token"
    )
    assert _config(compose, tmp_path, ["one.json"]) == theirs
