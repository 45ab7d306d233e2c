"""What a TrueNAS goes through: a reboot, an update, its apps on another pool, its backup restored.

Each takes something of the stack away, or nothing; the guide says what. A deploy heals all of them,
and what PostgreSQL holds outlives them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest
from tests.functional.conftest import Site
from tests.functional.nas import STANDING, Nas, until
from tests.functional.standin import stand_in
from tests.functional.test_other_hosts import HOSTS

from slipway.stack.project import MODES

OTHER, THIRD = "dozer", "ark"
OLD, NEW = "25.04", "25.10"


@pytest.fixture
def nas(site: Site, request: pytest.FixtureRequest) -> Iterator[Nas]:
    """A stand-in of its own, of the older release; hosts.toml is put back."""
    with stand_in(site, OLD, request.param) as made:
        yield made


def remembered(nas: Nas) -> list[str]:
    """Deploy, and have the database remember one thing more."""
    nas.site.good("deploy", "--host", nas.name)
    nas.site.good(
        "tokens.add", "--name", secrets.token_hex(4), "--scope", "read", "--host", nas.name
    )
    return nas.tokens()


def emptied(nas: Nas) -> None:
    """Docker has nothing left: status names every service and what is lost, the doctor no error."""
    seen = nas.site.good("status", "--host", nas.name, "--json").json
    assert seen["release"] is not None
    assert seen["down"] is None, "nobody took it down on purpose"
    assert [one["state"] for one in seen["services"]] == ["missing"] * STANDING
    assert {"missing"} <= {one["what"] for one in seen["drift"]}
    nas.site.good("host.doctor", "--host", nas.name)


def healed(nas: Nas, before: list[str]) -> None:
    """A deploy brings all back, with its data, and then there is nothing to do."""
    done = nas.site.good("deploy", "--host", nas.name, "--json").json
    assert (done["outcome"], done["containers_touched"]) == ("deployed", STANDING)
    assert done["bytes_sent"] > 0, "images are sent anew"
    assert nas.healthy()
    assert nas.site.good("status", "--host", nas.name, "--json").json["drift"] == []
    assert nas.tokens() == before
    assert nas.site.good("deploy", "--host", nas.name, "--json").json["outcome"] == "unchanged"


def restored(nas: Nas) -> None:
    """TrueNAS' Docker backup is restored."""
    nas.call("docker.backup", "before", job=True)
    nas.call("docker.restore_backup", "before", job=True)


def moved(nas: Nas) -> None:
    """The apps get another pool; those that were are left behind."""
    nas.sh("mkdir", "-p", f"/mnt/{OTHER}")
    nas.call("docker.update", {"pool": OTHER}, job=True)


def taken_along(nas: Nas) -> None:
    """The apps get a third pool, which never had any, and take along what is registered."""
    nas.sh("mkdir", "-p", f"/mnt/{THIRD}")
    nas.call("docker.update", {"pool": THIRD, "migrate_applications": True}, job=True)


def rebooted(nas: Nas) -> None:
    """All comes back by itself."""
    nas.reboot()
    until(nas.healthy, "the stack after a reboot")


def updated(nas: Nas) -> Nas:
    """Another release boots on the same pool; all comes back by itself."""
    nas.site.replace(HOSTS, f'release = "{OLD}"', f'release = "{NEW}"')
    newer = Nas(nas.site, nas.name, NEW)
    rebooted(newer)
    assert NEW in str(newer.call("system.version"))
    return newer


def stands(nas: Nas, before: list[str]) -> None:
    """Nothing drifted, nothing is to do, and what was remembered is."""
    assert nas.site.good("status", "--host", nas.name, "--json").json["drift"] == []
    assert nas.tokens() == before
    assert nas.site.good("deploy", "--host", nas.name, "--json").json["outcome"] == "unchanged"


def test_a_restored_docker_backup_is_healed(site: Site) -> None:
    """Containers and images are gone, status names them, and a deploy brings all back with data."""
    nas = Nas(site, site.host, NEW)
    before = remembered(nas)
    restored(nas)
    emptied(nas)
    healed(nas, before)


@pytest.mark.long  # four of them twice; the one that takes most away is shown in every run
@pytest.mark.parametrize("nas", MODES, indirect=True)
def test_what_a_nas_goes_through_is_healed(nas: Nas) -> None:
    """A reboot, an update, a restored backup, two other pools: data stays, a deploy heals."""
    before = remembered(nas)
    rebooted(nas)
    stands(nas, before)
    nas = updated(nas)
    stands(nas, before)
    strikes: list[Callable[[Nas], None]] = [restored, moved, taken_along]
    for strike in strikes:
        strike(nas)
        if nas.app() is None or nas.app()["state"] != "RUNNING":
            emptied(nas)
        healed(nas, before)
