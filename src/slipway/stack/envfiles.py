"""Where Compose files take variables from other files. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from slipway.errors import Problem


def relative_env_files(text: str) -> tuple[Problem, ...]:
    """Each ``env_file`` of a service that is given relative to the Compose file.

    Args:
        text: a Compose file's; what is no YAML has none.
    """
    try:
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return ()
    return tuple(
        Problem(f"services.{name}.env_file", f"{file.value} (line {file.start_mark.line + 1})")
        for name, service in _pairs(_under(top, "services"))
        for file in _files(_under(service, "env_file"))
        if not str(file.value).startswith("/")
    )


def _pairs(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), value


def _under(node: yaml.Node | None, key: str) -> yaml.Node | None:
    return next((value for name, value in _pairs(node) if name == key), None)


def _files(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """One name, several, or maps with a ``path``
    (https://docs.docker.com/reference/compose-file/services/#env_file)."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _files(_under(item, "path") or item)
