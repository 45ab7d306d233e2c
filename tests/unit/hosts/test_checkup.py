"""What a host's checkup prints is read right, and what isn't there is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import HostError
from slipway.hosts.checkup import Checkup, FolderState, parse_checkup, read_checkup
from slipway.hosts.middleware import NasRelease
from slipway.hosts.nas import Nas, parse_nas, read_nas
from slipway.hosts.probe import Probe, Trial, parse_probe, probe
from slipway.testing import FakeClock, FakeHost


def printed(**found: str) -> bytes:
    """What a script prints that found so; ``_`` stands for a blank in a name."""
    return b"".join(
        f"{name.replace('_', ' ')} {len(text.encode())}\n{text}\n".encode()
        for name, text in found.items()
    )


def test_nothing_seen_is_nothing_wrong() -> None:
    """A host that answers nothing at all has no trouble that was seen."""
    assert parse_checkup({}, 0, 0) == Checkup()


def test_all_that_a_host_says() -> None:
    """Holders, folders, numbers of files, name servers, what others made."""
    found = parse_checkup(
        {
            "now": "1000", "holder 80": "nginx (process 7)", "holder 81": "",
            "folder /a": "568 0 1770 directory", "folder /b": "",
            "folder /c": "0 0 644 regular empty file", "app_inodes": "12", "docker_inodes": "",
            "names": "silent 10.0.0.1 10.0.0.2",
            "containers": "demo-web-1 demo\nlost \n", "volumes": "",
        },
        1000.2, 1000.4,
    )  # fmt: skip
    assert found == Checkup(
        skew=0,
        holders={80: "nginx (process 7)"},
        folders={"/a": FolderState(568, 0, 0o1770), "/b": None,
                 "/c": FolderState(0, 0, 0o644, folder=False)},
        app_inodes=12,
        silent=("10.0.0.1", "10.0.0.2"),
        containers={"demo-web-1": "demo", "lost": ""},
    )  # fmt: skip
    assert parse_checkup({"names": "answered"}, 0, 0).silent is None


@pytest.mark.parametrize(
    ("now", "skew"),
    [(100, 0), (104, 0), (105, 0), (106, 1), (99, 0), (98, -1), (40, -59), (200, 95)],
)
def test_the_clock_is_wrong_by_what_the_round_trip_leaves_no_doubt_about(
    now: int, skew: float
) -> None:
    """The host's time is cut to whole seconds, and told at some time while it was asked."""
    assert parse_checkup({"now": str(now)}, 100.0, 105.0).skew == skew


def test_a_truenas_is_asked_what_it_is() -> None:
    """Only where there is a midclt, all at once; the datasets asked for are those of the paths."""
    host = FakeHost(name="nas")
    told = ["TrueNAS-25.10.6", {"status": "RUNNING"}, [], [], {}, {}]
    host.on("sh", reply=lambda argv, _: printed(now="0", nas=programs[-1]))
    host.on("python3", reply="".join(json.dumps({"result": one}) + "\n" for one in told).encode())
    programs: list[str] = []
    release = NasRelease((25, 10), "25.10.6")
    for program, expected in (("", None), ("/usr/bin/midclt", Nas(release, "RUNNING"))):
        programs.append(program)
        checkup = read_checkup(
            host, FakeClock(), docker="docker", app_dir="/mnt/tank/a", ports=(80,),
            folders=("/srv/b", "/mnt/tank/a", "/mnt/x\ny"),
        )  # fmt: skip
        assert checkup.nas == expected
    assert host.calls[0][4:] == ("docker", "1", "80", "/mnt/tank/a", "/srv/b")
    assert [argv[0] for argv in host.calls] == ["sh", "sh", "python3"]
    asked = {one["method"]: one["args"] for one in json.loads(host.streamed[-1])}
    assert len(asked) == len(told)
    assert asked["pool.dataset.query"][0] == [["id", "in", ["tank", "tank/a"]]]


@pytest.mark.parametrize(
    ("version", "release"),
    [("TrueNAS-SCALE-24.10.2.4", (24, 10)), ("TrueNAS-25.10.6\n", (25, 10)),
     ("TrueNAS-26.0.0-BETA.3", (26, 0)), ("", None), ("nonsense", None), (None, None)],
)  # fmt: skip
def test_releases(version: str | None, release: tuple[int, int] | None) -> None:
    """The names of all releases there are; what is none is not judged."""
    found = parse_nas({"version": version}).release
    assert (found and found.numbers) == release


def test_what_a_truenas_says() -> None:
    """Docker's state, apps, datasets' permissions; of updates what each release calls it."""
    dataset = {"id": "tank/a", "acltype": {"value": "NFSV4"}, "aclmode": {"value": "RESTRICTED"}}
    found = parse_nas({
        "docker": {"status": "FAILED", "description": "no pool"},
        "apps": [{"name": "plex"}, "odd", {}],
        "datasets": [dataset, {"id": "tank", "mountpoint": "/mnt/tank"}],
    })  # fmt: skip
    assert (found.docker, found.docker_said, found.apps) == ("FAILED", "no pool", ("plex",))
    assert found.aclmode("/mnt/tank/a/b") == "NFSV4 RESTRICTED"
    assert found.aclmode("/mnt/tank/c").strip() == ""
    assert found.aclmode("/srv") == ""
    for said, update in (
        ({"code": "REBOOT_REQUIRED", "status": None}, "reboot"),
        ({"status": "REBOOT_REQUIRED"}, "reboot"),
        ({"status": "AVAILABLE", "version": "24.10.3"}, "24.10.3"),
        ({"code": "NORMAL", "status": {"new_version": {"version": "25.10.7"}}}, "25.10.7"),
        ({"code": "NORMAL", "status": {"new_version": None}}, ""),
        ({"status": "UNAVAILABLE"}, ""),
        ([], ""),
    ):
        for name in ("update", "older"):
            assert parse_nas({name: said}).update == update


def test_a_truenas_that_answers_nothing() -> None:
    """Every call failed: nothing is known, and that is no error."""
    host = FakeHost()
    error = {"kind": "failed", "errname": "ENOMETHOD", "message": "Method does not exist"}
    host.on("python3", reply=(json.dumps({"error": error}) + "\n").encode() * 6)
    assert read_nas(host, ()) == Nas()


def test_a_truenas_without_its_client() -> None:
    """Something else than a middleware answers: that is told."""
    host = FakeHost()
    host.on("python3", reply=b"")
    with pytest.raises(HostError, match="gave no answer of its middleware"):
        read_nas(host, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(
        ["id", "name", "status", "code", "acltype", "mountpoint", "new_version"]), inner),
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["version", "docker", "apps", "datasets", "update", "older"]), JSON
    )
)
def test_any_answer_of_a_truenas_is_read(found: dict[str, Any]) -> None:
    """No answer is a traceback."""
    assert isinstance(parse_nas(found), Nas)


def test_trials() -> None:
    """What a trial came to; a path or a user that Docker would read otherwise is not tried."""
    write, read = Trial("/a b", "568:568", True), Trial("/c", "", False)
    odd = (Trial("/d,e", "1", True), Trial("/f", "1 --privileged", True))
    host = FakeHost()
    host.on("sh", reply=printed(image="sha") + b"write 568:568 /a b 1\n3\nread - /c 3\n125\n")
    found = probe(
        host, "t", docker="docker", application="demo", networks=2, trials=(write, read, *odd)
    )
    assert found == Probe(tried=True, access={write: "no", read: "unknown"})
    assert host.calls[0][4:8] == ("docker", "t", "2", "demo")
    assert host.calls[0][8:] == ("568:568", "write", "/a b", "-", "read", "/c")
    assert parse_probe({"image": "", "network": "no"}, ()) == Probe(network="no")
