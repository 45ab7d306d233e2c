"""Calls to a NAS' middleware, by a client that says what the real ones say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from slipway.errors import HostError
from slipway.hosts.local import LocalHost
from slipway.hosts.middleware import Middleware, NasRefused, read_release, refusal
from slipway.runner import middleware

# The public face of truenas_api_client, 24.10 to 26: what it returns and raises, by method.
CLIENT = """
import errno, sys
from collections import namedtuple
ErrorExtra = namedtuple("ErrorExtra", "attribute errmsg errcode")
class ClientException(Exception):
    def __init__(self, error, errno=None):
        super().__init__(error)
        self.error, self.errno = error, errno
class ValidationErrors(ClientException):
    def __init__(self, errors):
        self.errors = [ErrorExtra(*one) for one in errors]
        lines = [f"[{errno.errorcode[c]}] {a or 'ALL'}: {m}" for a, m, c in self.errors]
        super().__init__("\\n".join(lines))
class CallTimeout(ClientException):
    def __init__(self):
        super().__init__("Call timeout", errno.ETIMEDOUT)
class Client:
    made = 0
    def __enter__(self):
        Client.made += 1
        if VERSION == "down":
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return self
    def __exit__(self, *_):
        pass
    def call(self, method, *args, job=False, callback=None, timeout=None):
        if method == "system.version":
            return VERSION
        if method == "echo":
            print("a line of somebody else")
            return {"args": args, "argv": sys.argv, "connection": Client.made}
        if method == "app.create":
            assert job and timeout is None
            for percent in (25, 60):
                callback({"progress": {"percent": percent, "description": f"at {percent}"}})
            callback({"progress": None})
            return {"name": args[0]["app_name"]}
        if method == "invalid":
            raise ValidationErrors([["app.name", "is wrong", 22], ["app.port", "is taken", 17]])
        if method == "late":
            raise CallTimeout()
        if method == "job":
            raise ClientException("[EFAULT] Failed 'up' action. Please check "
                                  "/var/log/app_lifecycle.log for more details")
        if method == "stranger":
            raise ClientException("Not authenticated", 207)
        if method == "cut":
            raise ClientException("WebSocket connection closed", errno.ECONNABORTED)
        raise ClientException("Method does not exist", 201)
"""


@pytest.fixture
def nas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Middleware:
    """This machine as a NAS; of 25.10.6, or of what the test asks for."""
    version = getattr(request, "param", "TrueNAS-25.10.6")
    (tmp_path / "truenas_api_client.py").write_text(f"VERSION = {version!r}\n{CLIENT}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return Middleware(LocalHost("nas"))


@pytest.mark.parametrize(
    ("nas", "text", "snapshots"),
    [
        ("TrueNAS-SCALE-24.10.2.4", "24.10.2.4", "zfs.snapshot"),
        ("TrueNAS-25.04.2.6", "25.04.2.6", "zfs.snapshot"),
        ("TrueNAS-25.10.6", "25.10.6", "pool.snapshot"),
        ("TrueNAS-26.0.0-BETA.3", "26.0.0-BETA.3", "pool.snapshot"),
    ],
    indirect=["nas"],
)
def test_each_release_says_which_it_is(nas: Middleware, text: str, snapshots: str) -> None:
    """By its own words, and what of it depends on that."""
    assert (nas.release.text, nas.release.snapshots) == (text, snapshots)
    assert nas.release.to_json() == {"release": text}


@pytest.mark.parametrize("nas", ["TrueNAS-SCALE-24.04.2", "FreeNAS-11.3", ""], indirect=True)
def test_a_release_without_docker_is_refused(nas: Middleware) -> None:
    """Older ones had Kubernetes; others are something else."""
    with pytest.raises(HostError, match=r"24\.10 is the oldest|which TrueNAS it is"):
        _ = nas.release


@pytest.mark.parametrize("text", ["25.10.6", "TrueNAS-", "TrueNAS-x.y", "True"])
def test_what_is_no_version_is_none(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no version"):
        read_release(text)


def test_what_is_asked_is_on_no_command_line(nas: Middleware) -> None:
    """sudo writes command lines into the system's log; what others print is no answer."""
    found = nas.call("echo", {"password": "canary-1f3a"}, None, 3)
    assert found["args"] == [{"password": "canary-1f3a"}, None, 3]
    assert "canary" not in json.dumps(found["argv"])


def test_a_job_is_waited_for_and_tells_how_far_it_is(nas: Middleware) -> None:
    """Each of its steps, and its result."""
    told: list[tuple[str, float]] = []
    nas = Middleware(LocalHost("nas"), lambda words, percent: told.append((words, percent)))
    assert nas.run("app.create", {"app_name": "web"}) == {"name": "web"}
    assert sorted(told) == [("", 0.0), ("at 25", 25.0), ("at 60", 60.0)]


@pytest.mark.parametrize(
    ("method", "kind", "errname", "says"),
    [
        ("invalid", middleware.INVALID, "EINVAL", "app.name: is wrong"),
        ("late", middleware.LATE, "ETIMEDOUT", "gave no answer to late in time"),
        ("job", middleware.FAILED, "EFAULT", "Failed 'up' action"),
        ("stranger", middleware.FAILED, "ENOTAUTHENTICATED", "may not call stranger"),
        ("cut", middleware.AWAY, "ECONNABORTED", "does not answer"),
        ("nothing", middleware.FAILED, "ENOMETHOD", "Method does not exist"),
    ],
)
def test_each_refusal_is_a_sentence(
    nas: Middleware, method: str, kind: str, errname: str, says: str
) -> None:
    """With what it is called, so that callers can tell one from the other."""
    with pytest.raises(NasRefused, match=says) as caught:
        nas.call(method)
    assert (caught.value.kind, caught.value.errname) == (kind, errname)
    assert caught.value.exit_code == 4


def test_several_calls_go_over_one_connection(nas: Middleware) -> None:
    """In their order; one that fails is that answer, and not the end."""
    first, wrong, absent, last = nas.ask(("echo", 1), ("invalid",), ("nothing",), ("echo", 2))
    assert (first["args"], last["args"]) == ([1], [2])
    assert first["connection"] == last["connection"] == 1
    assert isinstance(wrong, NasRefused) and wrong.kind == middleware.INVALID
    assert isinstance(absent, NasRefused) and absent.errname == "ENOMETHOD"


@pytest.mark.parametrize("nas", ["down"], indirect=True)
def test_each_of_several_calls_hears_that_nobody_answers(nas: Middleware) -> None:
    """Each has its answer, so that callers need not count."""
    assert [one.kind for one in nas.ask(("echo", 1), ("echo", 2))] == [middleware.AWAY] * 2


def test_every_wrong_argument_is_told(nas: Middleware) -> None:
    """The first in the sentence, all others below it."""
    with pytest.raises(NasRefused) as caught:
        nas.call("invalid")
    assert caught.value.details == ("[EEXIST] app.port: is taken",)


def test_the_log_that_knows_more_is_named(nas: Middleware) -> None:
    """TrueNAS keeps Compose's own words from whoever called."""
    with pytest.raises(NasRefused) as caught:
        nas.call("job")
    assert "tail /var/log/app_lifecycle.log" in (caught.value.hint or "")


@pytest.mark.parametrize("nas", ["down"], indirect=True)
def test_a_middleware_that_is_down_is_told(nas: Middleware) -> None:
    """With what starts it again."""
    with pytest.raises(NasRefused, match="does not answer") as caught:
        nas.call("system.version")
    assert caught.value.kind == middleware.AWAY
    assert "restart middlewared" in (caught.value.hint or "")


def test_another_machine_is_no_nas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its Python has no such client; or it has no Python."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(NasRefused, match="is no TrueNAS") as caught:
        Middleware(LocalHost("server")).call("system.version")
    assert caught.value.kind == middleware.ABSENT
    for name in ("sh", "env"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NasRefused, match="is no TrueNAS"):
        Middleware(LocalHost("server")).call("system.version")


def test_no_reason_is_said_to_be_none() -> None:
    """An error without words does not end in an empty sentence."""
    error = refusal("nas", "app.stop", {"kind": middleware.FAILED, "errname": "EIO", "message": ""})
    assert error.message == "nas refused app.stop: no reason was given (EIO)"
