"""What a scan decides, and which subtitle it takes for a film's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langflix.domain import beside
from langflix.domain.scan import SETTLED_AFTER, Known, Plan, Seen, decide

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD = NOW - timedelta(hours=1)
FILM = Seen("Serie/one.mp4", "Serie/one.srt", 100, OLD)
NOTHING = Plan((), (), (), (), ())


def planned(
    seen: list[Seen], known: list[tuple[Seen, bool]] | None = None, unread: tuple[str, ...] = ()
) -> Plan:
    """Decide about films at noon."""
    before = {one.path: Known(one, looked) for one, looked in known or []}
    return decide(seen, before, unread, NOW)


def changed(
    film: Seen, size: int = 100, modified: datetime = OLD, subtitle: str | None = "Serie/one.srt"
) -> Seen:
    """Return the film after something happened to it."""
    return Seen(film.path, subtitle, size, modified)


def test_a_new_film_is_added_and_asked() -> None:
    """What nobody knows yet becomes known and is asked what it is."""
    assert planned([FILM]) == Plan((FILM,), (), (), (), (FILM,))


def test_a_known_film_is_left_alone() -> None:
    """The same file is asked nothing again; one that was not asked yet is."""
    assert planned([FILM], [(FILM, True)]) == Plan((), (), (FILM.path,), (), ())
    assert planned([FILM], [(FILM, False)]) == Plan((), (), (FILM.path,), (), (FILM,))


@pytest.mark.parametrize("age_s", [0, 1, 59])
def test_a_film_that_is_being_copied_waits(age_s: int) -> None:
    """What was written to within the last minute is left for the next scan."""
    fresh = changed(FILM, modified=NOW - timedelta(seconds=age_s))
    assert planned([fresh]) == NOTHING
    again = planned([fresh], [(FILM, True)])
    assert (again.change, again.probe) == ((fresh,), ())
    settled = changed(FILM, modified=NOW - SETTLED_AFTER)
    assert planned([settled]).probe == (settled,)


def test_a_film_that_grew_since_the_last_scan_waits() -> None:
    """A new size is recorded and asked about only once it stays, whatever the time of writing."""
    grown = changed(FILM, size=200)
    assert planned([grown], [(FILM, True)]) == Plan((), (grown,), (), (), ())
    assert planned([grown], [(grown, False)]).probe == (grown,)


def test_a_film_of_tomorrow_is_asked_once_it_stays() -> None:
    """A clock that is ahead keeps no film out: two scans that see the same are enough."""
    ahead = changed(FILM, modified=NOW + timedelta(days=1))
    assert planned([ahead]) == Plan((ahead,), (), (), (), ())
    assert planned([ahead], [(ahead, False)]).probe == (ahead,)
    later = changed(FILM, modified=NOW + timedelta(days=2))
    assert planned([later], [(ahead, True)]).probe == ()


def test_a_touched_film_is_asked_again_and_a_new_subtitle_is_not_its_matter() -> None:
    """Another time of writing means another look; another subtitle only another row."""
    touched = changed(FILM, modified=OLD + timedelta(minutes=1))
    assert planned([touched], [(FILM, True)]) == Plan((), (touched,), (), (), (touched,))
    bare = changed(FILM, subtitle=None)
    assert planned([bare], [(FILM, True)]) == Plan((), (bare,), (), (), ())


@pytest.mark.parametrize(
    ("unread", "gone"),
    [((), True), (("Other",), True), (("Seri",), True), (("Serie",), False), (("",), False)],
)
def test_what_vanished_goes_unless_its_folder_could_not_be_read(
    unread: tuple[str, ...], gone: bool
) -> None:
    """A film below a folder that was not looked into stays known."""
    assert planned([], [(FILM, True)], unread).remove == ((FILM.path,) if gone else ())


def test_films_with_a_subtitle_come_first_then_the_newest() -> None:
    """When there is more to ask than one scan may, what lessons can be made of comes first."""
    films = [
        Seen("a.mp4", None, 1, OLD),
        Seen("b.mp4", "b.srt", 1, OLD - timedelta(days=1)),
        Seen("d.mp4", "d.srt", 1, OLD),
        Seen("c.mp4", "c.srt", 1, OLD),
    ]
    assert [film.path for film in planned(films).probe] == ["c.mp4", "d.mp4", "b.mp4", "a.mp4"]


PATHS = st.sampled_from([f"{folder}{name}.mp4" for folder in ("", "A/", "A/B/") for name in "xyz"])
SEEN = st.builds(
    Seen,
    PATHS,
    st.sampled_from([None, "s.srt"]),
    st.integers(0, 2),
    st.sampled_from([OLD, NOW, OLD - timedelta(days=1), NOW + timedelta(days=1)]),
)
SHELF = st.lists(SEEN, unique_by=lambda film: film.path)


@given(SHELF, st.dictionaries(PATHS, st.tuples(SEEN, st.booleans())), st.sets(st.just("A")))
def test_doing_a_plan_brings_the_known_in_step(
    seen: list[Seen], rows: dict[str, tuple[Seen, bool]], unread: set[str]
) -> None:
    """After a plan all is known but what is being copied; a second plan finds nothing to change."""
    known = {
        path: Known(Seen(path, one.subtitle, one.bytes, one.modified), looked)
        for path, (one, looked) in rows.items()
    }
    plan = decide(seen, known, unread, NOW)
    after = {path: one for path, one in known.items() if path not in plan.remove}
    after |= {film.path: Known(film, looked=False) for film in (*plan.add, *plan.change)}
    assert {film.path for film in plan.probe} <= set(after)
    after |= {film.path: Known(film, looked=True) for film in plan.probe}
    there = {film.path: film for film in seen}
    for path, one in after.items():
        assert there.get(path, one.seen) == one.seen
        assert path in there or path.startswith("A/")
    assert all(film.modified == NOW for path, film in there.items() if path not in after)
    again = decide(seen, after, unread, NOW)
    assert (again.add, again.change, again.remove) == ((), (), ())
    later = decide(seen, after, unread, NOW + timedelta(days=2))
    done = {path for path, one in after.items() if one.looked}
    assert {film.path for film in later.probe} == set(there) - done


@pytest.mark.parametrize(
    ("subtitles", "best"),
    [
        (["Film.srt"], "Film.srt"),
        (["Film.srt", "Film.en.srt", "Film.ko.srt"], "Film.en.srt"),
        (["Film.ko.srt", "Film.srt"], "Film.srt"),
        (["Film.ko.srt"], "Film.ko.srt"),
        (["film.EN-US.sdh.SRT", "Film.srt"], "film.EN-US.sdh.SRT"),
        (["Film.en.forced.srt", "Film.srt"], "Film.srt"),
        (["Film.English.vtt", "Film.en.ass", "Film.en.srt"], "Film.en.srt"),
        (["Subs/Film.srt"], "Subs/Film.srt"),
        (["Subs/Film.srt", "Film.srt"], "Film.srt"),
        (["Subs/Film.eng.srt", "Film.srt"], "Subs/Film.eng.srt"),
        (["Other.srt", "Film2.srt", "Film.Part.Two.srt", "Film.1080p.srt"], None),
        ([], None),
    ],
    ids=str,
)
def test_the_best_subtitle_is_chosen(subtitles: list[str], best: str | None) -> None:
    """English before untagged before other languages before forced; beside before in a folder."""
    assert beside.match(["Film.mkv"], subtitles).get("Film.mkv") == best


def test_a_subtitle_belongs_to_the_longest_name_that_fits() -> None:
    """``Cars.two.srt`` is of ``Cars.two.mp4`` and not of ``Cars.mp4``; two files may share one."""
    films = ["Cars.mp4", "Cars.two.mp4", "cars.mkv"]
    assert beside.match(films, ["Cars.two.srt", "Cars.two.ko.srt"]) == {
        "Cars.two.mp4": "Cars.two.srt"
    }
    assert beside.match(films, ["Cars.srt"]) == {"Cars.mp4": "Cars.srt", "cars.mkv": "Cars.srt"}


@given(st.lists(st.text(min_size=1)), st.lists(st.text(min_size=1)))
def test_only_given_names_come_out(films: list[str], subtitles: list[str]) -> None:
    """Whatever files are called, the answer is of them, and each subtitle starts as its film."""
    for film, subtitle in beside.match(films, subtitles).items():
        assert film in films
        assert subtitle in subtitles
