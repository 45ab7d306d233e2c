"""The tables of ``x-slipway``, each with the bounds of its numbers. Problems go to the reader."""

from __future__ import annotations

from slipway.reading import Reader
from slipway.stack.model import DataFolder, Edge, Migration, Piped, SecretSpec, Soak

_SOAK_MOST_S = 3600
_SECRET_MOST = 4096
_USER_MOST = 2**32 - 2  # user_namespaces(7): the last one stands for none


def at_most(reader: Reader, key: str, value: float, most: int, why: str) -> None:
    """Note a number that is beyond reason."""
    if value > most:
        reader.note(key, f"should be at most {most}, {why}, got {value:g}")


def edge(reader: Reader) -> Edge:
    """The proxy, and its socket; none for an empty table."""
    if not reader.names():
        return Edge()
    found = Edge(reader.text("service"), reader.text("socket"))
    if found.socket and not found.socket.startswith("/"):
        reader.note("socket", f"should be an absolute path, got {found.socket!r}")
    reader.finish()
    return found


def migration(reader: Reader) -> Migration:
    """How to migrate."""
    found = Migration(
        reader.text("service", ""),
        reader.texts("command", []),
        reader.texts("plan", []),
        reader.text("source", ""),
        _piped(reader.table("dump")),
        _piped(reader.table("restore")),
    )
    if found.restore.command and not found.dump.command:
        reader.note("restore", "would never have anything to read: dump is not there")
    reader.finish()
    return found


def _piped(reader: Reader) -> Piped:
    if not reader.names():
        return Piped()
    piped = Piped(reader.text("service"), reader.texts("command"))
    if reader.has("command") and not piped.command:
        reader.note("command", "should begin with a program")
    reader.finish()
    return piped


def trust(reader: Reader) -> str:
    """The file of who vouches for the stack's certificate, below the data path."""
    path = reader.text("trust", "")
    if path.startswith("/") or ".." in path.split("/"):
        reader.note("trust", f"should be a path below the data path, got {path!r}")
    return path


def soak(reader: Reader) -> Soak:
    """How long new containers are watched."""
    found = Soak(reader.number("seconds", Soak().seconds), reader.number("errors", Soak().errors))
    at_most(reader, "seconds", found.seconds, _SOAK_MOST_S, "an hour")
    if found.errors > 1:
        reader.note("errors", f"is a share, from 0 to 1, got {found.errors:g}")
    reader.finish()
    return found


def secrets(reader: Reader) -> tuple[SecretSpec, ...]:
    """Every secret."""
    specs = []
    for name in reader.names():
        table = reader.table(name)
        specs.append(
            SecretSpec(
                name=name,
                generate=table.whole("generate", 0),
                derive=table.text("derive", ""),
                source=table.text("from", ""),
                login=table.text("login", ""),
                optional=table.flag("optional", False),
                certificate=table.flag("certificate", False),
                owner=table.whole("owner", 568),
            )
        )
        at_most(table, "generate", specs[-1].generate, _SECRET_MOST, "characters enough")
        at_most(table, "owner", specs[-1].owner, _USER_MOST, "the last user there can be")
        table.finish()
    return tuple(specs)


def data(reader: Reader) -> tuple[DataFolder, ...]:
    """Every folder below the data path."""
    folders = []
    for name in reader.names():
        table = reader.table(name)
        mode = table.text("mode", "0755")
        owner = table.whole("owner", 568)
        if not mode or mode.strip("01234567"):
            table.note("mode", f'should be octal digits in quotes such as "0700", got {mode!r}')
            mode = "0"
        if int(mode, 8) > 0o7777:
            table.note("mode", f'should be at most "7777", got {mode!r}')
        at_most(table, "owner", owner, _USER_MOST, "the last user there can be")
        folders.append(DataFolder(name, int(mode, 8), owner))
        table.finish()
    return tuple(folders)
