"""What is asked ahead is answered once, and nobody's when nobody wants it."""

from __future__ import annotations

import threading

import pytest

from slipway.ahead import Ahead
from slipway.errors import HostError


def test_the_asking_begins_at_once_and_the_answer_stays() -> None:
    """In a thread of its own, while who asked does other things."""
    begun, go_on = threading.Event(), threading.Event()

    def ask() -> int:
        begun.set()
        assert go_on.wait(20)
        return threading.get_ident()

    ahead = Ahead(ask)
    assert begun.wait(20)
    go_on.set()
    assert ahead.answer() == ahead.answer() != threading.get_ident()


def test_an_error_is_told_where_the_answer_is_wanted() -> None:
    """As it was raised, each time."""
    error = HostError("gone", hint="look")

    def ask() -> int:
        raise error

    ahead = Ahead(ask)
    for _ in range(2):
        with pytest.raises(HostError) as caught:
            ahead.answer()
        assert caught.value is error


def test_an_answer_that_nobody_wants_is_ended_when_it_comes() -> None:
    """And nobody waits for it."""
    go_on, ended = threading.Event(), threading.Event()
    got: list[str] = []

    def end(answer: str) -> None:
        got.append(answer)
        ended.set()

    ahead = Ahead(lambda: "connection" if go_on.wait(20) else "")
    ahead.drop(end)
    assert got == []
    go_on.set()
    assert ended.wait(20)
    assert got == ["connection"]
