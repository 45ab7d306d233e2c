"""Send images to a host's Docker: as a difference where that is possible, else whole.

Apart from :mod:`slipway.hosts.docker`, because what it needs is loaded only where images are sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from slipway.doors import Host
from slipway.errors import HostError
from slipway.hosts.delta import LIMIT, Delta
from slipway.hosts.facts import Facts
from slipway.hosts.load import Loaded, load, pick_encoding, wait_for_docker
from slipway.images.archive import archive
from slipway.images.compress import compressed
from slipway.images.transfer import Transfer, whole
from slipway.report import Progress

_STALL_S = 60.0


class _Wire:
    """Counts the bytes that really go out."""

    def __init__(self) -> None:
        self.bytes = 0

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks as they are."""
        for chunk in chunks:
            self.bytes += len(chunk)
            yield chunk


@dataclass(frozen=True, slots=True)
class Sending:
    """One transfer's way to a host.

    Attributes:
        host: where.
        docker: the docker program there.
        facts: what the host is like.
        delta: sends small archives as a difference; None where no bytes are to be saved.
        wire: counts what goes out.
    """

    host: Host
    docker: str
    facts: Facts
    delta: Delta | None
    wire: _Wire = field(default_factory=_Wire)

    def send(self, transfer: Transfer, progress: Progress) -> int:
        """Send images; what is in doubt is sent once more, whole.

        Returns:
            Bytes that went over the wire.

        Raises:
            HostError: Docker there did not load them as sent, or the connection is gone.
        """
        loaded = self._difference(transfer, progress) or self._stream(transfer, progress)
        said = loaded.said
        if loaded.doubtful:
            wait_for_docker(self.host, self.docker)
            loaded = self._stream(whole(loaded.doubtful), progress)
            said = tuple(dict.fromkeys((*said, *loaded.said)))
        if loaded.doubtful:
            names = ", ".join(image.reference for image in loaded.doubtful)
            raise HostError(
                f"Docker on {self.host.name} did not load {names} as sent; what runs still runs",
                details=said,
                hint="look at free disk space and at Docker's own log there",
                stage="transfer",
            )
        if self.delta is not None and transfer.bytes_to_send > LIMIT:
            self.delta.seed(transfer.images, self.facts, self.wire.counted)
        return self.wire.bytes

    def _difference(self, transfer: Transfer, progress: Progress) -> Loaded | None:
        """Send a transfer as a difference; None when it has to go in the usual way."""
        if self.delta is None:
            return None
        loaded = self.delta.load(transfer, self.facts, self.wire.counted)
        if loaded is not None:
            progress.advance(transfer.bytes_to_send)
        return loaded

    def _stream(self, transfer: Transfer, progress: Progress) -> Loaded:
        """Send a transfer in the way that any host takes."""
        chunks = compressed(
            _counted(archive(transfer), progress),
            pick_encoding(self.facts),
            size=transfer.bytes_to_send,
        )
        return load(
            self.host,
            self.wire.counted(chunks),
            transfer.images,
            docker=self.docker,
            stall_timeout=_STALL_S,
        )


def _counted(chunks: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    for chunk in chunks:
        progress.advance(len(chunk))
        yield chunk
