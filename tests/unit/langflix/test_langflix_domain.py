"""Subtitles, expressions and lessons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langflix.domain import lesson, lexicon, similar, subtitles
from langflix.domain.expressions import WEIGHTS, difficulty, find, pick, rate, total
from langflix.domain.inflection import verb_forms
from langflix.domain.lexicon import LEVELS, Entry, Level, Lexicon
from langflix.domain.subtitles import Cue
from langflix.errors import InputError

SRT = "1\n00:00:01,000 --> 00:00:02,500\n{}\n"


def said(line: str) -> list[str]:
    """Return the phrases found in one line."""
    return [expression.phrase for expression in find([Cue(0, 1000, line)])]


def test_a_cue_has_times_and_plain_text() -> None:
    """Markup, speakers' dashes and line breaks are gone, times are milliseconds."""
    text = SRT.format("- <i>Wake</i> up!\n- {\\an8}Never.")
    assert subtitles.parse(text.encode()) == (Cue(1000, 2500, "Wake up! Never."),)


@pytest.mark.parametrize(
    ("data", "ending", "reason"),
    [
        (b"", ".srt", "no cue"),
        (b"\x00\x01\x02", ".srt", "no cue"),
        (b"x" * (subtitles.MAX_BYTES + 1), ".srt", "the most"),
        (b"1\n00:00:02,000 --> 00:00:01,000\nx\n", ".srt", "no cue"),
        (b"", ".exe", "not in '.exe'"),
    ],
)
def test_what_is_no_subtitle_is_refused(data: bytes, ending: str, reason: str) -> None:
    """Bytes that hold no cue give one sentence that says so."""
    with pytest.raises(InputError, match=reason):
        subtitles.parse(data, ending)


@pytest.mark.parametrize(
    ("line", "phrases"),
    [
        ("He turned the old radio off.", ["turn … off"]),
        ("Turn off the radio!", ["turn … off"]),
        ("I’ve been putting up with it", ["put up with"]),
        ("She made up her mind.", ["make up one's mind"]),
        ("Tom's making up Tom's mind", ["make up one's mind"]),
        ("Pull yourself together!", ["pull oneself together"]),
        ("They gave him a break", ["give … a break"]),
        ("the bird gave one two three four a break", []),
        ("Giveaway uptown", []),
        ("", []),
    ],
)
def test_expressions_are_found_in_their_forms(line: str, phrases: list[str]) -> None:
    """Inflection, objects in between, possessives and typographic apostrophes are seen through."""
    assert said(line) == phrases


def test_the_longest_expression_wins_an_overlap() -> None:
    """Words belong to one expression, the most specific one."""
    assert said("Make up your mind, don't make up stories") == ["make up one's mind", "make … up"]
    assert said("He came up with it") == ["come up with"]
    assert said("I look up to him") == ["look up to"]


def test_what_was_said_is_quoted_exactly() -> None:
    """The quotation is a piece of the dialogue, letter by letter."""
    (one,) = find([Cue(5, 9, "So, WAKE   up!")])
    assert (one.said, one.start_ms, one.end_ms) == ("WAKE   up", 5, 9)


def test_every_entry_of_the_dictionary_is_found_in_itself() -> None:
    """No entry is dead: its own words, said plainly, are recognised."""
    fill = {"one's": "my", "oneself": "myself", "~": "it"}
    for entry in lexicon.load().entries:
        words = [fill.get(word, word.removeprefix("*")) for word in entry.pattern]
        assert entry.phrase in said(" ".join(words)), entry


@pytest.mark.parametrize(
    "text", ["idiom\tB1", "idiom\tZ9\ta b", "noun\tB1\ta b", "idiom\tB1\tsingle", "idiom\tB1\ta ~"]
)
def test_a_wrong_line_of_the_dictionary_is_named(text: str) -> None:
    """The dictionary's mistakes are found when it is read, by line."""
    with pytest.raises(ValueError, match="line 2"):
        lexicon.parse("# comment\n" + text)


def test_an_entry_twice_is_a_mistake() -> None:
    """A repeated entry is refused."""
    with pytest.raises(ValueError, match="twice"):
        lexicon.parse("idiom\tB1\ta b\nidiom\tB2\ta b")


@pytest.mark.parametrize(
    ("base", "form"),
    [
        *(("run", "running"), ("carry", "carried"), ("come", "coming"), ("catch", "catches")),
        *(("stop", "stopped"), ("play", "played"), ("be", "were"), ("get", "gettin'")),
    ],
)
def test_verbs_bend(base: str, form: str) -> None:
    """Regular and irregular forms are known."""
    assert form in verb_forms(base)


def test_scores_are_open_and_bounded() -> None:
    """A score is the weighted sum of its parts, which are between 0 and 1."""
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    for words in (0, 1, 5, 14, 15, 200):
        parts = rate("idiom", "C2", "word " * words, "", "B1")
        assert set(parts) == set(WEIGHTS)
        assert all(0 <= part <= 1 for part in parts.values())
        assert total(parts) == pytest.approx(sum(WEIGHTS[n] * parts[n] for n in parts), abs=1e-3)
    good = rate("idiom", "C2", "You must face the music now, my friend.", "face the music", "C1")
    assert total(good) == 1.0


@pytest.mark.parametrize("learner", lexicon.LEVELS)
def test_one_level_above_the_learner_suits_best(learner: Level) -> None:
    """What is a step up is worth most, what is below is worth least of the near ones."""
    index = lexicon.LEVELS.index(learner)
    suits = [rate("idiom", level, "a b", "a", learner)["level"] for level in LEVELS]
    assert suits.index(max(suits)) == min(index + 1, len(LEVELS) - 1)
    if 0 < index < len(LEVELS) - 1:
        assert suits[index - 1] < suits[index] < suits[index + 1]


def test_a_line_of_words_that_the_learner_knows_is_better() -> None:
    """Rare words around the expression cost; names, numbers and possessives do not."""

    def words(dialogue: str, learner: Level) -> float:
        return rate("idiom", "B2", dialogue, "face the music", learner)["words"]

    assert words("Now face the music, Bartholomew, at 10", "A1") == 1.0
    assert words("My friend's turn to face the music", "A1") == 1.0
    hard = "The obsequious kitchen staff had to face the music"
    assert 0 < words(hard, "A1") < words(hard, "B2") <= words(hard, "C2") < 1.0
    assert words("face the music", "A1") == 1.0


def test_the_better_line_wins() -> None:
    """Of two lines with the same expression the one that the learner can follow is taken."""
    cues = [
        Cue(0, 1000, "Obsequious plumbers procrastinate then face the music"),
        Cue(2000, 3000, "You did it, so now you face the music"),
    ]
    (one,) = pick(find(cues), 1)
    assert one.start_ms == 2000


def test_a_pronoun_may_stand_between() -> None:
    """``_`` takes one pronoun or nothing, and no other word."""
    entries = [Entry("phrasal verb", "B1", ("*wolf", "_", "down"), "eat hastily", ("devour",))]
    known = Lexicon.of(entries)

    def found(line: str) -> list[str]:
        return [one.said for one in find([Cue(0, 1, line)], "B1", known)]

    assert found("He wolfed it down") == ["wolfed it down"]
    assert found("wolfing down a pie") == ["wolfing down"]
    assert found("She wolfed pie down; wolf me it down") == []
    (one,) = find([Cue(0, 1, "wolf them down")], "B1", known)
    assert (one.phrase, one.meaning, one.similar) == ("wolf down", "eat hastily", ("devour",))


def test_a_dictionary_goes_over_another() -> None:
    """Ours keeps its level and pattern and learns a meaning; what is new is added."""
    ours = Lexicon.of([Entry("phrasal verb", "A2", ("*turn", "~", "on"))])
    theirs = [
        Entry("phrasal verb", "B1", ("*turn", "_", "on"), "make it run", ("switch on",)),
        Entry("idiom", "C1", ("*hit", "the", "hay"), "go to bed"),
    ]
    both = ours.over(theirs)
    assert [(one.phrase, one.level, one.meaning) for one in both.entries] == [
        ("turn … on", "A2", "make it run"),
        ("hit the hay", "C1", "go to bed"),
    ]
    assert both.entries[0].similar == ("switch on",)


def test_a_lesson_suits_its_learner() -> None:
    """A beginner and a master get different lessons of the same film."""
    cues = [
        Cue(0, 1000, "Wake up now, my dear friend"),
        Cue(2000, 3000, "I can not put up with all of that"),
        Cue(4000, 5000, "They will wreak havoc in this whole town"),
    ]

    def phrases(level: str, limit: int) -> list[str]:
        learner = lesson.Learner.parse(level, "ko")
        plan = lesson.plan(cues, 9000, limit, learner)
        return [section.expression.phrase for section in plan]

    assert phrases("A1", 1) == ["wake up"]
    assert phrases("b1", 1) == ["put up with"]
    assert phrases("C2", 9) == ["wreak havoc"]
    assert lesson.plan(cues[:1], 9000, 9, lesson.Learner("C2"))  # better too easy than none


@pytest.mark.parametrize(
    ("level", "language"), [("B3", "ko"), ("", "ko"), ("B1", "KO"), ("B1", "")]
)
def test_a_learner_who_is_none_is_refused(level: str, language: str) -> None:
    """Levels and languages are checked at the edge."""
    with pytest.raises(InputError, match=r"is one of|small letters"):
        lesson.Learner.parse(level, language)


def test_an_expression_has_a_difficulty_and_its_kin() -> None:
    """Idioms of the same level are harder than phrasal verbs; similar expressions are named."""
    (one,) = find([Cue(0, 1, "I put up with it")])
    assert one.similar == ("tolerate", "stand")
    easier = difficulty("phrasal verb", "A1", ["put", "up"])
    assert easier < one.difficulty < difficulty("idiom", "B2", ["face", "the", "music"])
    assert difficulty("idiom", "C2", ["kick", "the", "thribble"]) == 1.0
    assert difficulty("idiom", "C1", ["the", "rub"]) > difficulty("idiom", "C1", ["the", "one"])


def test_similar_expressions_are_those_of_the_dictionary() -> None:
    """Each group has a phrase of the dictionary, none names itself, and a list is short."""
    phrases = {entry.phrase for entry in lexicon.load().entries}
    for group in similar.load():
        assert phrases & set(group), group
    for phrase in phrases:
        assert phrase not in similar.similar(phrase)
        assert len(similar.similar(phrase)) <= similar.MAX_SIMILAR
    covered = sum(bool(similar.similar(phrase)) for phrase in phrases)
    assert covered > len(phrases) / 3


@pytest.mark.parametrize("text", ["alone", "a; a", "a; "])
def test_a_group_of_one_is_a_mistake(text: str) -> None:
    """Wrong lines are found by their number."""
    with pytest.raises(ValueError, match="line 2"):
        similar.groups("# comment\n" + text)


def test_pick_takes_the_best_once_and_in_order() -> None:
    """The limit keeps the highest scores; a phrase said twice is taught once."""
    cues = [
        Cue(0, 1, "of course"),
        Cue(10, 11, "You must face the music now, my friend."),
        Cue(20, 21, "Face the music!"),
        Cue(30, 31, "I smell a rat in this whole affair."),
    ]
    assert [one.start_ms for one in pick(find(cues), 2)] == [10, 30]
    assert len(pick(find(cues), 10)) == 3


@given(st.integers(0, 10**7), st.integers(1, 10**6), st.integers(1, 10**7))
def test_a_clip_lies_in_the_film(start: int, length: int, film: int) -> None:
    """A clip starts in the film, is never empty, and never longer than the limit."""
    start %= film
    begin, end = lesson.window(start, start + length, film)
    assert 0 <= begin < end <= film
    assert end - begin <= lesson.MAX_CLIP_MS
    assert begin <= start


def test_a_subtitle_of_another_film_is_refused() -> None:
    """When nothing is said within the film the two files do not belong together."""
    with pytest.raises(InputError, match=r"lasts 5\.0 s .* starts at 9\.0 s"):
        lesson.plan([Cue(9000, 9500, "Wake up")], 5000)
