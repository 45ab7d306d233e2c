"""What makes a supplied secret easy to guess. Pure; no reason repeats any of it.

Held to this are the secrets that slipway would generate: passwords and tokens of the stack's own. A
key that somebody else made is as its maker wants it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

#: Of a generated one every character is one of 62; so many are 95 bits, guessed by nobody.
LEAST = 16
#: Different characters that it has at least; of random hexadecimal digits hardly one has fewer.
DIFFERENT = 7


def weaknesses(text: str, length: int = LEAST) -> Sequence[str]:
    """Every reason to refuse a secret; none for a good one.

    Args:
        text: the secret.
        length: of the one that slipway would make; a supplied one may be as short.
    """
    reasons, least = [], min(length, LEAST)
    if len(text) < least:
        reasons.append(f"is too short: {len(text)} characters, {least} at least")
    if any(not " " <= one <= "~" for one in text):
        reasons.append("has a character that is not printable ASCII, which no header can carry")
    if text != text.strip(" "):
        reasons.append("begins or ends with a space, which who reads it may take away")
    if len(set(text)) < DIFFERENT:
        reasons.append(f"has {len(set(text))} different characters, {DIFFERENT} at least")
    if _is_repeated(text):
        reasons.append("is one piece again and again")
    if _is_a_row(text):
        reasons.append("is mostly characters in a row, like abcd or 4321")
    return reasons


def _is_repeated(text: str) -> bool:
    """Whether it goes on as it began."""
    return any(text[size:] == text[:-size] for size in range(1, len(text) // 2 + 1))


def _is_a_row(text: str) -> bool:
    """Whether most characters are the next, the same or the one before of their neighbour's."""
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    same = sum(one == other and abs(one) <= 1 for one, other in pairwise(steps))
    return len(text) > 2 and 2 * same >= len(text) - 2
