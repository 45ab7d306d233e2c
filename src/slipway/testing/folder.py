"""The application's folder in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from slipway.errors import DeployError
from slipway.ledger import layout
from slipway.ledger.entries import Directory, Entry, File, Line
from slipway.ledger.folder import Contents, parse_memory
from slipway.ledger.lease import Holder, Taken
from slipway.ledger.records import Memory
from slipway.secret import Secret


@dataclass
class FakeFolder:
    """A :class:`slipway.ledger.folder.Folder` whose files live in ``files``.

    Attributes:
        path: where it would lie.
        files: relative path to content.
        modes: relative path to permission bits, of files and of directories made.
        owners: relative path to user id, where one was given.
        current: what the link ``current`` points to.
        holder: token of whoever holds the lease; empty when nobody does.
        held_by: somebody else who holds it, by name.
        stale: a holder whose lease has run out.
        written: every list of entries that was written.
    """

    path: str = "/pool/demo"
    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    current: str = ""
    holder: str = ""
    held_by: str = ""
    stale: Holder | None = None
    written: list[tuple[Entry, ...]] = field(default_factory=list)

    @property
    def live(self) -> str | None:
        """The id of the live release."""
        return self.current.rpartition("/")[2] or None

    def lease(self, token: str) -> FakeLease:
        """A lease of this folder."""
        return FakeLease(self, token)

    def read(self, secrets: Sequence[str] = ()) -> Memory:
        """All that it holds."""
        found = [("current", self.current.encode())]
        found += [
            (path, data) for path, data in self.files.items() if path.endswith("release.json")
        ]
        kept = [path for path in self.files if path.startswith(("files/", "secrets/"))]
        found += [("path", path.encode()) for path in sorted(kept)]
        for path in kept:
            if path.split("/")[0] == layout.SECRETS and path.split("/")[1] in secrets:
                found.append((f"value {path}", self.files[path]))
        return parse_memory(found, where=f"nas:{self.path}")

    def write(self, entries: Sequence[Entry], contents: Contents) -> None:
        """Keep files, directories' modes, lines and the link."""
        for entry in entries:
            if isinstance(entry, File) and entry.fresh and entry.path in self.files:
                raise DeployError(f"{self.path}/{entry.path} exists on nas already")
        self.written.append(tuple(entries))
        for entry in entries:
            if isinstance(entry, File):
                self.files[entry.path] = contents(entry.source)
                self._shape(entry)
            elif isinstance(entry, Directory):
                if entry.path not in self.modes:
                    self._shape(entry)
            elif isinstance(entry, Line):
                before = self.files.get(entry.path, b"")
                self.files[entry.path] = before + contents(entry.source)
            else:
                self.current = entry.target

    def remove(self, paths: Sequence[str]) -> None:
        """Forget files, and those below a folder."""
        for path in paths:
            for gone in [name for name in self.files if f"{name}/".startswith(f"{path}/")]:
                del self.files[gone]

    def secret(self, name: str, version: int) -> Secret:
        """The value kept in ``files``."""
        path = layout.secret_file(name, version)
        if path not in self.files:
            raise DeployError(f"the secret {name} version {version} vanished from nas")
        return Secret(self.files[path].decode())

    def _shape(self, entry: File | Directory) -> None:
        self.modes[entry.path] = entry.mode
        if entry.owner is not None:
            self.owners[entry.path] = entry.owner


@dataclass
class FakeLease:
    """A :class:`slipway.ledger.lease.Lease` of a folder in memory."""

    folder: FakeFolder
    token: str

    def take(self, holder: Holder) -> Taken:
        """Get it unless somebody else has it."""
        if self.folder.held_by:
            raise DeployError(
                f"{self.folder.held_by} is busy on nas with `deploy x` since t; nothing was "
                "changed",
                stage="lease",
            )
        self.folder.holder = self.token
        stale, self.folder.stale = self.folder.stale, None
        return Taken(self.folder.live, stale)

    def renew(self) -> str | None:
        """The live release, if the lease is still ours."""
        if self.folder.holder != self.token:
            raise DeployError("the lease on nas is not ours any more", stage="lease")
        return self.folder.live

    def give_up(self) -> None:
        """Let others in."""
        if self.folder.holder == self.token:
            self.folder.holder = ""
