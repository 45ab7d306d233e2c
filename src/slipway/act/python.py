"""Python for a host that has none, or too old a one: that of an image which was sent there.

The runner is Python. An image's interpreter, its standard library and the libraries of C that both
need are copied beside the runner, once. They are started by their own loader (ld.so(8)), so that
the host's own libraries don't count: they may be older, or another C library's. Nothing is sent.
"""

from __future__ import annotations

from slipway.doors import Completed, Host

_BRING_S = 120.0
_NONE = 68

#: Below the runner's folder.
PLACE = "python/usr/bin/python"

# ``$0`` as Python's own name lets it find its library beside it, and start itself again.
_START = """#!/bin/sh
top=${0%/usr/bin/*}
exec "$top"/usr/lib64/ld-linux-* --argv0 "$0" --library-path "$top/usr/lib/$(uname -m)-linux-gnu" \\
    "$top/usr/bin/python3" "$@"
"""

# $1 docker, $2 the runner's folder, $3 the application, $4 what starts it. A container that is only
# made, and never started, is how Docker lets files be copied out of an image. Debian's interpreter
# alone has its version in its name.
_BRING = r"""set -eu
docker=$1 folder=$2 application=$3 start=$4 fresh=
name=$application-python names='/^bin\/python3[.0-9]*$/p'
gone() { "$docker" rm --force "$name" >/dev/null 2>&1 || :; }
trap 'gone; [ -z "$fresh" ] || rm -rf -- "$fresh"' EXIT
trap 'exit 75' HUP INT TERM
mkdir -p -- "$folder"
for image in $("$docker" image ls --format '{{.Repository}}:{{.Tag}}' \
        --filter "reference=$application/*"); do
    gone
    "$docker" create --name "$name" "$image" - >/dev/null 2>&1 || continue
    found=$("$docker" cp "$name:/usr/bin" - 2>/dev/null | tar -t 2>/dev/null | sed -n "$names")
    [ -n "$found" ] || continue
    fresh=$(mktemp -d -- "$folder/.slipway.XXXXXXXXXX")
    "$docker" cp "$name:/usr" - | tar -x -C "$fresh" usr/bin usr/lib usr/lib64
    [ -e "$fresh/usr/bin/python3" ] || ln -s -- "${found##*/}" "$fresh/usr/bin/python3"
    printf %s "$start" >"$fresh/usr/bin/python"
    chmod -- 0755 "$fresh" "$fresh/usr/bin/python"
    "$fresh/usr/bin/python" -I -c 'import ctypes, json, sys; sys.exit(sys.version_info < (3, 9))'
    rm -rf -- "$folder/python"
    mv -- "$fresh" "$folder/python"
    fresh=
    exit 0
done
exit 68
"""


def bring(host: Host, folder: str, application: str, docker: str) -> Completed:
    """Copy Python out of one of the application's images.

    Args:
        host: where.
        folder: the runner's, absolute.
        application: its name, which its images' references begin with.
        docker: the docker program there.

    Returns:
        How that ended; 0 when it is there at :data:`PLACE`.

    Raises:
        HostError: the host can't be asked.
    """
    argv = ("sh", "-c", _BRING, "python", docker, folder, application, _START)
    return host.run(argv, timeout=_BRING_S, check=False)


def why(done: Completed) -> tuple[str, ...]:
    """Why there is none, for a person."""
    if done.exit_code == _NONE:
        return ("no image of the application has one, either",)
    return tuple(done.error_text.strip().splitlines()[-1:])
