"""Where files lie under the data directory, and the only code that makes or removes them.

::

    uploads/<job id>/video.mp4, subtitle.srt    what the user gave
    uploads/.incoming-<random>/                 an upload that is still arriving
    clips/<job id>/<clip id>.mp4                what a lesson shows
    clips/<job id>/lesson.mp4, short.mp4        all clips in one video, the best in portrait
    clips/<job id>/.<name>.mp4.<random>.part    a video that is still being made
    clips/<job id>/.work-<random>/              title cards and the like, while they are needed
    */.gone-<random>/                           what is being removed

Names of directories come from ids that this application made, never from a user's file name; only
the ending of that name is kept, and only a known one.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from langflix.errors import MediaError

VIDEO_ENDINGS = frozenset({".mp4", ".m4v", ".mkv", ".mov", ".avi", ".webm", ".ts", ".mpg"})
SUBTITLE_ENDINGS = frozenset({".srt", ".vtt", ".ass", ".ssa", ".smi"})
INCOMING = ".incoming-"
#: A directory on its way out; one that is still there after a crash goes with the next sweep.
GRAVE = ".gone-"
#: An upload that has got no byte for this long has been left by its sender.
ABANDONED_AFTER_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """The two files of a job."""

    video: Path
    subtitle: Path


@dataclass(frozen=True, slots=True)
class Storage:
    """The data directory; every method makes the directories that it needs."""

    root: Path

    @property
    def uploads(self) -> Path:
        """Return the directory of uploads."""
        return self.root / "uploads"

    @property
    def clips(self) -> Path:
        """Return the directory of clips."""
        return self.root / "clips"

    def incoming(self) -> Path:
        """Return a new directory for an upload that is about to arrive."""
        self.uploads.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=INCOMING, dir=self.uploads))

    def keep(self, incoming: Path, job_id: str) -> None:
        """Make an arrived upload the job's, in one step."""
        incoming.rename(self.uploads / _id(job_id))

    def upload(self, job_id: str) -> Upload:
        """Return the job's files; raises MediaError when they are not there."""
        directory = self.uploads / _id(job_id)
        return Upload(_only(directory, "video"), _only(directory, "subtitle"))

    def remove_upload(self, job_id: str) -> bool:
        """Remove the job's upload; say whether there was one."""
        return _remove(self.uploads / _id(job_id))

    def remove_clips(self, job_id: str) -> bool:
        """Remove the job's clips; say whether there were any."""
        return _remove(self.clips / _id(job_id))

    def clip(self, job_id: str, clip_id: str) -> Path:
        """Return where a clip lies or will lie."""
        return self.clips / _id(job_id) / f"{_id(clip_id)}.mp4"

    def lesson(self, job_id: str) -> Path:
        """Return where the job's landscape video of all clips lies or will lie."""
        return self.clips / _id(job_id) / "lesson.mp4"

    def short(self, job_id: str) -> Path:
        """Return where the job's portrait video of the best clips lies or will lie."""
        return self.clips / _id(job_id) / "short.mp4"

    def uploaded_jobs(self) -> list[str]:
        """Return the ids of jobs that have a directory under ``uploads``, sorted."""
        return sorted(path.name for path in _entries(self.uploads) if _is_id(path.name))

    def clipped_jobs(self) -> list[str]:
        """Return the ids of jobs that have a directory under ``clips``, sorted."""
        return sorted(path.name for path in _entries(self.clips) if _is_id(path.name))

    def remove_graves(self) -> int:
        """Remove what a crash left half removed; return how many directories."""
        places = (*_entries(self.uploads), *_entries(self.clips))
        graves = [path for path in places if path.name.startswith(GRAVE)]
        for grave in graves:
            shutil.rmtree(grave, ignore_errors=True)
        return len(graves)

    def abandoned(self, now: float | None = None) -> list[Path]:
        """Return arriving uploads that nothing has been written to for a long time."""
        before = (time.time() if now is None else now) - ABANDONED_AFTER_S
        arriving = [path for path in _entries(self.uploads) if path.name.startswith(INCOMING)]
        return [path for path in arriving if _last_change(path) < before]

    def age_s(self, job_id: str, now: float | None = None) -> float:
        """Return for how many seconds nothing of the job's files has changed."""
        places = (self.uploads / _id(job_id), self.clips / _id(job_id))
        last = max(_last_change(place) for place in places)
        return (time.time() if now is None else now) - last

    def remove_arriving(self, incoming: Path) -> None:
        """Remove an upload that will not become a job."""
        _remove(incoming)

    def probe(self) -> dict[str, int]:
        """Write, read and remove a small file; return the free and total bytes.

        Raises:
            MediaError: when the directory cannot be written.

        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=".probe-") as file:
                file.write(b"langflix")
                file.flush()
            usage = shutil.disk_usage(self.root)
        except OSError as error:
            raise MediaError(f"{self.root} cannot be written: {error.strerror}") from error
        return {"free_bytes": usage.free, "total_bytes": usage.total}


def _id(text: str) -> str:
    """Return ``text`` when it is a UUID as this application writes them; else ValueError."""
    if str(UUID(text)) != text:
        raise ValueError(f"{text!r} is not an id")
    return text


def _is_id(text: str) -> bool:
    try:
        return _id(text) == text
    except ValueError:
        return False


def _only(directory: Path, stem: str) -> Path:
    found = [path for path in _entries(directory) if path.stem == stem]
    if len(found) != 1:
        raise MediaError(f"the uploaded {stem} is not on the disk any more")
    return found[0]


def _entries(directory: Path) -> Iterable[Path]:
    try:
        return list(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _last_change(path: Path) -> float:
    times = []
    for entry in (path, *_entries(path)):
        try:
            times.append(entry.stat().st_mtime)
        except FileNotFoundError:
            continue
    return max(times, default=0.0)


def _remove(directory: Path) -> bool:
    """Remove a directory; it vanishes from its name at once, whatever happens afterwards."""
    grave = directory.with_name(f"{GRAVE}{uuid4().hex}")
    try:
        directory.rename(grave)
    except FileNotFoundError:
        return False
    shutil.rmtree(grave, ignore_errors=True)
    return True
