"""The application's folder: the one in memory and the real one, by its own shell scripts, agree."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.demo import wanted

from slipway.doors import Completed
from slipway.errors import CommandFailed, DeployError
from slipway.hosts.local import LocalHost
from slipway.ledger.entries import Directory, Entry, File, Link, Source, Text
from slipway.ledger.folder import Folder, HostFolder
from slipway.ledger.journal import TakenDown
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release, as_json
from slipway.ledger.runs import ALIVE, LOST
from slipway.plan.draft import draft
from slipway.plan.wanted import Seen
from slipway.runner.life import uptime
from slipway.runner.putback import HALF
from slipway.secret import Secret
from slipway.testing import FakeFolder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RELEASE = draft(wanted(), Seen(), NOW).release
SECOND = replace(RELEASE, id="20270101-000000-abcdef", created="2027-01-01T00:00:00")
ME = os.getuid()


def contents(source: Source) -> bytes:
    """A release's record, or the source's own name."""
    if source.kind == "release":
        return as_json((SECOND if source.name == SECOND.id else RELEASE).to_json())
    return str(source).encode()


def record(release: Release) -> tuple[Entry, ...]:
    """What is written for a release."""
    folder = f"releases/{release.id}"
    return (
        File(f"{folder}/compose.json", Source("compose", release.id), 0o644),
        File(f"{folder}/release.json", Source("release", release.id), 0o644),
    )


@dataclass(frozen=True)
class Site:
    """A folder, and how it looks from outside.

    Attributes:
        folder: what is tested.
        content: relative path to the file's bytes, or None when there is none.
        mode: path to its permission bits.
    """

    folder: Folder
    content: Callable[[str], bytes | None]
    mode: Callable[[str], int]


@pytest.fixture(params=["in memory", "on a host"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """Each kind of folder, below one that isn't there yet, with a blank in its name."""
    path = tmp_path / "a b" / "it's"
    if request.param == "in memory":
        fake = FakeFolder(str(path))
        return Site(fake, fake.files.get, lambda name: fake.modes[name])
    return Site(
        HostFolder(LocalHost("here"), str(path)),
        lambda name: (path / name).read_bytes() if (path / name).is_file() else None,
        lambda name: stat.S_IMODE((path / name).stat().st_mode),
    )


def test_a_folder_that_is_not_there_is_empty(site: Site) -> None:
    """Before the first deploy there is nothing, and that is no error."""
    assert site.folder.read(("given",)) == Memory()


def test_releases_are_recorded_and_read(site: Site) -> None:
    """What is written is read back, newest first; the link says which one is live."""
    for release in (SECOND, RELEASE):
        link = Link("current", f"releases/{release.id}")
        site.folder.write((*record(release), link), contents)
    assert site.folder.read().records == Records((SECOND, RELEASE), RELEASE.id)
    site.folder.write((Link("current", f"releases/{SECOND.id}"),), contents)
    assert site.folder.read().records.live == SECOND
    site.folder.write((Link("current", ""),), contents)
    assert site.folder.read().records.current is None
    assert site.folder.read().records.releases == (SECOND, RELEASE)


def test_files_have_their_content_and_mode(site: Site) -> None:
    """A file replaces the one before it, whatever its mode was."""
    path = "files/ab/it's an edge.cfg"
    for mode in (0o444, 0o600, 0o444):
        site.folder.write((File(path, Source("config", f"v{mode:o}"), mode),), contents)
        assert site.content(path) == f"config:v{mode:o}".encode()
        assert site.mode(path) == mode
    assert site.folder.read().files == (path,)


def test_secrets_are_listed_and_only_the_wanted_ones_read(site: Site) -> None:
    """Versions are told by name; values only of secrets that are asked for, of every version."""
    names = [("given", 9), ("given", 10), ("made", 1)]
    site.folder.write(
        [File(f"secrets/{name}/{n}", Source("secret", name, n), 0o400) for name, n in names],
        contents,
    )
    memory = site.folder.read(("given", "none"))
    assert memory.secrets == {"given": (9, 10), "made": (1,)}
    values = {9: Secret("secret:given/9"), 10: Secret("secret:given/10")}
    assert memory.values == {"given": values}
    assert site.folder.read().values == {}
    assert site.folder.secret("given", 9) == Secret("secret:given/9")
    with pytest.raises(DeployError, match="the secret made version 2 vanished from "):
        site.folder.secret("made", 2)


def test_a_version_is_never_written_twice(site: Site) -> None:
    """A file that appeared meanwhile is left as it is, and nothing else is written either."""
    fresh = File("secrets/made/1", Source("secret", "made", 1), 0o400, fresh=True)
    other = File("files/ab/x", Source("config", "x"), 0o444)
    site.folder.write((replace(fresh, source=Source("secret", "theirs", 1)),), contents)
    with pytest.raises(DeployError, match="secrets/made/1 exists on "):
        site.folder.write((Directory("files", 0o755), other, fresh), contents)
    assert site.content("secrets/made/1") == b"secret:theirs/1"
    assert site.content("files/ab/x") is None


def test_folders_are_made_once_and_left_alone(site: Site) -> None:
    """A folder that is there keeps its mode, whatever the stack says."""
    data = f"{site.folder.path}/data dir"
    site.folder.write((Directory("secrets", 0o700), Directory(data, 0o755)), contents)
    site.folder.write((Directory(f"{data}/db", 0o711), Directory("secrets", 0o755)), contents)
    site.folder.write((Directory(f"{data}/db", 0o700),), contents)
    assert site.mode(f"{data}/db") == 0o711
    assert site.mode("secrets") == 0o700


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", as_json(SECOND.to_json())[:100]])
def test_a_damaged_record_is_in_nobodys_way(site: Site, data: bytes) -> None:
    """It is told, with the folder it lies in; only who needs the live release is stopped by it."""
    file = File("releases/r/release.json", Source("release", "r"), 0o644)
    site.folder.write((*record(RELEASE), Link("current", f"releases/{RELEASE.id}")), contents)
    site.folder.write((file,), lambda _: data)
    memory = site.folder.read()
    assert (memory.records.live, set(memory.records.unreadable)) == (RELEASE, {"r"})
    (warning,) = memory.warnings
    assert "releases/r/release.json is no JSON: " in warning
    assert warning.endswith(": the next deploy removes it")
    site.folder.write((Link("current", "releases/r"),), contents)
    with pytest.raises(DeployError, match=r"releases/r/release.json") as caught:
        _ = site.folder.read().records.live
    assert caught.value.hint
    assert site.folder.read().warnings == ()


def test_a_copy_of_a_record_is_not_taken_for_another_release(site: Site) -> None:
    """Somebody kept a folder under another name: the release is there once."""
    copy = File("releases/copy/release.json", Source("release", RELEASE.id), 0o644)
    site.folder.write((*record(RELEASE), copy), contents)
    memory = site.folder.read()
    assert (memory.records.releases, set(memory.records.unreadable)) == ((RELEASE,), {"copy"})
    assert f"releases/copy/release.json is the record of {RELEASE.id}" in memory.warnings[0]


def test_a_compose_file_that_is_not_the_recorded_one_is_told(site: Site) -> None:
    """Gone, cut or another one: the release can't be gone back to."""
    rendered = draft(wanted(), Seen(), NOW).rendered.text
    for text, bare in ((rendered, set()), (b"", {RELEASE.id}), (rendered[:-1], {RELEASE.id})):
        site.folder.write(record(RELEASE), lambda one, text=text: (  # type: ignore[misc]
            contents(one) if one.kind == "release" else text
        ))  # fmt: skip
        assert site.folder.read().bare == bare
    only_the_record = replace(record(SECOND)[1], path=f"releases/{SECOND.id}/release.json")
    site.folder.write((only_the_record,), contents)
    assert site.folder.read().bare == {RELEASE.id, SECOND.id}


@pytest.mark.parametrize("text", ["{", '{"format": 1, "services": {"web": -1}}'])
def test_numbers_that_cannot_be_read_are_told_and_as_none(site: Site, text: str) -> None:
    """They are the host's wish, and no reason to tell nothing of it."""
    site.folder.write((*record(RELEASE), Text("scale.json", text)), contents)
    memory = site.folder.read()
    assert (memory.records.releases, memory.scale) == ((RELEASE,), {})
    (warning,) = memory.warnings
    assert "scale.json" in warning
    assert "The Compose files say how many containers there are" in warning


def test_who_took_it_down_is_read_from_the_journal(site: Site) -> None:
    """However long the lines before are; until something else changed what runs."""
    intent: dict[str, object] = {"time": "1", "event": "intent", "who": "anna@desk"}
    outcome: dict[str, object] = {"time": "2", "event": "outcome", "outcome": "down"}
    lines = [{**intent, "plan": "x" * 9000}, {**intent, "down": True}, outcome]

    def down(*more: dict[str, object]) -> TakenDown | None:
        text = "".join(json.dumps(one) + "\n" for one in (*lines, *more))
        site.folder.write((Text("journal.jsonl", text),), contents)
        return site.folder.read().down

    assert down() == TakenDown("anna@desk", "2")
    assert down({**outcome, "outcome": "refused"}) == TakenDown("anna@desk", "2")
    assert down({**outcome, "outcome": "deployed"}) is None


def test_contents_and_names_are_on_the_disk_before_a_link_leads_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a host that loses its power then would find them: whole, with their modes."""
    folder = HostFolder(LocalHost("here"), str(tmp_path / "app"))
    bin = tmp_path / "bin"
    bin.mkdir()
    # What is synced, with its mode and size, and where `current` leads to at that time.
    program = """#!/bin/sh
shift
for path; do echo "$(stat -c '%a %s %F' -- "$path") $path $(readlink current || :)" >>"$SAID"; done
"""
    (bin / "sync").write_text(program)
    (bin / "sync").chmod(0o755)
    said = tmp_path / "said"
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    monkeypatch.setenv("SAID", str(said))
    folder.write((*record(RELEASE), Link("current", "releases/x"), Text("a", "ab")), contents)
    size = len(contents(Source("release", RELEASE.id)))
    lines = [re.sub(r"[.]slipway[.]\w+", "new", line) for line in said.read_text().splitlines()]
    assert [re.sub(r"^(\d+) \d+ directory", r"directory", line) for line in lines] == [
        f"644 {len(contents(Source('compose', RELEASE.id)))} regular file new/0 ",
        f"644 {size} regular file new/1 ",
        "644 2 regular file new/3 ",
        "directory . ",
        "directory releases ",
        f"directory releases/{RELEASE.id} ",
        f"directory releases/{RELEASE.id} ",
        "directory . releases/x",
        "directory . releases/x",
    ]


@pytest.mark.parametrize(("works", "calls"), [(True, 2), (False, 4)])
def test_a_sync_that_knows_no_paths_is_told_to_write_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works: bool, calls: int
) -> None:
    """An old one, or a file system that can't; nothing is asked of it that was not written."""
    folder = HostFolder(LocalHost("here"), str(tmp_path / "app"))
    bin, said = tmp_path / "bin", tmp_path / "said"
    bin.mkdir()
    code = "" if works else '[ "$#" = 0 ]'
    (bin / "sync").write_text(f'#!/bin/sh\necho "$#" >>"{said}"\n{code}\n')
    (bin / "sync").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    folder.write((Text("a", "ab"),), contents)
    assert len(said.read_text().splitlines()) == calls
    folder.write((Directory(str(tmp_path / "app"), 0o755),), contents)
    assert len(said.read_text().splitlines()) == calls


def test_any_content_comes_through(site: Site) -> None:
    """Bytes that look like headings of the answer, no newline at the end, and large files."""
    for data in (b"path 3\nabc\n", b"\0\xff", b"x" * 3_000_000):
        source = Source("config", data.decode("latin-1"))
        site.folder.write(
            (File("files/a/b", source, 0o600),), lambda one: one.name.encode("latin-1")
        )
        assert site.content("files/a/b") == data
        assert site.folder.read().files == ("files/a/b",)


# What only the real one can show.


@pytest.fixture
def app(tmp_path: Path) -> HostFolder:
    """A folder on this machine."""
    return HostFolder(LocalHost("here"), f"{tmp_path}/app")


def test_secrets_lie_closed(app: HostFolder) -> None:
    """Folders are 0700, files 0400; configs can be read."""
    app.write(
        (
            Directory("secrets", 0o700),
            Directory("secrets/made", 0o700),
            File("secrets/made/1", Source("secret", "made", 1), 0o400, fresh=True),
            File("files/aa/edge.cfg", Source("config", "edge"), 0o444),
        ),
        contents,
    )
    modes = {
        str(path.relative_to(app.path)): f"{stat.S_IMODE(path.stat().st_mode):o}"
        for path in Path(app.path).rglob("*")
    }
    assert modes == {
        "secrets": "700", "secrets/made": "700", "secrets/made/1": "400",
        "files": "755", "files/aa": "755", "files/aa/edge.cfg": "444",
    }  # fmt: skip


@pytest.mark.skipif(ME != 0, reason="only root may give files to another user")
def test_owners_are_given(app: HostFolder, tmp_path: Path) -> None:
    """Data folders and secrets belong to whom the stack says; a folder that is there keeps its."""
    data = f"{tmp_path}/data"
    entries = (
        Directory(data, 0o755),
        Directory(f"{data}/db", 0o700, 4711),
        File("secrets/made/1", Source("secret", "made", 1), 0o400, 4712),
    )
    app.write(entries, contents)
    owners = [
        (path.stat().st_uid, path.stat().st_gid)
        for path in (Path(data), Path(data, "db"), Path(app.path, "secrets/made/1"))
    ]
    assert owners == [(ME, os.getgid()), (4711, 4711), (4712, 4712)]
    os.chown(f"{data}/db", 4713, 4714)
    Path(data, "db").chmod(0o711)
    app.write(entries, contents)
    there = Path(data, "db").stat()
    assert (there.st_uid, there.st_gid, stat.S_IMODE(there.st_mode)) == (4713, 4714, 0o711)


def test_nothing_is_left_of_an_interrupted_write(app: HostFolder) -> None:
    """No temporary folder stays, after success and after failure."""
    app.write((File("files/a/b", Source("config", "x"), 0o600),), contents)
    Path(app.path, "current/x").mkdir(parents=True)
    with pytest.raises(CommandFailed):
        app.write((Link("current", "releases/r"),), contents)
    left = {path.name for path in Path(app.path).iterdir()} - {"current.new"}
    assert left == {"files", "current"}


def test_a_folder_that_cannot_be_written(app: HostFolder, tmp_path: Path) -> None:
    """It is an error of the host, with its own words and what is needed."""
    (tmp_path / "app").write_text("a file")
    with pytest.raises(CommandFailed) as caught:
        app.write((Link("current", "releases/r"),), contents)
    assert "must be able to write" in str(caught.value.hint)


class WatchedHost(LocalHost):
    """Remembers every command line."""

    def __init__(self) -> None:
        super().__init__("here")
        self.lines: list[str] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        check: bool = True,
    ) -> Completed:
        """Remember, then run."""
        self.lines.append(repr(argv))
        return super().run(argv, timeout=timeout, input=input, check=check)


def test_secrets_are_in_no_command_line(tmp_path: Path) -> None:
    """A secret reaches the host on standard input only."""
    host = WatchedHost()
    entry = File("secrets/given/1", Source("secret", "given", 1), 0o400)
    HostFolder(host, str(tmp_path)).write((entry,), lambda _: b"canary-1")
    assert (tmp_path / "secrets/given/1").read_bytes() == b"canary-1"
    assert host.lines
    assert not [line for line in host.lines if "canary-1" in line]


def test_every_method_is_one_round_trip(tmp_path: Path) -> None:
    """However much is read or written."""
    host = WatchedHost()
    app = HostFolder(host, str(tmp_path))
    app.write((*record(RELEASE), *record(SECOND), Directory("secrets", 0o700)), contents)
    app.read(("a", "b"))
    assert len(host.lines) == 2


SIGNS = [(-61 - 5, LOST), (-5, ALIVE), (None, ALIVE)]


@pytest.mark.parametrize(("sign", "state"), SIGNS, ids=["silent", "signs", "an older one"])
def test_a_run_whose_process_gives_no_sign(tmp_path: Path, sign: int | None, state: str) -> None:
    """It counts as broken off, so that whoever deploys goes to see; one without signs doesn't."""
    run = tmp_path / "runs/r1"
    run.mkdir(parents=True)
    (tmp_path / "runs/last").symlink_to("r1")
    holder = {"who": "me@here", "what": "deploy r", "since": "noon"}
    (run / "about.json").write_text(json.dumps({"run": "r1", "holder": holder}))
    (tmp_path / "lease").write_text("{}")
    if sign is not None:
        os.utime(tmp_path / "lease", (uptime() + sign,) * 2)
    argv = (sys.executable, "-c", "input()", "start", "x")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        (run / "pid").write_text(f"{process.pid}\n")
        found = HostFolder(LocalHost("here"), str(tmp_path)).read().run
        process.kill()
    assert found is not None
    assert found.state == state


def test_snapshots_are_known_by_links_that_lead_somewhere(tmp_path: Path) -> None:
    """One that somebody destroyed is none; what is put back by half names what has all of it."""
    folder = HostFolder(LocalHost("here"), str(tmp_path))
    for release in (SECOND, RELEASE):
        folder.write(record(release), contents)
    (tmp_path / "snap").mkdir()
    for path, target in (
        (f"releases/{SECOND.id}/snapshot", "snap"),
        (f"releases/{RELEASE.id}/snapshot", "gone"),
        (f"releases/{RELEASE.id}/left", "snap"),
    ):
        folder.write((Link(path, f"{tmp_path}/{target}"),), contents)
    memory = folder.read()
    assert (memory.snapshots, memory.left, memory.half) == ((SECOND.id,), (RELEASE.id,), "")
    folder.write((Text(HALF, "slipway-demo-r-left\n"),), contents)
    memory = folder.read()
    assert memory.half == "slipway-demo-r-left"
    assert memory.half in memory.warnings[-1]
