"""After a deploy what no kept release needs goes, and that can't fail it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.unit.act.runs import first, run
from tests.unit.demo import world


def test_prune_keeps_three_releases() -> None:
    """The last three releases keep their images; older tags, files and records go."""
    made = world()
    releases = [first(made).release]
    releases += [run(made, web=str(number)).release for number in range(2, 6)]
    assert {ref for ref in made.engine.held if "/web:" in ref} == {
        "demo/web:3", "demo/web:4", "demo/web:5",
    }  # fmt: skip
    known = [release.id for release in made.folder.read().records.releases]
    assert known == releases[:1:-1]
    assert "freed" in made.talk.getvalue()


def test_failing_prune_does_not_fail_the_deploy() -> None:
    """The release is live when pruning fails; a warning says what stayed."""
    made = world()
    first(made)

    def refuse(references: Sequence[str]) -> int:
        raise OSError("daemon is busy")

    made.engine.remove_images = refuse  # type: ignore[method-assign]
    for number in range(2, 5):
        assert run(made, web=str(number)).outcome == "deployed"
    assert "the release is live, but prune failed: the host: OSError" in made.talk.getvalue()
