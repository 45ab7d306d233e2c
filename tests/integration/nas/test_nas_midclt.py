"""``midclt`` and the client module: every row of how they parse, print and end, by release."""

from __future__ import annotations

import json
import os

import pytest
from tests.integration.nas.bench import Nas, Refused, custom

BIG = "x" * 70_000
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="other users can be played by root alone")
NOBODY = 65534


def _flag(nas: Nas) -> list[str]:
    return ["-j"] if nas.release.job_flag else ["-j", "true"]


def _quiet(nas: Nas) -> list[str]:
    return ["call", "-q"] if nas.release.quiet_late else ["-q", "call"]


def test_a_text_is_printed_raw(nas: Nas) -> None:
    """``system.version`` prints the version without quotes, in the release's own form."""
    done = nas.midclt("call", "system.version")

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{nas.release.version}\n", "")


def test_a_truth_is_printed_as_python_has_it(nas: Nas) -> None:
    """``True``, which is no JSON."""
    assert nas.midclt("call", "system.ready").stdout == "True\n"


def test_all_else_is_printed_as_json(nas: Nas) -> None:
    """An object with dates as milliseconds, a list, and null for nothing."""
    info = json.loads(nas.midclt("call", "system.info").stdout)
    roles = json.loads(nas.midclt("call", "auth.me").stdout)["privilege"]["roles"]

    assert set(info["datetime"]) == {"$date"}
    assert roles == {"$set": ["FULL_ADMIN"]}
    assert nas.midclt("call", "pool.query").stdout.startswith('[{"id": 1, ')
    assert info["version"] == (nas.release.short if nas.release.short_info else nas.release.version)


def test_a_job_without_the_flag_prints_its_number(nas: Nas) -> None:
    """The number comes at once on 24.10 and 25.04; later ones too, by the job's first event."""
    done = nas.midclt("call", "app.metadata.generate")

    assert done.returncode == 0
    assert done.stdout.strip().isdigit()


def test_a_job_with_the_flag_prints_its_result(nas: Nas) -> None:
    """The result on standard output, a progress bar with escapes on standard error."""
    done = nas.midclt("call", *_flag(nas), "app.create", json.dumps(custom("web")))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "web"
    assert "\033[2K\033[A\033[2K\rStatus: " in done.stderr
    assert done.stderr.endswith(f"Total Progress: [{'#' * 40}] 100.00%\n")


def test_progress_can_be_lines(nas: Nas) -> None:
    """With ``-jp description`` each description is a line, none twice in a row."""
    words = ["call", *_flag(nas), "-jp", "description", "app.create", json.dumps(custom("web"))]
    lines = nas.midclt(*words).stderr.splitlines()

    assert lines[-1] == "'web' installed successfully"
    assert len(lines) == len(set(lines))


def test_the_flag_takes_a_word_on_2410(nas: Nas) -> None:
    """``-j METHOD`` loses its method on 24.10, ``--job true METHOD`` the other releases."""
    plain = nas.midclt("call", "-j", "app.metadata.generate")
    valued = nas.midclt("call", "--job", "true", "app.metadata.generate")
    old = nas.midclt("call", "-job", "app.metadata.generate")

    if nas.release.job_flag:
        assert plain.returncode == 0
        assert "Method does not exist" in valued.stderr
        assert old.returncode == 2
        assert "ignored explicit argument 'ob'" in old.stderr
    else:
        assert plain.returncode == 2
        assert "the following arguments are required: method" in plain.stderr
        assert valued.returncode == old.returncode == 0


def test_a_hyphen_reads_standard_input_on_26(nas: Nas) -> None:
    """Elsewhere it is the text ``-``."""
    done = nas.midclt("call", "pool.query", "-", said='[["name", "=", "dozer"]]')

    if nas.release.stdin:
        assert [pool["name"] for pool in json.loads(done.stdout)] == ["dozer"]
    else:
        assert done.returncode == 1
        assert "list" in done.stderr


def test_what_is_no_json_is_a_text(nas: Nas) -> None:
    """A bare name arrives as a text, a number does not."""
    absent = nas.midclt("call", "app.get_instance", "web")
    number = nas.midclt("call", "app.get_instance", "123")

    assert absent.stderr == "[ENOENT] ALL: App web does not exist\n"
    wrong = "[EINVAL] id: Input should be a valid string\n"
    # The older schemas make a text of a number.
    lenient = "[ENOENT] ALL: App 123 does not exist\n"
    assert number.stderr == (wrong if nas.release.strict else lenient)


def test_wrong_arguments_are_lines_without_a_trace(nas: Nas) -> None:
    """One line for each, exit code 1, the same for a job."""
    bad = json.dumps({"app_name": "Bad_Name", "custom_app": "true"})
    done = nas.midclt("call", *_flag(nas), "app.create", bad)
    lines = [line for line in done.stderr.splitlines() if line.startswith("[EINVAL]")]

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    if nas.release.strict:
        assert lines == [
            "[EINVAL] app_create.custom_app: Input should be a valid boolean",
            "[EINVAL] app_create.app_name: String should match pattern "
            "'^[a-z]([-a-z0-9]*[a-z0-9])?$'",
        ]
    else:
        assert lines[0] == "[EINVAL] app_create.custom_app: Not a boolean"
        assert lines[1].startswith("[EINVAL] app_create.app_name: ")


def test_an_error_of_a_call_comes_with_its_trace(nas: Nas) -> None:
    """``[EFAULT]`` and the text, then a traceback, exit code 1."""
    nas.faults(error={"pool.query": "it went wrong"})
    done = nas.midclt("call", "pool.query")

    assert done.returncode == 1
    assert done.stderr.startswith("[EFAULT] it went wrong\nTraceback (most recent call last):\n")


def test_an_unknown_method(nas: Nas) -> None:
    """JSON-RPC has a short word for it, the older protocol a number and a trace."""
    done = nas.midclt("call", "app.nope")

    assert done.returncode == 1
    if nas.release.json_rpc:
        assert done.stderr == "Method does not exist\n"
    else:
        assert done.stderr.startswith("[ENOMETHOD] Method 'nope' not found in 'app'\nTraceback")


def test_quiet_says_nothing(nas: Nas) -> None:
    """``-q`` stands before ``call`` until 25.04, after it from 25.10 on."""
    done = nas.midclt(*_quiet(nas), "app.nope")
    wrong = ["-q", "call"] if nas.release.quiet_late else ["call", "-q"]

    assert (done.returncode, done.stderr) == (1, "")
    assert nas.midclt(*wrong, "app.nope").returncode == 2


def test_a_long_request_ends_the_connection(nas: Nas) -> None:
    """Above 65,536 characters the connection is closed with 1009, on every release."""
    done = nas.midclt("call", "app.get_instance", BIG)

    assert done.returncode == 1
    text = "WebSocket connection closed with code=1009, reason='Max message length is 64 kB'"
    assert done.stderr.splitlines()[0] == text


def test_a_request_just_short_enough_is_answered(nas: Nas) -> None:
    """The whole message counts, not the argument alone."""
    done = nas.midclt("call", "app.get_instance", "x" * 65_000)

    assert done.stderr.startswith("[ENOENT] ALL: App xxx")


def test_nobody_there(nas: Nas) -> None:
    """While the middleware is down midclt says so and ends with 1."""
    nas.faults(down=True)
    nas.wait(lambda: not nas.socket.exists())
    try:
        done = nas.midclt("call", "system.version")
    finally:
        nas.faults()
        nas.wait(nas.listens)

    text = "Failed to run middleware call. Daemon not running?\n"
    assert (done.returncode, done.stderr) == (1, text)


def test_no_answer_in_time(nas: Nas) -> None:
    """``-t`` ends a call; a job's call is answered by its number and may take longer."""
    nas.faults(slow={"app.metadata.generate": 3})
    job = nas.midclt("-t", "2", "call", *_flag(nas), "app.metadata.generate")

    assert job.returncode == 0, job.stderr


def test_a_failed_login_ends_with_0(nas: Nas) -> None:
    """Whoever asks for the exit code alone takes it for a success."""
    done = nas.midclt("-U", "root", "-P", "wrong", "call", "system.version")

    assert done.returncode == 0
    assert done.stdout == "Failed to login:  Invalid username or password\n"


def test_ping(nas: Nas) -> None:
    """``pong`` is printed from 25.10 on."""
    done = nas.midclt("ping")

    assert (done.returncode, done.stdout) == (0, "pong\n" if nas.release.quiet_late else "")


def test_a_usage_error_ends_with_2(nas: Nas) -> None:
    """As argparse does."""
    assert nas.midclt("call").returncode == 2


def test_events_are_printed_as_lines(nas: Nas) -> None:
    """``subscribe`` prints each event as JSON and ends after the number that was asked for."""
    event = nas.event("core.get_jobs", lambda: nas.call("app.metadata.generate"))

    assert event["msg"] in ("added", "changed")
    assert event["collection"] == "core.get_jobs"
    assert event["fields"]["method"] == "app.metadata.generate"


@needs_root
def test_who_has_no_privilege_is_not_authenticated(nas: Nas) -> None:
    """Any user may connect; without a privilege the session counts for nothing."""
    done = nas.midclt("call", "system.version", uid=NOBODY)

    assert done.returncode == 1
    first = done.stderr.splitlines()[0]
    known = "[ENOTAUTHENTICATED] Not authenticated"
    assert first == (known if nas.release.json_rpc else "Not authenticated")


@needs_root
def test_who_has_a_small_privilege_may_little(nas: Nas) -> None:
    """The version needs a session only, the apps a role, and other people's jobs stay unseen."""
    nas.call("app.metadata.generate")
    nas.faults(privileges={"nobody": ["APPS_READ"]})
    refused = nas.midclt("call", "pool.query", uid=NOBODY)

    assert nas.midclt("call", "system.version", uid=NOBODY).returncode == 0
    assert nas.midclt("call", "app.query", uid=NOBODY).stdout == "[]\n"
    assert nas.midclt("call", "core.get_jobs", uid=NOBODY).stdout == "[]\n"
    assert "Not authorized" in refused.stderr.splitlines()[0]


def test_a_boot_has_a_number(nas: Nas) -> None:
    """It is the same until ``/run`` is empty again."""
    first = nas.midclt("call", "system.boot_id").stdout
    again = nas.midclt("call", "system.boot_id").stdout
    (nas.root / "run/boot_id").unlink()

    assert first == again
    assert nas.midclt("call", "system.boot_id").stdout != first


def test_the_client_module_has_the_errors_apart(nas: Nas) -> None:
    """Programs get wrong arguments as a list, other errors with number and trace."""
    with pytest.raises(Refused) as wrong:
        nas.call("pool.query", "no list")
    nas.faults(error={"pool.query": "it went wrong"})
    with pytest.raises(Refused) as failed:
        nas.call("pool.query")

    text = "Input should be a valid list" if nas.release.strict else "Not a list"
    assert wrong.value.errors == [["filters", text, 22]]
    assert failed.value.errno == 14
    assert (failed.value.trace or {})["class"] == "CallError"
