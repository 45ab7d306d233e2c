"""Text on the picture, as SubStation Alpha scripts that libass draws.

One script per piece of film: the lines said in it with the expression in colour; one per title
card; one per portrait short, which has the expression above the picture.

Source of the fields: http://www.tcax.org/docs/ass-specs.htm and libass's documentation.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from langflix.domain.expressions import Expression
from langflix.domain.lesson import Section
from langflix.domain.subtitles import Cue

WHITE, YELLOW, GREY = "&H00FFFFFF", "&H0000D7FF", "&H00C8C8C8"
#: Inline colours have no alpha and end in an ampersand.
_MARK, _UNMARK = "{\\c&H00D7FF&}", "{\\c&HFFFFFF&}"
#: Lines of longer text are cut: they would cover the picture.
MAX_LINE = 300


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture's size in pixels; text sizes follow from it."""

    width: int
    height: int

    @property
    def portrait(self) -> bool:
        """Say whether it is taller than wide."""
        return self.height > self.width

    @property
    def text(self) -> int:
        """Return the size of subtitles in pixels: about seventeen lines fill a landscape."""
        return round(self.width / 18 if self.portrait else self.height / 17)


def for_clip(section: Section, cues: Iterable[Cue], canvas: Canvas, font: str) -> str:
    """Return the script of a clip: what is said in it, the expression in colour."""
    start, end = section.clip_start_ms, section.clip_end_ms
    said = [
        _event(cue.start_ms - start, min(cue.end_ms, end) - start, "Said", _marked(cue, section))
        for cue in cues
        if cue.end_ms > start and cue.start_ms < end
    ]
    if canvas.portrait:
        said += [_event(0, end - start, "Head", _heading(section.expression))]
    return _script(canvas, font, said)


def for_card(expression: Expression, length_ms: int, canvas: Canvas, font: str) -> str:
    """Return the script of a title card: the expression, its translation, level, meaning, kin."""
    return _script(canvas, font, [_event(0, length_ms, "Card", _heading(expression))])


def timestamp(milliseconds: int) -> str:
    """Return a time as the format writes it, never below zero: ``H:MM:SS.cc``."""
    hundredths = max(0, milliseconds) // 10
    minutes, seconds = divmod(hundredths // 100, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}.{hundredths % 100:02d}"


def plain(text: str) -> str:
    """Return ``text`` so that nothing in it is taken for markup or a line's end."""
    kept = "".join(char if unicodedata.category(char) != "Cc" else " " for char in text[:MAX_LINE])
    # A word joiner keeps a backslash from making an escape of what follows it.
    return kept.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")


def _marked(cue: Cue, section: Section) -> str:
    found = section.expression
    before, said, after = cue.text.partition(found.said)
    if (cue.start_ms, cue.end_ms, cue.text) != (found.start_ms, found.end_ms, found.dialogue):
        return plain(cue.text)
    if not said:
        return plain(cue.text)
    return f"{plain(before)}{_MARK}{plain(said)}{_UNMARK}{plain(after)}"


def _heading(expression: Expression) -> str:
    small = "{\\fscx55\\fscy55\\c&HC8C8C8&}"
    lines = [plain(expression.phrase)]
    if expression.translation:
        lines.append("{\\fscx70\\fscy70\\c&HFFFFFF&}" + plain(expression.translation))
    lines.append(f"{small}{plain(expression.level)} · {plain(expression.kind)}")
    if expression.meaning:
        lines.append(small + plain(expression.meaning))
    if expression.similar:
        lines.append(small + plain("≈ " + ", ".join(expression.similar[:3])))
    return "\\N".join(lines)


def _event(start_ms: int, end_ms: int, style: str, text: str) -> str:
    return f"Dialogue: 0,{timestamp(start_ms)},{timestamp(end_ms)},{style},,0,0,0,,{text}"


def _script(canvas: Canvas, font: str, events: Sequence[str]) -> str:
    text, edge = canvas.text, canvas.width // 24
    low = canvas.height // 5 if canvas.portrait else canvas.height // 18
    high = canvas.height // 8
    styles = (
        _style("Said", font, text, WHITE, 2, edge, low),
        _style("Head", font, round(text * 1.4), YELLOW, 8, edge, high),
        _style("Card", font, round(text * 1.8), YELLOW, 5, edge, 0),
    )
    return "\n".join(
        (
            "[Script Info]",
            "ScriptType: v4.00+",
            f"PlayResX: {canvas.width}",
            f"PlayResY: {canvas.height}",
            "WrapStyle: 0",
            "ScaledBorderAndShadow: yes",
            "",
            "[V4+ Styles]",
            "Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, "
            "BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV",
            *styles,
            "",
            "[Events]",
            "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
            *events,
            "",
        )
    )


def _style(
    name: str, font: str, size: int, colour: str, alignment: int, edge: int, margin: int
) -> str:
    outline = max(1, size // 16)
    return (
        f"Style: {name},{font},{size},{colour},&H00000000,&H80000000,0,1,{outline},0,"
        f"{alignment},{edge},{edge},{margin}"
    )
