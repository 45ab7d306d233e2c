"""A guide is read as its reader goes through it, and everything in it has its place in the test."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.functional.guides.places import LEFT_OUT, Unknown, place
from tests.functional.guides.reader import Kind, Move, moves

GUIDES = Path(__file__).parents[3] / "docs/guides"
ENGLISH = moves((GUIDES / "truenas.md").read_text("utf-8"))
KOREAN = moves((GUIDES / "truenas.ko.md").read_text("utf-8"))
PAGE = """# A page

`./inv down --host a` comes before all.

## First

1. *Datasets > Add
   Dataset*: `tank/apps`, **not *this* one**, and `restart: always`.

   ```console
   $ ./inv plan
   what it prints
   $ ssh a
   ```

## Second

```toml
a = 1

b = 2
```

### Below

Add `"docker-compose.x.yml"`, as `./inv down` says.

```text
$ nothing
```
"""


def test_a_page_is_read_in_its_order() -> None:
    """Commands, tables, clicks, datasets and files come as they stand, with their section."""
    assert [(one.kind, one.text, one.section) for one in moves(PAGE)] == [
        (Kind.TYPE, "./inv down --host a", 0),
        (Kind.CLICK, "Datasets > Add Dataset", 1),
        (Kind.DATASET, "tank/apps", 1),
        (Kind.TYPE, "./inv plan", 1),
        (Kind.TYPE, "ssh a", 1),
        (Kind.WRITE, "a = 1\n\nb = 2", 2),
        (Kind.FILE, '"docker-compose.x.yml"', 2),
    ]


def test_both_languages_have_their_readers_do_the_same() -> None:
    """The same commands, tables and clicks, in the same order, in the same sections."""
    pairs = zip(ENGLISH, KOREAN, strict=True)
    differ = [
        (one, other)
        for one, other in pairs
        if (one.kind, one.text, one.section) != (other.kind, other.text, other.section)
    ]
    assert not differ


@pytest.mark.parametrize("move", ENGLISH, ids=str)
def test_everything_in_the_guide_has_its_place_in_the_test(move: Move) -> None:
    """tests/functional/test_guide.py knows how to do it, or why it can't be done."""
    assert place(move)


def test_what_the_test_does_not_know_is_refused() -> None:
    """A new command, click or dataset in the guide needs a place first."""
    for kind, text in [
        (Kind.TYPE, "./inv prune --host truenas"),
        (Kind.TYPE, "rm -rf /"),
        (Kind.CLICK, "System > Reboot"),
        (Kind.DATASET, "tank/other"),
        (Kind.WRITE, "port = 2222"),
        (Kind.FILE, '"docker-compose.acme.yml"'),
    ]:
        with pytest.raises(Unknown):
            place(Move(kind, text, 1, "Deploy"))


def test_nothing_is_left_out_that_the_guide_has_no_more() -> None:
    """Each reason to leave something out is about something in the guide."""
    there = {(one.title, one.text) for one in ENGLISH}
    assert set(LEFT_OUT) <= there
