"""What a TrueNAS says of itself that is in the way of a stack."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.hosts.middleware import OLDEST_TEXT
from slipway.hosts.nas import Nas
from slipway.plan.finding import Finding

_WELL = ("", "RUNNING", "INITIALIZING", "PENDING")


def truenas_findings(nas: Nas, project: str, app_dir: str) -> Iterator[Finding]:
    """What is wrong.

    Args:
        nas: what it says.
        project: Compose's project.
        app_dir: the application's folder.
    """
    if nas.release is not None and not nas.release.works:
        yield Finding(
            "truenas-old",
            f"TrueNAS {nas.release.text} is too old; {OLDEST_TEXT} is the oldest that works",
            "older ones have no Docker",
            "TrueNAS: System > Update",
        )
    if nas.docker not in _WELL:
        said = f": {nas.docker_said}" if nas.docker_said else ""
        yield Finding(
            "truenas-docker",
            f"TrueNAS says that its Docker is {nas.docker}{said}",
            "it starts Docker once after a boot, and does not try again",
            "TrueNAS: Apps > Configuration > Unset Pool, then Choose Pool",
        )
    if not app_dir.startswith("/mnt/") or app_dir.startswith("/mnt/.ix-apps"):
        yield Finding(
            "not-on-a-pool",
            f"{app_dir} is on no dataset of a pool",
            "TrueNAS replaces everything else with each update of the system",
            "set app_dir to a folder such as /mnt/tank/apps/langflix",
        )
    # TrueNAS takes three characters (ix-) off the name of every project there is.
    if not project.startswith("ix-") and project[3:] in nas.apps:
        yield Finding(
            "app-name",
            f"TrueNAS has an app named {project[3:]}, and takes the project {project} for it",
            "its Apps page shows the one in place of the other",
            f"give that app another name than {project[3:]}",
            "warning",
        )
    if nas.update == "reboot":
        yield Finding(
            "update-waits",
            "an update of TrueNAS is installed, and waits for a reboot",
            "whoever reboots it next interrupts what goes on then",
            "reboot it, then deploy",
            "warning",
        )
    elif nas.update:
        yield Finding(
            "update-pending",
            f"TrueNAS {nas.update} can be installed",
            "it mends what is known to be wrong",
            "TrueNAS: System > Update, at a time when nobody minds a reboot",
            "warning",
        )
