"""The page about scores says what the code does."""

from __future__ import annotations

import re

from tests.unit.docs import pages

from langflix.domain import expressions, lesson, lexicon

PAGE = pages.ROOT / "docs/concepts/lessons.md"


def test_the_weights_are_those_of_the_code() -> None:
    """Each part of the score has its row, with its weight."""
    text = PAGE.read_text("utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", text, re.MULTILINE))
    assert {name: float(weight) for name, weight in told.items()} == expressions.WEIGHTS
    words = f"{expressions.GOOD_CONTEXT.start} to {expressions.GOOD_CONTEXT.stop - 1} words"
    assert words in text
    assert f"phrasal verbs have {expressions.IDIOMATIC['phrasal verb']}" in text
    assert f"{expressions.OF_LEVEL} of it is the level" in text
    assert f"up to {lesson.MAX_EXPRESSIONS} expressions" in text


def test_the_size_of_our_list_is_right() -> None:
    """The number of our own expressions is counted."""
    told = re.search(r"the (\d+) expressions that a learner", PAGE.read_text("utf-8"))
    assert told is not None
    assert int(told[1]) == len(lexicon.load().entries)
