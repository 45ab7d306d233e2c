"""Subtitles of every format and encoding, and files that are none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langflix.domain import encodings, subtitles
from langflix.domain.subtitles import MAX_CUE_MS, MAX_FILM_MS, MAX_TEXT, Cue
from langflix.errors import InputError

SRT = "1\n00:00:01,000 --> 00:00:02,500\n{}\n"
WANTED = (Cue(1000, 2500, "Wake up, you two!"), Cue(3000, 4500, "Never. Ever."))
FILES = {
    ".srt": SRT.format("- <i>Wake</i> up,\nyou two!")
    + "\n2\n00:00:03,000 --> 00:00:04,500\n{\\an8}Never.\n- Ever.\n",
    ".vtt": "WEBVTT - title\n\nNOTE nothing\nof note\n\nSTYLE\n::cue { color: red }\n\n"
    "intro\n00:01.000 --> 00:02.500 align:start\n<v Ann>Wake <b>up</b>,\nyou two!\n\n"
    "00:00:03.000 --> 00:00:04.500\nNever. Ever.\n",
    ".ass": "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nStyle: Default,Arial,nonsense\n\n"
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,no speech\n"
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}Wake{\\i0} up,\\Nyou two!\n"
    "Dialogue: 1,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\blur3}Wake up,\\Nyou two!\n"
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\n"
    "Dialogue: 0,0:00:03.00,0:00:04.50,Default,,0,0,0,,Never.\\hEver.\n"
    "Dialogue: 0,0:00:05.00,0:0",
    ".ssa": "[Script Info]\nScriptType: v4.00\n\n[Events]\n"
    "Dialogue: Marked=0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Wake up,\\nyou two!\n"
    "Dialogue: Marked=0,0:00:03.00,0:00:04.50,Default,,0,0,0,,Never. Ever.\n",
    ".smi": "<SAMI><HEAD><STYLE TYPE='text/css'><!--\n.KRCC {Name:Korean; lang:ko-KR;}\n-->"
    "</STYLE></HEAD><BODY>\n<SYNC Start=1000><P Class=ENCC>Wake up,<br>you two!"
    "<P Class=KRCC>일어나, 둘 다!\n<SYNC Start=2500><P Class=ENCC>&nbsp;<P Class=KRCC>&nbsp;\n"
    "<sync start='3000'><p class='ENCC'><font color=red>Never. Ever.</font>"
    "<p class='KRCC'>절대로.<sync start=3500><p class='KRCC'>절대.\n"
    "<SYNC Start=4500><P Class=ENCC>&nbsp;</BODY></SAMI>",
}


@pytest.mark.parametrize("ending", FILES)
def test_each_format_gives_the_same_cues(ending: str) -> None:
    """Markup, comments, drawings, notes and cut-off lines are gone; texts and times are right."""
    assert subtitles.parse(FILES[ending].encode(), ending) == WANTED
    assert subtitles.parse(FILES[ending].replace("\n", "\r\n").encode(), ending.upper()) == WANTED


@pytest.mark.parametrize("ending", [".vtt", ".ass", ".smi"])
def test_a_file_is_what_it_says_inside(ending: str) -> None:
    """A wrong file name does not hide a subtitle that names its own format."""
    assert subtitles.parse(FILES[ending].encode("utf-8-sig"), ".srt") == WANTED


def test_sami_without_classes_or_an_end_is_read() -> None:
    """The next line ends a line, and the last one is shown for a while."""
    text = "<SAMI><BODY><SYNC Start=0>One<SYNC Start=700><P>Two &amp; three"
    assert subtitles.parse(text.encode(), ".smi") == (
        Cue(0, 700, "One"),
        Cue(700, 5700, "Two & three"),
    )


def test_sami_in_one_foreign_language_is_read() -> None:
    """Where a file has no English its main language is taken."""
    text = (
        "<SAMI><SYNC Start=10><P Class=KRCC>안녕하세요, 여러분.<SYNC Start=20><P Class=KRCC>&nbsp;"
    )
    assert subtitles.parse(text.encode("cp949"), ".smi") == (Cue(10, 20, "안녕하세요, 여러분."),)


ENCODED = [
    ("utf-8", "안녕하세요"),
    ("utf-8-sig", "Café – naïve"),
    ("utf-16", "Hello 안녕"),
    ("utf-16-le", "Hello"),
    ("utf-16-be", "こんにちは"),
    ("utf-32", "Hello 안녕"),
    ("cp949", "그건 말도 안 돼! 지금 뭐 하고 있어요?"),
    ("euc-kr", "안녕하세요, 여러분. 지금 뭐 하고 있어요?"),
    ("shift_jis", "こんにちは、元気ですか。何をしているの？"),
    ("euc_jp", "こんにちは、元気ですか。今日はいい天気ですね。どこへ行きますか。" * 5),
    ("gb18030", "我不知道你在说什么。"),
    ("big5", "你好，你在做什麼？我不知道你在說什麼。"),
    ("cp1252", "It’s “fine” – naïve"),
    ("latin-1", "Où êtes-vous allé hier soir ?"),
    ("latin-1", "Café naïve. " * 20 + "Café"),
    ("cp1250", "Dobrý den, jak se máte? Příliš žluťoučký kůň."),
    ("cp1251", "Привет, как дела? Я не знаю."),
]


@pytest.mark.parametrize(("encoding", "said"), ENCODED, ids=[name for name, _ in ENCODED])
def test_common_encodings_are_told_apart(encoding: str, said: str) -> None:
    """The same text comes out of every encoding that subtitles come in."""
    data = SRT.format(said).encode(encoding)
    (cue,) = subtitles.parse(data)
    assert cue.text == said
    assert encodings.decode(data) == SRT.format(said)


@given(st.binary(max_size=2000))
def test_any_bytes_become_text(data: bytes) -> None:
    """Detection never fails, and names an encoding that Python has."""
    assert isinstance(encodings.decode(data), str)


def check(data: bytes, ending: str) -> None:
    """Parse and hold what comes out against the bounds."""
    try:
        cues = subtitles.parse(data, ending)
    except InputError as error:
        assert 0 < len(str(error)) < 400
        return
    assert 0 < len(cues) <= subtitles.MAX_CUES
    for cue in cues:
        assert 0 <= cue.start_ms < cue.end_ms <= min(cue.start_ms + MAX_CUE_MS, MAX_FILM_MS)
        assert 0 < len(cue.text) <= MAX_TEXT
        assert "\n" not in cue.text
    assert all(one.start_ms <= other.start_ms for one, other in pairwise(cues))


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=400) | st.text(max_size=300))
def test_any_bytes_give_cues_or_a_reason(ending: str, data: bytes | str) -> None:
    """No input crashes the parser of any format, and what it gives is bounded and in order."""
    check(data if isinstance(data, bytes) else data.encode("utf-8", "replace"), ending)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 30), st.text(max_size=12)), min_size=1, max_size=6
    ),
)
def test_a_damaged_file_gives_cues_or_a_reason(
    ending: str, wounds: list[tuple[float, int, str]]
) -> None:
    """Real files with pieces cut out and put in stay within the bounds."""
    text = FILES[ending]
    for where, length, put in wounds:
        at = int(where * len(text))
        text = text[:at] + put + text[at + length :]
    check(text.encode("utf-8", "replace"), ending)


PIECES = [
    "<",
    "<a",
    "{",
    "{\\p1",
    "\n",
    "\n1",
    " ",
    "[a",
    "-->",
    "&#9",
    "<sync start=1 ",
    "<p ",
    "\\N",
]


@pytest.mark.parametrize("ending", FILES)
@pytest.mark.parametrize("piece", PIECES)
def test_repetition_does_not_keep_the_parser_busy(ending: str, piece: str) -> None:
    """A megabyte of one piece, which a backtracking pattern would chew for hours, ends."""
    header, cue = FILES[ending], SRT.format("x") if ending == ".srt" else ""
    check((header + cue + piece * (2**20 // len(piece))).encode(), ending)


def test_times_are_bounded() -> None:
    """No cue is shown for longer than a minute, none begins after a day."""
    text = "1\n00:00:01,000 --> 23:00:00,000\nlong\n\n2\n99:00:00,000 --> 99:00:01,000\nlate\n"
    assert subtitles.parse(text.encode()) == (Cue(1000, 61_000, "long"),)


def test_more_cues_than_a_film_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of cues is bounded too."""
    monkeypatch.setattr(subtitles, "MAX_CUES", 1)
    with pytest.raises(InputError, match="2 cues; 1 are the most"):
        subtitles.parse(FILES[".srt"].encode())
