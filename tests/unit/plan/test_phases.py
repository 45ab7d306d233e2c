"""In which order services are rolled."""

from __future__ import annotations

from slipway.plan.rolling import phases
from slipway.runner.roll import Rolling


def _rolling(service: str) -> Rolling:
    return Rolling(service, 1, "c", (), 10, 10, service != "edge")


def test_the_edge_is_rolled_when_all_others_are_switched() -> None:
    """It finds them by name, so all must be well; then it is told of all of them."""
    edge, api, web = map(_rolling, ("edge", "api", "web"))
    assert phases((edge, api, web), "edge") == ((api, web), (edge, api, web))


def test_one_phase_is_enough_without_both() -> None:
    """Only the edge, no edge, or nothing at all."""
    edge, api = map(_rolling, ("edge", "api"))
    assert phases((edge,), "edge") == ((edge,),)
    assert phases((api,), "edge") == phases((api,), "") == ((api,),)
    assert phases((), "edge") == ()
