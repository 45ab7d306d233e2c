"""Chooses expressions by dictionaries alone: offline, and the same for the same film.

The small dictionary of our own has levels that a person gave; WordNet adds thousands of rarer
expressions and what they mean. The images carry it (Debian's ``wordnet-base``); where it is not
installed the small one chooses, and the job's owner is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from langflix.domain import frequency, lesson, lexicon, wordnet
from langflix.domain.expressions import Expression
from langflix.domain.lesson import Learner
from langflix.domain.lexicon import Lexicon
from langflix.domain.subtitles import Cue
from langflix.domain.wordnet import Taken
from langflix.errors import SettingsError

#: Where Debian's package has it.
WORDNET = Path("/usr/share/wordnet")
NO_WORDNET = "WordNet is not installed on the worker, so only the small dictionary chose"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A scorer; see :data:`langflix.domain.lesson.Scorer`.

    Attributes:
        folder: where WordNet's files are, if they are anywhere.

    """

    folder: Path = WORDNET

    def __call__(
        self, cues: Sequence[Cue], learner: Learner
    ) -> tuple[Sequence[Expression], str | None]:
        """Return what the dictionaries find, and a remark when one is missing.

        Raises:
            SettingsError: WordNet's files are there but can't be used.

        """
        if not (self.folder / "data.verb").is_file():
            return lesson.local(cues, learner), NO_WORDNET
        return lesson.local(cues, learner, _load(self.folder)), None


@cache
def _load(folder: Path) -> Lexicon:
    taken = _take(folder)
    return lexicon.load().over(taken.worth, taken.plain)


def _take(folder: Path) -> Taken:
    names = ("index.verb", "data.verb", "index.adv", "data.adv", "cntlist.rev")
    try:
        files = wordnet.Files(*((folder / name).read_text("utf-8") for name in names))
        return wordnet.take(files, frequency.rarest)
    except OSError as error:
        raise SettingsError([f"WordNet in {folder} cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise SettingsError([f"WordNet in {folder} cannot be used: {error}"]) from error
