"""Docker's settings, another pool for apps, backups: what becomes of apps and of other stacks."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.nas.bench import WEB, Nas, Refused, custom


def _stranger(nas: Nas) -> None:
    """A stack that somebody started by Compose, beside the middleware."""
    state = nas.docker_state()
    marks = {"com.docker.compose.project": "other", "com.docker.compose.service": "db"}
    state["container"].append(
        {"Id": "0" * 64, "Name": "/other-db-1", "Config": {"Image": "db:1", "Labels": marks},
         "State": {"Status": "running"}}
    )  # fmt: skip
    state["volume"].append({"Name": "other_data"})
    nas.set_docker_state(state)


def _containers(nas: Nas) -> list[str]:
    return [str(one["Name"]) for one in nas.docker_state()["container"]]


def _update(nas: Nas, told: dict[str, Any]) -> dict[str, Any]:
    return dict(nas.job("docker.update", told))


def test_the_settings(nas: Nas) -> None:
    """Keys come with the releases."""
    told = nas.call("docker.config")

    assert (told["pool"], told["dataset"]) == ("tank", "tank/ix-apps")
    assert ("cidr_v6" in told) == nas.release.ipv6
    assert len(told["address_pools"]) == (2 if nas.release.ipv6 else 1)
    assert ("secure_registry_mirrors" in told) == (nas.release.mirrors == "two")
    assert ("registry_mirrors" in told) == (nas.release.mirrors == "one")


def test_the_status(nas: Nas) -> None:
    """It runs, or it failed, or it has no pool."""
    assert nas.call("docker.status") == {
        "description": "Application(s) are currently running",
        "status": "RUNNING",
    }
    (nas.root / "docker/down").touch()
    assert nas.call("docker.status")["status"] == "FAILED"
    (nas.root / "docker/down").unlink()
    _update(nas, {"pool": None})
    assert nas.call("docker.status")["status"] == "UNCONFIGURED"
    assert nas.call("docker.config")["dataset"] is None
    with pytest.raises(Refused, match="No pool configured for Docker"):
        nas.job("app.create", custom("web"))


def test_a_pool_that_is_not_there(nas: Nas) -> None:
    """An error of arguments."""
    with pytest.raises(Refused) as refused:
        _update(nas, {"pool": "gone"})

    assert refused.value.errors == [["docker_update.pool", "Pool not found.", 22]]


def test_another_pool_has_other_apps(nas: Nas) -> None:
    """Apps stay behind on theirs, all containers are gone; they come back with it, stopped."""
    nas.job("app.create", custom("web"))
    _stranger(nas)
    assert _update(nas, {"pool": "dozer"})["dataset"] == "dozer/ix-apps"

    assert nas.call("app.query") == []
    assert _containers(nas) == []
    assert nas.docker_state()["volume"] == []
    _update(nas, {"pool": "tank"})
    assert nas.call("app.get_instance", "web")["state"] == "STOPPED"
    assert nas.call("app.config", "web") == WEB


def test_apps_can_be_taken_along(nas: Nas) -> None:
    """From 25.10 on registered apps are started on the new pool; all else in Docker is gone."""
    nas.job("app.create", custom("web"))
    nas.job("app.create", custom("idle"))
    nas.job("app.stop", "idle")
    _stranger(nas)
    told = {"pool": "dozer", "migrate_applications": True}
    if not nas.release.moves:
        with pytest.raises(Refused) as refused:
            _update(nas, told)
        assert (refused.value.errors or [])[0][0] == "docker_update.migrate_applications"
        return

    assert _update(nas, told)["pool"] == "dozer"
    states = {row["name"]: row["state"] for row in nas.call("app.query")}
    assert states == {"web": "RUNNING", "idle": "STOPPED"}
    assert _containers(nas) == ["/ix-web-web-1"]
    assert nas.docker_state()["volume"] == []


def test_apps_are_taken_along_to_another_pool_alone(nas2510: Nas) -> None:
    """Not to the one they are on."""
    with pytest.raises(Refused) as refused:
        _update(nas2510, {"pool": "tank", "migrate_applications": True})

    text = "Migration of applications dataset only happens when a new pool is configured."
    assert refused.value.errors == [["docker_update.migrate_applications", text, 22]]


def test_other_networks_ask_for_new_containers(nas2510: Nas) -> None:
    """Apps that run are redeployed when the pools of addresses change."""
    nas2510.job("app.create", custom("web"))
    before = len(nas2510.docker_calls(word="up"))
    _update(nas2510, {"address_pools": [{"base": "10.0.0.0/16", "size": 24}]})

    assert len(nas2510.docker_calls(word="up")) == before + 1


def test_a_backup_and_its_way_back(nas: Nas) -> None:
    """Registered apps come back as they were, and run; what others had in Docker is destroyed."""
    nas.job("app.create", custom("web"))
    if not nas.release.backups:
        with pytest.raises(Refused, match="not found"):
            nas.job("docker.backup", "b1")
        return
    assert nas.job("docker.backup", "b1") == "b1"
    listed = nas.call("docker.list_backups")["b1"]
    nas.job("app.update", "web", {"custom_compose_config": {"services": {}}})
    nas.job("app.create", custom("later"))
    _stranger(nas)

    assert listed["apps"] == [{"id": "web", "name": "web", "state": "RUNNING"}]
    assert listed["snapshot_name"] == "tank/ix-apps@ix-apps-backup-b1"
    assert nas.job("docker.restore_backup", "b1") is None
    assert [row["name"] for row in nas.call("app.query")] == ["web"]
    assert nas.call("app.config", "web") == WEB
    assert _containers(nas) == ["/ix-web-web-1"]
    assert nas.docker_state()["volume"] == []
    nas.call("docker.delete_backup", "b1")
    assert nas.call("docker.list_backups") == {}


def test_backups_that_are_not_there(nas2510: Nas) -> None:
    """ENOENT, and nothing is destroyed."""
    nas2510.job("app.create", custom("web"))
    with pytest.raises(Refused, match=r"\[ENOENT\] Backup 'gone' not found"):
        nas2510.job("docker.restore_backup", "gone")

    assert _containers(nas2510) == ["/ix-web-web-1"]


def test_images(nas2510: Nas) -> None:
    """What Docker has."""
    nas2510.job("app.create", custom("web"))
    (image,) = nas2510.call("app.image.query", [["repo_tags", "rin", "web:1"]])

    assert (image["id"], image["dangling"]) == ("web:1", False)
