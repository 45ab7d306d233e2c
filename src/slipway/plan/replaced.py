"""Whether a secret of a stack can get another value, and who may make it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slipway.errors import ConfigError
from slipway.plan.secrets import variable
from slipway.stack.model import SecretSpec


def settable(specs: Sequence[SecretSpec], supplied: Collection[str], name: str) -> SecretSpec:
    """A secret that can be given a value.

    Args:
        specs: the secrets of the stack.
        supplied: names of those that the operator supplies with every deploy.
        name: which.

    Raises:
        ConfigError: there is none of that name, it is derived, or the next deploy would take the
            operator's value again.
    """
    spec = next((one for one in specs if one.name == name), None)
    if spec is None:
        raise _refused(
            f"the stack has no secret {name}",
            f"those it has: {', '.join(sorted(one.name for one in specs)) or 'none'}",
        )
    if spec.derive:
        raise _refused(
            f"{name} is derived from {spec.source}, and changes with it",
            f"name {spec.source} in its place",
        )
    if name in supplied:
        raise _refused(
            f"you supply {name}, and the next deploy would take that value again",
            f"change it where it is (deploy/secrets/{name}, {variable(name)} or "
            "deploy/secrets.toml), then ./inv deploy",
        )
    return spec


def rotatable(specs: Sequence[SecretSpec], supplied: Collection[str], name: str) -> SecretSpec:
    """A secret that can be generated anew; arguments as for :func:`settable`.

    Raises:
        ConfigError: as :func:`settable`, or it is not slipway that makes it.
    """
    spec = settable(specs, supplied, name)
    if not spec.generate:
        raise _refused(
            f"{name} is not generated: somebody else makes it", f"./inv secrets.set {name}"
        )
    return spec


def all_rotatable(specs: Sequence[SecretSpec], supplied: Collection[str]) -> tuple[str, ...]:
    """The names of all secrets that can be generated anew; arguments as for :func:`settable`.

    Raises:
        ConfigError: there is none.
    """
    names = tuple(one.name for one in specs if one.generate and one.name not in supplied)
    if not names:
        raise _refused("no secret of this stack is generated", "./inv secrets.set SECRET")
    return names


def _refused(why: str, hint: str) -> ConfigError:
    return ConfigError(f"{why}; nothing was changed", hint=hint, stage="config")
