"""The folders that supply works in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipway.supply.contents import Shelf


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of a checkout.

    Attributes:
        root: the checkout.
    """

    root: Path

    @property
    def locks(self) -> Path:
        """Where the locks are."""
        return self.root / "nix/locks"

    @property
    def go(self) -> Path:
        """Where ``go.mod`` is."""
        return self.root / "nix/go"

    @property
    def downloads(self) -> Path:
        """Where files wait until the store has them."""
        return self.root / ".slipway/downloads"

    @property
    def apt(self) -> Path:
        """The private apt's state."""
        return self.root / ".slipway/apt"

    @property
    def modules(self) -> Path:
        """Go modules that a check of the locks fetched."""
        return self.root / ".slipway/modules"

    @property
    def scratch(self) -> Path:
        """Where folders are made that are removed again."""
        return self.root / ".slipway/scratch"

    @property
    def shelf(self) -> Shelf:
        """What is known of packages and wheels that were read once."""
        from slipway.supply.contents import Shelf

        return Shelf(self.root / ".slipway/contents")

    def sample(self, name: str) -> Path:
        """Where a file of ``[samples]`` lies after a fetch."""
        return self.root / ".slipway/samples" / name


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".new")
    part.write_text(text, "utf-8")
    part.replace(path)
