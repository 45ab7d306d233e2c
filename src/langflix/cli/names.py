"""What files of a lesson are called, on the disk of the person who asked for them."""

from __future__ import annotations

LESSON = "lesson.json"
#: A name is at most 255 bytes on usual file systems; this leaves room for endings.
MAX_BYTES = 120
#: Not allowed in a name on one system or another.
REFUSED = frozenset('/\\:*?"<>|')


def clip(position: int) -> str:
    """Return the name of a lesson's clip, counted from one."""
    return f"clip-{position + 1:02d}.mp4"


def safe(text: str) -> str:
    """Return a text as a name that any file system takes and that leads nowhere else."""
    kept = "".join("_" if char in REFUSED else char for char in text if char.isprintable())
    short = kept.encode("utf-8", "ignore")[:MAX_BYTES].decode("utf-8", "ignore")
    return short.strip(" .") or "lesson"
