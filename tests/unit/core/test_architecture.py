"""The architecture's names are the same wherever they have to be said."""

from __future__ import annotations

import re
from pathlib import Path

from slipway.architecture import AMD64
from slipway.supply import elf

ROOT = Path(__file__).parents[3]
NAMES = (AMD64.multiarch, AMD64.nix, AMD64.loader, AMD64.machine)


def test_a_build_says_the_same() -> None:
    """The reader of ELF files and the Nix files use the names of the one table."""
    assert elf.DEFAULT_FOLDERS[0] == f"/usr/lib/{AMD64.multiarch}"
    assert f'system = "{AMD64.nix}";' in (ROOT / "nix/default.nix").read_text()
    run = (ROOT / "nix/python/run.sh").read_text()
    assert f"$runtime/usr/lib/{AMD64.multiarch}\n" in run
    assert f"$libraries/{AMD64.loader}" in run


def test_nobody_else_says_them() -> None:
    """No other file of slipway or of its Nix side has an architecture's name in its code."""
    may = {
        "src/slipway/architecture.py",
        "src/slipway/supply/elf.py",
        "src/slipway/hosts/rehearsal/boot.py",  # numbers of a system call, for any machine
        "src/slipway/hosts/facts.py",  # what hosts say
        "nix/default.nix",
        "nix/python/run.sh",
    }
    files = [*(ROOT / "src/slipway").rglob("*.py"), *(ROOT / "nix").rglob("*.nix")]
    files += (ROOT / "nix").rglob("*.sh")
    said = {
        str(path.relative_to(ROOT))
        for path in files
        if re.search("|".join(map(re.escape, NAMES)), path.read_text("utf-8"))
    }

    assert said <= may
