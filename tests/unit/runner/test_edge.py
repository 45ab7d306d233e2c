"""What HAProxy 3.0 really answers is read right. Samples were recorded from its admin socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.runner.edge import Answers, Server, answers, servers

HEADING = (
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
    "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
    "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
)
UNRESOLVED = "3 api 1 a - 0 32 1 1 0 1 0 0 14 0 0 0 api 8000 - 0 0 - - 0\n"
UP = "3 api 1 a 127.0.1.1 2 0 1 1 2 15 3 3 6 0 0 0 api 8000 - 0 0 - - 0\n"
FREE = "3 api 2 b 127.0.0.1 0 5 1 1 1 1 0 0 14 0 0 0 - 8000 - 0 0 - - 0\n"
DRAINED = "3 api 2 b 127.0.2.1 2 12 1 1 0 1 0 1 6 0 0 0 - 8000 - 0 0 - - 0\n"
CSV = (
    "# pxname,svname,qcur,scur,status,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,addr,last_chk,\n"
    "web,FRONTEND,,3,OPEN,0,90,0,0,0,,,\n"
    "api,a,0,2,{a},0,80,0,0,0,127.0.1.1:8000,,\n"
    'api,b,0,0,{b},0,0,0,0,0,127.0.2.1:8000,"a, b",\n'
    "api,BACKEND,0,2,UP,1,80,2,3,4,,,\n"
    "flower,BACKEND,0,0,UP,0,5,0,0,1,,,\n"
    "admin,a,0,7,UP,0,0,0,0,0,,,\n"
)


def answer(*rows: str, a: str = "UP", b: str = "MAINT") -> str:
    """An answer to both questions: each ends with an empty line."""
    return f"{HEADING}{''.join(rows)}\n{CSV.format(a=a, b=b)}\n"


def test_places_of_a_backend() -> None:
    """Address and place come from the one table, status and requests from the other."""
    assert servers(answer(UP, FREE)) == (
        Server("api", "a", 1, "127.0.1.1:8000", "UP", 2),
        Server("api", "b", 2, "127.0.0.1:8000", "MAINT", 0),
    )
    assert servers(answer(UP, DRAINED, b="DRAIN 1/3"))[1] == Server(
        "api", "b", 2, "127.0.2.1:8000", "DRAIN 1/3", 0
    )


def test_a_name_without_an_address() -> None:
    """It is no container's; the port is known all the same."""
    (server,) = servers(answer(UNRESOLVED, a="MAINT (resolution)"))
    assert (server.address, server.port, server.path) == ("-:8000", "8000", "api/a")
    assert not (server.ready or server.draining or server.checked or server.free)


@pytest.mark.parametrize(
    ("status", "is_so"),
    [
        ("UP", "ready"), ("UP 1/3", "ready"), ("UP 2/3", "ready"), ("no check", "ready"),
        ("DRAIN", "draining checked"), ("DRAIN 1/3", "draining"), ("DRAIN 2/3", "draining"),
        ("DOWN", "draining"), ("DOWN 1/3", "draining"), ("MAINT", "free"),
        ("MAINT (resolution)", ""),
    ],
)  # fmt: skip
def test_what_a_status_means(status: str, is_so: str) -> None:
    """A place that has just left maintenance has passed no check, whatever it was before."""
    place = Server("api", "b", 2, "10.0.0.1:8000", status, 0)
    words = [name for name in ("ready", "draining", "checked", "free") if getattr(place, name)]
    assert words == is_so.split()
    assert not Server("api", "a", 1, "10.0.0.1:8000", "MAINT", 0).free


def test_answers_of_backends() -> None:
    """All classes count, those of other backends don't."""
    assert answers(answer(UP), ["api"]) == Answers(90, 4)
    assert answers(answer(UP), ["api", "flower", "worker"]) == Answers(96, 5)
    assert answers(answer(UP), []) == Answers()


@pytest.mark.parametrize("said", ["", "\n", "Unknown command: 'x'\n", HEADING + UP])
def test_another_answer_is_no_table(said: str) -> None:
    """A refusal is exit code 0 too, so its words must not be taken for a table."""
    with pytest.raises(ValueError, match="no statistics"):
        servers(said)
    with pytest.raises(ValueError, match="no statistics"):
        answers(said, ["api"])


@given(st.text(), st.text())
def test_whatever_it_says_is_read_or_refused(before: str, after: str) -> None:
    """No answer ends in another error than the one that is expected."""
    for text in (before + after, before + "# pxname" + after, before + CSV + after):
        try:
            servers(text)
        except ValueError:
            continue
