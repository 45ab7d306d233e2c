"""Have TrueNAS show the application among its apps, once."""

from __future__ import annotations

from slipway.ledger.entries import Link, Text
from slipway.ledger.layout import APP_FILE
from slipway.plan.actions import Write
from slipway.plan.draft import Draft
from slipway.plan.registering import LIVE, Register, Unregister, app_document, placeholder
from slipway.plan.step import Step

_STAYS = "it is the app of the release before, too"


def step(draft: Draft) -> Step | None:
    """None where it is there already, or is not to be."""
    wanted, app = draft.wanted, draft.plan.register
    if not app:
        return None
    images = draft.release.images
    stand_in = Write((Text(APP_FILE, placeholder(images[min(images)].reference)),))
    document = app_document(wanted.app_dir, wanted.stack.application, wanted.url)
    do = (stand_in, Register(app, document), Write((Link(APP_FILE, LIVE),)))
    # TrueNAS ends an app that it forgets by its Compose file, which has to be there.
    undo = (stand_in, Unregister(app), Write((Link(APP_FILE, ""),)))
    if draft.seen.memory.records.live is not None:
        # By then the release before runs again: TrueNAS would end it with the app it forgets.
        return Step("register", f"{app} among TrueNAS' apps", do=do, reason=_STAYS)
    return Step("register", f"{app} among TrueNAS' apps", do=do, undo=undo)
