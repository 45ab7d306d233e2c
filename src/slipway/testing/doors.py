"""Fakes that fit the doors, for tests of code that acts.

An unexpected command is an error: a fake that answers anything proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from slipway.doors import Answer, Completed
from slipway.errors import CommandFailed

Reply = bytes | str | int | Completed | Exception
Rule = tuple[tuple[str, ...], "Reply | Callable[[tuple[str, ...], bytes], Reply]"]


@dataclass
class _Scripted:
    """Answers commands by their longest matching prefix and remembers them."""

    rules: list[Rule] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)

    def on(
        self, *prefix: str, reply: Reply | Callable[[tuple[str, ...], bytes], Reply] = b""
    ) -> None:
        """Answer commands that start with ``prefix``; the newest rule of a length wins."""
        self.rules.insert(0, (prefix, reply))

    def answer(self, argv: Sequence[str], data: bytes, *, check: bool, where: str) -> Completed:
        call = tuple(argv)
        self.calls.append(call)
        self.inputs.append(data)
        fitting = [rule for rule in self.rules if call[: len(rule[0])] == rule[0]]
        if not fitting:
            raise AssertionError(f"unexpected command on {where}: {call}")
        _, reply = max(fitting, key=lambda rule: len(rule[0]))
        result = reply(call, data) if callable(reply) else reply
        if isinstance(result, Exception):
            raise result
        completed = _completed(call, result)
        if check and not completed.ok:
            raise CommandFailed(call, completed.exit_code, completed.error_text, where=where)
        return completed


def _completed(call: tuple[str, ...], reply: object) -> Completed:
    if isinstance(reply, Completed):
        return reply
    if isinstance(reply, int):
        return Completed(call, reply, b"", b"")
    data = reply.encode() if isinstance(reply, str) else bytes(reply)  # type: ignore[call-overload]
    return Completed(call, 0, data, b"")


@dataclass
class FakeShell(_Scripted):
    """A :class:`slipway.doors.Shell` that runs nothing.

    Attributes:
        environments: the variables that each call was given.
    """

    environments: list[Mapping[str, str]] = field(default_factory=list)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        check: bool = True,
        watch: Callable[[str], None] | None = None,
    ) -> Completed:
        """Answer by the rules given to :meth:`on`."""
        self.environments.append(dict(env or {}))
        return self.answer(argv, input or b"", check=check, where="this machine")


@dataclass
class FakeHost(_Scripted):
    """A :class:`slipway.doors.Host` whose files live in ``files``."""

    name: str = "fake"
    files: dict[str, bytes] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    streamed: list[bytes] = field(default_factory=list)
    closed: bool = False

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        input: bytes | None = None,
        check: bool = True,
    ) -> Completed:
        """Answer by the rules given to :meth:`on`."""
        return self.answer(argv, input or b"", check=check, where=self.name)

    def launch(self, argv: Sequence[str], *, timeout: float, input: bytes) -> Completed:
        """As :meth:`run`."""
        return self.run(argv, timeout=timeout, input=input, check=False)

    def stream(
        self, argv: Sequence[str], chunks: Iterable[bytes], *, stall_timeout: float
    ) -> Completed:
        """Take the whole stream, keep it in ``streamed``, answer by the rules."""
        self.streamed.append(b"".join(chunks))
        return self.answer(argv, self.streamed[-1], check=False, where=self.name)

    def pipe(
        self, argv: Sequence[str], chunks: Iterable[bytes], use: Callable[[bytes], object]
    ) -> Completed:
        """Take the whole input, keep it in ``streamed``, answer by the rules."""
        done = self.stream(argv, chunks, stall_timeout=0)
        use(done.stdout)
        return Completed(done.argv, done.exit_code, b"", done.stderr)

    def interact(self, argv: Sequence[str]) -> int:
        """Answer by the rules; the exit code."""
        return self.answer(argv, b"", check=False, where=self.name).exit_code

    def put(self, path: str, data: bytes, *, mode: int, owner: int | None = None) -> None:
        """Keep the file in ``files``."""
        self.files[path] = data
        self.modes[path] = mode

    def read(self, path: str) -> bytes | None:
        """The file kept in ``files``."""
        return self.files.get(path)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@dataclass
class FakeHttp:
    """A :class:`slipway.doors.Http` that answers from lists; the last answer repeats."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    trusted: list[str] = field(default_factory=list)
    certificates: dict[str, bytes] = field(default_factory=dict)
    through: str = ""

    def proxy(self) -> str:
        """The one that it was told of."""
        return self.through

    def close(self) -> None:
        """There are none."""

    def certificate(self, url: str, *, timeout: float) -> bytes:
        """The one that was given it."""
        return self.certificates.get(url, b"")

    def trusting(self, roots: str) -> FakeHttp:
        """Itself; what it was told to trust is remembered."""
        self.trusted.append(roots)
        return self

    def get(self, url: str, *, timeout: float) -> Answer:
        """The next answer for ``url``."""
        self.asked.append(url)
        if url not in self.answers:
            raise AssertionError(f"unexpected request: {url}")
        left = self.answers[url]
        return left.pop(0) if len(left) > 1 else left[0]


@dataclass
class FakeClock:
    """A :class:`slipway.doors.Clock` whose time moves only by ``sleep``."""

    seconds: float = 0.0
    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """The start plus what was slept."""
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Seconds slept so far."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.seconds += seconds
