"""What a Gemini model is asked, what is taken from its answer, and how the asking is set up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langflix.domain import gemini
from langflix.domain.gemini import BadAnswer
from langflix.domain.lesson import Learner
from langflix.domain.subtitles import Cue
from langflix.errors import SettingsError
from langflix.scoring.dictionary import Dictionary
from langflix.scoring.gemini import choose
from langflix.scoring.settings import DEFAULT_MODEL, GeminiSettings

CUES = (Cue(0, 900, "Make up your mind!"), Cue(1000, 2000, "Heavy rain again, isn't it?"))
ANYONE = Learner("B1", "ko")
ITEM: dict[str, Any] = {
    "line": 1,
    "said": "heavy rain",
    "phrase": "heavy rain",
    "kind": "collocation",
    "level": "B1",
    "translation": "폭우",
    "meaning": "a strong rain",
    "similar": ["downpour", "\u0007pouring\nrain"],
}


def answer(text: str, **more: object) -> dict[str, Any]:
    """Return an answer as the API gives it."""
    candidate = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP", **more}
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 7}}


def test_a_question_holds_the_lines_and_the_shape_of_the_answer() -> None:
    """Learner, numbered lines and a schema go out; the answer is bounded."""
    body = gemini.question(CUES, Learner("C1", "ja"))
    assert "C1" in body["systemInstruction"]["parts"][0]["text"]
    assert "ja (ISO" in body["systemInstruction"]["parts"][0]["text"]
    assert body["contents"][0]["parts"][0]["text"].splitlines()[1] == f"1\t{CUES[1].text}"
    assert body["generationConfig"]["responseMimeType"] == "application/json"
    assert body["generationConfig"]["maxOutputTokens"] == gemini.MAX_ANSWER_TOKENS
    assert json.dumps(body)


def test_long_films_are_asked_about_in_parts() -> None:
    """Every line is in one question, and no question has too many."""
    cues = [Cue(at, at + 1, "x") for at in range(gemini.CUES_PER_QUESTION * 2 + 1)]
    parts = list(gemini.questions(cues))
    assert [len(part) for part in parts] == [gemini.CUES_PER_QUESTION] * 2 + [1]


def test_a_good_answer_becomes_expressions() -> None:
    """The quotation is the line's own letters, and scores are those of the dictionary."""
    (one,) = gemini.read(answer(json.dumps([ITEM])), CUES, ANYONE)
    assert (one.said, one.start_ms, one.end_ms) == ("Heavy rain", 1000, 2000)
    assert (one.translation, one.similar) == ("폭우", ("downpour", "pouring rain"))
    assert one.meaning == "a strong rain"
    assert one.score_parts == {"level": 0.7, "idiomatic": 0.2, "words": 1.0, "context": 1.0}
    assert gemini.read(answer("[]"), CUES, ANYONE) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        *({"line": 2}, {"line": -1}, {"line": True}, {"line": "1"}, {"line": None}),
        *({"said": "not there"}, {"said": " "}, {"said": 5}, {"phrase": ""}, {"phrase": ["x"]}),
        *({"kind": "noun"}, {"level": "D1"}, {"level": []}),
    ],
)
def test_what_does_not_hold_is_left_out(wrong: dict[str, object]) -> None:
    """An item that quotes nothing of the film, or means nothing, is dropped; the rest stays."""
    items = [{**ITEM, **wrong}, ITEM, "item"]
    assert len(gemini.read(answer(json.dumps(items)), CUES, ANYONE)) == 1
    with pytest.raises(BadAnswer, match="nothing in its answer fits"):
        gemini.read(answer(json.dumps(items[:1])), CUES, ANYONE)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (answer("{"), "no JSON"),
        (answer("{}"), "no list"),
        (answer("[" * 100_000), "no JSON"),
        (answer("[]", finishReason="MAX_TOKENS"), "broke off: MAX_TOKENS"),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "refused to answer: .*SAFETY"),
        *(({}, "no text"), ([], "no text"), (None, "no text"), ({"candidates": [3]}, "no text")),
    ],
)
def test_an_answer_that_is_none_is_told(reply: object, why: str) -> None:
    """Each way to give no answer has its words."""
    with pytest.raises(BadAnswer, match=why):
        gemini.read(reply, CUES, ANYONE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(sorted({*ITEM, "candidates", "text"})), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(JSON | st.lists(st.dictionaries(st.sampled_from(sorted(ITEM)), JSON)), st.booleans())
def test_any_answer_gives_expressions_or_a_reason(value: object, wrapped: bool) -> None:
    """Nothing that a server may send gets past the bounds or crashes."""
    reply = answer(json.dumps(value)) if wrapped else value
    gemini.tokens_used(reply)
    try:
        found = gemini.read(reply, CUES, ANYONE)
    except BadAnswer as error:
        assert 0 < len(str(error)) < 300
        return
    for one in found:
        assert one.said in one.dialogue
        assert len(one.phrase) <= gemini.MAX_FIELD
        assert len(one.similar) <= gemini.MAX_SIMILAR


def test_costs_are_never_estimated_too_low() -> None:
    """A Korean letter may be a token of its own; an answer may be as long as allowed."""
    asked, answered = gemini.tokens_at_most({"x": "한" * 300})
    assert asked >= 300
    assert answered == gemini.MAX_ANSWER_TOKENS
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 3, "thoughtsTokenCount": 2}
    assert gemini.tokens_used({"usageMetadata": usage}) == (5, 5)
    assert gemini.tokens_used({"usageMetadata": {"promptTokenCount": -1}}) == (0, 0)
    assert gemini.tokens_used({}) is None


def test_without_a_key_the_dictionary_chooses() -> None:
    """The network is used only when a key says so."""
    assert choose({}) == Dictionary()
    assert choose({"GEMINI_API_KEY_FILE": " "}) == Dictionary()


def test_settings_have_defaults_and_hide_the_key(tmp_path: Path) -> None:
    """A key file is enough, and the key is in no representation."""
    (tmp_path / "key").write_text("AIzaSecret\n")
    told = GeminiSettings.from_env({"GEMINI_API_KEY_FILE": str(tmp_path / "key")})
    assert told is not None
    assert (told.model, told.key.reveal()) == (DEFAULT_MODEL, "AIzaSecret")
    assert told.url.startswith("https://")
    assert told.cost(1_000_000, 2_000_000) == pytest.approx(5.3)
    assert "AIza" not in repr(told)


def test_all_problems_of_settings_are_told_at_once(tmp_path: Path) -> None:
    """Each names its variable, none repeats what might be a secret."""
    environ = {
        "GEMINI_API_KEY_FILE": str(tmp_path / "none"),
        "LANGFLIX_GEMINI_URL": "ftp://user:hidden@x",
        "LANGFLIX_GEMINI_MODEL": "../x",
        "LANGFLIX_GEMINI_MAX_COST": "-1",
        "LANGFLIX_GEMINI_PRICES": "1",
    }
    with pytest.raises(SettingsError) as caught:
        GeminiSettings.from_env(environ)
    assert [problem.split(" ")[0].rstrip(":") for problem in caught.value.problems] == list(environ)
    assert "hidden" not in str(caught.value)
    (tmp_path / "none").write_bytes(b"\n")
    with pytest.raises(SettingsError, match="holds no key"):
        GeminiSettings.from_env({"GEMINI_API_KEY_FILE": str(tmp_path / "none")})
