"""Deploys of the whole stack to a rehearsal host, one after another, as a person would do them.

The tests build on each other's host, not on each other's results: each first makes sure that the
unchanged checkout is live.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.functional.conftest import Site

STANDING = {
    "door", "edge", "api", "frontend", "worker", "beat", "flower", "postgres", "redis",
}  # fmt: skip
PYTHON_ROLES = {"api", "worker", "beat", "flower"}
MAIN = "src/langflix/__main__.py"
API = "src/langflix/api/app.py"
COMPOSE = "deploy/docker-compose.yml"


@pytest.fixture
def live(site: Site) -> Iterator[dict[str, Any]]:
    """The outcome of a deploy of the checkout; what a test changes in it is put back."""
    outcome: dict[str, Any] = site.good("deploy", "--json").json
    kept = {path: (site.root / path).read_bytes() for path in (MAIN, API, COMPOSE)}
    yield outcome
    for path, content in kept.items():
        (site.root / path).write_bytes(content)


def status(site: Site) -> dict[str, Any]:
    """What ``status --json`` prints."""
    seen: dict[str, Any] = site.good("status", "--json").json
    return seen


def ids(site: Site) -> dict[str, str]:
    """Service to the id of its container."""
    listed = site.sh(
        "docker", "ps", "--no-trunc", "--format",
        '{{.Label "com.docker.compose.service"}} {{.ID}}',
    )  # fmt: skip
    return dict(line.split() for line in listed.splitlines())


def make_job(site: Site, url: str) -> str:
    """Send a film; the id of its job."""
    files = {
        "video": ("film.mp4", (site.root / ".slipway/samples/bigbuckbunny.mp4").read_bytes()),
        "subtitle": ("film.srt", (site.root / "deploy/smoke.srt").read_bytes()),
    }
    made = httpx.post(f"{url}/api/v1/jobs", files=files, timeout=60)
    assert made.status_code == 202, made.text
    return str(made.json()["id"])


def test_a_fresh_host_gets_the_whole_stack(site: Site, live: dict[str, Any]) -> None:
    """Nine services run, all healthy, nothing drifted, and the URL answers through the edge."""
    seen = status(site)
    assert {one["service"] for one in seen["services"]} == STANDING
    assert {(one["state"], one["health"]) for one in seen["services"]} == {("running", "healthy")}
    assert seen["drift"] == []
    assert seen["release"] == live["release"]
    detailed = httpx.get(f"{seen['url']}/health/detailed", timeout=10)
    assert detailed.status_code == 200
    assert detailed.json()["status"] == "ok"
    assert "<html" in httpx.get(seen["url"], timeout=10).text.lower()


def test_deploying_again_touches_nothing(site: Site, live: dict[str, Any]) -> None:
    """With nothing changed: 0 bytes, 0 containers, no journal line, the same release."""
    before, journal = ids(site), site.sh("cat", "/mnt/tank/apps/langflix/journal.jsonl")
    outcome = site.good("deploy", "--json").json
    assert outcome["outcome"] == "unchanged"
    assert outcome["release"] == live["release"]
    assert (outcome["bytes_sent"], outcome["containers_touched"]) == (0, 0)
    assert ids(site) == before
    assert site.sh("cat", "/mnt/tank/apps/langflix/journal.jsonl") == journal
    plan = site.good("plan", "--json").json
    assert plan["bytes_to_send"] == 0
    assert {one["action"] for one in plan["containers"]} == {"keep"}
    assert plan["migrations"] == []


def test_one_changed_line_moves_one_layer(site: Site, live: dict[str, Any]) -> None:
    """A changed line of the application sends its layer only and leaves other roles alone."""
    before = ids(site)
    text = (site.root / MAIN).read_text("utf-8")
    (site.root / MAIN).write_text(f"{text}\nCHANGED = {time.time_ns()}\n", "utf-8")
    plan = site.good("plan", "--json").json
    outcome = site.good("deploy", "--json").json
    after = ids(site)
    assert outcome["outcome"] == "deployed"
    assert 0 < outcome["bytes_sent"] < plan["bytes_to_send"]
    assert outcome["bytes_sent"] < 20_000
    assert {service for service in after if after[service] != before[service]} == PYTHON_ROLES
    assert outcome["containers_touched"] == len(PYTHON_ROLES)
    assert status(site)["release"] == outcome["release"] != live["release"]


@pytest.mark.long  # tests/integration/app/test_signed_bills.py, and unit tests of what runs
def test_what_runs_is_what_was_signed(site: Site, live: dict[str, Any], tmp_path: Path) -> None:
    """Signed bills fit what was deployed; after a changed line neither host nor checkout."""
    key, folder = tmp_path / "key", str(tmp_path / "signed")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    allowed = site.root / "deploy/allowed_signers"
    allowed.write_text(f"anna {key.with_suffix('.pub').read_text()}", "utf-8")
    there = ("bills", "--check", folder, "--host", site.host)
    try:
        assert site.good("bills", "--sign", str(key), "--output", folder, "--json").json["signer"]
        held = site.good(*there, "--json")
        assert (held.json["release"], held.json["signer"]) == (live["release"], "anna")
        assert {one["service"] for one in held.json["images"]} >= STANDING
        assert "build" not in held.err
        assert "as anna signed them" in site.good("bills", "--check", folder).err

        text = (site.root / MAIN).read_text("utf-8")
        (site.root / MAIN).write_text(f"{text}\nCHANGED = {time.time_ns()}\n", "utf-8")
        site.good("deploy")
        runs, built = site.inv(*there), site.inv("bills", "--check", folder)
    finally:
        allowed.unlink()
    assert (runs.code, built.code) == (3, 3)
    strange = set(re.findall(r"langflix-(\w+)-\d+ has the image \w+, of no bill", runs.err))
    assert strange == PYTHON_ROLES, runs.err
    assert f"what was signed is {live['release']}, which is not live" in runs.err
    assert "are not of these images" in built.err


def test_a_line_of_one_role_replaces_that_role(site: Site, live: dict[str, Any]) -> None:
    """Images have the folders that their roles need: for a line of the API nothing else stops."""
    before = ids(site)
    with (site.root / API).open("a", encoding="utf-8") as file:
        file.write(f"\nCHANGED = {time.time_ns()}\n")
    outcome = site.good("deploy", "--json").json
    after = ids(site)
    assert {service for service in after if after[service] != before[service]} == {"api"}
    assert (outcome["outcome"], outcome["containers_touched"]) == ("deployed", 1)


def test_a_broken_image_is_undone(site: Site, live: dict[str, Any]) -> None:
    """An image that doesn't start: exit code 5, its last words, and the release before answers."""
    first = "from __future__ import annotations\n"
    trap = 'import sys\nif "api" in sys.argv:\n    raise SystemExit("broken on purpose")\n'
    site.replace(MAIN, first, first + trap)
    done = site.inv("deploy", "--json")
    assert done.code == 5, done.err
    error = done.json
    assert list(error) == ["error", "stage", "hint", "exit_code"]
    assert error["exit_code"] == 5
    assert f"{live['release']} is serving again" in error["error"]
    assert "broken on purpose" in done.err
    seen = status(site)
    assert seen["release"] == live["release"]
    assert seen["drift"] == []
    assert {one["health"] for one in seen["services"]} == {"healthy"}
    assert httpx.get(f"{seen['url']}/health/detailed", timeout=10).status_code == 200
    journal = site.sh("tail", "-n", "1", "/mnt/tank/apps/langflix/journal.jsonl")
    assert json.loads(journal)["outcome"] == "undone"


def test_a_broken_migration_is_undone(site: Site, live: dict[str, Any]) -> None:
    """A migrating image that doesn't start stops the deploy before any service is touched."""
    before = ids(site)
    first = "from __future__ import annotations\n"
    site.replace(MAIN, first, f'{first}raise SystemExit("no migration today")\n')
    # Only where the migrations themselves changed is the migrating image asked at all.
    changed = site.root / "src/langflix/migrations/versions/changed.txt"
    changed.write_text("changed\n", "utf-8")
    done = site.inv("deploy")
    changed.unlink()
    assert done.code == 5, done.err
    assert "no migration today" in done.err
    assert ids(site) == before
    assert status(site)["release"] == live["release"]


def test_a_changed_network_is_made_anew_and_back(site: Site, live: dict[str, Any]) -> None:
    """A network's new definition is planned, applied, not applied twice, and undone."""
    inside = ("docker", "network", "inspect", "langflix_back", "--format", "{{.Internal}}")
    assert site.sh(*inside).strip() == "true"
    back = "  back:\n    internal: true\n"
    site.replace(COMPOSE, back, back.replace("true", "false"))
    planned = site.good("plan", "--steps", "--json").json
    assert [(one["name"], one["action"]) for one in planned["definitions"]] == [
        ("back", "recreate")
    ]
    assert "networks" in [step["name"] for step in planned["steps"]]
    site.replace(COMPOSE, "path: /health/detailed", "path: /nowhere")
    failed = site.inv("deploy")
    assert failed.code == 5, failed.err
    assert site.sh(*inside).strip() == "true"
    assert status(site)["release"] == live["release"]
    site.replace(COMPOSE, "path: /nowhere", "path: /health/detailed")
    assert site.good("deploy", "--json").json["outcome"] == "deployed"
    assert site.sh(*inside).strip() == "false"
    assert status(site)["drift"] == []
    assert site.good("deploy", "--json").json["outcome"] == "unchanged"


def test_a_changed_volume_is_refused_and_a_new_one_made(site: Site, live: dict[str, Any]) -> None:
    """A volume that exists is not made anew without its data: the deploy stops and says how."""
    before = ids(site)
    old = "\nnetworks:\n  outside: {}\n"
    site.replace(COMPOSE, old, f"\nvolumes:\n  extra: {{}}\n{old}")
    mount = "      - { type: volume, source: extra, target: /extra }\n"
    text = (site.root / COMPOSE).read_text("utf-8")
    where = text.index("    volumes:\n", text.index("  worker:\n")) + len("    volumes:\n")
    (site.root / COMPOSE).write_text(text[:where] + mount + text[where:])
    assert site.good("deploy", "--json").json["outcome"] == "deployed"
    site.replace(COMPOSE, "  extra: {}", "  extra: { driver_opts: { type: tmpfs } }")
    done = site.inv("deploy")
    assert done.code == 5, done.err
    assert "the volume langflix_extra exists with another definition" in done.err
    assert set(ids(site)) == set(before)


def test_down_keeps_data_and_secrets(site: Site, live: dict[str, Any]) -> None:
    """After ``down`` the next deploy brings the stack back with the same database and secrets."""
    find = ("sh", "-c", "cd /mnt/tank/apps/langflix/secrets && sha256sum */*")
    before = site.sh(*find)
    made = make_job(site, live["url"])
    site.good("down")
    assert ids(site) == {}
    seen = status(site)
    assert (seen["drift"], {one["state"] for one in seen["services"]}) == ([], {"missing"})
    assert seen["down"]["who"]
    assert "the stack is down" in site.inv("restart", "api").err
    outcome = site.good("deploy", "--json").json
    assert outcome["bytes_sent"] == 0
    assert outcome["containers_touched"] == len(STANDING)
    assert site.sh(*find) == before
    again = httpx.get(f"{live['url']}/api/v1/jobs", timeout=10).json()
    assert made in {job["id"] for job in again["jobs"]}


def test_logs_exec_and_run_reach_the_stack(site: Site, live: dict[str, Any]) -> None:
    """Logs are shown, a command runs in a service, the application's CLI runs once."""
    assert "postgres" in site.good("logs", "--service", "postgres", "--number", "5").out
    assert site.inv("exec", "api", "--", "/app/bin/python3", "-c", "raise SystemExit(7)").code == 7
    assert "usage" in site.good("run", "--", "--help").out.lower()


@pytest.mark.parametrize(
    ("text", "environment", "code", "said"),
    [
        ("", {"LANGFLIX_PORT": "22"}, 5, "port 22 is in use by another program"),
        ("${NOT_SET:?what it is for}", {}, 2, "NOT_SET is not set: what it is for"),
        ("{ a: b }", {}, 2, "environment.EXTRA: should be"),
    ],
)
def test_bad_input_changes_nothing(
    site: Site,
    live: dict[str, Any],
    text: str,
    environment: dict[str, str],
    code: int,
    said: str,
) -> None:
    """A taken port, a missing variable, an unknown key: a sentence, an exit code, nothing done."""
    before = ids(site)
    if text:
        old = "LANGFLIX_DATA_DIR: /data"
        site.replace(COMPOSE, old, f"{old}\n  EXTRA: {text}")
    done = site.inv("deploy", **environment)
    assert done.code == code, done.err
    assert said in done.err
    assert "Traceback" not in done.err
    assert ids(site) == before
    assert status(site)["release"] == live["release"]
