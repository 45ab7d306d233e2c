"""A host with nothing but a login is prepared, and then deployed to."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from tests.functional.conftest import FILES, Site
from tests.functional.nas import APP, STANDING, Nas
from tests.functional.test_other_hosts import HOSTS, add_host

from slipway.hosts.rehearsal import ADMIN, POOL

FOLDER = f"{POOL}/apps/{APP}"
#: What a rehearsal host can't have: a way out, and what its kernel may lack.
NO_FAULT = {"dns", "unconfined"}


@pytest.fixture
def bare(site: Site) -> Iterator[Nas]:
    """A NAS on which nobody has done anything but to give its admin a key."""
    kept = (site.root / HOSTS).read_bytes()
    name = f"bare-{secrets.token_hex(3)}"
    booted = site.good("rehearsal.up", "--name", name, "--release", "25.10", "--json").json
    nas = Nas(site, name, "25.10")
    add_host(site, name, {
        "kind": "ssh",
        "address": booted["address"],
        "port": booted["ssh_port"],
        "user": ADMIN,
        "key_file": booted["key_path"],
        "known_hosts": booted["known_hosts_path"],
        "sudo": True,
        "app_dir": FOLDER,
        "compose": FILES,
    })  # fmt: skip
    try:
        nas.call("docker.update", {"pool": None}, job=True)
        yield nas
    finally:
        (site.root / HOSTS).write_bytes(kept)
        site.inv("rehearsal.down", "--name", name)


def test_a_bare_nas_is_prepared_and_deployed_to(bare: Nas) -> None:
    """What it lacks is shown, made once, still there after a boot; then a deploy goes."""
    inv, host = bare.site.inv, ("--host", bare.name)
    refused = inv("deploy", *host)
    assert refused.code == 4 and "sudo" in refused.err, "a new admin's sudo asks for a password"
    shown = inv("host.setup", *host, "--dry-run", "--json")
    assert (shown.code, shown.json["made"]) == (0, [])
    lacking = [one["name"] for one in shown.json["things"] if one["state"] == "make"]
    assert lacking == ["sudo", "ssh", "pool", "dataset", "data"]
    assert inv("host.setup", *host).code == 2, "nobody can be asked"
    assert bare.call("docker.status")["status"] == "UNCONFIGURED", "nothing was changed"

    made = inv("host.setup", *host, "--yes", "--json")
    assert made.code == 0, made.err
    assert made.json["made"] == lacking
    assert bare.sh("stat", "-c", "%u %g", f"{FOLDER}/data").split() == ["568", "568"]
    bare.reboot()
    again = inv("host.setup", *host, "--json")
    assert (again.code, {one["state"] for one in again.json["things"]}) == (0, {"there"})

    found = bare.site.good("host.doctor", *host, "--json").json["findings"]
    assert {one["code"] for one in found} <= NO_FAULT
    deployed = inv("deploy", *host, "--json")
    assert deployed.code == 0, deployed.err
    assert deployed.json["containers_touched"] == STANDING
    after = inv("host.setup", *host)
    assert after.code == 0 and after.out.strip().endswith("nothing to do")


@pytest.mark.long  # a deploy to a plain server is shown by others
def test_a_plain_server_is_prepared(site: Site) -> None:
    """Its folder is made, and nothing the second time."""
    kept = (site.root / HOSTS).read_bytes()
    name = f"plain-{secrets.token_hex(3)}"
    add_host(site, name, {"kind": "rehearsal", "app_dir": f"/srv/{APP}", "compose": FILES})
    try:
        site.good("rehearsal.up", "--name", name)
        made = site.good("host.setup", "--host", name, "--yes", "--json")
        assert made.json["made"] == ["folder"]
        again = site.good("host.setup", "--host", name, "--json")
        assert {one["state"] for one in again.json["things"]} == {"there"}
        site.good("host.doctor", "--host", name)
    finally:
        (site.root / HOSTS).write_bytes(kept)
        site.inv("rehearsal.down", "--name", name)
