"""Custom apps: the files, how Compose is called, what states mean, what fails how; by release."""

from __future__ import annotations

import stat
from typing import Any

import pytest
import yaml
from tests.integration.nas.bench import WEB, Nas, Refused, custom

VERSION = "app_configs/web/versions/1.0.0"


def _web(**more: object) -> dict[str, Any]:
    return {"services": {"web": {"image": "web:1", **more}}}


def _compose(nas: Nas, app: str) -> list[str]:
    config = ["--config", "/etc/docker"] if nas.release.docker_config else []
    file = nas.apps / f"app_configs/{app}/versions/1.0.0/templates/rendered/docker-compose.yaml"
    return [*config, "compose", "-f", str(file), "-p", f"ix-{app}"]


def _state(nas: Nas, *fakes: str) -> str:
    services = {f"s{at}": {"image": "x:1", "x-fake": fake} for at, fake in enumerate(fakes)}
    nas.job("app.create", custom("web", {"services": services}))
    return str(nas.call("app.get_instance", "web")["state"])


def test_a_new_app_takes_down_before_it_brings_up(nas: Nas) -> None:
    """``down``, then ``up`` with everything recreated, in project ``ix-NAME``."""
    nas.job("app.create", custom("web"))
    acts = [words for words in nas.docker_calls() if "config" not in words]
    base = _compose(nas, "web")

    assert acts == [
        [*base, "down", "--remove-orphans"],
        [*base, "up", "-d", "--force-recreate", "--remove-orphans"],
    ]


def test_compose_is_asked_first_where_the_release_does(nas: Nas) -> None:
    """From 25.10.1 on a file that Compose refuses is an error of arguments, and nothing is laid."""
    asked = {"x-refuse": "services.web additional properties not allowed", **WEB}
    if not nas.release.checks_compose:
        nas.job("app.create", custom("web", asked))
        assert not [words for words in nas.docker_calls() if "config" in words]
        return

    with pytest.raises(Refused) as refused:
        nas.job("app.create", custom("web", asked))

    text = "Invalid compose configuration: services.web additional properties not allowed"
    assert refused.value.errors == [["app_create.custom_compose_config", text, 22]]
    assert nas.call("app.query") == []
    (words,) = [words for words in nas.docker_calls() if "config" in words]
    assert words[:4] == ["--config", "/etc/docker", "compose", "-f"]
    assert words[4].startswith("/tmp/")


def test_the_files_of_a_new_app(nas: Nas) -> None:
    """All of them, secrets for root alone; what is kept of all apps is written anew."""
    nas.job("app.create", custom("web"))
    rendered = f"{VERSION}/templates/rendered/docker-compose.yaml"
    secret = [f"{VERSION}/app.yaml", f"{VERSION}/user_config.yaml", rendered, "user_config.yaml"]

    for name in ("app_configs/web/metadata.yaml", *secret):
        assert stat.S_IMODE((nas.apps / name).stat().st_mode) == 0o600, name
    assert (nas.apps / VERSION / "README.md").exists()
    assert yaml.safe_load((nas.apps / rendered).read_text()) == WEB
    kept = yaml.safe_load((nas.apps / "metadata.yaml").read_text())["web"]
    assert (kept["version"], kept["human_version"]) == ("1.0.0", "1.0.0_custom")
    assert yaml.safe_load((nas.apps / "user_config.yaml").read_text()) == {"web": WEB}
    assert nas.call("app.config", "web") == WEB


def test_yaml_is_read_and_written_again(nas: Nas) -> None:
    """Comments and order are lost, YAML 1.1 mangles; from 25.10 on texts are in quotes."""
    text = 'services: # note\n  web:\n    ports: ["8080:80", 2222:22]\n    image: web:1\n'
    told = {"app_name": "web", "custom_app": True, "custom_compose_config_string": text}
    nas.job("app.create", told)
    written = (nas.apps / VERSION / "templates/rendered/docker-compose.yaml").read_text()

    assert "note" not in written
    assert nas.call("app.config", "web")["services"]["web"]["ports"] == ["8080:80", 133342]
    assert ('"image": "web:1"' if nas.release.quotes else "image: web:1\n") in written


def test_yaml_that_is_none(nas: Nas) -> None:
    """On an update 24.10 and 25.04 still speak of ``app_create``."""
    nas.job("app.create", custom("web"))
    with pytest.raises(Refused) as made:
        nas.job("app.create", {"app_name": "b", "custom_app": True,
                               "custom_compose_config_string": "a: !reset b"})  # fmt: skip
    with pytest.raises(Refused) as changed:
        nas.job("app.update", "web", {"custom_compose_config_string": "a: ["})

    key, text = "custom_compose_config_string", "Invalid YAML provided"
    schema = "app_update" if nas.release.names_update else "app_create"
    assert made.value.errors == [[f"app_create.{key}", text, 22]]
    assert changed.value.errors == [[f"{schema}.{key}", text, 22]]


def test_one_compose_file_exactly(nas: Nas) -> None:
    """None is an error, two are."""
    with pytest.raises(Refused) as none:
        nas.job("app.create", {"app_name": "web", "custom_app": True})
    with pytest.raises(Refused) as two:
        nas.job("app.create", custom("web", custom_compose_config_string="a: b"))

    place = "app_create.custom_compose_config"
    assert none.value.errors == [[place, "This field is required", 22]]
    only = "Only one of these fields should be provided"
    assert two.value.errors == [[f"{place}_string", only, 22]]


def test_an_unknown_key_is_refused(nas: Nas) -> None:
    """Both dialects refuse it, with words of their own."""
    with pytest.raises(Refused) as refused:
        nas.job("app.create", custom("web", foo=1))

    strict = "Extra inputs are not permitted"
    text = strict if nas.release.strict else "Field was not expected"
    assert refused.value.errors == [["app_create.foo", text, 22]]


@pytest.mark.parametrize("name", ["Web", "a_b", "a.b", "1a", "a-", "x" * 41])
def test_names_of_apps(nas: Nas, name: str) -> None:
    """Small letters, digits and hyphens, forty at the most."""
    with pytest.raises(Refused) as refused:
        nas.job("app.create", custom(name))

    assert [error[0] for error in refused.value.errors or []] == ["app_create.app_name"]


def test_a_name_is_there_once(nas: Nas) -> None:
    """A second app of the name is refused with EEXIST."""
    nas.job("app.create", custom("web"))
    with pytest.raises(Refused, match=r"\[EEXIST\] Application with name web already exists"):
        nas.job("app.create", custom("web"))


def test_a_failed_new_app_is_wiped(nas: Nas) -> None:
    """Containers and files are gone; why is in the log alone, and on 26 in the job, too."""
    failing = {"x-fail": "port is already\nallocated", **WEB}
    with pytest.raises(Refused) as refused:
        nas.job("app.create", custom("web", failing))
    job = nas.call("core.get_jobs", [["method", "=", "app.create"]])[-1]

    text = "[EFAULT] Failed 'up' action for 'web' app. Please check /var/log/app_lifecycle.log for"
    assert str(refused.value).startswith(text)
    assert nas.docker_calls()[-1] == [*_compose(nas, "web"), "down", "--remove-orphans"]
    assert not (nas.apps / "app_configs/web").exists()
    assert nas.call("app.query") == []
    assert "Failed 'up' action for 'web' app: port is already\\nallocated" in nas.log.read_text()
    assert job["progress"]["percent"] == 80
    if nas.release.install_logs:
        assert "it went wrong" in job["logs_excerpt"]
    else:
        assert job["logs_excerpt"] is None


def test_a_failed_update_stays(nas: Nas) -> None:
    """The new file stays in place and the app is down; nothing goes back by itself."""
    nas.job("app.create", custom("web"))
    failing = {"x-fail": "no such image", **_web()}
    with pytest.raises(Refused, match="Failed 'up' action"):
        nas.job("app.update", "web", {"custom_compose_config": failing})

    assert nas.call("app.config", "web") == failing
    assert nas.call("app.get_instance", "web")["state"] == "STOPPED"


def test_an_update_of_a_stopped_app_does_nothing(nas: Nas) -> None:
    """It succeeds, writes the file, and starts nothing; a redeploy does."""
    nas.job("app.create", custom("web"))
    nas.job("app.stop", "web")
    before = len([words for words in nas.docker_calls() if "up" in words])
    told = nas.job("app.update", "web", {"custom_compose_config": _web(command="x")})

    assert told["state"] == "STOPPED"
    assert nas.call("app.config", "web") == _web(command="x")
    assert len([words for words in nas.docker_calls() if "up" in words]) == before
    assert nas.job("app.redeploy", "web")["state"] == "RUNNING"


def test_a_crash_loop_is_stopped_to_the_middleware(nas: Nas) -> None:
    """A container that is restarted again and again counts as exited, so an update does nothing."""
    assert _state(nas, "restarting") == "STOPPED"
    nas.job("app.update", "web", {"custom_compose_config": WEB})

    assert nas.call("app.get_instance", "web")["state"] == "STOPPED"


def test_an_update_needs_the_whole_file(nas: Nas) -> None:
    """``values`` is nothing to a custom app."""
    nas.job("app.create", custom("web"))
    with pytest.raises(Refused) as refused:
        nas.job("app.update", "web", {"values": {"a": 1}})

    place = "app_update.custom_compose_config"
    assert refused.value.errors == [[place, "This field is required", 22]]


@pytest.mark.parametrize(
    ("fakes", "state"),
    [
        (("", "healthy"), "RUNNING"),
        (("", "done"), "RUNNING"),
        (("", "restarting"), "RUNNING"),
        (("", "starting"), "DEPLOYING"),
        (("", "unhealthy"), "DEPLOYING"),
        (("", "created"), "DEPLOYING"),
        (("starting", "crashed"), "CRASHED"),
        (("done",), "STOPPED"),
        (("paused",), "STOPPED"),
    ],
)
def test_states(nas2510: Nas, fakes: tuple[str, ...], state: str) -> None:
    """An app's state, from those of its containers."""
    assert _state(nas2510, *fakes) == state


def test_an_entry(nas: Nas) -> None:
    """What ``app.query`` tells of a running app; keys come with the releases."""
    nas.job("app.create", custom("web", _web(ports=["8080:80"], volumes=["/srv:/data"])))
    (row,) = nas.call("app.query")
    work = row["active_workloads"]
    hosts = [{"host_port": 8080, "host_ip": ip} for ip in ("0.0.0.0", "::")]

    assert (row["custom_app"], row["upgrade_available"], row["notes"]) == (True, False, None)
    assert work["used_ports"] == [{"container_port": 80, "protocol": "tcp", "host_ports": hosts}]
    assert work["volumes"] == [
        {"source": "/srv", "destination": "/data", "mode": "rw", "type": "bind"}
    ]
    assert ("networks" in work) == nas.release.networks
    assert ("used_host_ips" in work) == nas.release.host_ips
    assert ("action_required" in row) == nas.release.action_required
    assert ("config" in row) == nas.release.strict
    assert nas.call("app.used_ports") == [8080]


def test_an_entry_of_a_stopped_app(nas: Nas) -> None:
    """It has no workloads at all, and is there all the same."""
    nas.job("app.create", custom("web"))
    nas.job("app.stop", "web")
    (row,) = nas.call("app.query", [], {"extra": {"retrieve_config": True}})

    assert row["state"] == "STOPPED"
    assert not any(row["active_workloads"].values())
    assert row["config"] == WEB


def test_another_stack_is_taken_for_an_app(nas: Nas) -> None:
    """Three characters of a project's name are cut, whatever they are: ``my-web`` is ``web``."""
    nas.job("app.create", custom("web"))
    state = nas.docker_state()
    state["container"][0]["Config"]["Labels"]["com.docker.compose.project"] = "my-web"
    state["network"] = []
    nas.set_docker_state(state)

    assert nas.call("app.query")[0]["state"] == "RUNNING"
    assert nas.call("app.query", [["id", "=", "web"]])[0]["state"] == "STOPPED"


def test_a_container_without_a_service(nas: Nas) -> None:
    """A project's container without a service's name breaks ``app.query`` until 25.10."""
    nas.job("app.create", custom("web"))
    state = nas.docker_state()
    del state["container"][0]["Config"]["Labels"]["com.docker.compose.service"]
    nas.set_docker_state(state)

    if nas.release.unlabelled:
        (row,) = nas.call("app.query")
        assert row["active_workloads"]["container_details"][0]["service_name"] == "ix-web-web-1"
    else:
        with pytest.raises(Refused, match=r"com\.docker\.compose\.service"):
            nas.call("app.query")


def test_delete_takes_named_volumes_and_images(nas: Nas) -> None:
    """``down -v --rmi all`` unless images are to stay; there is no way to keep named volumes."""
    nas.job("app.create", custom("web", {**WEB, "volumes": {"data": {}}}))
    nas.job("app.create", custom("b"))

    assert nas.job("app.delete", "web") is True
    assert nas.docker_calls()[-1] == [
        *_compose(nas, "web"), "down", "--remove-orphans", "--rmi", "all", "-v",
    ]  # fmt: skip
    assert nas.docker_state()["volume"] == []
    assert not (nas.apps / "app_configs/web").exists()
    nas.job("app.delete", "b", {"remove_images": False})
    assert nas.docker_calls()[-1][-2:] == ["--remove-orphans", "-v"]


def test_forced_removal_came_with_2504(nas: Nas) -> None:
    """24.10 doesn't know the key; later it removes an app that has nothing in Docker."""
    nas.job("app.create", custom("web"))
    nas.job("app.stop", "web")
    nas.faults(compose={"down": "yaml: line 3"})
    with pytest.raises(Refused):
        nas.job("app.delete", "web")
    forced = {"force_remove_custom_app": True}

    if nas.release.forced_removal:
        assert nas.job("app.delete", "web", forced) is True
    else:
        with pytest.raises(Refused) as refused:
            nas.job("app.delete", "web", forced)
        assert refused.value.errors == [
            ["options.force_remove_custom_app", "Field was not expected", 22]
        ]


def test_start_stop_and_redeploy(nas: Nas) -> None:
    """Start and redeploy take down and bring up, stop takes down; start and stop answer nothing."""
    nas.job("app.create", custom("web"))

    assert nas.job("app.stop", "web") is None
    assert nas.docker_calls()[-1] == [*_compose(nas, "web"), "down", "--remove-orphans"]
    assert nas.job("app.start", "web") is None
    assert nas.job("app.redeploy", "web")["name"] == "web"
    acts = [words[-1] for words in nas.docker_calls()[-4:]]
    assert acts == ["--remove-orphans"] * 4


def test_pulling_images_asks_for_all_of_them(nas: Nas) -> None:
    """``pull --policy always``, for images that are only here, too; a limit has its own words."""
    nas.job("app.create", custom("web"))
    assert nas.job("app.pull_images", "web", {"redeploy": False}) is None
    assert nas.docker_calls()[-1] == [*_compose(nas, "web"), "pull", "--policy", "always"]

    nas.job("app.update", "web", {"custom_compose_config": {"x-no-pull": 1, **WEB}})
    with pytest.raises(Refused, match="It appears you have reached your pull rate limit"):
        nas.job("app.pull_images", "web")


def test_there_is_no_way_back(nas: Nas) -> None:
    """A custom app has one version for ever, and nothing to upgrade to."""
    nas.job("app.create", custom("web"))

    assert nas.call("app.rollback_versions", "web") == []
    with pytest.raises(Refused) as refused:
        nas.job("app.rollback", "web", {"app_version": "0.9.0"})
    assert "Specified version is not available for rollback" in str(refused.value)
    with pytest.raises(Refused, match="No upgrade available for 'web'"):
        nas.job("app.upgrade", "web")


def test_portals_and_notes_are_read_once(nas: Nas) -> None:
    """At creation; an update doesn't look at them."""
    portal = {"name": "Page", "scheme": "http", "host": "0.0.0.0", "port": 8080, "path": "/"}
    told = {**WEB, "x-portals": [portal], "x-notes": "hello"}
    nas.job("app.create", custom("web", told))
    nas.job("app.update", "web", {"custom_compose_config": WEB})
    row = nas.call("app.get_instance", "web")

    assert (row["portals"], row["notes"]) == ({"Page": "http://0.0.0.0:8080/"}, "hello")


def test_compose_takes_too_long(nas2510: Nas) -> None:
    """The log says so; the error is the same as ever."""
    nas2510.faults(compose={"up": "timeout"})
    with pytest.raises(Refused, match="Failed 'up' action"):
        nas2510.job("app.create", custom("web"))

    assert "Timed out waiting for response" in nas2510.log.read_text()


def test_while_docker_is_down(nas: Nas) -> None:
    """``app.query`` is empty, as if there were no app; a new one is refused."""
    nas.job("app.create", custom("web"))
    nas.faults(docker_status="FAILED", docker_description="no route")

    status = nas.call("docker.status")
    assert status["status"] == "FAILED"
    assert status["description"] == "Application(s) have failed to start:\nno route"
    assert nas.call("app.query") == []
    with pytest.raises(Refused, match="Docker service is not running"):
        nas.job("app.create", custom("b"))


def test_events_of_apps(nas2510: Nas) -> None:
    """Whoever subscribed is told of what becomes of an app."""
    nas2510.job("app.create", custom("web"))
    event = nas2510.event("app.query", lambda: nas2510.job("app.redeploy", "web"))

    assert (event["msg"], event["id"], event["fields"]["name"]) == ("changed", "web", "web")
