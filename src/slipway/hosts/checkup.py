"""What of a host may be in a deploy's way besides its Docker: asked in one round trip.

The script needs no Docker that answers, and no program beside those of POSIX: what can't be seen is
left out. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from slipway.doors import Clock, Host
from slipway.hosts.nas import Nas, read_nas
from slipway.hosts.sections import PRELUDE, sections
from slipway.runner.containers import PROJECT_LABEL

_ASK_S = 120.0

# A port's holder is the process that has its socket (proc_pid_fd(5)), unless Docker says that it is
# a container's. `ls` prints the folder's name before what is in it, and where each link leads.
_PORTS = """
sockets() {
    for table in /proc/net/tcp /proc/net/tcp6; do
        [ -r "$table" ] || continue
        while read -r _ local _ state _ _ _ _ _ inode _; do
            [ "$state" = 0A ] && [ "${local##*:}" = "$1" ] && printf 'socket:[%s]\\n' "$inode"
        done <"$table"
    done
}
holder() {
    name=$("$docker" container ls --filter "publish=$1" --format '{{.Names}}' 2>/dev/null |
        head -n 1) || name=
    if [ -n "$name" ]; then printf 'the container %s' "$name"; return; fi
    for socket in $(sockets "$(printf '%04X' "$1")"); do
        folder='' found=''
        while read -r line; do
            case $line in
            /proc/*:) folder=${line%/fd:} ;;
            *"-> $socket") found=$folder; break ;;
            esac
        done <<END
$fds
END
        [ -z "$found" ] || [ ! -r "$found/comm" ] || {
            printf '%s (process %s)' "$(cat "$found/comm")" "${found##*/}"
            return
        }
    done
}
"""

# Any answer will do, also that there is no such name: a question for the root's name servers
# (RFC 1035, 4.1) goes to each server of resolv.conf.
_NAMES = """
import socket, sys
servers = [line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver ")]
asked = b"\\x51\\x6c\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\1"
for server in servers[:3]:
    kind = socket.AF_INET6 if ":" in server else socket.AF_INET
    try:
        with socket.socket(kind, socket.SOCK_DGRAM) as door:
            door.settimeout(2)
            door.connect((server.partition("%")[0], 53))
            door.send(asked)
            if door.recv(512)[:2] == asked[:2]:
                print("answered")
                break
    except OSError:
        pass
else:
    print("silent", *servers)
"""

# $1 docker, $2 how many ports, the ports, the application's folder, further folders. `df -Pi` of a
# file system without a number of inodes prints 0 or -.
_CHECKUP = f"""{PRELUDE}{_PORTS}
text now "$(date +%s)"
docker=$1 count=$2
shift 2
fds=
[ "$count" -eq 0 ] || fds=$(ls -l /proc/[0-9]*/fd 2>/dev/null || :)
while [ "$count" -gt 0 ]; do
    text "holder $1" "$(holder "$1")"
    shift
    count=$((count - 1))
done
near() {{ p=$1; while [ ! -e "$p" ]; do p=$(dirname -- "$p"); done; printf '%s\\n' "$p"; }}
inodes() {{ df -Pi -- "$1" 2>/dev/null |
    sed -n '$s/.* \\([0-9][0-9]*\\)  *\\([0-9][0-9]*\\)  *[0-9][0-9]*% .*/\\2/p'; }}
app=$(near "$1")
for folder; do
    text "folder $folder" "$(stat -L -c '%u %g %a %F' -- "$folder" 2>/dev/null || :)"
done
text app_inodes "$(inodes "$app")"
root=$("$docker" info --format '{{{{.DockerRootDir}}}}' 2>/dev/null) || root=
[ -z "$root" ] || text docker_inodes "$(inodes "$(near "$root")")"
text names "$(python3 -I -c '{_NAMES}' 2>/dev/null || :)"
made='{{{{.Label "{PROJECT_LABEL}"}}}}'
text containers "$("$docker" container ls --all --format "{{{{.Names}}}} $made" 2>/dev/null || :)"
text volumes "$("$docker" volume ls --format "{{{{.Name}}}} $made" 2>/dev/null || :)"
text nas "$(command -v midclt || :)"
"""


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder on the host.

    Attributes:
        owner: user id.
        group: group id.
        mode: permission bits.
        folder: whether it is one.
    """

    owner: int
    group: int
    mode: int
    folder: bool = True


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was seen.

    Attributes:
        skew: seconds that the host's clock is ahead of this machine's, or behind it when less than
            0, as far as the round trip leaves no doubt.
        holders: TCP port to who has it.
        folders: path to what is there; None where nothing is.
        app_inodes: files that can still be made where the application's folder is; None when the
            file system has no such number.
        docker_inodes: likewise, where Docker keeps images.
        silent: name servers, none of which answers; None when one does, or it could not be seen.
        containers: name of each container to Compose's project that made it; may be empty.
        volumes: likewise.
        nas: what a TrueNAS says of itself; None on any other host.
    """

    skew: float = 0.0
    holders: Mapping[int, str] = field(default_factory=dict)
    folders: Mapping[str, FolderState | None] = field(default_factory=dict)
    app_inodes: int | None = None
    docker_inodes: int | None = None
    silent: tuple[str, ...] | None = None
    containers: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    nas: Nas | None = None


def read_checkup(
    host: Host,
    clock: Clock,
    *,
    docker: str,
    app_dir: str,
    ports: Sequence[int],
    folders: Sequence[str],
) -> Checkup:
    """Ask a host, in one round trip; a TrueNAS in a second one.

    Args:
        host: which.
        clock: this machine's.
        docker: the docker program there.
        app_dir: the application's folder there.
        ports: TCP ports whose holders are of interest.
        folders: absolute paths that are looked at.

    Raises:
        HostError: it can't be asked.
    """
    seen = [one for one in dict.fromkeys((app_dir, *folders)) if one.isprintable()]
    numbers = [str(one) for one in ports]
    argv = ("sh", "-c", _CHECKUP, "checkup", docker, str(len(numbers)), *numbers, *seen)
    before = clock.now().timestamp()
    done = host.run(argv, timeout=_ASK_S)
    after = clock.now().timestamp()
    found = {
        name: data.decode("utf-8", "replace")
        for name, data in sections(done.stdout, where=host.name)
    }
    checkup = parse_checkup(found, before, after)
    return replace(checkup, nas=read_nas(host, seen)) if found.get("nas") else checkup


def parse_checkup(found: Mapping[str, str], before: float, after: float) -> Checkup:
    """Read what the script printed. Pure.

    Args:
        found: its sections.
        before: the time here, in seconds since 1970, when it was started.
        after: likewise, when its answer was there.
    """
    names = found.get("names", "").split()
    return Checkup(
        skew=_skew(found.get("now", ""), before, after),
        holders={
            int(name.removeprefix("holder ")): text
            for name, text in found.items()
            if name.startswith("holder ") and text
        },
        folders={
            name.removeprefix("folder "): folder_state(text)
            for name, text in found.items()
            if name.startswith("folder ")
        },
        app_inodes=_whole(found.get("app_inodes", "")),
        docker_inodes=_whole(found.get("docker_inodes", "")),
        silent=tuple(names[1:]) if names[:1] == ["silent"] else None,
        containers=_made(found.get("containers", "")),
        volumes=_made(found.get("volumes", "")),
    )


def _skew(now: str, before: float, after: float) -> float:
    """How far a time, of whole seconds, lies outside of those in which it was told."""
    if not now.isdigit():
        return 0.0
    told = int(now)
    if told > after:
        return told - after
    return min(0.0, told + 1 - before)


def folder_state(text: str) -> FolderState | None:
    """What ``stat -c '%u %g %a %F'`` printed; None for anything else."""
    words = text.split(maxsplit=3)
    if len(words) < 4 or not all(word.isdigit() for word in words[:3]):
        return None
    owner, group, mode, kind = words
    return FolderState(int(owner), int(group), int(mode, 8), kind == "directory")


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _made(text: str) -> dict[str, str]:
    pairs = (line.partition(" ") for line in text.splitlines() if line)
    return {name: project for name, _, project in pairs}
