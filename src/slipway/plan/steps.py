"""The steps of a deploy, as values: what each believes, and how it is undone. Pure.

A step holds no code, so that whatever carries a deploy out (this process today) reads the same
list.
"""

from __future__ import annotations

from dataclasses import dataclass

from slipway.plan.draft import Draft


@dataclass(frozen=True, slots=True)
class Belief:
    """What was true on the host when the plan was made.

    Attributes:
        current: id of the live release, or None.
        containers: the application's containers: service, id, image id, sorted; None for a step
            that comes after they changed.
    """

    current: str | None
    containers: tuple[tuple[str, str, str], ...] | None

    def to_json(self) -> dict[str, object]:
        """All fields."""
        containers = self.containers
        return {
            "current": self.current,
            "containers": None if containers is None else [list(one) for one in containers],
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: such as ``transfer``.
        about: what it does, for people.
        belief: what must still be true when it begins, or None when it changes nothing that runs.
        undo: ``apply REVISION`` to put a release back, ``take down`` to end the stack, or empty.
        reason: why there is no undo, when there is none.
    """

    name: str
    about: str
    belief: Belief | None = None
    undo: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, object]:
        """All fields."""
        return {
            "name": self.name,
            "about": self.about,
            "belief": self.belief.to_json() if self.belief else None,
            "undo": self.undo,
            "reason": self.reason,
        }


def belief(draft: Draft) -> Belief:
    """What a draft takes to be true."""
    seen = draft.observed
    containers = tuple(
        sorted((c.service, c.id, c.image_id) for c in seen.containers if not c.one_off)
    )
    return Belief(seen.records.current, containers)


def steps(draft: Draft) -> tuple[Step, ...]:
    """The steps that carry out a draft, in order."""
    plan, fresh = draft.plan, [c for c in draft.choices if c.origin != "kept"]
    believed = belief(draft)
    later = Belief(believed.current, None)
    undo = f"apply {believed.current}" if believed.current else "take down"
    unused = "what nothing uses yet does no harm; the next deploy finds it, or prunes it"
    todo = [Step("preflight", "can the host take it?", reason="changes nothing")]
    if plan.bytes_to_send:
        todo.append(Step("transfer", "send image layers", believed, reason=unused))
    if fresh:
        names = ", ".join(choice.spec.name for choice in fresh)
        todo.append(Step("secrets", names, believed, reason=unused))
    todo.append(Step("files", "config files and release record", believed, reason=unused))
    if plan.migrations:
        todo.append(
            Step(
                "migrate",
                "bring the database to the release's shape",
                believed,
                undo,
                "the database keeps its new shape, which the release before can read",
            )
        )
    if plan.touched:
        about = f"{plan.touched} of {len(plan.containers)} services change"
        todo.append(Step("up", about, later if plan.migrations else believed, undo))
    return (
        *todo,
        Step("verify", "is every service well?", later, undo),
        Step("record", f"{draft.release.id} is live", later, undo),
        Step("prune", "remove what no kept release needs", reason="nothing that could come back"),
    )
