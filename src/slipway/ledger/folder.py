"""The application's folder on a host: one door to all that the host remembers.

The real one is :class:`HostFolder`; :mod:`slipway.testing` has one that keeps its files in memory.
Every method is one round trip.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Sequence
from typing import Protocol

from slipway.doors import Host
from slipway.errors import CommandFailed, DeployError
from slipway.hosts.sections import compact, gzipped, sections
from slipway.ledger import layout
from slipway.ledger.entries import Directory, Entry, File, Link, Source, Text
from slipway.ledger.owners import BY_NAS, BY_ROOT
from slipway.ledger.parse import parse_memory
from slipway.ledger.records import Memory
from slipway.runner.handed import HANDED, UNTOLD
from slipway.runner.lease import SILENT_S
from slipway.runner.putback import HALF
from slipway.secret import Secret

Contents = Callable[[Source], bytes]
"""Gives a source's content."""

_READ_S = 60.0
_WRITE_S = 120.0
_EXISTS = 44
_LINES = 40

# $1 the folder, then secrets whose values are wanted: of every version, since only the records tell
# which one is live. A folder that can't be looked into is
# an error, and not an empty one.
_READ = compact(f"""
[ -e "$1" ] || exit 0
cd -- "$1"
shift
text current "$(readlink current || :)"
text included "$(readlink {layout.APP_FILE} || :)"
for path in releases/*/release.json; do [ ! -f "$path" ] || file "$path" "$path"; done
for path in releases/*/{layout.DUMP}; do [ ! -s "$path" ] || text dump "$path"; done
for path in releases/*/{layout.SNAPSHOT} releases/*/{layout.LEFT}; do
    # A link to a snapshot that somebody destroyed leads nowhere.
    [ ! -d "$path" ] || text snapshot "$path"
done
[ ! -f {HALF} ] || file half {HALF}
[ ! -d releases ] || text sums "$(sha256sum -- releases/*/{layout.COMPOSE} 2>/dev/null || :)"
[ ! -f {layout.SCALE} ] || file {layout.SCALE} {layout.SCALE}
[ ! -d secrets ] || ls secrets >/dev/null
for path in files/*/* secrets/*/*; do [ ! -f "$path" ] || text path "$path"; done
for path in {HANDED}/*/* {HANDED}/*{UNTOLD}; do
    [ ! -f "$path" ] || text handed "$path"
done
for name; do
    for path in "secrets/$name"/*; do
        case ${{path##*/}} in *[!0-9]*) ;; *) file "value $path" "$path" ;; esac
    done
done
[ ! -f {layout.JOURNAL} ] || text journal "$(tail -n {_LINES} {layout.JOURNAL} |
    grep -e '"event": "outcome"' -e '"down": true' || :)"
[ -f runs/last/about.json ] || exit 0
# The time of the lease is its holder's last sign, in seconds since the boot (slipway.runner.lease).
silent() {{
    up=$(cut -d. -f1 /proc/uptime) && sign=$(stat -c %Y lease) &&
        [ $((up - sign)) -gt {SILENT_S:.0f} ]
}} 2>/dev/null
file run runs/last/about.json
if [ -f runs/last/told ]; then text run-state told
elif [ -f runs/last/end.json ]; then
    text run-state ended
    file run-end runs/last/end.json
elif silent; then text run-state lost
elif tr '\\0' ' ' <"/proc/$(cat runs/last/pid)/cmdline" 2>/dev/null | grep -q ' start '; then
    text run-state alive
else text run-state lost
fi
""")

# $1 the folder; a tar archive with the contents, named 0, 1, …, packed by gzip, on standard input;
# then for each entry its kind, path, mode, owner, and content or target; - stands for none. The
# entries are gone
# through twice: what must not be there yet is looked for before anything is given its name.
# Contents lie in the folder already, and on its disk, when they are given their names, so that a
# rename does it; the names are on the disk before a link leads to them, and at the end. A `sync`
# that can't take paths is told to write all.
_WRITE = f"""set -eu
umask 077
folder=$1
shift
[ -d "$folder" ] || {{ umask 022; mkdir -p -- "$folder"; umask 077; }}
cd -- "$folder"
newline='
'
named=
named() {{
    case $1 in
    */*) named="$named$newline${{1%/*}}" ;;
    *) named="$named$newline." ;;
    esac
}}
durable() {{ sync -- "$@" 2>/dev/null || sync; }}
settle() {{
    [ -n "$named" ] || return 0
    IFS=$newline
    set -f
    durable $named
    unset IFS
    set +f
    named=
}}
above() {{
    case $1 in */*) ;; *) return 0 ;; esac
    [ -d "${{1%/*}}" ] && return 0
    above "${{1%/*}}"
    umask 022
    mkdir -p -- "${{1%/*}}"
    umask 077
    named "${{1%/*}}"
}}
@GIVEN@
fresh=$(mktemp -d -- .slipway.XXXXXXXXXX)
trap 'rm -rf -- "$fresh"' EXIT
trap 'exit 75' HUP INT TERM
gzip -d -c | tar -xf - -C "$fresh"
turn=$#
while [ "$turn" -gt 0 ]; do
    case $1 in file | fresh)
        if [ "$1" = fresh ] && [ -e "$2" ]; then echo "$2"; exit {_EXISTS}; fi
        chmod -- "$3" "$fresh/$5"
        given "$4" "$fresh/$5" file
        ;;
    esac
    set -- "$@" "$1" "$2" "$3" "$4" "$5"
    shift 5
    turn=$((turn - 5))
done
owned
for path in "$fresh"/*; do [ ! -e "$path" ] || {{ durable "$fresh"/*; break; }}; done
while [ "$#" -gt 0 ]; do
    kind=$1 path=$2 mode=$3 owner=$4 content=$5
    shift 5
    case $path in /*) ;; *) above "$path" ;; esac
    case $kind in
    file | fresh)
        mv -f -- "$fresh/$content" "$path"
        named "$path"
        ;;
    directory)
        [ -d "$path" ] || {{
            above "$path"
            mkdir -- "$path"
            chmod -- "$mode" "$path"
            made="$path$newline$made"
            given "$owner" "$path" directory || forgo
            named "$path"
        }}
        ;;
    link)
        settle
        ln -sfn -- "$content" "$path.new"
        mv -fT -- "$path.new" "$path"
        named "$path"
        ;;
    unlink)
        rm -f -- "$path"
        named "$path"
        ;;
    esac
done
owned || forgo
settle
"""


class Folder(Protocol):
    """The application's folder on a host."""

    @property
    def path(self) -> str:
        """Where it lies there, absolute."""

    def read(self, secrets: Sequence[str] = ()) -> Memory:
        """All that it holds.

        Args:
            secrets: those whose values are wanted, of every version.

        Raises:
            HostError: the host can't be asked.
        """

    def write(self, entries: Sequence[Entry], contents: Contents) -> None:
        """Write entries, in order.

        Raises:
            DeployError: a file that must not be there yet is; nothing was written.
            HostError: the host can't do it.
        """

    def secret(self, name: str, version: int) -> Secret:
        """The value of one version of a secret.

        Raises:
            DeployError: the host has lost it.
        """


class HostFolder:
    """The :class:`Folder` on a real host.

    Args:
        host: where.
        path: absolute path there.
        asked: whether TrueNAS is asked to give files their owners, for the login user can't.
    """

    def __init__(self, host: Host, path: str, *, asked: bool = False) -> None:
        self._host, self._path = host, path
        self._write = _WRITE.replace("@GIVEN@", BY_NAS if asked else BY_ROOT)

    @property
    def path(self) -> str:
        """Where it lies there, absolute."""
        return self._path

    def read(self, secrets: Sequence[str] = ()) -> Memory:
        """All that it holds; see :meth:`Folder.read`."""
        argv = ("sh", "-c", _READ, "read", self._path, *secrets)
        where = self._host.name
        return parse_memory(
            sections(self._host.run(argv, timeout=_READ_S).stdout, where=where),
            where=f"{where}:{self._path}",
        )

    def write(self, entries: Sequence[Entry], contents: Contents) -> None:
        """Write entries, in order; see :meth:`Folder.write`."""
        words, data = packed(entries, contents)
        argv = ("sh", "-c", self._write, "write", self._path, *words)
        done = self._host.run(argv, timeout=_WRITE_S, input=data, check=False)
        if done.exit_code == _EXISTS:
            raise DeployError(
                f"{self._path}/{done.text.strip()} exists on {self._host.name} already; it was "
                "left as it is",
                hint="somebody else deployed meanwhile: deploy again",
            )
        if not done.ok:
            raise CommandFailed(
                ("sh", "write", self._path),
                done.exit_code,
                done.error_text,
                where=self._host.name,
                hint=f"the login user must be able to write {self._path}",
            )

    def secret(self, name: str, version: int) -> Secret:
        """The value of one version of a secret; see :meth:`Folder.secret`."""
        data = self._host.read(f"{self._path}/{layout.secret_file(name, version)}")
        if data is None:
            raise DeployError(
                f"the secret {name} version {version} vanished from {self._host.name}",
                hint="deploy again",
                stage="secrets",
            )
        return Secret(data.decode("utf-8", "replace"))


def packed(entries: Sequence[Entry], contents: Contents) -> tuple[list[str], bytes]:
    """The arguments of the script that writes, and the archive it reads. Pure but for contents."""
    words: list[str] = []
    holder = io.BytesIO()
    with tarfile.open(fileobj=holder, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, entry in enumerate(entries):
            words += _words(entry, str(number))
            if isinstance(entry, File) or (isinstance(entry, Text) and entry.text):
                data = _content(entry, contents)
                head = tarfile.TarInfo(str(number))
                head.size, head.mode = len(data), 0o600
                archive.addfile(head, io.BytesIO(data))
    return words, gzipped(holder.getvalue())


def _content(entry: File | Text, contents: Contents) -> bytes:
    return contents(entry.source) if isinstance(entry, File) else entry.text.encode()


def _words(entry: Entry, number: str) -> list[str]:
    if isinstance(entry, Link):
        return ["link" if entry.target else "unlink", entry.path, "-", "-", entry.target or "-"]
    if isinstance(entry, Text):
        kind = "file" if entry.text else "unlink"
        return [kind, entry.path, "0644", "-", number if entry.text else "-"]
    owner = "-" if entry.owner is None else str(entry.owner)
    kind = "directory" if isinstance(entry, Directory) else "fresh" if entry.fresh else "file"
    return [kind, entry.path, f"{entry.mode:04o}", owner, number]
