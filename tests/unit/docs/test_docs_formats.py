"""The reference of files and JSON forms has what their readers and writers have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from tests.composing import stack as read_stack
from tests.unit.docs import pages
from tests.unit.images.sample_images import image_of, layer

from langflix.traffic import count, lessons
from slipway import config, errors
from slipway.act.outcome import Outcome, StepTime
from slipway.app import caching
from slipway.app.bills import Written
from slipway.app.figure import Figure
from slipway.app.newhost import Added
from slipway.app.pushing import push_answer
from slipway.app.setup import Prepared
from slipway.app.underload import Change, Run
from slipway.audit.judge import judge
from slipway.audit.statements import EXCEPTIONS, read_exceptions
from slipway.audit.values import Finding, Severity, Source, Statement
from slipway.bills.declared import read_declared
from slipway.bills.values import Bill
from slipway.errors import ConfigError, SlipwayError
from slipway.hosts.config import HostEntry, parse_hosts
from slipway.hosts.rehearsal.values import RehearsalInfo
from slipway.images.registry.address import Registry
from slipway.images.summary import summary
from slipway.ledger.records import Memory, Records
from slipway.ledger.release import Release
from slipway.ledger.runs import LastRun
from slipway.operate.attest import Attested, Running
from slipway.operate.certificate import Shown as ShownCertificate
from slipway.operate.certificate import Told
from slipway.operate.down import Ended
from slipway.operate.releases import listed
from slipway.operate.scale import Count, Counts
from slipway.operate.secrets import Held, Shown
from slipway.operate.status import Drift, ServiceStatus, Status
from slipway.plan.ending import Ending
from slipway.plan.finding import Diagnosis
from slipway.plan.finding import Finding as Trouble
from slipway.plan.loss import Loss
from slipway.plan.setup import Thing
from slipway.plan.step import Step
from slipway.plan.values import ContainerChange, DefinitionChange, PendingMigration, Plan
from slipway.plan.wanted import Seen
from slipway.reading import Reader
from slipway.secret import Secret
from slipway.supply import mirrors
from slipway.supply.check import Checked
from slipway.supply.fetch import Fetched
from slipway.supply.publish import Pulled, Stored

REFERENCE = pages.DOCS / "reference"
JSON = pages.read(REFERENCE / "json.md")
SLIPWAY = pages.read(REFERENCE / "slipway-toml.md")
HOSTS = pages.read(REFERENCE / "hosts-toml.md")
COMPOSE = pages.read(REFERENCE / "compose.md")
STACK = (pages.ROOT / "deploy/docker-compose.yml").read_text()

Asked = dict[str, set[str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Every key that readers ask for while a test runs, by its table's path."""
    seen: Asked = {}
    take = Reader.take

    def noting(self: Reader, key: str) -> Any:
        seen.setdefault(self.where, set()).add(key)
        return take(self, key)

    monkeypatch.setattr(Reader, "take", noting)
    yield seen


def _named(asked: Asked, start: str) -> set[str]:
    """The keys of all tables whose paths are ``start`` and one more name."""
    tables = [keys for where, keys in asked.items() if where.rpartition(".")[0] == start]
    return set().union(*tables)


def test_slipway_toml(asked: Asked) -> None:
    """Each key the reader of slipway.toml asks for is described, and no other."""
    config.parse((pages.ROOT / "slipway.toml").read_text())
    assert _described(SLIPWAY, "The file") == {"format"}
    for table in ("application", "debian", "layers", "python", "rehearsal"):
        assert _described(SLIPWAY, f"`[{table}]`") == asked[table], table
    for table, group in (("image", "`[image.NAME]`"), ("tool", "`[tool.NAME]`")):
        assert _described(SLIPWAY, group) == _named(asked, table)
    titles = {words.strip("`[]").partition(".")[0] for _, words in pages.headings(SLIPWAY)[2:]}
    assert titles | {"format"} == asked[""]


class _Noting(dict[str, str]):
    """A table that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Like a dict's."""
        self.asked.add(key)
        return super().get(key, default)


def test_mirrors() -> None:
    """The keys and variables that name mirrors are described."""
    settings, environment = _Noting(), _Noting()
    mirrors.choose([("http://localhost/debian", "trixie")], settings, environment)
    assert _described(SLIPWAY, "`[mirrors]`") == settings.asked
    body = pages.section(SLIPWAY, "`[mirrors]`")
    assert all(f"`{name}`" in body for name in environment.asked)


def test_hosts_toml(asked: Asked) -> None:
    """Each key the reader of hosts.toml asks for is described, and no other."""
    parse_hosts((pages.ROOT / "deploy/hosts.toml").read_text(), home="/root")
    assert _described(HOSTS, "The file") == asked[""]
    described = {key for rows in pages.tables(pages.section(HOSTS, "`[host.NAME]`"))
                 for row in rows for key in [row[0].strip("`")]}  # fmt: skip
    assert described == _named(asked, "host")


def test_what_wheels_carry_and_exceptions(asked: Asked, tmp_path: Path) -> None:
    """Each key of vendored.toml and audit.toml is described in the guide, and no other."""
    guide = pages.read(pages.DOCS / "guides/audit.md")
    read_declared(pages.ROOT)
    (tmp_path / "deploy").mkdir()
    (tmp_path / EXCEPTIONS).write_text("format = 1\n[[exception]]\n")
    with pytest.raises(ConfigError):
        read_exceptions(tmp_path)

    for title, start in (
        ("Say what a wheel carries", "inside["),
        ("Live with a finding for a while", "exception["),
    ):
        tables = [names for where, names in asked.items() if where.startswith(start)]
        assert set(pages.keys(pages.section(guide, title))) == set().union(*tables)


def test_kinds_of_host() -> None:
    """Each kind of host has its paragraph, and is one."""
    terms = [line.strip("`") for line in pages.section(HOSTS, "Kinds").splitlines()
             if line.startswith("`")]  # fmt: skip
    for kind in terms:
        address = 'address = "x"\n' if kind == "ssh" else ""
        text = f'format = 1\ndefault = "a"\n[host.a]\nkind = "{kind}"\napp_dir = "/a"\n{address}'
        assert parse_hosts(text, home="/root").pick().kind == kind
    assert len(terms) == 3


def test_x_slipway(asked: Asked) -> None:
    """Each key below x-slipway that the reader of the stack asks for is described."""
    variables = {name: _value(name) for name in set(re.findall(r"\$\{([A-Z_]+)", STACK))}
    read_stack([("docker-compose.yml", STACK)], variables)
    assert _described(COMPOSE, "`x-slipway`") == asked["x-slipway"]
    for name in ("edge", "migrate", "verify", "smoke", "soak"):
        assert _described(COMPOSE, name) == asked[f"x-slipway.{name}"], name
    assert asked["x-slipway.migrate.dump"] == asked["x-slipway.migrate.restore"]
    for key in asked["x-slipway.migrate.dump"]:
        assert f"`{key}`" in pages.section(COMPOSE, "migrate")
    for name in ("secrets", "data"):
        assert _described(COMPOSE, name) == _named(asked, f"x-slipway.{name}"), name
    assert _described(COMPOSE, "`x-slipway` of a service") == asked["services.api.x-slipway"]


@pytest.mark.parametrize(
    ("said", "body"),
    [("`build`", "build: x"), ("a mount of `.`", 'volumes: ["./x:/x"]'),
     ("a standing service", "depends_on: [b]")],
)  # fmt: skip
def test_what_is_said_to_be_refused_is(said: str, body: str) -> None:
    """What the reference calls refused is."""
    assert f"| {said}" in pages.section(COMPOSE, "What is refused")
    services = f"{{a: {{image: i, {body}}}, b: {{image: i, profiles: [p]}}}}"
    with pytest.raises(ConfigError) as caught:
        read_stack([("a.yml", f"x-slipway: {{application: a, url: u}}\nservices: {services}")])
    assert "services.a." in "\n".join(caught.value.details)


@pytest.mark.parametrize("value", ["22:22", "0755", "yes", "1e3", "2026-01-31"])
def test_scalars_said_to_be_warned_of_are(value: str) -> None:
    """An unquoted value that readers take differently is pointed out, as the reference says."""
    body = f"{{image: i, environment: {{A: {value}}}, container_name: one}}"
    text = f"x-slipway: {{application: a, url: u}}\nservices: {{a: {body}}}"
    warnings = "\n".join(read_stack([("a.yml", text)]).warnings)
    assert "in quotes" in warnings
    assert "container_name" in warnings


def test_the_secrets_of_the_guide_are_those_of_the_stack() -> None:
    """The guide's table names each secret, its length or source, and the services that read it."""
    stack = yaml.safe_load(STACK)
    guide = pages.read(pages.DOCS / "guides/secrets.md")
    rows = pages.tables(pages.section(guide, "The secrets of LangFlix"))[0]
    specs = stack["x-slipway"]["secrets"]
    assert [row[0].strip("`") for row in rows] == list(specs)
    for row in rows:
        name = row[0].strip("`")
        comes = specs[name].get("generate") or specs[name].get("from") or "optional"
        assert str(comes) in row[1]
        readers = {
            service
            for service, body in stack["services"].items()
            if name in body.get("secrets", [])
        }
        assert set(row[2].split(", ")) == (readers or {"nobody"}), name


def _outcome() -> Outcome:
    return Outcome("r", "deployed", "u", 1, 1, 1.0, (StepTime("plan", 0.1),))


def _plan() -> Plan:
    change = ContainerChange("api", "keep", "unchanged")
    definition = DefinitionChange("network", "default", "recreate", ("api",))
    migrations = (PendingMigration("1", "m"),)
    return Plan("r", 0, (change,), migrations, (definition,), (Loss("file", "f"),))


def _status() -> Status:
    service = ServiceStatus("api", "api", "running", "healthy", "sha256:1", 0)
    run = LastRun("r", "w", "deploy r", "2026", "lost")
    return Status("h", "r", "u", (service,), (Drift("api", "missing"),), run)


def _release() -> Release:
    return Release("r", "a", "2026", "w", "c", "u", "0", {}, {}, {}, (), {}, None)


def _releases() -> dict[str, object]:
    release = _release()
    old = replace(release, id="q")
    return listed(Seen(Memory(Records((replace(release, previous="q"), old), "r"))))[0].to_json()


def _build() -> list[dict[str, object]]:
    return summary([image_of("api", layer("base"))])


def _caches() -> dict[str, Mapping[str, Any]]:
    answers = {
        "cache.key": caching.key_answer("n", "n:k", Path("/k")),
        "cache.push": caching.push_answer("file:///c", 1, [Stored("/p", 1)]),
        "cache.pull": caching.pull_answer(Pulled(1, 1, 1)),
    }
    return {name: cast(Mapping[str, Any], answer.json) for name, answer in answers.items()}


def _push() -> Mapping[str, Any]:
    answer = push_answer(Registry("r.lan:5000"), [image_of("api", layer("base"))], 1, pushed=True)
    assert isinstance(answer.json, Mapping)
    return answer.json


def _bills() -> dict[str, object]:
    return Written((Bill("api", "a/api:1", "sha256:1", ()),), {}).to_json()


def _attested() -> dict[str, object]:
    return Attested("h", "r", "s", (Running("api", "api-1", "api", "sha256:1"),)).to_json()


def _audit() -> dict[str, object]:
    found = Finding(("C",), Severity.LOW, "p", "n", "1", (), "s", "", ())
    excuse = Statement("D", "", "r", date(2026, 2, 1), "deploy/audit.toml")
    old = replace(excuse, until=date(2025, 1, 1))
    findings, today = [found, replace(found, ids=("D",), purl="q")], date(2026, 1, 1)
    return judge(findings, [Source("s", True, "")], [excuse, old], today, Severity.HIGH).to_json()


def _run() -> Run:
    failed = count.Asked("a", 1.0, failure=count.Failure("t", count.Fault.CUT, "d"))
    load = count.result([failed], lessons.Lessons(), began="t", seconds=1.0, rate=1).to_json()
    return Run("n", "a", (Change("t", 1.0),), load)


def _forms() -> dict[str, Mapping[str, Any]]:
    """One example of each JSON form, by its heading."""
    info = RehearsalInfo("n", "a", 22, "root", "k", "h", "t", "s", "b", "d")
    return {
        "deploy": _outcome().to_json(),
        "plan": {**_plan().to_json(), "steps": [Step("files", "about").to_json()]},
        "status": _status().to_json(),
        "certificate": Told("u", ShownCertificate((), "i", "e", 1), "").to_json(),
        "releases": _releases(),
        "secrets.list": Held("n", 1, (1,), ("api",)).to_json(),
        "secrets.show": Shown("n", Secret("v")).to_json(),
        "down": Ended(_release(), (Ending("api", 1.0),), 1).to_json(),
        "scale": Counts("h", 1, 1, 1, 1.0, (Count("api", 1, 1, 1, 1, 1.0),)).to_json(),
        "build": _build()[0],
        "push": _push(),
        **_caches(),
        "bills": _bills(),
        "bills --host": _attested(),
        "audit": _audit(),
        "lock": Checked(0, 0, 0).to_json(),
        "fetch": Fetched(0, 0).to_json(),
        "bench": Figure("n", 1.0, "s").to_json(),
        "bench.load": _run().to_json(),
        "host.add": Added(HostEntry("n", "ssh", "/a")).to_json(),
        "host.setup": Prepared("n", (Thing("pool", "w"),)).to_json(),
        "host.doctor": Diagnosis("n", (Trouble("c", "w", "y", "h"),)).to_json(),
        "rehearsal": info.to_json(),
        "errors": SlipwayError("m").to_json(),
    }


@pytest.mark.parametrize("form", _forms())
def test_json_forms(form: str) -> None:
    """The table of a JSON form has its fields in their order, and those of its entries."""
    example, tables = _forms()[form], pages.tables(pages.section(JSON, form))
    described = [[row[0].strip("`") for row in table] for table in tables]
    assert described[0] == list(example)
    entries = [value[0] for value in example.values() if value and isinstance(value, list)]
    assert described[1:] == [list(entry) for entry in entries if isinstance(entry, dict)]


def test_every_json_form_is_described() -> None:
    """The page has no other forms than those that are compared here."""
    titles = [words for level, words in pages.headings(JSON) if level == 2]
    assert titles == [*_forms(), "Files on the host"]


def test_exit_codes() -> None:
    """Each exit code of an expected failure has its row."""
    page = pages.read(REFERENCE / "exit-codes.md")
    rows = {row[0] for row in pages.tables(page)[0]}
    raised = {
        str(kind.exit_code)
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, SlipwayError)
    }
    assert rows == raised | {"0", "130"}


def _value(name: str) -> str:
    """Something that may stand for a variable."""
    if name.endswith("_BIND"):
        return "127.0.0.1"
    return "1" if name.endswith(("_PORT", "_CPUS", "_MEMORY")) else f"/{name}"


def _described(text: str, title: str) -> set[str]:
    """The keys in the first table right below a heading."""
    return {name for name in pages.keys(pages.own(text, title)) if "." not in name}
