"""Deploys that nobody notices: some in a row under load, and not one request or job is lost.

More of them, beside other programs' ways, are ``./inv bench.load --deploys 100``'s.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.functional.conftest import Site

DEPLOYS = 2
#: Fewer would mean that the load did not go on.
LEAST_PER_DEPLOY = 100


@pytest.fixture(scope="module")
def runs(site: Site) -> dict[str, Any]:
    """The load alone and under deploys, as ``bench.load`` tells of them."""
    told = site.good("bench.load", "--deploys", str(DEPLOYS), "--json").json
    return {run["name"]: run for run in told}


def test_the_load_alone_fails_nothing(runs: dict[str, Any]) -> None:
    """Without deploys everything is answered well, so a failure under them is theirs."""
    assert runs["nothing"]["failures"] == []
    assert runs["nothing"]["changes"] == []


def test_every_deploy_succeeds(runs: dict[str, Any]) -> None:
    """Each of the deploys made its version live."""
    changes = runs["deploys"]["changes"]
    assert [one["problem"] for one in changes] == [""] * DEPLOYS


def test_no_request_fails(runs: dict[str, Any]) -> None:
    """Of thousands of requests of every kind none is refused, cut, late or answered wrongly."""
    failed = {row["kind"]: row["faults"] for row in runs["deploys"]["rows"] if row["failed"]}
    assert failed == {}, runs["deploys"]["failures"][:5]
    assert runs["deploys"]["rows"][0]["sent"] > LEAST_PER_DEPLOY * DEPLOYS


def test_no_job_is_lost_or_done_twice(runs: dict[str, Any]) -> None:
    """Each job that was accepted meanwhile is done, once."""
    lessons = runs["deploys"]["lessons"]
    assert (lessons["lost"], lessons["twice"]) == ([], [])
    assert lessons["done"] == lessons["accepted"] > 0
