"""The host's folder: links and files are put in place whole, and what is gone is no error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slipway.runner.host import HostFolder


@pytest.fixture
def folder(tmp_path: Path) -> HostFolder:
    """An empty one."""
    return HostFolder(str(tmp_path))


def names(path: Path) -> list[str]:
    """What is in a folder."""
    return sorted(one.name for one in path.iterdir())


def test_secrets_are_copied_whole(folder: HostFolder, tmp_path: Path) -> None:
    """With their modes, in a folder that who has it may read and nobody gets to from above."""
    for name, text in {"secrets/a/1": "one", "secrets/a/2": "two"}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o400)
    mask = os.umask(0o077)
    try:
        folder.hand("handed/db", {"a": "secrets/a/2", "a.before": "secrets/a/1"})
    finally:
        os.umask(mask)
    place = tmp_path / "handed/db"
    assert names(place) == ["a", "a.before"]
    assert (place / "a").read_text() == "two"
    assert {oct(one.stat().st_mode & 0o777) for one in place.iterdir()} == {"0o400"}
    assert [oct(one.stat().st_mode & 0o777) for one in (place.parent, place)] == ["0o700", "0o755"]
    (place / ".a.new").write_text("half")
    folder.hand("handed/db", {"a": "secrets/a/1"})
    assert names(place) == ["a"]
    assert (place / "a").read_text() == "one"


def test_a_lost_secret_is_taken_from_who_has_it(folder: HostFolder, tmp_path: Path) -> None:
    """The old one is what the service has now, and on the way back what it has as the old one."""
    (tmp_path / "secrets").mkdir()
    for name, text in {"first": "lost", "second": "new"}.items():
        (tmp_path / "secrets" / name).write_text(text)
    place = tmp_path / "handed/db"
    folder.hand("handed/db", {"a": "secrets/first"})
    (tmp_path / "secrets/first").unlink()
    folder.hand("handed/db", {"a": "secrets/second", "a.before": "secrets/first"})
    assert [(place / one).read_text() for one in ("a", "a.before")] == ["new", "lost"]
    folder.hand("handed/db", {"a": "secrets/second", "a.before": "secrets/first"})  # once more
    assert (place / "a.before").read_text() == "lost"
    folder.hand("handed/db", {"a": "secrets/first"})
    assert names(place) == ["a"]
    assert (place / "a").read_text() == "lost"
    with pytest.raises(FileNotFoundError):
        folder.hand("handed/db", {"a": "secrets/second", "b": "secrets/none"})
    assert (place / "a").read_text() == "lost"


def test_what_is_valid_besides_is_there_first(
    folder: HostFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that starts in between lets in with the old one, whatever the new one is."""
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
    folder.hand("handed/db", {"a": "old"})
    seen: list[list[tuple[str, str]]] = []
    real, place = os.replace, tmp_path / "handed/db"

    def watched(source: str, target: str) -> None:
        real(source, target)
        seen.append([(name, (place / name).read_text()) for name in names(place)])

    monkeypatch.setattr(os, "replace", watched)
    folder.hand("handed/db", {"a": "new", "a.before": "old"})
    assert seen == [
        [("a", "old"), ("a.before", "old")],
        [("a", "new"), ("a.before", "old")],
    ]


def test_a_mark(folder: HostFolder, tmp_path: Path) -> None:
    """In a folder that nobody else gets to, made when it isn't there; twice is once."""
    folder.mark("handed/db.untold")
    folder.mark("handed/db.untold")
    assert (tmp_path / "handed/db.untold").read_text() == ""
    assert oct((tmp_path / "handed").stat().st_mode & 0o777) == "0o700"


def test_the_live_release(folder: HostFolder, tmp_path: Path) -> None:
    """Where ``current`` leads, whatever is there; None as long as it does not."""
    assert folder.path == str(tmp_path)
    assert folder.current() is None
    folder.link("current", "releases/r1")
    assert folder.current() == "r1"
    folder.link("current", "")
    assert folder.current() is None
    (tmp_path / "current").write_text("no link")
    assert folder.current() is None


def test_a_link_is_replaced_at_once(
    folder: HostFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks sees the one or the other at any time; a half done one is no hindrance."""
    folder.link("current", "releases/r1")
    (tmp_path / "current.new").symlink_to("releases/half")
    seen = []
    for name in ("symlink", "replace", "unlink"):
        real = getattr(os, name)

        def watched(*given: str, real: object = real) -> None:
            seen.append(folder.current())
            real(*given)  # type: ignore[operator]
            seen.append(folder.current())

        monkeypatch.setattr(os, name, watched)
    folder.link("current", "releases/r2")
    assert (set(seen), seen[-1]) == ({"r1", "r2"}, "r2")
    assert names(tmp_path) == ["current"]


def test_a_link_that_leads_there_stays(folder: HostFolder, tmp_path: Path) -> None:
    """It is the same one afterwards; only its time of access may be another."""

    def identity() -> tuple[int, int]:
        found = (tmp_path / "current").lstat()
        return found.st_ino, found.st_ctime_ns

    folder.link("current", "releases/r1")
    before = identity()
    folder.link("current", "releases/r1")
    assert identity() == before


def test_a_link_is_taken_away(folder: HostFolder, tmp_path: Path) -> None:
    """Once or twice, and without what it led to."""
    (tmp_path / "releases").mkdir()
    folder.link("current", "releases")
    folder.link("current", "")
    folder.link("current", "")
    assert names(tmp_path) == ["releases"]


def test_a_file_is_written_whole(
    folder: HostFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that can't be put in place leaves the one before as it is."""
    folder.write("scale.json", "einß")
    assert (tmp_path / "scale.json").read_bytes() == "einß".encode()
    assert names(tmp_path) == ["scale.json"]
    folder.write("scale.json", "two")
    assert (tmp_path / "scale.json").read_text() == "two"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        folder.write("scale.json", "three")
    assert (tmp_path / "scale.json").read_text() == "two"


def test_an_empty_text_takes_a_file_away(folder: HostFolder) -> None:
    """Once or twice."""
    folder.write("scale.json", "one")
    assert folder.exists("scale.json")
    for _ in range(2):
        folder.write("scale.json", "")
        assert not folder.exists("scale.json")


def test_what_exists(folder: HostFolder, tmp_path: Path) -> None:
    """A file does; a folder, or a link that leads nowhere, is none. A path may be absolute."""
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps/one").write_text("x")
    folder.link("lost", "nowhere")
    assert folder.exists("dumps/one")
    assert folder.exists(str(tmp_path / "dumps/one"))
    assert [folder.exists(name) for name in ("dumps", "lost", "dumps/two")] == [False] * 3


def test_lines_come_to_the_end(folder: HostFolder, tmp_path: Path) -> None:
    """What stands there stays."""
    (tmp_path / "journal.jsonl").write_text("before\n")
    folder.append("journal.jsonl", "einß")
    folder.append("journal.jsonl", "two")
    assert (tmp_path / "journal.jsonl").read_text("utf-8") == "before\neinß\ntwo\n"


def test_removal(folder: HostFolder, tmp_path: Path) -> None:
    """Files, folders with all in them, and links without what they lead to."""
    for name in (
        "releases/r1/files/a",
        "releases/r2/b",
        "secrets/key/1",
        "secrets/key/2",
        "kept/c",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    folder.link("link", "kept")
    folder.remove(("releases/r1", "secrets/key/1", "link"))
    assert names(tmp_path / "releases") == ["r2"]
    assert names(tmp_path / "secrets/key") == ["2"]
    assert names(tmp_path) == ["kept", "releases", "secrets"]
    assert names(tmp_path / "kept") == ["c"]


def test_a_folder_that_becomes_empty_goes_too(folder: HostFolder, tmp_path: Path) -> None:
    """The one in which something lay; not the one above it."""
    for number in (1, 2):
        path = tmp_path / f"secrets/key/{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    folder.remove(("secrets/key/1", "secrets/key/2"))
    assert names(tmp_path) == ["secrets"]
    assert names(tmp_path / "secrets") == []


def test_what_is_gone_is_no_error(folder: HostFolder, tmp_path: Path) -> None:
    """The others go all the same."""
    (tmp_path / "releases/r2").mkdir(parents=True)
    folder.remove(("releases/r1", "nowhere/at/all", "releases/r2"))
    assert names(tmp_path) == []
