"""Expressions out of Princeton's WordNet: meaning, kin, and how often each was met.  Pure.

WordNet lists thousands of verbs and adverbs of several words, and for each of their senses how
often it was met in a corpus whose every word a person looked at.  What is taken from it is what a
learner can use: expressions whose words do not tell their meaning, the frequent ones as easy, the
rare ones as hard.

Source of the formats: WordNet's manual pages wndb(5WN), senseidx(5WN) and cntlist(5WN).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from langflix.domain.lexicon import GAP, LEVELS, PRONOUN, Entry, Kind, Level

#: How often an expression was met in the corpus, at least, to be of a level; else it is of C2.
MET: Mapping[Level, int] = {"A2": 30, "B1": 10, "B2": 3, "C1": 1}
#: No level's expression has a rarer word, by its Zipf value.
RAREST: Mapping[Level, float] = {"A2": 5.0, "B1": 4.5, "B2": 4.0, "C1": 3.5}
#: Another sense is told too when it was met at least this share as often as the first.
TOLD = 0.5
MAX_MEANING = 160
#: Of words that mean the same, at most so many, and none with a rarer word by its Zipf value.
MAX_KIN = 4
RAREST_KIN = 3.3
#: Adverbs of two words, such as "at least", have nothing to teach that a word would not.
ADVERB_WORDS = 3

_ADVERBS = frozenset(
    {"about", "across", "ahead", "along", "apart", "around", "aside", "away", "back", "by", "down"}
    | {"forth", "forward", "in", "off", "on", "out", "over", "round", "through", "together", "up"}
)
_PREPOSITIONS = frozenset(
    {"about", "after", "against", "at", "behind", "for", "from", "into", "of", "onto", "to"}
    | {"toward", "under", "upon", "with", "without", "like", "as"}
)
#: A verb with one of these means what it says ("talk about"), or is found where it is not meant.
_PLAIN = frozenset({"about", "at", "from", "of", "to", "toward", "like", "as"})
#: So often said that two words after them are not seldom there by chance.
_EVERYWHERE = frozenset({"be", "do", "have"})
_PLACES = {"someone": GAP, "somebody": GAP, "something": GAP, "someone's": "one's"}
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")
_HEADER = "  "
#: Gives the Zipf value of the rarest of some words.
Rarest = Callable[[Iterable[str]], float]
#: Sentence frames with an object after the verb, by their numbers in wninput(5WN).
_WITH_OBJECT = frozenset({8, 9, 10, 11, 15, 16, 17, 18, 19, 20, 21, 24, 25, 30, 31})


@dataclass(frozen=True, slots=True)
class Files:
    """The texts of the database's files."""

    index_verb: str
    data_verb: str
    index_adverb: str
    data_adverb: str
    counts: str


@dataclass(frozen=True, slots=True)
class _Synset:
    """Words that mean the same; ``above`` are the offsets of what they are a kind of."""

    file: str
    words: tuple[str, ...]
    ids: tuple[int, ...]
    above: tuple[str, ...]
    objects: frozenset[int]
    meaning: str

    def takes_object(self, word: str) -> bool:
        """Say whether ``word``, one of ours, is said with an object; 0 speaks of all words."""
        return not self.objects.isdisjoint({0, self.words.index(word) + 1})


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken, in the files' order: expressions ``worth`` teaching, and ``plain`` ones.

    The plain ones are known for their meaning only, should another dictionary teach them.
    """

    worth: tuple[Entry, ...]
    plain: tuple[Entry, ...]


def take(files: Files, rarest: Rarest) -> Taken:
    """Read the expressions of WordNet.

    Args:
        files: the database.
        rarest: gives the Zipf value of the rarest of some words.

    Raises:
        ValueError: when a file is not in WordNet's format.

    """
    counts = _counts(files.counts)
    verbs = _Part(files.index_verb, files.data_verb, "2", counts)
    adverbs = _Part(files.index_adverb, files.data_adverb, "4", counts)
    worth: list[Entry] = []
    plain: list[Entry] = []
    for phrase in filter(_is_usable, verbs.phrases()):
        (plain if _is_plain(phrase, verbs) else worth).append(_verb(phrase, verbs, rarest))
    for phrase in filter(_is_usable, adverbs.phrases()):
        short = len(phrase.split()) < ADVERB_WORDS
        (plain if short else worth).append(_adverb(phrase, adverbs, rarest))
    return Taken(tuple(worth), tuple(plain))


class _Part:
    """One part of speech: the index, and the data lines that it points to."""

    def __init__(self, index: str, data: str, kind: str, counts: Mapping[str, int]) -> None:
        self._offsets = dict(_index(index))
        self._lines = {line[:8]: line for line in data.splitlines() if line[:2] != _HEADER}
        self._kind, self._counts = kind, counts

    def phrases(self) -> list[str]:
        """Return what has several words, with blanks between."""
        return [word.replace("_", " ") for word in self._offsets if "_" in word]

    def synset(self, offset: str) -> _Synset:
        try:
            return _synset(self._lines[offset])
        except (KeyError, ValueError, IndexError) as error:
            raise ValueError(f"WordNet has no good line at {offset}") from error

    def senses(self, phrase: str) -> list[tuple[int, _Synset]]:
        """Return how often each sense was met, and its synset, the most frequent first."""
        found = [self.synset(offset) for offset in self._offsets[phrase.replace(" ", "_")]]
        met = [(self._met(phrase, synset), synset) for synset in found]
        return sorted(met, key=lambda one: -one[0])

    def _met(self, phrase: str, synset: _Synset) -> int:
        for word, number in zip(synset.words, synset.ids, strict=True):
            if word.lower() == phrase:
                key = f"{phrase.replace(' ', '_')}%{self._kind}:{synset.file}:{number:02d}::"
                return self._counts.get(key, 0)
        return 0


def _verb(phrase: str, verbs: _Part, rarest: Rarest) -> Entry:
    words, senses = phrase.split(), verbs.senses(phrase)
    pattern = (f"*{words[0]}", *(_PLACES.get(word, word) for word in words[1:]))
    if len(words) == 2 and words[1] in _ADVERBS and _takes_object(phrase, senses):
        pattern = (pattern[0], PRONOUN, pattern[1])
    return _entry(_kind_of_verb(words), pattern, phrase, senses, rarest)


def _adverb(phrase: str, adverbs: _Part, rarest: Rarest) -> Entry:
    pattern = tuple(_PLACES.get(word, word) for word in phrase.split())
    return _entry("idiom", pattern, phrase, adverbs.senses(phrase), rarest)


def _entry(
    kind: Kind,
    pattern: tuple[str, ...],
    phrase: str,
    senses: list[tuple[int, _Synset]],
    rarest: Rarest,
) -> Entry:
    met = sum(count for count, _ in senses)
    plain = Entry(kind, "C2", pattern)
    told = [synset for count, synset in senses[:2] if count >= TOLD * senses[0][0]]
    meaning = " / ".join(dict.fromkeys(synset.meaning for synset in told))
    return Entry(
        kind=kind,
        level=_level(met, rarest(plain.words)),
        pattern=pattern,
        meaning=_cut(meaning) or None,
        similar=_kin(phrase, told, rarest),
    )


def _kin(phrase: str, told: Iterable[_Synset], rarest: Rarest) -> tuple[str, ...]:
    """Return what else means the same, the most usual first."""
    words = dict.fromkeys(word for synset in told for word in synset.words if word != phrase)
    usual = {word: rarest(word.lower().split()) for word in words}
    kept = sorted((-value, word) for word, value in usual.items() if value >= RAREST_KIN)
    return tuple(word for _, word in kept[:MAX_KIN])


def _level(met: int, zipf: float) -> Level:
    """Return the easiest level that an expression is frequent enough for."""
    for level in LEVELS:
        if level in MET and met >= MET[level] and zipf >= RAREST[level]:
            return level
    return "C2"


def _is_usable(phrase: str) -> bool:
    """Say whether a pattern can be made of it: of plain words, none at an end for others."""
    words = phrase.split()
    ends = {_PLACES.get(words[0]), _PLACES.get(words[-1])}
    return all(_WORD.fullmatch(word) for word in words) and GAP not in ends


def _is_plain(phrase: str, verbs: _Part) -> bool:
    """Say whether a verb means what its words say, or is found where it is not meant."""
    words = phrase.split()
    if words[0] == "be" or (len(words) == 2 and words[0] in _EVERYWHERE):
        return True
    if len(words) == 2 and words[1] in _PLAIN:
        return True
    if _kind_of_verb(words) != "phrasal verb":
        return False
    return _says_what_it_means(words[0], verbs.senses(phrase)[0][1], verbs)


def _kind_of_verb(words: Sequence[str]) -> Kind:
    if all(word in _ADVERBS or word in _PREPOSITIONS for word in words[1:]):
        return "phrasal verb"
    return "idiom" if len(words) > 2 else "collocation"


def _says_what_it_means(verb: str, synset: _Synset, verbs: _Part) -> bool:
    """Say whether the bare verb means the same, or what this is a kind of."""
    return verb in synset.words or any(verb in verbs.synset(at).words for at in synset.above)


def _takes_object(phrase: str, senses: list[tuple[int, _Synset]]) -> bool:
    return any(synset.takes_object(phrase) for _, synset in senses if phrase in synset.words)


def _index(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each word and the offsets of its senses; wndb(5WN), "Index File Format"."""
    for line in text.splitlines():
        if line[:2] == _HEADER or not line.strip():
            continue
        fields = line.split()
        try:
            senses = int(fields[2])
        except (IndexError, ValueError) as error:
            raise ValueError(f"WordNet's index has a line that is none: {line[:40]!r}") from error
        yield fields[0], tuple(fields[-senses:]) if senses else ()


def _synset(line: str) -> _Synset:
    """Read a line; wndb(5WN), "Data File Format"."""
    head, _, gloss = line.partition(" | ")
    fields = iter(head.split())
    _offset, file, _kind = next(fields), next(fields), next(fields)
    pairs = [(next(fields), int(next(fields), 16)) for _ in range(int(next(fields), 16))]
    above = []
    for _ in range(int(next(fields))):
        symbol, offset, _part, _between = (next(fields) for _ in range(4))
        if symbol == "@":
            above.append(offset)
    return _Synset(
        file=file,
        words=tuple(word.replace("_", " ") for word, _ in pairs),
        ids=tuple(number for _, number in pairs),
        above=tuple(above),
        objects=frozenset(_objects(fields)),
        meaning=gloss.split('; "')[0].strip(),
    )


def _objects(fields: Iterator[str]) -> Iterator[int]:
    """Yield which words of a synset take an object, counted from 1; 0 means all."""
    for _ in range(int(next(fields, "0"))):
        _plus, frame, word = next(fields), int(next(fields)), int(next(fields), 16)
        if frame in _WITH_OBJECT:
            yield word


def _counts(text: str) -> dict[str, int]:
    """Read ``cntlist.rev``: sense key, number of the sense, how often it was met."""
    found = {}
    for line in text.splitlines():
        key, _, rest = line.partition(" ")
        if "_" in key.partition("%")[0]:
            number, _, met = rest.partition(" ")
            if not (number.isdigit() and met.isdigit()):
                raise ValueError(f"WordNet's counts have a line that is none: {line[:40]!r}")
            found[key] = int(met)
    return found


def _cut(meaning: str) -> str:
    if len(meaning) <= MAX_MEANING:
        return meaning
    return meaning[:MAX_MEANING].rpartition(" ")[0] + " …"
