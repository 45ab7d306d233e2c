"""What a task answers with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, in the form for programs and in that for people.

    Attributes:
        json: a JSON value.
        text: what a person asked for; goes to standard output.
        talk: a remark, which goes to standard error.
        code: what the task ends with.
    """

    json: object
    text: str = ""
    talk: str = ""
    code: int = 0
