"""What is taken from WordNet, on a database of a few lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langflix.domain import wordnet
from langflix.domain.lesson import ANYONE, Learner
from langflix.domain.lexicon import Entry, Lexicon
from langflix.domain.subtitles import Cue
from langflix.domain.wordnet import Files
from langflix.errors import SettingsError
from langflix.scoring.dictionary import NO_WORDNET, Dictionary

Line = tuple[str, list[tuple[str, int]], list[str], list[tuple[int, int]], str]

HEADER = "  1 This software and database is being provided to you\n"
VERBS: dict[str, Line] = {
    # offset: file, words with their ids, what it is a kind of, frames with the words, gloss
    "00000100": ("29", [("eat", 0)], [], [(8, 0)], 'take in food; "eat!"'),
    "00000200": (
        *("29", [("eat_up", 0), ("polish_off", 1)], ["00000300"], [(8, 0)]),
        'finish eating; "she polished off the pie"',
    ),
    "00000300": ("29", [("finish", 0)], [], [(2, 0)], "come to an end"),
    "00000400": ("30", [("eat_in", 0)], ["00000100"], [(2, 0)], "eat at home"),
    "00000500": (
        *("31", [("throw_in_the_towel", 0), ("quit", 0), ("chuck_up", 2)], []),
        *([(2, 1)], 'give up; "he threw in the towel"'),
    ),
    "00000600": ("31", [("have_a_go", 0)], [], [(2, 0)], "try"),
    "00000700": ("31", [("talk_about", 0)], ["00000300"], [(8, 0)], "speak of"),
    "00000800": ("31", [("be_on", 0)], [], [(2, 0)], "run"),
    "00000900": ("31", [("make_sense", 0)], [], [(2, 0)], "be reasonable"),
    "00001000": ("31", [("bring_someone_around", 0)], [], [(8, 0)], "make conscious"),
    "00001100": ("31", [("lead_someone", 0)], [], [(8, 0)], "no end"),
    "00001200": ("32", [("throw_in_the_towel", 0)], [], [(2, 0)], "stop boxing"),
}
ADVERBS: dict[str, Line] = {
    "00000100": ("02", [("once_in_a_while", 0)], [], [], "sometimes"),
    "00000200": ("02", [("at_least", 0)], [], [], "not less"),
}
COUNTS = {
    "throw_in_the_towel%2:31:00::": 2,
    "throw_in_the_towel%2:32:00::": 9,
    "eat_up%2:29:00::": 40,
    "eat%2:29:00::": 90,
}


def data(
    lines: dict[str, Line],
    kind: str,
) -> str:
    """Write lines as wndb(5WN) says."""
    text = HEADER
    for offset, (file, words, above, frames, gloss) in lines.items():
        told = " ".join(f"{word} {number:x}" for word, number in words)
        pointers = "".join(f" @ {one} {kind} 0000" for one in above)
        framed = "".join(f" + {frame:02d} {word:02x}" for frame, word in frames)
        end = f" {len(frames):02d}{framed}" if kind == "v" else ""
        text += f"{offset} {file} {kind} {len(words):02x} {told} {len(above):03d}{pointers}{end}"
        text += f" | {gloss}  \n"
    return text


def index(
    lines: dict[str, Line],
    kind: str,
) -> str:
    """Write the index of lines."""
    offsets: dict[str, list[str]] = {}
    for offset, (_, words, *_rest) in lines.items():
        for word, _number in words:
            offsets.setdefault(word, []).append(offset)
    return HEADER + "".join(
        f"{word} {kind} {len(found)} 1 @ {len(found)} 0 {' '.join(found)}  \n"
        for word, found in offsets.items()
    )


FILES = Files(
    index(VERBS, "v"),
    data(VERBS, "v"),
    index(ADVERBS, "r"),
    data(ADVERBS, "r"),
    "".join(f"{key} 1 {met}\n" for key, met in COUNTS.items()),
)


def common(_: Iterable[str]) -> float:
    """Call every word a common one."""
    return 6.0


def taken(files: Files = FILES) -> dict[str, Entry]:
    """Return what is taken, by phrase."""
    return {entry.phrase: entry for entry in wordnet.take(files, common).worth}


def test_what_teaches_something_is_taken() -> None:
    """Idioms, phrasal verbs that hide their meaning, and long adverbs; nothing plain."""
    assert set(taken()) == {
        *("eat up", "polish off", "throw in the towel", "chuck up", "have a go", "make sense"),
        *("bring … around", "once in a while"),
    }


def test_what_is_plain_is_only_told() -> None:
    """Verbs that mean what they say, and short adverbs, lend their meaning to our own entries."""
    found = wordnet.take(FILES, common)
    assert {one.phrase for one in found.plain} == {"eat in", "talk about", "be on", "at least"}
    ours = Lexicon.of([Entry("phrasal verb", "A2", ("*eat", "in"))])
    both = ours.over(found.worth, found.plain)
    assert both.entries[0].meaning == "eat at home"
    assert len(both.entries) == 1 + len(found.worth)


def test_an_entry_has_kind_pattern_meaning_and_kin() -> None:
    """The most frequent sense speaks; another as frequent would too."""
    found = taken()
    one = found["throw in the towel"]
    assert (one.kind, one.pattern[0]) == ("idiom", "*throw")
    assert (one.meaning, one.similar) == ("stop boxing", ())
    assert found["polish off"].pattern == ("*polish", "_", "off")
    assert found["polish off"].meaning == "finish eating"
    assert found["chuck up"].similar == ("quit", "throw in the towel")
    assert found["chuck up"].pattern == ("*chuck", "up")  # only "throw in" has the frame
    assert found["make sense"].kind == "collocation"
    assert found["bring … around"].pattern == ("*bring", "~", "around")
    assert found["once in a while"].pattern == ("once", "in", "a", "while")


def test_frequent_expressions_are_easy() -> None:
    """The level follows how often it was met, and no rare word is easy."""
    found = taken()
    assert (found["eat up"].level, found["throw in the towel"].level) == ("A2", "B1")
    assert found["make sense"].level == "C2"
    rare = {one.phrase: one for one in wordnet.take(FILES, lambda _: 3.6).worth}
    assert rare["eat up"].level == "C1"


def test_kin_that_nobody_says_is_left_out() -> None:
    """A synonym with a rare word teaches nothing."""
    taken = wordnet.take(FILES, lambda words: 1.0 if "quit" in list(words) else 6.0)
    (one,) = [entry for entry in taken.worth if entry.phrase == "chuck up"]
    assert one.similar == ("throw in the towel",)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("index_verb", "eat_up v x"),
        ("index_verb", "eat_up v 1 0 1 0 99999999"),
        ("data_verb", "00000200 29 v zz"),
        ("counts", "eat_up%2:29:00:: 1 many"),
    ],
)
def test_a_damaged_database_is_told(field: str, text: str) -> None:
    """What is not WordNet's format is refused with a sentence."""
    with pytest.raises(ValueError, match="WordNet"):
        wordnet.take(replace(FILES, **{field: text}), common)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_refused_or_read(index_text: str, data_text: str) -> None:
    """Whatever the files hold, the answer is entries or one kind of error."""
    files = replace(FILES, index_verb=index_text, data_verb=data_text)
    try:
        wordnet.take(files, common)
    except ValueError as error:
        assert "WordNet" in str(error)


def test_the_dictionary_says_when_wordnet_is_missing(tmp_path: Path) -> None:
    """Without it the small one chooses, and a broken one is an error of the set-up."""
    cues = [Cue(0, 1000, "He polished it off, so we face the music")]
    found, note = Dictionary(tmp_path)(cues, ANYONE)
    assert ([one.phrase for one in found], note) == (["face the music"], NO_WORDNET)
    (tmp_path / "data.verb").write_text("")
    with pytest.raises(SettingsError, match=r"index\.verb|No such file"):
        Dictionary(tmp_path)(cues, ANYONE)


def test_wordnet_adds_to_the_small_dictionary(tmp_path: Path) -> None:
    """What only WordNet knows is found beside our own."""
    names = ("index.verb", "data.verb", "index.adv", "data.adv", "cntlist.rev")
    texts = (FILES.index_verb, FILES.data_verb, FILES.index_adverb, FILES.data_adverb, FILES.counts)
    for name, text in zip(names, texts, strict=True):
        (tmp_path / name).write_text(text, "utf-8")
    cues = [Cue(0, 1000, "He polished it off, so we face the music")]
    found, note = Dictionary(tmp_path)(cues, Learner("B2", "ko"))
    assert [one.phrase for one in found] == ["polish off", "face the music"]
    assert note is None
