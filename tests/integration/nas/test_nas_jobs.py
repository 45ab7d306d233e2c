"""Jobs: what they tell of themselves, that they go on alone, and who may see and end them."""

from __future__ import annotations

import os
from typing import Any

import pytest
from tests.integration.nas.bench import WEB, Nas, Refused, custom


def _job(nas: Nas, number: int) -> dict[str, Any]:
    (found,) = nas.call("core.get_jobs", [["id", "=", number]])
    return dict(found)


def test_a_job_in_full(nas: Nas) -> None:
    """Secrets are masked, what wasn't given isn't there, and who called is named."""
    nas.job("app.create", custom("web"))
    number = nas.call("core.get_jobs", [["method", "=", "app.create"]])[-1]["id"]
    job = _job(nas, number)

    assert job["arguments"] == [
        {"app_name": "web", "custom_app": True, "custom_compose_config": "********"}
    ]
    assert (job["state"], job["error"], job["exc_info"]) == ("SUCCESS", None, None)
    assert job["progress"]["percent"] == 100
    assert job["progress"]["description"] == "'web' installed successfully"
    assert job["result"]["name"] == "web"
    assert set(job["time_started"]) == {"$date"}
    assert job["credentials"]["type"] == "UNIX_SOCKET"
    keys = {"username", *nas.release.login_details}
    assert set(job["credentials"]["data"]) == keys


def test_a_job_that_failed(nas: Nas) -> None:
    """Error, traceback and kind of the error."""
    with pytest.raises(Refused):
        nas.job("app.create", custom("web", {"x-fail": "no", **WEB}))
    job = nas.call("core.get_jobs", [["method", "=", "app.create"]])[-1]

    assert job["state"] == "FAILED"
    assert job["error"].startswith("[EFAULT] Failed 'up' action for 'web' app.")
    assert job["exception"].startswith("Traceback (most recent call last):\n")
    assert (job["exc_info"]["type"], job["exc_info"]["errno"]) == ("CallError", 14)


def test_a_job_with_wrong_arguments(nas: Nas) -> None:
    """They are looked at in the job, which fails with each of them."""
    with pytest.raises(Refused):
        nas.job("app.create", {"app_name": "web", "custom_app": True})
    job = nas.call("core.get_jobs", [["method", "=", "app.create"]])[-1]

    assert job["exc_info"]["type"] == "VALIDATION"
    assert job["exc_info"]["extra"] == [
        ["app_create.custom_compose_config", "This field is required", 22]
    ]


def test_a_job_outlives_who_called(nas: Nas) -> None:
    """The caller is gone long before; the job is found by its method and its arguments."""
    nas.faults(slow={"app.create": 2})
    nas.call("app.create", custom("web"))
    wanted = [["method", "=", "app.create"], ["arguments.0.app_name", "=", "web"]]
    before = nas.call("core.get_jobs", wanted)[-1]
    nas.wait(lambda: _job(nas, before["id"])["state"] == "SUCCESS")

    assert before["state"] == "RUNNING"
    assert nas.call("app.get_instance", "web")["name"] == "web"


def test_jobs_of_one_lock_wait_for_each_other(nas2510: Nas) -> None:
    """Two updates of an app run one after another, those of two apps side by side."""
    for app in ("a", "b"):
        nas2510.job("app.create", custom(app))
    nas2510.faults(slow={"app.update": 2})
    told = {"custom_compose_config": WEB}
    nas2510.midclt("call", "app.update", "a", '{"custom_compose_config": {"services": {}}}')
    numbers = [int(nas2510.midclt("call", "app.update", app, str(told).replace("'", '"')).stdout)
               for app in ("a", "b")]  # fmt: skip

    states = [_job(nas2510, number)["state"] for number in numbers]
    assert states == ["WAITING", "RUNNING"]


def test_a_job_can_be_ended(nas: Nas) -> None:
    """It is ABORTED at once; whoever waits for it is told."""
    nas.faults(slow={"app.metadata.generate": 30})
    word = nas.midclt("call", "app.metadata.generate").stdout
    nas.call("core.job_abort", int(word))
    job = _job(nas, int(word))

    assert (job["state"], job["result"]) == ("ABORTED", None)
    assert job["time_finished"] is not None
    with pytest.raises(Refused, match=r"\[ENOENT\] ALL: Job with id 4711 does not exist"):
        nas.call("core.job_abort", 4711)


def test_filters_and_options(nas2510: Nas) -> None:
    """Jobs can be counted, ordered, cut and selected."""
    for _ in range(3):
        nas2510.job("app.metadata.generate")
    own = [["method", "=", "app.metadata.generate"]]
    last = nas2510.call("core.get_jobs", own, {"order_by": ["-id"], "limit": 1})[0]
    picked = nas2510.call("core.get_jobs", own, {"select": ["id", ["progress.percent", "done"]]})

    assert nas2510.call("core.get_jobs", own, {"count": True}) >= 3
    assert last["id"] == max(one["id"] for one in picked)
    assert set(picked[0]) == {"id", "done"}
    with pytest.raises(Refused, match="Invalid operation: =="):
        nas2510.call("core.get_jobs", [["id", "==", 1]])


@pytest.mark.skipif(os.geteuid() != 0, reason="other users can be played by root alone")
def test_others_see_their_own_jobs(nas: Nas) -> None:
    """Who doesn't administer sees no job of root's, and may not end it."""
    nas.faults(privileges={"nobody": ["APPS_WRITE"]}, slow={"app.metadata.generate": 5})
    number = nas.midclt("call", "app.metadata.generate").stdout.strip()
    own = nas.midclt("call", "app.metadata.generate", uid=65534).stdout.strip()
    seen = nas.midclt("call", "core.get_jobs", "[]", '{"select": ["id"]}', uid=65534).stdout
    refused = nas.midclt("call", "core.job_abort", number, uid=65534)

    assert f'"id": {own}' in seen
    assert f'"id": {number}}}' not in seen
    assert "Job is not owned by current session" in refused.stderr
