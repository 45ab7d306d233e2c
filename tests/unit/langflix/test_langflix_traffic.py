"""Counting of requests and jobs, the clocks of requests, and what a right answer is."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langflix.cli.traffic import text
from langflix.traffic import count, kinds
from langflix.traffic.count import Asked, Failure, Fault
from langflix.traffic.kinds import Form, Kind, Known
from langflix.traffic.lessons import Book, Lessons, Made

AT = "2026-11-26T12:00:00.000+00:00"
ONCE = Made(expressions=1, clips=1)
KNOWN = Known(
    lesson="7",
    expressions=2,
    clip_url="/clip",
    clip=bytes(100_000),
    pages={"/": b"<html>" + bytes(200) + b"</html>"},
    form=Form("form", b"film"),
    key="key",
    title="load-1",
    tiny=Form("form", b"tiny"),
)


def failed(kind: str, fault: Fault, at: str = AT) -> Asked:
    return Asked(kind, 5.0, failure=Failure(at, fault, "why"))


def test_every_fault_is_counted_by_kind() -> None:
    """Each way to fail has its number in the row of its kind and in that of all."""
    asked = [failed("a", fault) for fault in Fault] + [failed("b", Fault.CUT), Asked("b", 1.0)]
    result = count.result(asked, Lessons(), began=AT, seconds=1.0, rate=9)
    rows = {row.kind: row for row in result.rows}
    assert rows["a"].faults == {str(fault): 1 for fault in Fault}
    assert (rows["a"].failed, rows["a"].sent) == (6, 6)
    assert (rows["b"].faults, rows["b"].failed, rows["b"].sent) == ({"cut": 1}, 1, 2)
    assert (rows[count.ALL].failed, rows[count.ALL].sent) == (7, 8)
    assert rows[count.ALL].faults["cut"] == 2
    assert [row.kind for row in result.rows] == ["all", "a", "b"]


def test_failures_are_told_in_order_of_time() -> None:
    """Each failure is listed with kind, time and reason; the whole is JSON."""
    asked = [failed("a", Fault.RESET, "2"), failed("b", Fault.STATUS, "1"), Asked("a", 1.0)]
    result = count.result(asked, Lessons(2, 1, lost=("x",)), began=AT, seconds=1.26, rate=9)
    value = json.loads(json.dumps(result.to_json()))
    assert value["failures"] == [
        {"kind": "b", "at": "1", "fault": "status", "detail": "why"},
        {"kind": "a", "at": "2", "fault": "reset", "detail": "why"},
    ]
    assert value["lessons"] == {"accepted": 2, "done": 1, "lost": ["x"], "twice": [], "why": {}}
    assert value["seconds"] == 1.3
    assert value["rows"][0]["faults"] == {"reset": 1, "status": 1}


def test_times_are_nearest_ranks_of_good_and_bad() -> None:
    """A failed request's time counts too; lateness is the longest of all."""
    asked = [Asked("a", float(n), late_ms=n / 10) for n in range(1, 200)]
    asked.append(Asked("a", 900.0, failure=Failure(AT, Fault.TIMEOUT, "")))
    row = count.row("a", asked)
    assert (row.p50_ms, row.p99_ms, row.longest_ms) == (100.0, 198.0, 900.0)
    assert count.result(asked, Lessons(), began=AT, seconds=1, rate=1).late_ms == 19.9
    assert count.row("a", []).longest_ms == 0.0


def test_people_see_the_same_figures() -> None:
    """The text has each row with its faults, and the jobs."""
    asked = [failed("a", Fault.RESET), Asked("a", 12.0)]
    jobs = Lessons(3, 2, lost=("x",))
    lines = text(count.result(asked, jobs, began=AT, seconds=1, rate=1)).splitlines()
    assert lines[1].split() == ["all", "1", "2", "5", "12", "12", "1", "reset"]
    assert lines[-1] == "2 of 3 jobs done, 1 lost, 0 done twice"


def job(name: str, status: str = "DONE", ended: str | None = "1") -> dict[str, Any]:
    return {"id": name, "status": status, "ended_at": ended}


def book(*accepted: str) -> Book:
    made = Book()
    for one in accepted:
        made.accept(one)
        made.made(one, ONCE)
    return made


def test_jobs_that_end_once_are_done() -> None:
    """An accepted job is open until it is seen to have ended, and then it is done."""
    jobs = book("a", "b")
    jobs.see([job("a"), job("b", "RUNNING", None), job("c")])
    assert jobs.open == ["b"]
    jobs.see([job("a", "RUNNING", None), job("b", ended="2")])  # "a" is of an older listing
    assert jobs.open == []
    assert jobs.close([job("a"), job("b", ended="2")], ONCE) == Lessons(2, 2)


@pytest.mark.parametrize(
    ("at_the_end", "made", "why"),
    [
        ([], ONCE, "gone"),
        ([{**job("a", "FAILED"), "error": "no sound"}], ONCE, "FAILED: no sound"),
        ([job("a", "PENDING", None)], ONCE, "PENDING"),
        ([job("a", "RUNNING", None)], ONCE, "RUNNING"),
        ([job("a")], Made(0, 1), "DONE with 0 expressions and 1 clips"),
        ([job("a")], Made(1, 0), "DONE with 1 expressions and 0 clips"),
    ],
)
def test_a_lost_job_is_counted(at_the_end: list[dict[str, Any]], made: Made, why: str) -> None:
    """Gone, FAILED, never ended, or without one of its parts: the user has no lesson."""
    jobs = book("a")
    jobs.made("a", made)
    assert jobs.close(at_the_end, ONCE) == Lessons(1, 0, lost=("a",), why={"a": why})


@pytest.mark.parametrize("made", [Made(2, 1), Made(1, 2)])
def test_a_job_with_a_part_twice_is_counted(made: Made) -> None:
    """Rows that are there twice were written twice."""
    jobs = book("a")
    jobs.made("a", made)
    assert jobs.close([job("a")], ONCE).twice == ("a",)


def test_a_job_that_ends_again_is_counted() -> None:
    """A second end, at another time, is a second time of work."""
    jobs = book("a")
    jobs.see([job("a", ended="1")])
    assert jobs.close([job("a", ended="2")], ONCE).twice == ("a",)


def test_a_job_that_nobody_was_told_of() -> None:
    """A job more than were accepted is one too many, but for requests whose answer was lost."""
    there = [job("a"), job("b")]
    assert book("a").close(there, ONCE).twice == ("b",)
    jobs = book("a")
    jobs.unsure = 1
    assert jobs.close(there, ONCE).twice == ()
    with pytest.raises(ValueError, match="accepted already"):
        jobs.accept("a")


def test_shares_are_of_one_whole() -> None:
    """The shares of all kinds make one, so the rate is that of all requests."""
    assert sum(kind.share for kind in kinds.KINDS) == pytest.approx(1.0)
    assert set(kinds.requests(KNOWN)) == {kind.name for kind in kinds.KINDS}


def test_patience_is_added_to_what_each_kind_has() -> None:
    """Of a stack on a busy machine more is borne; uploads and slow ones still have longer."""
    usual, patient = kinds.requests(KNOWN), kinds.requests(KNOWN, 60.0)
    limits = {name: (next(usual[name]).limit_s, next(patient[name]).limit_s) for name in usual}
    assert limits["api-kept"] == (10.0, 60.0)
    assert {after - before for before, after in limits.values()} == {50.0}
    assert limits["upload-slow"][1] > limits["upload"][1] > limits["range"][1]


@given(rate=st.integers(1, 500), seconds=st.integers(1, 60))
def test_arrivals_keep_their_clocks(rate: int, seconds: int) -> None:
    """Times never go back; each kind has its share, to within one request."""
    some = (Kind("a", 0.7), Kind("b", 0.29), Kind("c", 0.01))
    due = list(itertools.takewhile(lambda one: one[0] < seconds, kinds.arrivals(some, rate)))
    assert [at for at, _ in due] == sorted(at for at, _ in due)
    counted = Counter(kind for _, kind in due)
    for kind in some:
        assert abs(counted[kind.name] - rate * seconds * kind.share) <= 1


def test_fresh_kinds_ask_what_kept_ones_ask() -> None:
    """The same requests go by connections of their own and by kept ones."""
    asks = kinds.requests(KNOWN)
    for name in ("api", "page"):
        for _ in range(5):
            kept, fresh = next(asks[f"{name}-kept"]), next(asks[f"{name}-fresh"])
            assert (kept.path, kept.wrong, kept.status) == (fresh.path, fresh.wrong, fresh.status)
            assert (kept.fresh, fresh.fresh) == (False, True)


def test_jobs_have_keys_of_their_own_and_uploads_one() -> None:
    """No two jobs are one request; every upload is the same one."""
    asks = kinds.requests(KNOWN)
    keys = {next(asks["job"]).headers["Idempotency-Key"] for _ in range(9)}
    assert len(keys) == 9
    assert {next(asks["upload"]).headers["Idempotency-Key"] for _ in range(9)} == {"key"}


def test_ranges_cover_the_clip() -> None:
    """The pieces that are asked for are the clip, each byte once."""
    asks = kinds.requests(KNOWN)["range"]
    wanted = [next(asks).headers["Range"] for _ in range(3)]
    assert wanted == ["bytes=0-65535", "bytes=65536-99999", "bytes=0-65535"]


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (kinds.same(b"OK"), [b"OK"], [b"", b"ok", b"OK\n"]),
        (kinds.field_is("id", "7"), [b'{"id": "7"}'], [b"", b"[]", b'{"id": "8"}', b"<html>"]),
        (kinds.field_is("rows", 2), [b'{"rows": [1, 2]}'], [b'{"rows": [1]}', b"{}"]),
        (kinds.jobs_list, [b'{"jobs": []}'], [b'{"jobs": 1}', b"{}", b"[]", b"no"]),
        (kinds.events, [b"retry: 1\n\n", b"retry: 1\n\n: x\n\n"], [b"", b"retry: 1\n\ndata: {"]),
        (kinds.ends_like(b"<p>the end</p>"), [b"new <p>the end</p>"], [b"<p>the en", b"other"]),
    ],
)
def test_checks(check: kinds.Check, good: list[bytes], bad: list[bytes]) -> None:
    """A check has no complaint about what is right and one about what is not."""
    assert [check(body) for body in good] == [""] * len(good)
    assert all(check(body) for body in bad)
