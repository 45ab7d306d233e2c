"""How often a host is asked: every round trip is felt where it is far away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from slipway.doors import Completed, Host


class CountingHost:
    """A :class:`slipway.doors.Host` that counts what is asked of another one.

    Every call but ``close`` is one command there, so one round trip at least.

    Args:
        host: who does the work.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        #: Calls by kind: ``run``, ``stream``, ``pipe``, ``interact``, ``put``, ``read``.
        self.counts: Counter[str] = Counter()
        #: The first words of each, in order, for a test's message.
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        """The other host's name."""
        return self._host.name

    @property
    def total(self) -> int:
        """Commands in all."""
        return self.counts.total()

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        check: bool = True,
    ) -> Completed:
        """Count, and let the other host run it."""
        self._count("run", *_short(argv))
        return self._host.run(argv, timeout=timeout, input=input, check=check)

    def launch(self, argv: Sequence[str], *, timeout: float, input: bytes) -> Completed:
        """Count, and let the other host run it."""
        self._count("run", *_short(argv))
        return self._host.launch(argv, timeout=timeout, input=input)

    def stream(
        self, argv: Sequence[str], chunks: Iterable[bytes], *, stall_timeout: float
    ) -> Completed:
        """Count, and let the other host take the stream."""
        self._count("stream", *_short(argv))
        return self._host.stream(argv, chunks, stall_timeout=stall_timeout)

    def pipe(
        self, argv: Sequence[str], chunks: Iterable[bytes], use: Callable[[bytes], object]
    ) -> Completed:
        """Count, and let the other host run it."""
        self._count("pipe", *_short(argv))
        return self._host.pipe(argv, chunks, use)

    def interact(self, argv: Sequence[str]) -> int:
        """Count, and let the other host run it."""
        self._count("interact", *_short(argv))
        return self._host.interact(argv)

    def put(self, path: str, data: bytes, *, mode: int, owner: int | None = None) -> None:
        """Count, and let the other host write it."""
        self._count("put", path)
        self._host.put(path, data, mode=mode, owner=owner)

    def read(self, path: str) -> bytes | None:
        """Count, and let the other host read it."""
        self._count("read", path)
        return self._host.read(path)

    def close(self) -> None:
        """Close the other host."""
        self._host.close()

    def _count(self, kind: str, *words: str) -> None:
        self.counts[kind] += 1
        self.asked.append(" ".join((kind, *words)))


def _short(argv: Sequence[str]) -> Sequence[str]:
    """The first words; of a script of ours its name and first arguments."""
    return argv[3:6] if tuple(argv[:2]) == ("sh", "-c") else argv[:6]
