"""Send a small archive as its difference from the one sent before.

A changed line makes a new application layer, nearly all of whose bytes the host got with the
layer before. So the host keeps the last small archive, its *reference*, and so does this machine;
the next archive is compressed against it (RFC 8878, raw dictionary) and restored there by the
host's own ``zstd -D``. The restored file is compared with its sha256 before Docker reads it.

All of it can only save bytes. Where a part is missing (no zstd, no reference, bytes that this
machine doesn't have) or fails, the caller sends the archive in the usual way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from slipway.doors import Completed, Host
from slipway.hosts.facts import Facts
from slipway.hosts.feed import FED
from slipway.hosts.load import Loaded, examined
from slipway.hosts.shelf import Shelf
from slipway.images.archive import archive
from slipway.images.compress import against
from slipway.images.layers import stream
from slipway.images.transfer import Transfer
from slipway.images.values import Image, Layer

LIMIT: Final = 16_000_000
"""Bytes of an archive, at most: it is held in memory, and zstd takes dictionaries up to 32 MB."""

_SEED_BYTES: Final = 8_000_000
_SEED_LAYER_BYTES: Final = 2_000_000
_OLDEST_ZSTD: Final = (1, 4)
_REFERENCE: Final = re.compile(r"[0-9a-f]{64}\Z")

NOT_RESTORED, NO_ROOM, STOPPED = 71, 72, 75
_WHY: Final = {
    NOT_RESTORED: "the host could not restore it",
    NO_ROOM: "the host has no place for it",
    STOPPED: "the host stopped it",
}

# $1 docker (- loads nothing), $2 the cache, $3 sha256 of the archive, $4 that of its reference
# or -. The one pipe ends in what notices a torn archive, so that no part's failure hides behind
# another's success. A reference that is not what its name says is removed. Only what Docker has
# loaded becomes the reference.
_LOAD = f"""set -eu
{FED}umask 077
docker=$1 cache=$2 archive=$3 reference=$4 fresh=
trap '[ -z "$fresh" ] || rm -f -- "$fresh"' EXIT
trap 'exit 75' HUP INT TERM
failed() {{
    if [ "$reference" != - ]; then
        sum=$(sha256sum <"$cache/reference.$reference") || sum=
        [ "${{sum%% *}}" = "$reference" ] || rm -f -- "$cache/reference.$reference"
    fi
    exit 71
}}
mkdir -p -- "$cache" || exit 72
rm -f -- "$cache"/.slipway.* || exit 72
fresh=$(mktemp -- "$cache/.slipway.XXXXXXXXXX") || exit 72
if [ "$reference" = - ]; then
    fed | zstd -q -d -c >"$fresh" || failed
else
    fed | zstd -q -d -c -D "$cache/reference.$reference" >"$fresh" || failed
fi
sum=$(sha256sum <"$fresh") || failed
[ "${{sum%% *}}" = "$archive" ] || failed
[ "$docker" = - ] || "$docker" load --quiet <"$fresh"
mv -f -- "$fresh" "$cache/reference.$archive" || exit 0
fresh=
for old in "$cache"/reference.*; do
    [ "$old" = "$cache/reference.$archive" ] || rm -f -- "$old" || :
done
"""


def seeds(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The small layers of a large archive, those likely to change a little next time. Pure.

    The smallest come first, eight megabytes in all at most.
    """
    chosen: list[Layer] = []
    left = _SEED_BYTES
    for layer in sorted(layers, key=lambda one: (one.bytes, one.digest)):
        if layer.bytes > min(left, _SEED_LAYER_BYTES):
            break
        chosen.append(layer)
        left -= layer.bytes
    return tuple(chosen)


class Delta:
    """Both sides' references of one host.

    Args:
        host: where.
        cache: the folder for the reference there, absolute.
        shelf: this machine's side.
        warn: told when something failed that should have worked.
        docker: the docker program there.
        stall_timeout: seconds without a byte taken after which a transfer is given up.
    """

    def __init__(
        self,
        host: Host,
        cache: str,
        shelf: Shelf,
        warn: Callable[[str], None],
        *,
        docker: str = "docker",
        stall_timeout: float = 60.0,
    ) -> None:
        self._host, self._cache, self._shelf, self._warn = host, cache, shelf, warn
        self._docker, self._stall_timeout = docker, stall_timeout

    def load(
        self,
        transfer: Transfer,
        facts: Facts,
        counted: Callable[[Iterator[bytes]], Iterator[bytes]],
    ) -> Loaded | None:
        """Load a small archive by its difference from the reference.

        Args:
            transfer: what to send.
            facts: what the host is like.
            counted: is given the compressed chunks, and gives them back as they are sent.

        Returns:
            What is there now, or None when the archive has to be sent in the usual way.

        Raises:
            HostError: the connection broke, or Docker doesn't answer.
            BuildError: an image differs from its description; nothing was sent.
        """
        if not 0 < transfer.bytes_to_send <= LIMIT:
            return None
        if not _able(facts):
            return None
        data = b"".join(archive(transfer))
        done = self._send(data, facts, counted, docker=self._docker)
        if done.exit_code in _WHY:
            self._warn(f"{_failure('the difference', done)}; sending the images whole")
            return None
        return examined(self._host, done, transfer.images, docker=self._docker)

    def seed(
        self,
        images: Sequence[Image],
        facts: Facts,
        counted: Callable[[Iterator[bytes]], Iterator[bytes]],
    ) -> None:
        """Give both sides a first reference after a large archive: the images' small layers.

        Args:
            images: the images that were sent.
            facts: what the host is like.
            counted: as for :meth:`load`.

        Raises:
            HostError: the connection broke.
            BuildError: a layer differs from its description.
        """
        layers = {layer.digest: layer for image in images for layer in image.layers}
        data = b"".join(chunk for layer in seeds(list(layers.values())) for chunk in stream(layer))
        if not data or not _able(facts):
            return
        done = self._send(data, facts, counted, docker="-")
        if not done.ok:
            self._warn(f"{_failure('the first reference', done)}; the next change costs more bytes")

    def _send(
        self,
        data: bytes,
        facts: Facts,
        counted: Callable[[Iterator[bytes]], Iterator[bytes]],
        *,
        docker: str,
    ) -> Completed:
        """Send ``data``; when it arrived, it is the reference from now on."""
        name, known = self._common(facts)
        archived = hashlib.sha256(data).hexdigest()
        argv = ("sh", "-c", _LOAD, "delta", docker, self._cache, archived, name)
        chunks = counted(against(data, known))
        done = self._host.stream(argv, chunks, stall_timeout=self._stall_timeout)
        if done.ok:
            try:
                self._shelf.keep(data)
            except OSError as error:
                self._warn(f"what was sent can't be kept here: {error}; the next costs more bytes")
        return done

    def _common(self, facts: Facts) -> tuple[str, bytes]:
        """The name and the bytes of a reference that both sides have, or ``-`` and none."""
        for name in filter(_REFERENCE.match, facts.references):
            if known := self._shelf.get(name):
                return name, known
        return "-", b""


def _able(facts: Facts) -> bool:
    """Whether the host can restore an archive."""
    return facts.zstd >= _OLDEST_ZSTD


def _failure(what: str, done: Completed) -> str:
    why = _WHY.get(done.exit_code, f"it ended with {done.exit_code}")
    lines = done.error_text.strip().splitlines()
    return f"{what} was refused: {why}{f' ({lines[-1].strip()})' if lines else ''}"
