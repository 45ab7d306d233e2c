"""The edge role while what is behind it is replaced, and while it is replaced itself."""

from __future__ import annotations

import signal
import socket
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx
from tests.integration.deploy.edges import LEND, PORTS, Edge, Load
from tests.integration.deploy.rooms import wait_for

from slipway.runner.edge import LOOK, servers
from slipway.runner.roll import Rolling
from slipway.stack.backends import read_backends

ROOT = Path(__file__).resolve().parents[3]


def test_a_replaced_container_is_followed_by_its_name(full: Edge) -> None:
    """When the name leads to a new address, so does the edge, without being told."""
    newer = full.add("api-newer", "127.0.2.1")
    full.backends["api"].stop()
    full.names.known["api"] = "127.0.2.1"

    def answered() -> bool:
        with full.client() as client:
            return client.get("/api/x").status_code == 200

    wait_for(answered, "the edge to follow")
    assert "/api/x" in newer.paths


def test_an_unhealthy_backend_gets_no_request_until_it_recovers(full: Edge) -> None:
    """A backend whose health check fails is taken out, and comes back by itself."""
    api = full.backends["api"]
    api.healthy = False
    full.wait("api/a", "DOWN")
    with full.client() as client:
        assert client.get("/api/x").status_code == 503
    api.healthy = True
    full.wait("api/a", "UP")
    with full.client() as client:
        assert client.get("/api/x").status_code == 200


def test_switches_by_the_slots_lose_no_request(full: Edge) -> None:
    """Four containers after each other, of which the old one is always gone in the end."""
    old, load = full.backends["api"], Load(full)
    with load.running():
        for number, slot in enumerate("bcb"):
            address = f"127.0.2.{number}"
            newer = full.add(f"api-{number}", address)
            full.begin_switch(slot, address)
            before = len(old.paths)
            load.go_on()
            assert len(old.paths) == before
            old.stop()
            full.names.known["api"] = address
            full.end_switch(slot, address)
            full.left(f"api/{slot}")
            old = newer
    assert set(load.codes) == {200}
    assert {full.state(f"api/{name}") for name in "bc"} == {"MAINT"}
    assert full.state("api/a") == "UP"


def test_a_request_that_runs_stays_with_its_container(full: Edge) -> None:
    """The old container is asked until its last request has ended, while new ones go elsewhere."""
    old, newer = full.backends["api"], full.add("api-newer", "127.0.2.1")
    slow: list[int] = []

    def ask_slowly() -> None:
        with full.client() as client:
            slow.append(client.get("/api/slow").status_code)

    running = threading.Thread(target=ask_slowly)
    running.start()
    wait_for(lambda: "/api/slow" in old.paths, "the slow request")
    switching = threading.Thread(target=full.begin_switch, args=("b", "127.0.2.1"))
    switching.start()
    full.wait("api/a", "DRAIN")
    with full.client() as client:
        assert [client.get("/api/x").status_code for _ in range(20)] == [200] * 20
    assert newer.paths.count("/api/x") == 20
    assert full.value("api/a", "scur") == "1"
    full.checked("api/a")  # under load a check may be late: DRAIN 1/3 until the next
    old.gate.set()
    running.join(20)
    switching.join(20)
    assert slow == [200]
    assert full.state("api/a") == "MAINT"


def test_a_stream_on_a_slot_outlives_the_switch(full: Edge) -> None:
    """A slot that went back to maintenance still carries what was opened through it."""
    newer = full.add("api-newer", "127.0.2.1")
    codes: list[int] = []

    def ask_slowly() -> None:
        with full.client() as client:
            codes.append(client.get("/api/slow").status_code)

    full.begin_switch("b", "127.0.2.1")
    running = threading.Thread(target=ask_slowly)
    running.start()
    wait_for(lambda: "/api/slow" in newer.paths, "the slow request")
    full.backends["api"].stop()
    full.names.known["api"] = "127.0.2.1"
    full.end_switch("b", "127.0.2.1")
    assert (full.state("api/b"), full.value("api/b", "scur")) == ("MAINT", "1")
    assert running.is_alive()
    newer.gate.set()
    running.join(20)
    assert codes == [200]


def test_a_slot_counts_once_its_new_container_passed_a_check(full: Edge) -> None:
    """Neither the way out of maintenance nor a check of the slot's last container is enough."""
    newer = full.add("api-newer", "127.0.2.1")
    full.command("set server api/b addr 127.0.2.1 port 8000; set server api/b state drain")
    full.command("enable health api/b")
    full.checked("api/b")
    full.command("set server api/b state maint")
    newer.healthy = False
    full.command("set server api/b state drain")
    assert full.state("api/b") == "DRAIN 1/3"
    full.wait("api/b", "DOWN")
    newer.healthy = True
    full.checked("api/b")
    assert not newer.paths


def test_an_address_that_is_gone_costs_little(full: Edge) -> None:
    """Where nobody answers at all, the next server is asked before people notice."""
    with full.room.house.entered(), socket.socket() as silent:
        silent.bind(("127.0.7.1", PORTS["api"]))
        silent.listen(0)
        with socket.create_connection(("127.0.7.1", PORTS["api"])):  # its queue is full now
            full.command("set server api/b addr 127.0.7.1 port 8000")
            full.command("set server api/b state ready")
            with httpx.Client(timeout=4, trust_env=False) as client:
                codes = [client.get("http://127.0.0.1:8080/api/x").status_code for _ in range(4)]
    assert codes == [200] * 4
    assert int(full.value("api/b", "wredis")) > 0


def test_a_graceful_stop_lets_a_running_request_end(full: Edge) -> None:
    """SIGUSR1, the stop signal in the Compose file, ends the edge after its last request."""
    assert full.process is not None
    codes: list[int] = []

    def ask_slowly() -> None:
        with full.client() as client:
            codes.append(client.get("/api/slow").status_code)

    running = threading.Thread(target=ask_slowly)
    running.start()
    wait_for(lambda: "/api/slow" in full.backends["api"].paths, "the slow request")
    full.room.signal(full.process, signal.SIGUSR1)

    wait_for(lambda: not _listens(full), "the port to be closed")
    assert full.process.poll() is None
    full.backends["api"].gate.set()
    running.join(20)
    assert codes == [200]
    assert full.process.wait(120) == 0


def test_another_edge_takes_over_without_a_gap(full: Edge) -> None:
    """Three replacements: the next one starts beside, then the old one is told to stop."""
    load = Load(full)
    with load.running():
        for _ in range(3):
            old = full.process
            assert old is not None
            full.begin()
            load.go_on()
            full.room.signal(old, signal.SIGUSR1)
            assert old.wait(120) == 0
            load.go_on()
    assert set(load.codes) == {200}


def test_an_edge_begins_anew_when_the_door_does(full: Edge) -> None:
    """Its socket leads nowhere without the lender; it gets another one, and stays the same one."""
    assert full.process is not None
    assert full.lender is not None
    full.room.kill(full.lender)
    wait_for(lambda: not _listens(full), "the edge to let go of the socket")
    full.lender = full.room.start(LEND)
    full.healthy()
    full.wait("api/a", "UP")
    with full.client() as client:
        assert client.get("/api/x").status_code == 200
    assert full.process.poll() is None


def _listens(edge: Edge) -> bool:
    with edge.room.house.entered():
        return ":1F90 00000000:0000 0A" in Path("/proc/thread-self/net/tcp").read_text()


def test_what_a_look_at_the_configuration_tells_is_what_haproxy_says(full: Edge) -> None:
    """Every backend with its servers; one that is not there, and too many containers, are told."""
    text = (ROOT / "deploy/edge/haproxy.cfg").read_text("utf-8")
    there = servers(full.command(LOOK))
    told = {name: number for name, number in (read_backends(text) or {}).items() if number}
    assert told.pop("acme") == 1  # there with a certificate
    assert told == Counter(one.backend for one in there)
    api = Rolling("api", 3, "", (), 1, 1, True)
    assert api.lacks_places(there) == ""
    assert "at most 3 can be there" in replace(api, containers=4).lacks_places(there)
    assert "no backend worker" in replace(api, service="worker").lacks_places(there)
