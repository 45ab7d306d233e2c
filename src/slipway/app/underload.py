"""What a stack did under load while it was changed in different ways, and how that is shown. Pure.

The load is the application's own program; of its result only what is named here is relied upon:
``rows`` (``kind``, ``sent``, ``failed``, ``faults``, ``p99_ms``, ``longest_ms``; the first row is
all kinds), ``late_ms`` and ``lessons`` (``accepted``, ``lost``, ``why`` they were, ``twice``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slipway.report import table


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the stack's version.

    Attributes:
        began: ISO 8601 in UTC.
        seconds: how long the command took.
        problem: why it failed; empty when it did not.
        said: the last lines of what it said then.
    """

    began: str
    seconds: float
    problem: str = ""
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """The stack under load, changed in one way.

    Attributes:
        name: the way.
        about: how exactly.
        changes: in order; none when nothing was changed.
        load: the result that the application's program printed.
    """

    name: str
    about: str
    changes: tuple[Change, ...]
    load: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The form that ``--json`` prints: the load's own fields stand beside the run's."""
        changes = [asdict(one) for one in self.changes]
        return {"name": self.name, "about": self.about, "changes": changes, **self.load}


def runs_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The runs in the form that ``--json`` prints."""
    return [run.to_json() for run in runs]


def runs_text(runs: Sequence[Run]) -> str:
    """The runs for people: for each kind of traffic what every way of changing did to it."""
    kinds = [row["kind"] for row in runs[0].load["rows"]] if runs else []
    kinds += sorted({row["kind"] for run in runs for row in run.load["rows"]} - set(kinds))
    rows = [_row(run, kind) for kind in kinds for run in runs if kind in _rows(run)]
    rows += [_jobs(run) for run in runs]
    rows += [_changes(run) for run in runs if run.changes]
    head = ("what", "changed by", "failed", "of", "p99 ms", "longest ms", "")
    about = [f"{run.name}: {run.about}" for run in runs]
    late = max((run.load["late_ms"] for run in runs), default=0.0)
    note = f"the sender was {late:.0f} ms late at most, which counts as time of the answer"
    return "\n".join([*about, note, "", table(rows, head=head)])


def _rows(run: Run) -> dict[str, Mapping[str, Any]]:
    return {row["kind"]: row for row in run.load["rows"]}


def _row(run: Run, kind: str) -> list[str]:
    row = _rows(run)[kind]
    faults = ", ".join(f"{count} {name}" for name, count in row["faults"].items())
    numbers = [str(row["failed"]), str(row["sent"])]
    return [kind, run.name, *numbers, f"{row['p99_ms']:.0f}", f"{row['longest_ms']:.0f}", faults]


def _jobs(run: Run) -> list[str]:
    jobs = run.load["lessons"]
    lost, twice = len(jobs["lost"]), len(jobs["twice"])
    fates = ", ".join(sorted(set(jobs["why"].values())))
    note = f"{lost} lost ({fates}), {twice} twice" if lost or twice else ""
    return ["jobs' ends", run.name, str(lost + twice), str(jobs["accepted"]), "", "", note]


def _changes(run: Run) -> list[str]:
    failed = [one for one in run.changes if one.problem]
    longest = max(one.seconds for one in run.changes) * 1000
    note = failed[0].problem if failed else ""
    return [
        "changes",
        run.name,
        str(len(failed)),
        str(len(run.changes)),
        "",
        f"{longest:.0f}",
        note,
    ]
