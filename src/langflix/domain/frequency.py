"""How often a word is met in English, and which words a learner knows.

The numbers are those of the package wordfreq, which counts subtitles, books, news, Wikipedia and
the web (https://github.com/rspeer/wordfreq).  A word's Zipf value is the logarithm to base 10 of
how often it comes in a billion words: 7 for "the", 5 for "door", 3 for "plumber" (van Heuven,
Mandera, Keuleers and Brysbaert, 2014).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from math import log10

from langflix.domain.lexicon import Level

#: The least Zipf value of words that a learner of a level knows; our own judgement.  In this order
#: they are the 1,100, 2,500, 4,400, 7,200, 13,000 and 21,000 most frequent forms of words.
KNOWN: Mapping[Level, float] = {
    "A1": 5.0,
    "A2": 4.6,
    "B1": 4.3,
    "B2": 4.0,
    "C1": 3.6,
    "C2": 3.25,
}
#: What a word has that is too rare to be listed.
UNLISTED = 2.5


def zipf(word: str) -> float:
    """Return the Zipf value of a word in lower case, between :data:`UNLISTED` and 8."""
    frequency = _frequencies().get(word)
    return round(log10(frequency) + 9, 2) if frequency else UNLISTED


def rarest(words: Iterable[str]) -> float:
    """Return the Zipf value of the rarest of some words; 8 when there is none."""
    return min(map(zipf, words), default=8.0)


def known_share(words: Iterable[str], learner: Level) -> float:
    """Return the share, from 0 to 1, of words that a learner knows; 1 when there is none.

    Args:
        words: in lower case, without names and numbers.
        learner: their level.

    """
    known = [zipf(word) >= KNOWN[learner] for word in words]
    return sum(known) / len(known) if known else 1.0


@cache
def _frequencies() -> Mapping[str, float]:
    # Here, not above: the roles that score nothing have an image without the package.
    import wordfreq

    # The small list ends where a word comes once in a million: rarer is rare to any learner.
    found: Mapping[str, float] = wordfreq.get_frequency_dict("en", wordlist="small")
    return found
