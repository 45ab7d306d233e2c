"""Switches in a host in small: whatever falls over in between, requests are answered."""

from __future__ import annotations

from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.runner.model import PLACE, BrokenOffError, Model

from slipway.runner.expected import Expected
from slipway.runner.failure import Failed
from slipway.runner.roll import Rolling
from slipway.runner.rolling import Roller
from slipway.runner.soak import soak


def service(config: str) -> Rolling:
    """The service with containers of a configuration."""
    return Rolling("api", 1, config, (), 30, 10, True)


def action(config: str) -> dict[str, object]:
    """Switch to such ones, with the file of a release that is named like them."""
    return {"release": config, "services": [service(config).to_json()]}


def deploy(model: Model, config: str) -> None:
    """Switch, watch for a while, and end the old ones."""
    roller = Roller(model.doors, PLACE)
    model.switching = True
    try:
        roller.switch(action(config))
        soak(
            model.doors,
            roller,
            [Expected("api", 1, 30, config=config)],
            model.random.uniform(0, 12),
            0.5,
        )
        model.decided = True
        roller.retire(action(config))
    finally:
        model.switching = False


def settled(model: Model, config: str) -> list[str]:
    """What is not as it is when nothing was ever switched."""
    model.sleep(8)
    wrong = [f"{box.config} is left" for box in model.boxes if box.config != config]
    if len(model.boxes) != 1:
        return [*wrong, f"{len(model.boxes)} containers"]
    (box,) = model.boxes
    shown = {place.name: place.status for place in model.places}
    if shown != {"a": "UP", "b": "MAINT", "c": "MAINT"} or model.places[0].address != box.address:
        wrong.append(f"{shown} {model.places[0].address} {box.address}")
    if box.name != "demo-api-1":
        wrong.append(box.name)
    return wrong


FALLS = st.lists(
    st.tuples(
        st.floats(0, 15),
        st.sampled_from(["edge", "break", "kill old", "kill new", "crash old", "crash new"]),
    ),
    max_size=3,
)
SECONDS = st.floats(0.1, 4)


@given(st.integers(0, 2**32), SECONDS, SECONDS, st.lists(st.floats(0, 15), max_size=3))
@settings(max_examples=60, deadline=None)
def test_nothing_falls_over(seed: int, start: float, stop: float, streams: list[float]) -> None:
    """There and back: never a moment in which a request would not be answered."""
    model = Model(Random(seed), start, stop)
    for config in ("new", "old", "new"):
        home = model.places[0].address
        model.sessions[home] = [model.time + one for one in streams]
        deploy(model, config)
        assert settled(model, config) == []
    assert model.gaps == []


# The new one ends for good while the old one, which nobody asks any more, waits to be ended.
@example(
    771118429,
    0.3042766202271873,
    2.776393901088624,
    [(2.675028889262043, "kill new"), (14.056930862334552, "break")],
    False,
)
# The edge is away just when the new one is well, and leads to the old one when it is back.
@example(2347231943, 2.510666570408224, 3.799353243516439, [(7.85589229145034, "edge")], False)
# It is restarted after the switch, while that is watched.
@example(
    675468325,
    3.8353535626618296,
    1.476348323057468,
    [(5.43869146222433, "edge"), (9.191086004720287, "crash old"), (13.68343698980529, "edge")],
    True,
)
@given(st.integers(0, 2**32), SECONDS, SECONDS, FALLS, st.booleans())
@settings(max_examples=200, deadline=None)
def test_whatever_falls_over(
    seed: int, start: float, stop: float, falls: list[tuple[float, str]], onward: bool
) -> None:
    """The edge or containers end at any moment, or the runner does: it comes to a whole end."""
    model = Model(Random(seed), start, stop)
    model.planned = sorted((model.time + at, what) for at, what in falls)
    config = "new"
    for _ in range(9):
        try:
            deploy(model, config)
            break
        except Failed:
            config = config if model.decided else "old"
        except BrokenOffError:
            model.sleep(model.random.uniform(0, 5))
            config = config if onward or model.decided else "old"
    if model.planned:
        model.planned.clear()
    assert model.gaps == [], model.said
    try:
        deploy(model, config)
    except Failed:
        config = "old"
        deploy(model, config)
    assert settled(model, config) == []
    assert model.gaps == [], model.said
