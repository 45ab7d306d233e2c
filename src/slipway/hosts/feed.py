"""Standard input of a command on a host, that ends when nothing comes any more. Pure text.

A line that is cut without a word leaves the host's sshd waiting, for two hours as Linux has it
(tcp(7), ``tcp_keepalive_time``), and with it ``docker load`` and what it has written so far. So
what reads the line is watched; once it is ended, the command after it sees a torn archive's end.
"""

from __future__ import annotations


def feeding(idle_s: int = 300, look_s: int = 3) -> str:
    """Shell that defines ``fed``: standard input, until it ends or is silent for too long.

    Linux counts what a process has read (proc_pid_io(5)); where it doesn't tell, nothing is
    watched. dd is in POSIX, and busybox has it.

    Args:
        idle_s: seconds without a byte; many more than a disk that is busy takes none for, which
            can't be told apart.
        look_s: seconds between two looks.
    """
    looks = idle_s // look_s
    return f"""exec 3<&0
watched() {{
    left={looks} before=
    while now=$(cat "/proc/$1/io"); do
        if [ "$now" = "$before" ]; then left=$((left - 1)); else left={looks}; fi
        [ "$left" -gt 0 ] || kill "$1"
        before=$now
        sleep {look_s}
    done
}}
fed() {{
    dd bs=65536 <&3 &
    feeder=$!
    watched "$feeder" >/dev/null </dev/null 3<&- &
    watcher=$!
    wait "$feeder" || :
    kill "$watcher" || :
}} 2>/dev/null
"""


FED = feeding()
