"""What of the Compose files is read otherwise elsewhere, or does not outlive a reboot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slipway.plan.finding import Finding
from slipway.stack.envfiles import relative_env_files
from slipway.stack.model import Stack
from slipway.stack.mounts import named_volumes
from slipway.stack.yamlfile import lint

_STAYS = ("always", "unless-stopped")


def file_findings(
    stack: Stack, texts: Sequence[tuple[str, str]], warnings: Sequence[str], *, truenas: bool
) -> Iterator[Finding]:
    """What the files say.

    Args:
        stack: what they mean.
        texts: name and text of each.
        warnings: what was told of them while they were read.
        truenas: whether they are for a TrueNAS.
    """
    ambiguous = [f"{name}: {one}" for name, text in texts for one in lint(text).warnings]
    for said in dict.fromkeys((*ambiguous, *warnings)):
        if said in ambiguous:
            yield Finding(
                "yaml-ambiguous", said, "TrueNAS reads YAML 1.1, and Compose 1.2",
                "write it in quotes", "warning",
            )  # fmt: skip
        else:
            yield Finding(
                "compose-files", said, "a deploy warns of it, too", "mend the file", "warning"
            )
    for name, text in texts:
        for one in relative_env_files(text):
            yield Finding(
                "env-file-relative",
                f"{name}: {one}",
                "a deploy reads it here; whoever runs the file from elsewhere, such as TrueNAS' "
                "Apps, doesn't find it",
                "give an absolute path, or put the variables under `environment`",
                "warning",
            )
    for name in stack.standing:
        if not stack.ends(name) and _restart(stack, name) not in _STAYS:
            yield Finding(
                "restart-missing",
                f"services.{name} has no restart: always",
                "after a reboot of the host it stays down: nothing but Docker starts it",
                f"add `restart: always` to {name} in the Compose files",
                "warning",
            )
    if truenas:
        for name in named_volumes(stack):
            yield Finding(
                "named-volume",
                f"volumes.{name} is a volume of Docker's own",
                "TrueNAS deletes it with an app, when it restores its Docker backup, and when it "
                "moves its apps to another pool",
                "mount a folder of a dataset instead",
                "warning",
            )


def _restart(stack: Stack, service: str) -> str:
    body = stack.services[service]
    if (body.get("deploy") or {}).get("restart_policy"):
        return _STAYS[0]
    return str(body.get("restart") or "no").partition(":")[0]
