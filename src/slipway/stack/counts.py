"""Whether a service may have as many containers as are wanted, whoever wants them. Pure."""

from __future__ import annotations

from slipway.stack.model import Stack


def beside_problem(stack: Stack, name: str, count: int) -> str:
    """Why several containers of a standing service may not be there; empty when they may."""
    if count <= 1 or name in stack.rolled:
        return ""
    return (
        f"{name}={count}: the Compose file does not declare that several containers of it may be "
        "there side by side (`x-slipway: {roll: …}`); those it does are "
        f"{rolled_names(stack)}"
    )


def rolled_names(stack: Stack) -> str:
    """The services of which there may be several, for people."""
    return ", ".join(name for name in stack.standing if name in stack.rolled) or "none"
