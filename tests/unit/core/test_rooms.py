"""The rooms of the code: imports go one way, and the picture of them is true."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src/slipway"
PICTURE = ROOT / "docs/concepts/pipeline.md"
ROOMS = (
    "runner", "config", "supply", "images", "bills", "audit", "stack", "hosts", "ledger", "plan",
    "act", "operate", "app",
)  # fmt: skip
SHARED = {
    "__init__", "ahead", "architecture", "commandline", "doors", "errors", "reading", "report",
    "secret", "shell", "testing", "web",
}  # fmt: skip
_EFFECTS = ("os", "subprocess", "socket", "shutil", "tempfile", "time", "random", "secrets")


def imports(path: Path) -> list[str]:
    """Every module that a file imports, with the names it takes from it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


def room_of(path: Path) -> str:
    """The room that a file of slipway stands in."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def arrows() -> dict[str, set[str]]:
    """Room to the other rooms that its files import from."""
    found: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path in SOURCE.rglob("*.py"):
        room = room_of(path)
        if room in ROOMS:
            targets = {one.split(".")[1] for one in imports(path) if one.startswith("slipway.")}
            found[room] |= (targets & set(ROOMS)) - {room}
    return found


def test_imports_go_one_way() -> None:
    """No room imports from its right, and no room imports the fakes."""
    for room, targets in arrows().items():
        left = ROOMS[: ROOMS.index(room)]
        assert targets <= set(left), f"{room} imports {sorted(targets - set(left))}"
    for path in SOURCE.rglob("*.py"):
        if room_of(path) != "testing":
            assert not [one for one in imports(path) if one.startswith("slipway.testing")], path


def test_what_all_rooms_share_knows_no_room() -> None:
    """Every file stands in a room or is one of the few that all share; those import no room."""
    for path in SOURCE.rglob("*.py"):
        room = room_of(path)
        assert room in ROOMS or room in SHARED, f"{path} stands in no room"
        if room in SHARED - {"testing", "commandline"}:
            targets = {one.split(".")[1] for one in imports(path) if one.startswith("slipway.")}
            assert not targets & set(ROOMS), path


def test_the_picture_of_the_rooms_is_true() -> None:
    """The table in the docs shows exactly the imports that there are."""
    block = re.search(
        r"```text\n( +runner config supply.*?)```", PICTURE.read_text("utf-8"), re.DOTALL
    )
    assert block is not None
    head, *rows = block[1].splitlines()
    assert tuple(head.split()) == ROOMS
    shown = {}
    for row in rows:
        room, *marks = row.split()
        assert marks[-1] == "." or room == "app"
        shown[room] = {name for name, mark in zip(ROOMS, marks, strict=False) if mark == "x"}
    assert shown == arrows()


def test_plans_are_pure() -> None:
    """What decides imports nothing that acts: no programs, no clock, no chance, no files."""
    for path in (SOURCE / "plan").rglob("*.py"):
        roots = {one.split(".")[0] for one in imports(path)}
        assert not roots & set(_EFFECTS), path
        assert not [one for one in imports(path) if one.startswith("pathlib.Path")], path


def test_the_application_stands_alone() -> None:
    """The application imports nothing of the tool that ships it, nor the tool of it."""
    for path in (ROOT / "src/langflix").rglob("*.py"):
        assert not [one for one in imports(path) if one.startswith("slipway")], path
    for path in SOURCE.rglob("*.py"):
        assert not [one for one in imports(path) if one.startswith("langflix")], path
