"""Try on a host what only trying tells: another network, and writing as a service will.

What is made for that carries a label, and is removed whatever happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from slipway.doors import Host
from slipway.hosts.sections import PRELUDE, sections

Access = Literal["yes", "no", "unknown"]
LABEL = "io.slipway.probe"
_TRY_S = 240.0
_REFUSED = 3

# $1 docker, $2 a token, $3 how many networks, $4 the application, then for each folder the user
# (- for the image's own), write or read, and its path. Of the application's images the first one
# that has a shell does; it may have no program to remove a file with. `--mount` makes no folders.
_PROBE = f"""{PRELUDE}
docker=$1 token=$2 networks=$3 application=$4
shift 4
label="{LABEL}=$token"
mark=.slipway-probe-$token
tidy() {{
    ids=$("$docker" container ls --all --quiet --filter "label=$label" 2>/dev/null) || ids=
    [ -z "$ids" ] || "$docker" container rm --force --volumes $ids >/dev/null 2>&1 || :
    ids=$("$docker" network ls --quiet --filter "label=$label" 2>/dev/null) || ids=
    [ -z "$ids" ] || "$docker" network rm $ids >/dev/null 2>&1 || :
    [ -z "$tried" ] || rm -f -- "$tried/$mark" 2>/dev/null || :
}}
tried=
trap tidy EXIT
trap 'exit 75' HUP INT TERM
while [ "$networks" -gt 0 ]; do
    said=$("$docker" network create --label "$label" "slipway-probe-$token-$networks" 2>&1) || {{
        text network "$said"
        break
    }}
    networks=$((networks - 1))
done
run() {{
    "$docker" container run --rm --label "$label" --network none --pull never --read-only \\
        --cap-drop ALL --security-opt no-new-privileges --entrypoint /bin/sh "$@"
}}
image=
[ "$#" -eq 0 ] || for one in $("$docker" image ls --filter "reference=$application/*" \\
        --format '{{{{.Repository}}}} {{{{.ID}}}}' | sort -u -k 1,1 | cut -d ' ' -f 2); do
    if run "$one" -c : </dev/null >/dev/null 2>&1; then image=$one; break; fi
done
text image "$image"
write='( : >"/probe/$1" ) 2>/dev/null || exit {_REFUSED}; rm -f "/probe/$1" 2>/dev/null || :'
read='[ -r "/probe" ] && [ -x "/probe" ] || exit {_REFUSED}'
while [ -n "$image" ] && [ "$#" -gt 0 ]; do
    user=$1 kind=$2 tried=$3
    shift 3
    case $kind in write) body=$write access= ;; *) body=$read access=,readonly ;; esac
    code=0
    if [ "$user" = - ]; then as=; else as="--user=$user"; fi
    run $as --mount "type=bind,source=$tried,target=/probe$access" "$image" \\
        -c "$body" sh "$mark" </dev/null >/dev/null 2>&1 || code=$?
    rm -f -- "$tried/$mark" 2>/dev/null || :
    text "$kind $user $tried" "$code"
done
tried=
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """A folder to try.

    Attributes:
        path: absolute, on the host.
        user: as whom, as Compose says it; empty for the image's own.
        writes: whether to write there; else to look into it.
    """

    path: str
    user: str
    writes: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """What trying told.

    Attributes:
        network: Docker's words when it could make no network; empty when it could.
        tried: whether there was an image to try folders with.
        access: what each trial came to.
    """

    network: str = ""
    tried: bool = False
    access: Mapping[Trial, Access] = field(default_factory=dict)


def probe(
    host: Host,
    token: str,
    *,
    docker: str,
    application: str,
    networks: int,
    trials: Iterable[Trial],
) -> Probe:
    """Try, in one round trip.

    Args:
        host: where.
        token: letters and digits that nobody else uses.
        docker: the docker program there.
        application: whose images may be used.
        networks: how many networks to make beside each other.
        trials: folders that are there.

    Raises:
        HostError: it can't be asked.
    """
    # A comma or a quotation mark would end the value of --mount, which is read as CSV.
    wanted = [
        one
        for one in trials
        if one.path.isprintable()
        and not set(one.path) & set(',"')
        and one.user.split() in ([], [one.user])
    ]
    words = [word for one in wanted for word in _words(one)]
    argv = ("sh", "-c", _PROBE, "probe", docker, token, str(networks), application, *words)
    done = host.run(argv, timeout=_TRY_S)
    found = sections(done.stdout, where=host.name)
    return parse_probe({name: data.decode("utf-8", "replace") for name, data in found}, wanted)


def parse_probe(found: Mapping[str, str], trials: Sequence[Trial]) -> Probe:
    """Read what the script printed. Pure."""
    known: dict[str, Access] = {"0": "yes", str(_REFUSED): "no"}
    return Probe(
        network=found.get("network", ""),
        tried=bool(found.get("image")),
        access={one: known.get(found.get(_section(one), ""), "unknown") for one in trials},
    )


def _section(trial: Trial) -> str:
    user, kind, path = _words(trial)
    return f"{kind} {user} {path}"


def _words(trial: Trial) -> tuple[str, str, str]:
    return (trial.user or "-", "write" if trial.writes else "read", trial.path)
