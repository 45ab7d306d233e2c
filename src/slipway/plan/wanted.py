"""What a deploy starts from: what is wanted, and what a host was seen to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from slipway.hosts.inspect import EngineState
from slipway.images.values import Image
from slipway.ledger.records import Memory
from slipway.secret import Secret
from slipway.stack.model import Stack
from slipway.stack.render import HostFile

if TYPE_CHECKING:
    from slipway.images.registry.address import Registry


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to deploy and where, read from the checkout before the host is asked.

    Attributes:
        stack: the services.
        images: one for each role the stack uses.
        files: config name to the file it is.
        contents: config name to that file's content.
        supplied: the operator's secrets.
        app_dir: the application's folder on the host.
        data_dir: its data path there.
        url: where the stack is reached.
        who: user and machine.
        commit: git commit of the checkout; may be empty.
        migrations: hex SHA-256 of the files that hold the migrations, or empty.
        revisions: names of those files, without their endings.
        downtimes: those of them that the code before can't go on after.
        anew: names of secrets that are to be generated anew.
        snapshots: whether snapshots are taken of the data before migrations.
        registry: where the host gets images by itself; None when they are sent to it.
    """

    stack: Stack
    images: tuple[Image, ...]
    files: Mapping[str, HostFile]
    contents: Mapping[str, bytes]
    supplied: Mapping[str, Secret]
    app_dir: str
    data_dir: str
    url: str
    who: str
    commit: str = ""
    migrations: str = ""
    revisions: tuple[str, ...] = ()
    downtimes: frozenset[str] = frozenset()
    anew: frozenset[str] = frozenset()
    snapshots: bool = False
    registry: Registry | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a host held when it was asked.

    Attributes:
        memory: what the application's folder holds.
        engine: what its Docker holds.
    """

    memory: Memory = field(default_factory=Memory)
    engine: EngineState = field(default_factory=EngineState)
