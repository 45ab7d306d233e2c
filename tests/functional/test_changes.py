"""Changes that a stack's users could notice: what the plan says of them is what happens."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.functional.conftest import Site
from tests.functional.migrations import REVISIONS, add_migration, remove_migration
from tests.functional.test_deploys import MAIN, ids, make_job, status

COMPOSE, EDGE = "deploy/docker-compose.yml", "deploy/edge/haproxy.cfg"
#: What is stopped for a moment is away for as long as the plan says, and what this machine is slow.
SLACK_S = 60.0
#: What uses the database, and so is stopped for a migration that it can't go on after.
USERS = {"api", "worker"}


@pytest.fixture
def live(site: Site) -> Iterator[dict[str, Any]]:
    """The outcome of a deploy of the checkout; what a test changes in it is put back."""
    kept = {path: (site.root / path).read_bytes() for path in (MAIN, COMPOSE, EDGE, REVISIONS)}
    yield site.good("deploy", "--json").json
    for path, content in kept.items():
        (site.root / path).write_bytes(content)


@dataclass
class Visits:
    """Requests by connections of their own, one after the other."""

    url: str
    answered: int = 0
    failed: list[str] = field(default_factory=list)

    def visit(self, over: threading.Event) -> None:
        """Ask until it is over, ten times a second."""
        while not over.wait(0.1):
            for path in ("/", "/health"):
                try:
                    answer = httpx.get(f"{self.url}{path}", timeout=60)
                    answer.raise_for_status()
                    self.answered += 1
                except httpx.HTTPError as error:
                    self.failed.append(f"{path}: {error!r}")


@contextmanager
def visiting(url: str) -> Iterator[Visits]:
    """Somebody asks all the time."""
    visits, over = Visits(url), threading.Event()
    thread = threading.Thread(target=visits.visit, args=(over,))
    thread.start()
    try:
        yield visits
    finally:
        over.set()
        thread.join()


def starts(site: Site) -> dict[str, str]:
    """Service to its container and when that was started last."""
    form = "{{.State.StartedAt}}"
    found = ids(site)
    told = site.sh("docker", "inspect", "--format", form, *found.values()).split()
    return {one: f"{found[one]} {at}" for one, at in zip(found, told, strict=True)}


def jobs(url: str) -> set[str]:
    """The jobs there are."""
    return {job["id"] for job in httpx.get(f"{url}/api/v1/jobs", timeout=30).json()["jobs"]}


def held(plan: dict[str, Any], outcome: dict[str, Any]) -> None:
    """What did not answer is what the plan named, for about as long."""
    planned = {one["service"]: one["downtime_s"] for one in plan["containers"] if one["downtime_s"]}
    assert outcome["downtime_s"]["predicted"] == planned
    seen = outcome["downtime_s"]["seen"]
    assert set(seen) <= set(planned)
    for service, seconds in seen.items():
        assert seconds <= planned[service] + SLACK_S


def test_a_store_that_changed_is_away_as_planned(site: Site, live: dict[str, Any]) -> None:
    """Redis can't be there twice: the plan says that it is stopped, alone, and so it is.

    So it is on the way back, when the deploy fails after that.
    """
    before = starts(site)
    secrets = "    secrets: [redis_api, redis_worker, redis_beat, redis_flower, redis_password]"
    site.replace(COMPOSE, secrets, "    environment: { NOTE: a }\n" + secrets)
    plan = site.good("plan", "--json").json
    outcome = site.good("deploy", "--json").json
    held(plan, outcome)
    assert set(outcome["downtime_s"]["seen"]) == {"redis"}
    after = starts(site)
    assert {service for service in after if after[service] != before[service]} == {"redis"}
    site.replace(COMPOSE, "    environment: { NOTE: a }", "    environment: { NOTE: b }")
    site.replace(COMPOSE, "path: /health/detailed", "path: /nowhere")
    assert site.inv("deploy").code == 5
    again = starts(site)
    assert {service for service in again if again[service] != after[service]} == {"redis"}
    assert status(site)["drift"] == []


def test_edge_and_api_in_one_deploy(site: Site, live: dict[str, Any]) -> None:
    """Both are replaced, the edge by another one beside it; no request fails, nothing is away."""
    before = ids(site)
    first = "from __future__ import annotations\n"
    site.replace(MAIN, first, f"{first}BESIDE = True\n")
    text = (site.root / EDGE).read_text("utf-8")
    (site.root / EDGE).write_text(f"# Another edge.\n{text}", "utf-8")
    plan = site.good("plan", "--json").json
    assert plan["downtime_s"] == plan_downtime(plan, "beat")
    with visiting(live["url"]) as visits:
        outcome = site.good("deploy", "--json").json
    assert visits.failed == []
    assert visits.answered > 0
    held(plan, outcome)
    after = ids(site)
    assert {"edge", "api"} <= {one for one in after if after[one] != before[one]}
    assert after["door"] == before["door"]
    assert status(site)["drift"] == []


def plan_downtime(plan: dict[str, Any], *services: str) -> float:
    """The longest time that a plan says of these services; of others it must say none."""
    planned: dict[str, float] = {one["service"]: one["downtime_s"] for one in plan["containers"]}
    assert {one for one, seconds in planned.items() if seconds} <= set(services)
    return max(planned[one] for one in services)


def test_the_door_starts_again(site: Site, live: dict[str, Any]) -> None:
    """Somebody restarts the door: the edge takes its next socket, in the same container."""
    before = ids(site)
    site.sh("docker", "restart", before["door"])
    transport = httpx.HTTPTransport(retries=10)
    with httpx.Client(transport=transport, timeout=30) as client:
        assert client.get(f"{live['url']}/health").status_code == 200
    assert ids(site) == before
    with visiting(live["url"]) as visits:
        site.good("restart", "edge", "--json")
    assert visits.failed == []


def test_the_edge_sees_who_asks(site: Site, live: dict[str, Any]) -> None:
    """A lent socket gives the edge the client's own address, which its log then has."""
    place = urlsplit(live["url"])
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        mine = connection.getsockname()[0]
        connection.sendall(b"GET /who-asks HTTP/1.0\r\n\r\n")
        while connection.recv(4096):
            pass
    lines = site.sh("docker", "logs", "--tail", "50", ids(site)["edge"]).splitlines()
    told = [json.loads(line) for line in lines if '"/who-asks"' in line]
    assert [one["client"] for one in told] == [mine]


def test_a_migration_that_needs_downtime_and_the_way_back(site: Site, live: dict[str, Any]) -> None:
    """What uses the database is stopped for it; ``rollback --data`` brings the data from before."""
    earlier = make_job(site, live["url"])
    about = "Contract, by its own word: code of before must not go on."
    migration = add_migration(site, "9001_contract", about, "# slipway: downtime")
    try:
        plan = site.good("plan", "--json").json
        outcome = site.good("deploy", "--json").json
    finally:
        remove_migration(site, migration)
    assert [(one["revision"], one["downtime"]) for one in plan["migrations"]] == [
        ("9001_contract", True)
    ]
    held(plan, outcome)
    assert set(outcome["downtime_s"]["seen"]) >= USERS
    later = make_job(site, live["url"])
    assert {earlier, later} <= jobs(live["url"])
    back = site.good("rollback", "--data", "--yes", "--json").json
    assert (back["outcome"], back["release"]) == ("rolled back", live["release"])
    assert earlier in jobs(live["url"])
    assert later not in jobs(live["url"])
    assert site.good("deploy", "--json").json["outcome"] == "unchanged"
    assert status(site)["drift"] == []
