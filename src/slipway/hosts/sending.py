"""Send images to a host's Docker: as a difference where that is possible, else whole.

Apart from :mod:`slipway.hosts.docker`, because what it needs is loaded only where images are sent.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from slipway.doors import Host
from slipway.errors import HostAway, HostError
from slipway.hosts.delta import LIMIT, Delta
from slipway.hosts.facts import Facts
from slipway.hosts.load import Loaded, load, pick_encoding, wait_for_docker
from slipway.hosts.unreachable import broken_off
from slipway.images.archive import archive
from slipway.images.compress import compressed
from slipway.images.portions import partial, portions
from slipway.images.transfer import Transfer, plan_transfer, whole
from slipway.images.values import HeldImages
from slipway.report import Progress

#: Seconds before each further try that brings nothing: a line that was down for a minute is found
#: up again.
PAUSES_S: Final = (1.0, 4.0, 15.0, 40.0)
_STALL_S = 60.0
_REMOVE_S = 120.0


class Wire:
    """Counts what goes out: bytes on the wire, and how far that is for who watches.

    Args:
        progress: whoever watches.
        total: bytes, before compression, that they were told of.

    Attributes:
        bytes: on the wire.
        arrived: portions that Docker there has loaded.
    """

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._count = 0
        self.bytes = self.arrived = 0

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks as they are, each counted as bytes on the wire."""
        for chunk in chunks:
            self.bytes += len(chunk)
            yield chunk

    def shown(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks as they are, each shown as it is before compression."""
        for chunk in chunks:
            self.advance(len(chunk))
            yield chunk

    def advance(self, amount: int) -> None:
        """Show that much more."""
        self._count += amount
        self._progress.advance(amount)

    def left(self, amount: int) -> None:
        """So many bytes are left, whatever was thought."""
        self._progress.expect(self._count + amount - self._total)
        self._total = self._count + amount


@dataclass(frozen=True, slots=True)
class Sending:
    """One transfer's way to a host.

    Attributes:
        host: where.
        docker: the docker program there.
        facts: what the host is like.
        delta: sends small archives as a difference; None where no bytes are to be saved.
        wire: counts what goes out.
        arriving: what was sent only to hold layers, also before a line broke.
    """

    host: Host
    docker: str
    facts: Facts
    delta: Delta | None
    wire: Wire
    arriving: list[str] = field(default_factory=list)

    def send(self, transfer: Transfer) -> None:
        """Send images, large ones in portions; what is in doubt is sent once more, whole.

        What only held layers goes at the end. After a line that broke it stays for the next try,
        or for the next deploy, which finds the layers by it and takes it away.

        Raises:
            HostAway: the connection is gone; the portions that arrived are there.
            HostError: Docker there did not load them as sent.
        """
        try:
            if transfer.images:
                self._send(transfer)
        except HostAway:
            raise
        except HostError:
            self._take_away()
            raise
        self._take_away()

    def _send(self, transfer: Transfer) -> None:
        loaded = self._difference(transfer) or self._portions(transfer)
        said = loaded.said
        if loaded.doubtful:
            wait_for_docker(self.host, self.docker)
            again = whole(loaded.doubtful)
            self.wire.left(again.bytes_to_send)
            loaded = self._stream(again)
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

    def _take_away(self) -> None:
        """Remove what only held layers; the images are there, whether that succeeds or not."""
        if self.arriving:
            argv = (self.docker, "image", "rm", *self.arriving)
            with contextlib.suppress(HostError):
                self.host.run(argv, timeout=_REMOVE_S, check=False)

    def _difference(self, transfer: Transfer) -> Loaded | None:
        """Send a transfer as a difference; None when it has to go in the usual way."""
        if self.delta is None:
            return None
        loaded = self.delta.load(transfer, self.facts, self.wire.counted)
        if loaded is not None:
            self.wire.advance(transfer.bytes_to_send)
        return loaded

    def _portions(self, transfer: Transfer) -> Loaded:
        """Send a transfer in portions; after one that is in doubt the others are not tried."""
        parts = portions(transfer)
        self.wire.left(sum(one.bytes_to_send for one in parts))
        good: list[str] = []
        for one in parts:
            self.arriving.extend(each.reference for each in partial(one.images))
            loaded = self._stream(one)
            good += loaded.good
            if loaded.doubtful:
                left = tuple(each for each in transfer.images if each.reference not in good)
                return Loaded(tuple(good), left, loaded.said)
            self.wire.arrived += 1
        return loaded

    def _stream(self, transfer: Transfer) -> Loaded:
        """Send a transfer in the way that any host takes."""
        chunks = compressed(
            self.wire.shown(archive(transfer)),
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


def persist(
    sending: Sending,
    transfer: Transfer,
    held: Callable[[], HeldImages],
    warn: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send images, and take the transfer up again when the line breaks: a few times, then not.

    Args:
        sending: the way there.
        transfer: what to send.
        held: asks what the host has by now.
        warn: told of each break.
        sleep: waits.

    Raises:
        HostUnreachable: the line broke too often with nothing gained, or there is no way any more.
        HostError: as :meth:`Sending.send`.
    """
    breaks: list[HostAway] = []
    pauses = iter(PAUSES_S)
    while True:
        arrived = sending.wire.arrived
        try:
            if breaks:
                wait_for_docker(sending.host, sending.docker)
                transfer = plan_transfer(transfer.images, held())
                sending.wire.left(transfer.bytes_to_send)
            return sending.send(transfer)
        except HostAway as error:
            breaks.append(error)
        if sending.wire.arrived > arrived:
            pauses = iter(PAUSES_S)
        pause = next(pauses, None)
        if pause is None:
            raise broken_off(sending.host.name, breaks)
        warn(f"{breaks[-1].message}; going on with the transfer in {pause:g} s")
        sleep(pause)
