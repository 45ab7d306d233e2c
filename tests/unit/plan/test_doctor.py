"""What a doctor looks at: each trouble has its code, and a well host has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.composing import stack as read_stack

from slipway.hosts.checkup import Checkup, FolderState
from slipway.hosts.facts import Facts
from slipway.hosts.middleware import NasRelease
from slipway.hosts.nas import Nas
from slipway.hosts.probe import Access, Probe, Trial
from slipway.plan.doctor.files import file_findings
from slipway.plan.doctor.folders import folder_findings, trials
from slipway.plan.doctor.machine import machine_findings, names_taken, resources
from slipway.plan.doctor.truenas import truenas_findings
from slipway.plan.finding import Diagnosis, Finding
from slipway.stack.model import Stack
from slipway.stack.mounts import mounts, named_volumes

APP = "/mnt/tank/apps/demo"
TEXT = """
x-slipway:
  application: demo
  url: u
  data: { db: { mode: "0700" } }
services:
  db:
    image: i
    user: "568:568"
    restart: always
    volumes: ["/mnt/tank/apps/demo/data/db:/var/lib/postgresql/data"]
    deploy: { resources: { limits: { cpus: "2.0", memory: 1G } } }
  web:
    image: i
    user: "568:568"
    restart: unless-stopped
    volumes: ["/mnt/tank/media:/media:ro"]
"""
DB, MEDIA = f"{APP}/data/db", "/mnt/tank/media"
WELL = Checkup(
    folders={APP: FolderState(0, 0, 0o755), DB: FolderState(568, 568, 0o700),
             MEDIA: FolderState(0, 0, 0o755)},
    app_inodes=10**6, docker_inodes=10**6,
    containers={"demo-web-1": "demo", "other-web-1": "other"}, nas=None,
)  # fmt: skip
FACTS = Facts("26.1.5", "2.26.1", memory=8 << 30, processors=4, zstd=(1, 5))
NAS = Nas(
    NasRelease((25, 10), "25.10.6"),
    "RUNNING",
    apps=("plex",),
    aclmodes={"/mnt/tank": "POSIX DISCARD"},
)


def stack(text: str = TEXT) -> Stack:
    """The sample stack."""
    return read_stack([("docker-compose.yml", text)])


def codes(*groups: Any) -> list[tuple[str, str]]:
    """Code and severity of each finding."""
    return [(one.code, one.severity) for group in groups for one in group]


def of_folders(
    folders: Mapping[str, FolderState | None],
    access: Mapping[str, Access] | None = None,
    nas: Nas | None = None,
) -> list[Finding]:
    """What is found about the sample stack's folders; those that were tried said ``access``."""
    found = mounts(stack(), f"{APP}/data")
    tried = {Trial(one.source, one.user, one.writes): one.source for one in found}
    said: dict[Trial, Access] = {one: access[path] for one, path in tried.items()} if access else {}
    return list(folder_findings(found, folders, Probe(tried=bool(access), access=said), nas))


def test_a_well_host_has_nothing() -> None:
    """Not even a warning, on a TrueNAS or elsewhere, tried or judged by modes."""
    yes: dict[str, Access] = {DB: "yes", MEDIA: "yes"}
    assert (
        codes(
            machine_findings(WELL, APP),
            names_taken(WELL, stack()),
            resources(FACTS, stack()),
            of_folders(WELL.folders),
            of_folders(WELL.folders, yes, NAS),
            file_findings(stack(), [("a.yml", TEXT)], (), truenas=True),
            truenas_findings(NAS, "demo", APP),
        )
        == []
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"skew": 4.0}, []),
        ({"skew": 6.0}, [("clock", "warning")]),
        ({"skew": -61.0}, [("clock", "error")]),
        ({"silent": ("10.0.0.1",)}, [("dns", "warning")]),
        ({"silent": ()}, [("dns", "warning")]),
        ({"app_inodes": 1999}, [("app-inodes", "error")]),
        ({"docker_inodes": 49_999}, [("docker-inodes", "error")]),
        ({"app_inodes": None, "docker_inodes": None}, []),
    ],
)
def test_a_machine(change: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Clock, name servers, and how many files can still be made."""
    assert codes(machine_findings(replace(WELL, **change), APP)) == expected


def test_which_way_the_clock_is_wrong() -> None:
    """Ahead or behind is said."""
    (ahead,) = machine_findings(replace(WELL, skew=90), APP)
    (behind,) = machine_findings(replace(WELL, skew=-90), APP)
    assert "90 s ahead of" in ahead.what and "90 s behind" in behind.what


@pytest.mark.parametrize(
    ("containers", "volumes", "expected"),
    [
        ({"demo-web-1": ""}, {}, [("container-foreign", "error")]),
        ({"demo-db-2": "elsewhere"}, {}, [("container-foreign", "error")]),
        ({"demo-web-1x": "", "demo-cache-1": "", "xdemo-web-1": ""}, {}, []),
        ({}, {"demo_pile": "other"}, [("volume-foreign", "warning")]),
        ({}, {"demo_pile": "demo"}, []),
    ],
)
def test_names_of_others(
    containers: dict[str, str], volumes: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    """What has a name of the stack's, and another's label, is in its way."""
    made = stack(TEXT + "volumes: { pile: {} }\n")
    seen = replace(WELL, containers=containers, volumes=volumes)
    assert codes(names_taken(seen, made)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"memory": 1 << 29}, [("memory-limits", "warning")]),
        ({"processors": 1}, [("processors-limit", "error")]),
        ({"processors": 2}, []),
        ({"memory": 0, "processors": 0}, []),
        ({"zstd": (0, 0)}, [("zstd-missing", "warning")]),
    ],
)
def test_resources(change: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """What all limits together, or one alone, ask of the machine."""
    assert codes(resources(replace(FACTS, **change), stack())) == expected


@pytest.mark.parametrize(
    ("folders", "access", "expected"),
    [
        ({DB: None}, None, []),  # a deploy makes it
        ({MEDIA: None}, None, [("folder-missing", "error")]),
        ({DB: FolderState(0, 0, 0o700)}, {DB: "no"}, [("postgres-owner", "error")]),
        ({DB: FolderState(568, 568, 0o770)}, None, [("postgres-mode", "error")]),
        ({DB: FolderState(568, 568, 0o750)}, None, []),
        ({DB: FolderState(0, 0, 0o777)}, None,
         [("postgres-owner", "error"), ("postgres-mode", "error")]),
        ({}, {DB: "no"}, [("not-writable", "error")]),
        ({}, {MEDIA: "no"}, [("not-readable", "error")]),
        ({MEDIA: FolderState(0, 0, 0o750)}, None, [("not-readable", "error")]),
        ({MEDIA: FolderState(0, 568, 0o750)}, None, []),
        # What was tried counts, whatever the mode says: there may be access lists.
        ({MEDIA: FolderState(0, 0, 0o750)}, {MEDIA: "yes"}, []),
    ],
)  # fmt: skip
def test_folders(
    folders: dict[str, FolderState | None],
    access: dict[str, Access] | None,
    expected: list[tuple[str, str]],
) -> None:
    """Missing, of the wrong owner or mode, closed to the service; one cause is one finding."""
    known: dict[str, Access] | None = {DB: "yes", MEDIA: "yes", **access} if access else None
    found = of_folders({**WELL.folders, **folders}, known)
    assert codes(found) == expected
    assert all(one.hint for one in found)


def test_permissions_that_postgresql_can_not_live_with() -> None:
    """NFSv4 lists in restricted mode, of the nearest dataset; the parent's don't matter then."""
    restricted = {"/mnt/tank": "NFSV4 RESTRICTED"}
    assert codes(of_folders(WELL.folders, None, replace(NAS, aclmodes=restricted))) == [
        ("acl-restricted", "error")
    ]
    mended = {**restricted, f"{APP}/data": "POSIX DISCARD"}
    assert of_folders(WELL.folders, None, replace(NAS, aclmodes=mended)) == []


def test_folders_that_are_tried() -> None:
    """Those that are there, and are folders, each as who has it."""
    found = mounts(stack(), f"{APP}/data")
    folders = {DB: FolderState(568, 568, 0o700), MEDIA: FolderState(0, 0, 0o644, folder=False)}
    assert trials(found, folders) == (Trial(DB, "568:568", True),)
    assert trials(found, {DB: None}) == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    restart: always\n", "", [("restart-missing", "warning")]),
        ("restart: always", 'restart: "no"', [("restart-missing", "warning")]),
        ("restart: always", "restart: on-failure:3", [("restart-missing", "warning")]),
        ("    restart: always\n", "    ports: [22:22]\n    restart: always\n",
         [("yaml-ambiguous", "warning")]),
        ("/mnt/tank/media:/media:ro", "pile:/media", [("named-volume", "warning")]),
    ],
)  # fmt: skip
def test_files(old: str, new: str, expected: list[tuple[str, str]]) -> None:
    """No restart, a scalar that is read otherwise, a volume of Docker's own."""
    text = TEXT.replace(old, new, 1) + ("volumes: { pile: {} }\n" if "pile" in new else "")
    made = stack(text)
    found = list(file_findings(made, [("docker-compose.yml", text)], made.warnings, truenas=True))
    assert codes(found) == expected


def test_work_that_ends_needs_no_restart() -> None:
    """What another service waits for to succeed is not to stand."""
    waits = "depends_on: { first: { condition: service_completed_successfully } }"
    text = TEXT.replace("  web:\n", f"  first: {{ image: i }}\n  web:\n    {waits}\n", 1)
    assert codes(file_findings(stack(text), [("a.yml", text)], (), truenas=True)) == []


def test_named_volumes_matter_on_a_truenas_alone() -> None:
    """Elsewhere nobody deletes them unasked."""
    text = TEXT.replace("/mnt/tank/media:/media:ro", "pile:/media") + "volumes: { pile: {} }\n"
    assert named_volumes(stack(text)) == ("pile",)
    assert codes(file_findings(stack(text), [("a.yml", text)], (), truenas=False)) == []


def test_files_of_variables_and_other_warnings() -> None:
    """A relative env_file is named with its line; what else was told is told once."""
    text = TEXT.replace("    restart: always\n", "    restart: always\n    env_file: [x.env]\n")
    found = list(file_findings(stack(), [("a.yml", text)], ("odd", "odd"), truenas=False))
    assert codes(found) == [("compose-files", "warning"), ("env-file-relative", "warning")]
    assert found[1].what == "a.yml: services.db.env_file: x.env (line 11)"


@pytest.mark.parametrize(
    ("change", "application", "app_dir", "expected"),
    [
        ({"release": NasRelease((24, 4), "24.04.2")}, "demo", APP, [("truenas-old", "error")]),
        ({"release": NasRelease((24, 10), "24.10.0")}, "demo", APP, []),
        ({"release": None}, "demo", APP, []),
        ({"docker": "FAILED"}, "demo", APP, [("truenas-docker", "error")]),
        ({"docker": "UNCONFIGURED"}, "demo", APP, [("truenas-docker", "error")]),
        ({}, "demo", "/root/demo", [("not-on-a-pool", "error")]),
        ({"apps": ("gflix",)}, "langflix", APP, [("app-name", "warning")]),
        ({"apps": ("web",)}, "ix-web", APP, []),
        ({"update": "reboot"}, "demo", APP, [("update-waits", "warning")]),
        ({"update": "25.10.7"}, "demo", APP, [("update-pending", "warning")]),
    ],
)
def test_a_truenas(
    change: dict[str, Any], application: str, app_dir: str, expected: list[tuple[str, str]]
) -> None:
    """Its release, its Docker, its apps' names, its updates, and where the folder lies."""
    assert codes(truenas_findings(replace(NAS, **change), application, app_dir)) == expected


def test_what_a_diagnosis_ends_with() -> None:
    """0 without errors, 2 when they are the checkout's alone, else 4."""
    warning = Finding("dns", "a", "b", "c", "warning")
    files, host = Finding("stack", "a", "b", "c"), Finding("sudo", "a", "b", "c")
    assert Diagnosis("nas", (warning,)).exit_code == 0
    assert Diagnosis("nas", (files, warning)).exit_code == 2
    assert Diagnosis("nas", (files, host)).exit_code == 4
    assert Diagnosis("nas", (files, warning), ("x",)).to_json() == {
        "host": "nas", "errors": 1, "warnings": 1,
        "findings": [files.to_json(), warning.to_json()], "unchecked": ["x"],
    }  # fmt: skip
