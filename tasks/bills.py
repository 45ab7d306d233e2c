"""What is in the images, and what is known against it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.app.answer import Answer
from tasks.command import JSON, LOCKED, command

if TYPE_CHECKING:
    from slipway.app.workspace import Workspace


@command(
    help={
        "role": "only this image; may be given several times",
        "format": "cyclonedx or spdx (default: both)",
        "output": "folder to write to (default: .slipway/bills)",
        "sign": "a key of OpenSSH to sign them with",
        "check": "write nothing: compare a folder's bills with the images",
        "host": "with --check: compare with what runs there, and build nothing",
        "locked": LOCKED,
        "json": JSON,
    },
    iterable=["role"],
)
def bills(
    workspace: Workspace,
    role: list[str],
    format: str = "",
    output: str = "",
    sign: str = "",
    check: str = "",
    host: str = "",
    locked: bool = False,
    json: bool = False,
) -> Answer:
    """Write down what the images are made of."""
    from slipway.app import bills as making
    from slipway.app import signed as signing
    from slipway.bills.signature import key_at
    from slipway.bills.sums import image_files, image_names
    from slipway.operate.attest import hold_against

    making.see_that_flags_fit(
        check=check, host=host, sign=sign, own=(*(role or ()), format, output)
    )
    making.see_that_places_fit(check=check, output=output)
    shell, report, root = workspace.shell, workspace.report, workspace.root
    signed = None
    if check:
        signed = signing.believed(shell, report, root, Path(check), needed=bool(host))
    if host and signed:
        with workspace.target(host) as target:
            held = hold_against(target.doors, signed.signer, signed.ids)
        return Answer(held.to_json(), held.to_text(), held.talk)
    application = workspace.config.application
    roles = workspace.config.known_roles(tuple(dict.fromkeys(role or ())))
    names = making.file_names(roles, application, format)
    folder = Path(output) if output else root / making.FOLDER
    key = key_at(sign) if sign else None
    if key:
        signing.see_that_it_is_all(folder, names | image_names(roles))
        signing.try_key(shell, report, root, key)
    images = workspace.images(locked=locked, roles=roles)
    report.step("bills", f"{len(images)} images")
    made = making.make_bills(root, images, report)
    files = making.texts(made, application, format, report)
    if key or signed:
        files |= image_files(images)
    if check:
        done = making.check_bills(Path(check), made, files, signed.signer if signed else "")
        return Answer(done.to_json(), talk=done.compared)
    if key:
        files |= signing.signed_sums(shell, report, key, files)
    done = making.write_bills(folder, made, files)
    if key and (signed := signing.believed(shell, report, root, folder)):
        done = replace(done, signer=signed.signer)
    return Answer(done.to_json(), done.to_text())


@command(
    help={
        "fail-on": "low, medium, high or critical: end with code 7 when something is as bad",
        "osv": "an export of the OSV database (zip or JSON); may be given several times",
        "sarif": "write the findings to this file as well, as code forges read them",
        "locked": LOCKED,
        "json": JSON,
    },
    iterable=["osv"],
)
def audit(
    workspace: Workspace,
    osv: list[str],
    fail_on: str = "high",
    sarif: str = "",
    locked: bool = False,
    json: bool = False,
) -> Answer:
    """Ask what is known against what the images hold."""
    from slipway.app.audit import audit as ask
    from slipway.app.audit import read_wish
    from slipway.audit.judge import Failed
    from slipway.audit.sarif import sarif as rendered

    wish = read_wish(workspace.root, fail_on, tuple(osv or ()))
    verdict = ask(
        workspace.shell,
        workspace.clock,
        workspace.root,
        workspace.images(locked=locked),
        workspace.report,
        wish,
    )
    if sarif:
        Path(sarif).write_text(rendered(verdict, workspace.root), "utf-8")
    if not verdict.passed:
        raise Failed(verdict)
    return Answer(verdict.to_json(), verdict.to_text())
