"""The application's folder in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from slipway.errors import DeployError
from slipway.ledger import layout
from slipway.ledger.entries import Directory, Entry, File, Text
from slipway.ledger.folder import Contents
from slipway.ledger.parse import parse_memory
from slipway.ledger.records import Memory
from slipway.ledger.runs import LastRun
from slipway.runner.handed import HANDED, instead
from slipway.runner.putback import HALF
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
        links: other links' paths, and what they point to.
        run: the latest run, as the host tells of it.
        written: every list of entries that was written.
    """

    path: str = "/pool/demo"
    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)
    current: str = ""
    links: dict[str, str] = field(default_factory=dict)
    run: LastRun | None = None
    written: list[tuple[Entry, ...]] = field(default_factory=list)

    @property
    def live(self) -> str | None:
        """The id of the live release."""
        return self.current.rpartition("/")[2] or None

    def read(self, secrets: Sequence[str] = ()) -> Memory:
        """All that it holds."""
        found = [("current", self.current.encode())]
        found.append(("included", self.links.get(layout.APP_FILE, "").encode()))
        found += [
            (path, data) for path, data in self.files.items() if path.endswith("release.json")
        ]
        found += [("dump", path.encode()) for path in self.files if path.endswith(layout.DUMP)]
        found += [
            ("snapshot", path.encode())
            for path in self.links
            if path.endswith((f"/{layout.SNAPSHOT}", f"/{layout.LEFT}"))
        ]
        if HALF in self.files:
            found.append(("half", self.files[HALF]))
        found.append(("sums", "\n".join(self._sums()).encode()))
        found.append(("journal", self.files.get(layout.JOURNAL, b"")))
        if layout.SCALE in self.files:
            found.append((layout.SCALE, self.files[layout.SCALE]))
        kept = [path for path in self.files if path.startswith(("files/", "secrets/"))]
        found += [("path", path.encode()) for path in sorted(kept)]
        mine = [path for path in self.files if path.startswith(f"{HANDED}/")]
        found += [("handed", path.encode()) for path in sorted(mine)]
        for path in kept:
            if path.split("/")[0] == layout.SECRETS and path.split("/")[1] in secrets:
                found.append((f"value {path}", self.files[path]))
        return replace(parse_memory(found, where=f"nas:{self.path}"), run=self.run)

    def write(self, entries: Sequence[Entry], contents: Contents) -> None:
        """Keep files, directories' modes and the link."""
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
            elif isinstance(entry, Text):
                self.put(entry.path, entry.text)
            else:
                self.link(entry.path, entry.target)

    def link(self, path: str, target: str) -> None:
        """Lead a link somewhere; an empty target takes it away."""
        if path == layout.CURRENT:
            self.current = target
            return
        self.files.pop(path, None)
        self.links.pop(path, None)
        if target:
            self.links[path] = target

    def append(self, path: str, line: str) -> None:
        """A line at the end of a file."""
        self.files[path] = self.files.get(path, b"") + line.encode() + b"\n"

    def put(self, path: str, text: str) -> None:
        """Keep a text, or forget it when it is empty."""
        if text:
            self.files[path] = text.encode()
        else:
            self.files.pop(path, None)

    def hand(self, folder: str, files: Mapping[str, str]) -> None:
        """Let a folder hold copies of files and nothing else."""
        copies = {
            f"{folder}/{name}": self.files[self._or_held(folder, name, path)]
            for name, path in files.items()
        }
        self.remove([folder])
        self.files |= copies

    def _or_held(self, folder: str, name: str, path: str) -> str:
        """A file, or what the folder has in its place."""
        return next((one for one in (path, *instead(folder, name)) if one in self.files), path)

    def remove(self, paths: Sequence[str]) -> None:
        """Forget files, and those below a folder."""
        for path in paths:
            for kept in (self.files, self.links):
                for gone in [name for name in kept if f"{name}/".startswith(f"{path}/")]:
                    del kept[gone]

    def _sums(self) -> list[str]:
        """What ``sha256sum`` prints of the Compose files."""
        return [
            f"{hashlib.sha256(data).hexdigest()}  {path}"
            for path, data in self.files.items()
            if path.startswith("releases/") and path.endswith(f"/{layout.COMPOSE}")
        ]

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
