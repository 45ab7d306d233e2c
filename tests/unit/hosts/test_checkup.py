"""What a host's checkup prints is read right, and what isn't there is left out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.hosts.checkup import Checkup, FolderState, parse_checkup, read_checkup
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
    """Only where there is a midclt; the datasets asked for are those of the paths."""
    host = FakeHost(name="nas")
    asked: list[tuple[str, ...]] = []

    def answer(argv: tuple[str, ...], _: bytes) -> bytes:
        asked.append(argv)
        if argv[3] == "nas":
            return printed(version="TrueNAS-25.10.6", docker='{"status": "RUNNING"}')
        return printed(now="0", nas=programs[-1])

    host.on("sh", reply=answer)
    programs: list[str] = []
    for program, expected in (("", None), ("/usr/bin/midclt", Nas("25.10.6", "RUNNING"))):
        programs.append(program)
        checkup = read_checkup(
            host, FakeClock(), docker="docker", app_dir="/mnt/tank/a", ports=(80,),
            folders=("/srv/b", "/mnt/tank/a", "/mnt/x\ny"),
        )  # fmt: skip
        assert checkup.nas == expected
    assert asked[0][4:] == ("docker", "1", "80", "/mnt/tank/a", "/srv/b")
    assert [argv[3] for argv in asked] == ["checkup", "checkup", "nas"]
    assert json.loads(asked[2][4]) == [["id", "in", ["tank", "tank/a"]]]


@pytest.mark.parametrize(
    ("version", "release"),
    [("TrueNAS-SCALE-24.10.2.4", (24, 10)), ("TrueNAS-25.10.6\n", (25, 10)),
     ("TrueNAS-26.0.0-BETA.3", (26, 0)), ("", None), ("nonsense", None)],
)  # fmt: skip
def test_releases(version: str, release: tuple[int, int] | None) -> None:
    """The names of all releases there are; what is none is not judged."""
    assert parse_nas({"version": version}).release == release


def test_what_a_truenas_says() -> None:
    """Docker's state, apps, datasets' permissions; of updates what each release calls it."""
    dataset = {"id": "tank/a", "acltype": {"value": "NFSV4"}, "aclmode": {"value": "RESTRICTED"}}
    found = parse_nas({
        "docker": json.dumps({"status": "FAILED", "description": "no pool"}),
        "apps": json.dumps([{"name": "plex"}, "odd", {}]),
        "datasets": json.dumps([dataset, {"id": "tank", "mountpoint": "/mnt/tank"}]),
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
        assert parse_nas({"update": json.dumps(said)}).update == update


def test_a_truenas_that_answers_nothing() -> None:
    """Every call failed: nothing is known, and that is no error."""
    host = FakeHost()
    host.on("sh", reply=printed(version="", docker="", apps="", datasets="", update=""))
    assert read_nas(host, ()) == Nas()


@given(
    st.dictionaries(
        st.sampled_from(["version", "docker", "apps", "datasets", "update"]),
        st.text() | st.sampled_from(["True", "[1]", '[{"id": []}]', '{"status": 1}']),
    )
)
def test_any_answer_of_a_truenas_is_read(found: dict[str, str]) -> None:
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
