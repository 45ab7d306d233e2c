"""The way to the locked inputs, loaded when something is missing.

What locks and fetches takes a tenth of a short command's time to import, and a command with nothing
to build needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.config import Config
from slipway.doors import Shell
from slipway.report import Report
from slipway.supply.needs import Needs

if TYPE_CHECKING:
    from slipway.supply.check import Checked
    from slipway.supply.fetch import Fetched
    from slipway.supply.news import Update


@dataclass(frozen=True, slots=True)
class Supplies:
    """Brings inputs into the Nix store.

    Attributes:
        shell: this machine.
        root: the checkout.
        report: the person.
        locked: stop instead of locking anew when a mirror dropped a package.
        before: called before anything is fetched for a build.
    """

    shell: Shell
    root: Path
    report: Report
    locked: bool
    before: Callable[[], object] | None = None

    def bring(self, needs: Needs | None = None) -> Fetched:
        """Have what is needed there (None: everything); see :func:`slipway.supply.ready.ready`.

        Raises:
            SupplyError: something can't be had.
        """
        from slipway.supply.ready import ready

        return ready(
            self.shell,
            self.root,
            self.report,
            locked=self.locked,
            needs=needs,
            before=self.before,
        )

    def lock(self, kinds: Sequence[str]) -> None:
        """Make locks anew; see :func:`slipway.supply.ready.lock`."""
        from slipway.supply.ready import lock

        lock(self.shell, self.root, self.report, kinds)

    def update(self, kinds: Sequence[str]) -> Update:
        """Make locks anew and tell what changed; see :func:`slipway.supply.ready.update`."""
        from slipway.supply.ready import update

        return update(self.shell, self.root, self.report, kinds)

    def check_locks(self) -> Checked:
        """Compare locks with what vouches for them, as the task says."""
        from slipway.supply.ready import check_locks

        return check_locks(self.shell, self.root, self.report)

    def bring_samples(self, settings: Config) -> None:
        """Have the files of ``[samples]`` there; fetches when one is missing.

        Raises:
            SupplyError: one can't be had.
        """
        from slipway.supply.places import Places

        places = Places(self.root)
        if not all(places.sample(name).exists() for name in settings.samples):
            self.bring(Needs(samples=True))
