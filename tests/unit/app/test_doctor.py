"""All that is wrong is told at once, and what could not be looked at for it; nothing is changed."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.demo import APP, COMPOSE, World, wanted, world

from slipway.act.deploy import deploy
from slipway.app import doctor
from slipway.app.checkout import Reading
from slipway.app.doctor import diagnose
from slipway.app.target import Target
from slipway.app.told import diagnosis_text
from slipway.app.workspace import Workspace
from slipway.errors import ConfigError, HostError, HostUnreachable, SupplyError
from slipway.hosts.checkup import Checkup, FolderState
from slipway.hosts.config import HostEntry
from slipway.hosts.middleware import NasRelease
from slipway.hosts.nas import Nas
from slipway.hosts.networks import Network
from slipway.hosts.probe import Probe
from slipway.images.values import Image
from slipway.operate.certificate import Shown
from slipway.plan.finding import Diagnosis
from slipway.plan.wanted import Wanted
from slipway.report import Report

NAS = HostEntry("nas", "ssh", APP, address="nas.example")
FOLDER = "/pool/demo/data/db:/var/lib/postgresql/data"
TEXT = COMPOSE.replace(
    "  web:\n", "  web:\n    restart: always\n    networks: [inner]\n", 1
).replace(
    "  db:\n", f'  db:\n    restart: always\n    user: "568:568"\n    volumes: ["{FOLDER}"]\n', 1
) + "networks: { inner: {} }\n"  # fmt: skip
DB = f"{APP}/data/db"


class Place(Workspace):
    """A checkout with the sample stack, and a host in memory."""

    def __init__(self, root: Path, entry: HostEntry = NAS) -> None:
        self.world: World = world()
        super().__init__(root, Report(err=io.StringIO(), out=io.StringIO(), quiet=True))
        self._entry, self.job = entry, wanted(TEXT)
        self.files_wrong: Exception | None = None
        self.away: Exception | None = None
        self.built = True
        self.warned: tuple[str, ...] = ()
        self.world.host.on("true")
        self.checkup: Checkup | Exception = Checkup()
        self.probe: Probe | Exception = Probe(tried=True)
        self.probed: list[dict[str, Any]] = []

    @property
    def config(self) -> Any:
        """The application's name."""
        return type("Config", (), {"application": "demo"})

    def entry(self, host: str | None) -> HostEntry:
        """The host."""
        return self._entry

    def reading(self, entry: HostEntry, *, locked: bool = False,
                warn: Callable[[str], None] | None = None) -> Reading:  # fmt: skip
        """What the files say."""
        if self.files_wrong:
            raise self.files_wrong
        for warning in self.warned:
            (warn or self.report.warn)(warning)
        job = self.job
        return Reading(job.stack, job.contents, {}, frozenset(), {}, job.data_dir)

    def target(self, host: str | None, *, boot: bool = False, locked: bool = False) -> Target:
        """The host in memory."""
        assert not boot
        if self.away:
            raise self.away
        return Target(self._entry, "host", self.world.doors)

    def images(self, *, first: Callable[[], object] | None = None, **_: Any) -> tuple[Image, ...]:
        """Those of the job; building them is refused by who asks."""
        if not self.built and first is not None:
            first()
        return self.job.images

    def wanted(self, target: Target, images: tuple[Image, ...], **_: Any) -> Wanted:
        """The job."""
        return self.job


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A host on which nothing is wrong, and nothing deployed."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/docker-compose.yml").write_text(TEXT)
    made = Place(tmp_path)

    def answer(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    def probed(*_: Any, **options: Any) -> Probe:
        made.probed.append(options)
        found: Probe = answer(made.probe)
        return found

    monkeypatch.setattr(doctor, "read_checkup", lambda *_, **__: answer(made.checkup))
    monkeypatch.setattr(doctor, "probe", probed)
    return made


def found(place: Place) -> Diagnosis:
    """What is found there; nothing was changed for it."""
    before = dict(place.world.folder.files)
    diagnosis = diagnose(place, "nas")
    assert place.world.folder.files == before
    assert place.world.engine.commands == [] or before
    return diagnosis


def codes(diagnosis: Diagnosis) -> list[str]:
    """The code of each finding."""
    return [one.code for one in diagnosis.findings]


WELL = ["zstd-missing"]
"""The host in memory has no zstd."""


def test_a_well_host(place: Place) -> None:
    """Of one on which nothing is deployed nothing is found; networks it lacks are tried."""
    diagnosis = found(place)
    assert codes(diagnosis) == WELL
    assert (diagnosis.unchecked, diagnosis.exit_code) == ((), 0)
    assert place.probed[0]["networks"] == 2  # demo_inner and demo_default
    text = diagnosis_text(diagnosis, place.report)
    assert text.splitlines()[0].startswith("warning: it has no program zstd")
    assert text.splitlines()[-1] == "nas: 0 errors, 1 warning"


def test_after_a_deploy_there_is_nothing_new(place: Place) -> None:
    """Its own ports, containers and folders are in nobody's way."""
    deploy(place.job, place.world.doors, "token")
    place.world.engine.ports = (8080,)
    state = place.world.engine.state
    there = tuple(Network(f"demo_{name}", "bridge", False, "demo") for name in ("inner", "default"))
    place.world.engine.state = lambda: replace(  # type: ignore[method-assign]
        state(), networks=there
    )
    place.checkup = Checkup(folders={DB: FolderState(568, 568, 0o700)})
    assert codes(found(place)) == WELL
    assert place.probed[-1]["networks"] == 1
    room = place.world.engine.facts(APP)
    place.world.engine.facts = lambda _: replace(room, docker_free=10**6)  # type: ignore
    # A deploy would send nothing, and so not be refused; what runs there has no room all the same.
    assert codes(found(place)) == ["docker-space", *WELL]
    place.probe = Probe("x\nall predefined address pools have been fully subnetted\n", tried=True)
    told = [one for one in diagnose(place, None).findings if one.code == "address-pools"]
    assert [one.severity for one in told] == ["warning"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: setattr(p.world.engine, "ports", (8080,)), "port-taken"),
        (lambda p: setattr(p, "probe", Probe("no more\n")), "address-pools"),
        (lambda p: setattr(p, "checkup", Checkup(skew=90)), "clock"),
        (lambda p: setattr(p, "checkup", Checkup(containers={"demo-web-1": ""})),
         "container-foreign"),
        (lambda p: setattr(p, "checkup", Checkup(nas=Nas(NasRelease((23, 10), "23.10.1")))),
         "truenas-old"),
        (lambda p: setattr(p, "checkup", Checkup(folders={DB: FolderState(0, 0, 0o700)})),
         "postgres-owner"),
    ],
)  # fmt: skip
def test_each_kind_of_trouble_is_found(
    place: Place, change: Callable[[Place], None], code: str
) -> None:
    """By whoever judges it; the errors stand first, and the code is 4."""
    change(place)
    diagnosis = found(place)
    assert codes(diagnosis)[0] == code
    assert diagnosis.findings[0].grave and diagnosis.exit_code == 4


def test_who_has_a_port_is_said(place: Place) -> None:
    """As the host said."""
    place.world.engine.ports = (8080,)
    place.checkup = Checkup(holders={8080: "nginx (process 7)"})
    assert found(place).findings[0].what == "port 8080 is in use by nginx (process 7)"


@pytest.mark.parametrize("cause", ["host-key", "login", "sudo", "login-shell", ""])
def test_a_host_that_can_not_be_reached(place: Place, cause: str) -> None:
    """One finding with the error's own words and hint; the files are looked at all the same."""
    error = HostUnreachable("nas can't be reached: no; nothing was changed there", hint="do this",
                            details=("sudo: no",)).by(cause)  # fmt: skip
    place.world.host.on("true", reply=error)
    place.warned = ("odd",)
    diagnosis = found(place)
    assert codes(diagnosis) == [cause or "unreachable", "compose-files"]
    assert diagnosis.findings[0].what == "nas can't be reached: no (sudo: no)"
    assert diagnosis.findings[0].hint == "do this"
    assert diagnosis.unchecked == ("the host: no command can be run there",)
    assert diagnosis.exit_code == 4


def test_a_rehearsal_host_that_is_not_up(place: Place) -> None:
    """Is told likewise, and not booted."""
    place.away = HostUnreachable("the rehearsal host isn't up", hint="./inv rehearsal.up")
    assert codes(found(place)) == ["unreachable"]


@pytest.mark.parametrize("cause", ["docker-missing", "docker-stopped", "compose-missing"])
def test_without_docker_the_rest_is_looked_at(place: Place, cause: str) -> None:
    """Clock and folders, not what only Docker tells."""

    def facts(app_dir: str) -> Any:
        raise HostError("Docker is not there", hint="start it").by(cause)

    place.world.engine.facts = facts  # type: ignore[method-assign]
    place.checkup = Checkup(skew=90)
    diagnosis = found(place)
    assert sorted(codes(diagnosis)) == sorted(["clock", cause])
    assert len(diagnosis.unchecked) == 1 and "Docker, free space" in diagnosis.unchecked[0]


def test_files_that_can_not_be_read(place: Place) -> None:
    """Each problem is a finding; the host is looked at all the same. The code is 2."""
    place.files_wrong = ConfigError("the stack has 2 problems; nothing was changed",
                                    details=("a: b", "c: d"), hint="mend it")  # fmt: skip
    diagnosis = found(place)
    assert [one.what for one in diagnosis.findings if one.code == "stack"] == ["a: b", "c: d"]
    assert diagnosis.exit_code == 2
    place.checkup = Checkup(skew=90)
    assert diagnose(place, None).exit_code == 4


def test_images_that_are_not_built(place: Place) -> None:
    """They are not built for this; how much would be sent is not known, the rest is."""
    place.built = False
    place.world.engine.ports = (8080,)
    diagnosis = found(place)
    assert codes(diagnosis) == ["port-taken", *WELL]
    assert "the images are not built" in diagnosis.unchecked[0]


def test_what_this_machine_lacks_is_no_finding(place: Place) -> None:
    """It ends with its own code."""
    place.files_wrong = SupplyError("no program")
    with pytest.raises(SupplyError):
        diagnose(place, None)


def test_before_the_first_deploy_folders_are_judged_by_their_modes(place: Place) -> None:
    """That no container could try is said."""
    place.checkup = Checkup(folders={DB: FolderState(568, 568, 0o700)})
    place.probe = Probe()
    assert "were judged by owner and mode" in found(place).unchecked[0]


def test_names_of_the_internet_do_not_matter_to_a_rehearsal_host(place: Place) -> None:
    """It has no way out."""
    place.checkup = Checkup(silent=("10.0.0.1",))
    assert "dns" in codes(found(place))
    place._entry = replace(NAS, kind="rehearsal", address="")
    assert "dns" not in codes(found(place))


@pytest.mark.parametrize(("days", "severity"), [(3, "warning"), (-1, "error")])
def test_a_certificate_that_ends(
    place: Place, monkeypatch: pytest.MonkeyPatch, days: int, severity: str
) -> None:
    """A warning while it lasts."""
    deploy(place.job, place.world.doors, "token")
    shown = Shown((), "me", "2026-01-01", days)
    monkeypatch.setattr(doctor, "read_shown", lambda *_: shown)
    told = [one for one in diagnose(place, None).findings if one.code == "certificate"]
    assert [one.severity for one in told] == [severity]
