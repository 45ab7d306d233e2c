"""The walk through a media share, on real folders."""

from __future__ import annotations

import os
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from langflix.errors import MediaError
from langflix.media import shelf
from langflix.media.shelf import Bounds, Listing, walk


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """Give a share with two films, a subtitle, and what is of no use."""
    root = tmp_path / "share"
    for path in ("one.mp4", "one.en.srt", "Serie/two.mkv", "Serie/Subs/two.srt", "Serie/note.txt"):
        put(root / path)
    for path in (".hidden.mp4", ".trash/old.mp4", "#recycle/old.mp4", "Serie/a\nb.mp4"):
        put(root / path)
    return root


def put(path: Path) -> None:
    """Make a small file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"film")


def paths(listing: Listing) -> list[str]:
    """Return where the films lie, sorted."""
    return sorted(film.path for film in listing.films)


def test_every_film_is_listed_with_its_subtitle(share: Path) -> None:
    """Films of all folders come with size, time and subtitle; hidden and strange names do not."""
    os.utime(share / "one.mp4", ns=(0, 1_700_000_000_123_456_789))
    listing = walk(share)
    found = {film.path: film for film in listing.films}
    assert sorted(found) == ["Serie/two.mkv", "one.mp4"]
    assert found["Serie/two.mkv"].subtitle == "Serie/Subs/two.srt"
    one = found["one.mp4"]
    assert (one.subtitle, one.bytes) == ("one.en.srt", 4)
    assert one.modified == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    assert listing.unread == frozenset()


@pytest.mark.parametrize("stamp", [-(2**63), -1, 2**63 - 1])
def test_no_time_is_too_strange(share: Path, stamp: int) -> None:
    """A time of writing that no calendar holds is taken as one that the database can keep."""
    status: Any = type("Status", (), {"st_mtime_ns": stamp})
    assert 1970 <= shelf.modified_at(status).year <= 2200


def test_links_lead_nowhere(share: Path) -> None:
    """Loops end, nothing outside is listed, and no film is listed twice."""
    outside = share.parent / "outside"
    put(outside / "secret.mp4")
    (share / "Serie" / "again").symlink_to(share)
    (share / "Serie" / "self").symlink_to("self")
    (share / "out").symlink_to(outside)
    (share / "secret.mp4").symlink_to(outside / "secret.mp4")
    (share / "same.mp4").symlink_to("one.mp4")
    (share / "gone.mp4").symlink_to("nowhere.mp4")
    assert paths(walk(share)) == ["Serie/two.mkv", "one.mp4"]


def test_the_share_may_be_a_link(share: Path) -> None:
    """The root itself is followed."""
    (share.parent / "link").symlink_to(share)
    assert paths(walk(share.parent / "link")) == ["Serie/two.mkv", "one.mp4"]


def test_a_folder_that_cannot_be_read_is_told(share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is skipped and named, and the rest is listed; when it is the share, that is an error."""
    scandir, forbidden = os.scandir, {share / "Serie"}

    def refuse(path: Path) -> Any:
        if path in forbidden:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = walk(share)
    assert (paths(listing), set(listing.unread)) == (["one.mp4"], {"Serie"})
    forbidden.add(share)
    with pytest.raises(MediaError, match="Permission denied"):
        walk(share)


def test_a_share_that_is_away_is_an_error(tmp_path: Path) -> None:
    """No folder, a file in its place, and the empty folder that a NAS is mounted on."""
    with pytest.raises(MediaError, match="not there"):
        walk(tmp_path / "share")
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / ".keep").touch()
    with pytest.raises(MediaError, match="nothing in it"):
        walk(tmp_path / "share")
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match="cannot be read"):
        walk(tmp_path / "file")


def test_a_share_that_goes_away_meanwhile_is_an_error(
    share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root that is another folder by the end has been unmounted on the way."""
    visit = shelf._Walk._visit

    def lose(self: shelf._Walk, folder: str) -> shelf._Found:
        if folder == "Serie":
            share.rename(share.parent / "away")
            share.mkdir()
        return visit(self, folder)

    monkeypatch.setattr(shelf._Walk, "_visit", lose)
    with pytest.raises(MediaError, match="went away"):
        walk(share)


@pytest.mark.parametrize(
    ("bounds", "unread", "found"),
    [
        (Bounds(films=1), {"Serie"}, ["one.mp4"]),
        (Bounds(folders=1), {"Serie"}, ["one.mp4"]),
        (Bounds(depth=1), {"Serie/Subs"}, ["Serie/two.mkv", "one.mp4"]),
        (Bounds(time_s=-1), {""}, []),
    ],
    ids=str,
)
def test_what_is_beyond_the_bounds_counts_as_unread(
    share: Path, bounds: Bounds, unread: set[str], found: list[str]
) -> None:
    """A walk that is cut short says where, so that nothing there is taken for gone."""
    listing = walk(share, bounds)
    assert (paths(listing), set(listing.unread)) == (found, unread)


def test_a_folder_with_too_much_in_it_counts_as_unread(share: Path) -> None:
    """Of a folder with more than the bound a part is listed, and it is told."""
    for number in range(9):
        put(share / "Many" / f"{number}.mp4")
    listing = walk(share, Bounds(in_folder=4))
    assert (len(listing.films), set(listing.unread)) == (2 + 4, {"Many"})


def test_paths_that_no_job_could_have_are_left_out(share: Path) -> None:
    """A path of more characters or bytes than the database's index takes is not listed."""
    deep = share.joinpath(*["영화" * 40] * 9)
    put(deep / "deep.mp4")
    assert paths(walk(share)) == ["Serie/two.mkv", "one.mp4"]


def test_a_large_share_needs_little_memory(tmp_path: Path) -> None:
    """3,000 films in one folder and 3,000 in many are listed within 16 MB, each with subtitle."""
    film, subtitle = tmp_path / "film", tmp_path / "subtitle"
    put(film)
    put(subtitle)
    for number in range(3000):
        folder = tmp_path / "share" / f"folder {number % 300}"
        folder.mkdir(parents=True, exist_ok=True)
        for place in (tmp_path / "share", folder):
            os.link(film, place / f"film {number}.mp4")
            os.link(subtitle, place / f"film {number}.en.srt")
    tracemalloc.start()
    listing = walk(tmp_path / "share")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(listing.films) == 6000
    assert all(one.subtitle for one in listing.films)
    assert peak < 16 * 2**20
