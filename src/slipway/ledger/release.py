"""A release: everything a host needs to know to put it back.

Its file carries ``format: 1``; a reader refuses any other number. The value, how it is written and
how it is read stand in one file: a field of one is a line of the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slipway.errors import DeployError
from slipway.images.values import Image
from slipway.ledger.snapshots import Taken, read_taken
from slipway.reading import Reader
from slipway.runner.expected import Expected
from slipway.runner.roll import Rolling
from slipway.stack.model import Piped, Reload
from slipway.stack.project import MODES, project_of

FORMAT = 1
_NONE = Piped()


@dataclass(frozen=True, slots=True)
class ReleaseImage:
    """One image of a release.

    Attributes:
        reference: ``application/role:tag``; or, where no image can be given a name, its digest in a
            registry.
        config_digest: Docker's image id with a graph driver.
        manifest_digest: Docker's image id with the containerd store.
        layers: digest to bytes, bottom first; what pruning it can free.
    """

    reference: str
    config_digest: str
    manifest_digest: str
    layers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, image: Image) -> ReleaseImage:
        """The part of a built image that a release remembers."""
        layers = {layer.digest: layer.bytes for layer in image.layers}
        return cls(image.reference, image.config_digest, image.manifest_digest, layers)

    def is_id(self, image_id: str) -> bool:
        """Whether Docker's image id is this image's, whatever its image store.

        Of a container that only TrueNAS tells of, it is the reference that it was made by.
        """
        return image_id in (self.config_digest, self.manifest_digest, self.reference)

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "reference": self.reference,
            "config_digest": self.config_digest,
            "manifest_digest": self.manifest_digest,
            "layers": dict(self.layers),
        }


@dataclass(frozen=True, slots=True)
class Database:
    """How a release's database is kept and put back.

    Attributes:
        dump: what writes it to standard output; of no service when it can't be kept.
        restore: what reads that from standard input, and leaves it as it was then.
        users: the services that use it, and are stopped while it is put back.
    """

    dump: Piped = _NONE
    restore: Piped = _NONE
    users: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "dump": {"service": self.dump.service, "command": list(self.dump.command)},
            "restore": {"service": self.restore.service, "command": list(self.restore.command)},
            "users": list(self.users),
        }


@dataclass(frozen=True, slots=True)
class Release:
    """One thing that was, or is to be, live: everything needed to put it back.

    Attributes:
        id: ``YYYYMMDD-HHMMSS-`` and the start of the Compose file's hash.
        application: its name.
        created: when it was planned, ISO 8601 in UTC.
        who: user and machine that deployed it.
        commit: git commit of the checkout, with ``+changes`` when it had some; may be empty.
        url: where it is reached.
        compose: hex SHA-256 of the rendered Compose file.
        images: by role.
        hashes: standing service to its configuration hash.
        roles: service to the role whose image it runs.
        files: paths, relative to the application's folder, of the config files it uses.
        secrets: secret name to version.
        previous: id of the release before it, or None.
        migrations: hex SHA-256 of the files that hold its migrations; empty when unknown.
        revisions: names of those files, without their endings.
        expected: what each standing service should come to, by name; empty when unknown.
        networks: name to the hash of its definition.
        volumes: likewise.
        rolling: the services that are rolled, and what their right containers are like.
        edge: ``service`` and ``socket`` of the edge; empty without one.
        soak: seconds to watch it after the switch, and the share of errors it may have then.
        verify: path of its URL that must answer 200.
        trust: path of a certificate on the host that vouches for the one that its URL shows; it may
            be absent; empty when the system's authorities do.
        checked: the services that have a health check.
        database: how its database is kept and put back.
        reloads: the services that take changed secrets while they run.
        snapshot: of the data, as they were before its migration; None when it took none.
        mode: how it was deployed, one of :data:`~slipway.stack.project.MODES`.
    """

    id: str
    application: str
    created: str
    who: str
    commit: str
    url: str
    compose: str
    images: dict[str, ReleaseImage]
    hashes: dict[str, str]
    roles: dict[str, str]
    files: tuple[str, ...]
    secrets: dict[str, int]
    previous: str | None = None
    migrations: str = ""
    revisions: tuple[str, ...] = ()
    expected: tuple[Expected, ...] = ()
    networks: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    rolling: tuple[Rolling, ...] = ()
    edge: dict[str, str] = field(default_factory=dict)
    soak: tuple[float, float] = (0.0, 1.0)
    verify: str = "/"
    trust: str = ""
    checked: tuple[str, ...] = ()
    database: Database = Database()
    reloads: tuple[Reload, ...] = ()
    mode: str = MODES[0]
    snapshot: Taken | None = None

    @property
    def project(self) -> str:
        """Compose's project name."""
        return project_of(self.application, self.mode)

    def to_json(self) -> dict[str, object]:
        """The content of ``release.json``."""
        return {
            "format": FORMAT,
            "id": self.id,
            "application": self.application,
            "created": self.created,
            "who": self.who,
            "commit": self.commit,
            "url": self.url,
            "compose": self.compose,
            "images": {role: image.to_json() for role, image in self.images.items()},
            "hashes": dict(self.hashes),
            "roles": dict(self.roles),
            "files": list(self.files),
            "secrets": dict(self.secrets),
            "previous": self.previous,
            "migrations": self.migrations,
            "revisions": list(self.revisions),
            "expected": {one.service: one.to_json() for one in self.expected},
            "networks": dict(self.networks),
            "volumes": dict(self.volumes),
            "rolling": {one.service: one.to_json() for one in self.rolling},
            "edge": dict(self.edge),
            "soak": list(self.soak),
            "verify": self.verify,
            "trust": self.trust,
            "checked": list(self.checked),
            "database": self.database.to_json(),
            "reloads": {one.service: one.to_json() for one in self.reloads},
            "mode": self.mode,
            "snapshot": self.snapshot.to_json() if self.snapshot else None,
        }

    @classmethod
    def from_json(cls, text: bytes, where: str) -> Release:
        """Read a ``release.json``.

        Raises:
            DeployError: it is no JSON, of another format, or has problems; nothing was changed.
        """
        try:
            reader = Reader(json.loads(text))
        except ValueError as error:
            raise DeployError(
                f"{where} is no JSON: {error}",
                hint="restore it; or remove its folder there, and for the live release the link "
                "`current` as well, and deploy anew",
                stage="read",
            ) from error
        reader.format(FORMAT)
        release = _release(reader)
        if reader.problems:
            raise DeployError(
                f"{where} is not a release this version of slipway can read",
                details=[f"{where}: {problem}" for problem in reader.problems],
                hint="use the version of slipway that wrote it",
                stage="read",
            )
        return release


def _release(reader: Reader) -> Release:
    images, secrets = reader.table("images"), reader.table("secrets")
    previous, expected = reader.take("previous"), reader.table("expected")
    rolling, reloads = reader.table("rolling"), reader.table("reloads")
    return Release(
        id=reader.text("id"),
        application=reader.text("application"),
        created=reader.text("created"),
        who=reader.text("who"),
        commit=reader.text("commit"),
        url=reader.text("url"),
        compose=reader.text("compose"),
        images={role: _image(images.table(role)) for role in images.names()},
        hashes=reader.text_map("hashes"),
        roles=reader.text_map("roles"),
        files=reader.texts("files"),
        secrets={name: secrets.whole(name) for name in secrets.names()},
        migrations=reader.text("migrations", ""),
        previous=previous if isinstance(previous, str) else None,
        revisions=reader.texts("revisions", []),
        expected=tuple(_expected(expected.table(name), name) for name in expected.names()),
        networks=reader.text_map("networks"),
        volumes=reader.text_map("volumes"),
        rolling=tuple(_rolling(rolling.table(name), name) for name in rolling.names()),
        edge=reader.text_map("edge"),
        soak=_soak(reader),
        verify=reader.text("verify", "/"),
        trust=reader.text("trust", ""),
        mode=reader.text("mode", MODES[0]),
        snapshot=read_taken(reader.table("snapshot")),
        checked=reader.texts("checked", []),
        database=_database(reader.table("database")),
        reloads=tuple(_reload(reloads.table(name), name) for name in reloads.names()),
    )


def _database(reader: Reader) -> Database:
    dump, restore = reader.table("dump"), reader.table("restore")
    return Database(
        Piped(dump.text("service", ""), dump.texts("command", [])),
        Piped(restore.text("service", ""), restore.texts("command", [])),
        reader.texts("users", []),
    )


def _reload(reader: Reader, service: str) -> Reload:
    return Reload(service, reader.texts("command"), reader.text_map("files"))


def _rolling(reader: Reader, service: str) -> Rolling:
    return Rolling(
        reader.text("service", service),
        reader.whole("containers"),
        reader.text("config"),
        reader.texts("images"),
        reader.whole("deadline_s"),
        reader.whole("drain_s"),
        reader.flag("behind", False),
    )


def _soak(reader: Reader) -> tuple[float, float]:
    """Of a record from before there was one: none."""
    value = reader.take("soak")
    if value is None:
        return 0.0, 1.0
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 2 or not all(isinstance(one, int | float) for one in numbers):
        reader.note("soak", f"should be two numbers, got {value!r}")
        return 0.0, 1.0
    return float(numbers[0]), float(numbers[1])


def _expected(reader: Reader, service: str) -> Expected:
    return Expected(
        service,
        reader.whole("containers"),
        reader.whole("deadline_s"),
        reader.flag("ends", False),
    )


def _image(reader: Reader) -> ReleaseImage:
    layers = reader.table("layers")
    return ReleaseImage(
        reference=reader.text("reference"),
        config_digest=reader.text("config_digest"),
        manifest_digest=reader.text("manifest_digest"),
        layers={digest: layers.whole(digest) for digest in layers.names()},
    )


def as_json(value: Mapping[str, Any]) -> bytes:
    """The bytes of a file that slipway keeps: sorted, indented, with a newline at its end."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
