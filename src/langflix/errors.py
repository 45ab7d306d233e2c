"""Everything that LangFlix raises on purpose.

::

    LangflixError             exit 1  the work failed
    ├── SettingsError         exit 2  the environment does not describe a usable set-up
    ├── UnavailableError      exit 3  a service (database, queue, API) does not answer
    ├── BusyError             exit 4  another process is at the same work
    ├── InputError            exit 1  the user's video or subtitle cannot be used
    │   └── AbsentError       exit 1  what was named is not there
    └── MediaError            exit 1  ffmpeg or the disk failed on good input

A message is one sentence for the person who must act on it; it never holds a password.
"""

from __future__ import annotations

from collections.abc import Sequence


class LangflixError(Exception):
    """Base of all errors with a message meant for people."""

    exit_code = 1


class SettingsError(LangflixError):
    """The environment's variables are wrong; ``problems`` holds every one of them."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class UnavailableError(LangflixError):
    """A service that this step needs does not answer."""

    exit_code = 3


class BusyError(LangflixError):
    """Another process is at the same work, and did not end it in time."""

    exit_code = 4


class InputError(LangflixError):
    """A file that the user gave cannot be used, and trying again would not help."""


class AbsentError(InputError):
    """There is nothing of the name that was given."""


class MediaError(LangflixError):
    """ffmpeg or the file system failed although the input looked right."""
