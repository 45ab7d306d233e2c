"""Tables of the documentation that runs by hand write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Key = tuple[str, str]


def with_rows(
    text: str, mark: str, head: Sequence[str], rows: Mapping[Key, str], order: Sequence[Key]
) -> str:
    """A page with the rows of what was seen; those of other cases stay. Pure.

    Args:
        text: the page.
        mark: the table stands between the comments ``mark`` and ``/mark``.
        head: the table's first two lines.
        rows: lines in Markdown by what their first two cells say.
        order: of the rows. What is not in it goes.
    """
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    start, stop = text.index(begin) + len(begin), text.index(end)
    known = {
        (cells[1].strip(), cells[2].strip()): line
        for line in text[start:stop].splitlines()[3:]
        if len(cells := line.split("|")) > 2
    } | dict(rows)
    table = "\n".join((*head, *(known[key] for key in order if key in known)))
    return f"{text[:start]}\n{table}\n{text[stop:]}"
