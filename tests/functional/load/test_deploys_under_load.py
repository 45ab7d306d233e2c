"""Deploys that nobody notices: some in a row under load, and not one request or job is lost.

More of them, beside other programs' ways, are ``./inv bench.load --deploys 100``'s.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.functional.conftest import Site

DEPLOYS, ROLLBACKS = 10, 1
#: The suite's other tests are at work as well: what is late was not dropped.
PATIENCE_S = 120
#: Less than the measurement's, for the same reason; still some thousand requests.
RATE = 10
#: Fewer would mean that the load did not go on.
LEAST_PER_CHANGE = 50
#: Ways to change the version, and how often each is gone.
WAYS = [("deploys", DEPLOYS), ("rollbacks", ROLLBACKS)]


@pytest.fixture(scope="module")
def runs(site: Site) -> dict[str, Any]:
    """The load alone and under deploys, as ``bench.load`` tells of them."""
    counts = ("--deploys", str(DEPLOYS), "--rollbacks", str(ROLLBACKS))
    how = ("--rate", str(RATE), "--patience", str(PATIENCE_S))
    told = site.good("bench.load", *counts, *how, "--json").json
    return {run["name"]: run for run in told}


def test_the_load_alone_fails_nothing(runs: dict[str, Any]) -> None:
    """Without deploys everything is answered well, so a failure under them is theirs."""
    assert runs["nothing"]["failures"] == []
    assert runs["nothing"]["changes"] == []


@pytest.mark.parametrize(("way", "count"), WAYS)
def test_every_change_succeeds(runs: dict[str, Any], way: str, count: int) -> None:
    """Each of them made its release live."""
    changes = runs[way]["changes"]
    assert [one["said"] for one in changes] == [[]] * count
    assert [one["problem"] for one in changes] == [""] * count


@pytest.mark.parametrize(("way", "count"), WAYS)
def test_no_request_fails(runs: dict[str, Any], way: str, count: int) -> None:
    """Of thousands of requests of every kind none is refused, cut, late or answered wrongly."""
    failed = {row["kind"]: row["faults"] for row in runs[way]["rows"] if row["failed"]}
    assert failed == {}, runs[way]["failures"][:5]
    assert runs[way]["rows"][0]["sent"] > LEAST_PER_CHANGE * count


@pytest.mark.parametrize("way", [way for way, _ in WAYS])
def test_no_job_is_lost_or_done_twice(runs: dict[str, Any], way: str) -> None:
    """Each job that was accepted meanwhile is done, once."""
    lessons = runs[way]["lessons"]
    assert (lessons["lost"], lessons["twice"]) == ([], []), lessons["why"]
    assert lessons["done"] == lessons["accepted"] > 0
