"""Our own marks around a command's output, so that nothing around it is taken for output.

A login shell may print before it runs a command (``echo`` in ``.bashrc``, a banner of a forced
command), on both outputs, and something may print after it. So the command runs inside of a small
script that writes random marks first and last; only what stands between them counts. The line sent
for it is quoted so that POSIX shells, fish and csh read the same words. Pure.

The marks, after a random text: ``?`` before sudo is asked, ``<`` right before the command (as root
when sudo is used), ``>CODE;`` right after it. Where ``<`` never comes the command did not start:
after a ``?`` the words in between are sudo's, else they are the login shell's.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from slipway.hosts.command import sound

_KEPT_NOISE = 8192
_CODE_BYTES = 4
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+\Z")
# Words as fish, csh and POSIX shells read them alike: inside of single quotes a backslash means
# something to fish, and an exclamation mark or a new line something to csh.
_PIECES = re.compile(r"(?P<mark>['\\!])|(?P<text>[^'\\!]+)")
_MARKS = {"'": '"\'"', "\\": "\\\\", "!": "\\!"}
# $m is the random text, "$@" the command.
_FRAMED = (
    'printf %s "$m<"; printf %s "$m<" >&2; "$@"; c=$?; '
    'printf %s "$m>$c;"; printf %s "$m>$c;" >&2; exit $c'
)
# The same for a command that leaves somebody behind: what made it root stays as long as that one
# does, whom descriptor 9 tells.
_FRAMED_ON = (
    'exec 3>&1; { printf %s "$m<"; printf %s "$m<" >&2; "$@"; c=$?; '
    'printf %s "$m>$c;"; printf %s "$m>$c;" >&2; } 9>&1 1>&3 3>&- | cat >/dev/null 3>&-'
)
# Around it, as the login user: its output is passed on once the command itself has ended. A child
# that ended and was not waited for is still there, so its code is what tells.
_ON = (
    'd=$(mktemp -d) || exit; exec 3<&0; {{ {root} <&3 3<&- >"$d/out" 2>"$d/err"; '
    'echo $? >"$d/code"; }} >/dev/null 2>&1 </dev/null & exec 3<&-; t=0; '
    'while [ ! -e "$d/code" ] && ! grep -q "$m>" "$d/err" && [ $t -lt {turns} ]; do '
    "t=$((t + 1)); sleep 0.1 2>/dev/null || sleep 1; done; "
    'cat "$d/out"; cat "$d/err" >&2; c=$(cat "$d/code" 2>/dev/null); rm -rf "$d"; exit "${{c:-0}}"'
)
_TURNS = 600
_ASKED = 'printf %s "$m?"; printf %s "$m?" >&2; '
_NEW_LINE = 'n=$(printf "\\n."); n=${n%.}; '


def new_mark() -> str:
    """Random text that no output holds."""
    return secrets.token_hex(8)


def line(argv: Sequence[str]) -> str:
    """The line for a login shell that has ``argv`` run in the shell's place, unframed.

    Raises:
        HostError: an argument that no program can be given.
    """
    return _for_any_shell(f"exec {_words(argv)}", argv)


def framed(argv: Sequence[str], mark: str, *, root: Sequence[str] = ()) -> str:
    """The line for a login shell that has ``argv`` run between marks.

    Args:
        argv: program and arguments.
        mark: from :func:`new_mark`. In the line nothing of what is looked for follows it, so
            that a shell which repeats its commands (``set -x``) is not taken for the command.
        root: what makes the command run as root, such as ``sudo -n --``.

    Raises:
        HostError: an argument that no program can be given.
    """
    script = f"m={mark}; "
    if root:
        inner = shlex.quote(f"m=$0; {_FRAMED}")
        script += f'{_ASKED}exec {_words(root)} sh -c {inner} "$m" {_words(argv)}'
    else:
        script += f"set -- {_words(argv)}; {_FRAMED}"
    return _for_any_shell(script, argv)


def left_running(argv: Sequence[str], mark: str, *, root: Sequence[str]) -> str:
    """The line for a login shell that has ``argv`` run between marks, and leave somebody behind.

    sudo that logs what commands start (``log_subcmds``, which TrueNAS sets) traces them, and none
    of them starts anything once it is gone (sudoers(5), ``intercept_type``). So here sudo goes on
    until all have ended to whom ``argv`` left its descriptor 9, and the line ends before.

    Args:
        argv: program and arguments.
        mark: as for :func:`framed`.
        root: likewise.

    Raises:
        HostError: an argument that no program can be given.
    """
    inner = shlex.quote(f"m=$0; {_FRAMED_ON}")
    command = f'{_words(root)} sh -c {inner} "$m" {_words(argv)}'
    return _for_any_shell(f"m={mark}; {_ASKED}{_ON.format(root=command, turns=_TURNS)}", argv)


def _for_any_shell(script: str, argv: Sequence[str]) -> str:
    if any("\n" in argument for argument in sound(argv)):
        script = _NEW_LINE + script
    return f"exec sh -c {quote(script)}"


def _words(argv: Sequence[str]) -> str:
    """As sh reads them; a new line is the variable ``n``, for csh has no quotes for one."""
    return " ".join('"$n"'.join(map(shlex.quote, word.split("\n"))) for word in argv)


def quote(word: str) -> str:
    """One word without a new line, as POSIX shells, fish and csh read it alike."""
    if _PLAIN.match(word):
        return word
    return (
        "".join(
            _MARKS[piece["mark"]] if piece["mark"] else f"'{piece['text']}'"
            for piece in _PIECES.finditer(word)
        )
        or "''"
    )


@dataclass(slots=True)
class Unframed:
    """Takes one output of a framed command apart, piece by piece.

    Attributes:
        mark: the one given to :func:`framed`.
        use: takes what the command itself wrote.
        on_begin: called when the command starts.
        asked: whether sudo was asked.
        begun: whether the command started.
        code: its exit code, once it ended.
        noise: the last bytes that came before it started, from the ``?`` on when sudo was asked.
    """

    mark: str
    use: Callable[[bytes], object]
    on_begin: Callable[[], object] = lambda: None
    asked: bool = False
    begun: bool = False
    code: int | None = None
    noise: bytes = b""
    _rest: bytes = field(default=b"", repr=False)
    _passed: int = 0  # of _rest, passed on already
    _over: bool = False

    def feed(self, piece: bytes) -> None:
        """Take the next piece; passes on at once whatever can't be the beginning of a mark."""
        if not self.begun:
            piece = self._before(piece)
        if self.begun and piece and not self._over:
            piece = self._inside(self._rest + piece)
        if self._over and self.code is None:
            self._rest += piece[: _CODE_BYTES + 1]
            digits, closed, _ = self._rest.partition(b";")
            if closed and digits.isdigit():
                self.code = int(digits)

    def close(self) -> None:
        """The output ended: what was held back was no mark."""
        self.quiet()

    def quiet(self) -> None:
        """Nothing more comes for now: pass on what is held back, for somebody may wait for it.

        Of a mark that goes on after a pause the beginning is passed on, too; its end is seen.
        """
        if self.holds:
            rest, self._passed = self._rest[self._passed :], len(self._rest)
            self.use(rest)

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        return self.begun and not self._over and len(self._rest) > self._passed

    def _before(self, piece: bytes) -> bytes:
        """What belongs to the command, after looking for the marks before it."""
        self.noise += piece
        _, found, after = self.noise.partition(f"{self.mark}?".encode())
        if found:
            self.asked, self.noise = True, after
        words, found, after = self.noise.partition(f"{self.mark}<".encode())
        if not found:
            self.noise = self.noise[-_KEPT_NOISE:]
            return b""
        self.noise, self.begun = words, True
        self.on_begin()
        return after

    def _inside(self, data: bytes) -> bytes:
        """Pass on the command's output; what comes after the mark behind it is returned."""
        end = f"{self.mark}>".encode()
        at = data.find(end)
        if at >= 0:
            self._over, self._rest = True, b""
            self._use(data[self._passed : at])
            return data[at + len(end) :]
        held = next((n for n in range(len(end) - 1, 0, -1) if data.endswith(end[:n])), 0)
        sure = len(data) - held
        self._use(data[self._passed : sure])
        self._rest, self._passed = data[sure:], max(0, self._passed - sure)
        return b""

    def _use(self, data: bytes) -> None:
        if data:
            self.use(data)
