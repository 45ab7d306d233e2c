"""Read nix2container's image description and derive what a registry or Docker would ask for.

The description (``version`` 1, as nix2container 1.0.0 writes it) holds the runtime configuration
and, for each layer, its digest, its size and the store paths it is made from. Later versions keep
the number but set other times in the layers; they are known by further fields, ``created`` and
``History``, and refused. Configuration and manifest follow the OCI image
specification 1.1; Docker reads the same bytes with both of its image stores.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

from slipway.errors import BuildError, Problem
from slipway.images.goregex import GoRegex, UnsupportedRegex
from slipway.images.values import Image, Layer, LayerPath, Permission
from slipway.reading import Reader

VERSION: Final = 1
CREATED: Final = "1970-01-01T00:00:01Z"
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")
_MODE: Final = re.compile(r"[0-7]{0,4}\Z")
_HASH: Final = re.compile(r"^[0-9a-z]{32}-")
_TAG_DIGITS: Final = 12
_TAR_BLOCK: Final = 512


def parse(text: str | bytes, *, application: str, role: str, file: str) -> Image:
    """Read one image's description.

    Args:
        text: the JSON that nix2container wrote.
        application: first part of the image's reference, such as ``langflix``.
        role: second part of it, such as ``api``.
        file: where the text came from, for messages.

    Raises:
        BuildError: it is no JSON, of another version, or has problems (all of them are named).
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise _refused(file, [Problem("", f"is no JSON: {error}")]) from error
    reader = Reader(value)
    if reader.has("version") and reader.take("version") != VERSION:
        found = f"should be {VERSION}, got {reader.take('version')!r}"
        raise _refused(file, [Problem("version", f"{found}; another nix2container wrote it")])
    reader.whole("version")
    architecture = reader.text("arch")
    runtime = reader.take("image-config")
    if not isinstance(runtime, dict):
        reader.note("image-config", "should be a table")
    _refuse_later(reader, "created")
    layers = tuple(_layer(layer) for layer in reader.tables("layers"))
    reader.finish()
    if reader.problems:
        raise _refused(file, reader.problems)
    try:
        return image(application, role, architecture, runtime, layers)
    except ValueError as error:  # a number or a character that JSON and UTF-8 have no form for
        problem = Problem("image-config", f"has what can't be written as JSON: {error}")
        raise _refused(file, [problem]) from error


def image(
    application: str, role: str, architecture: str, runtime: Any, layers: tuple[Layer, ...]
) -> Image:
    """The image of these layers: its configuration, manifest, digests and reference.

    Args:
        architecture: Go's name for it, such as ``amd64``.
        runtime: the ``config`` of the OCI configuration: entrypoint, user, and so on.
    """
    config = canonical(
        {
            "architecture": architecture,
            "config": runtime,
            "created": CREATED,
            "history": [{"created": CREATED, "created_by": layer.title} for layer in layers],
            "os": "linux",
            "rootfs": {"diff_ids": [layer.digest for layer in layers], "type": "layers"},
        }
    )
    manifest = canonical(
        {
            "config": _pointer(CONFIG_TYPE, digest_of(config), len(config)),
            "layers": [_pointer(LAYER_TYPE, layer.digest, layer.bytes) for layer in layers],
            "mediaType": MANIFEST_TYPE,
            "schemaVersion": 2,
        }
    )
    digest = digest_of(config)
    return Image(
        role=role,
        reference=f"{application}/{role}:{digest.removeprefix('sha256:')[:_TAG_DIGITS]}",
        config=config,
        config_digest=digest,
        manifest=manifest,
        manifest_digest=digest_of(manifest),
        layers=layers,
    )


def canonical(value: object) -> bytes:
    """JSON in one possible form only: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest_of(data: bytes) -> str:
    """``sha256:…`` of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _pointer(media_type: str, digest: str, size: int) -> dict[str, object]:
    return {"digest": digest, "mediaType": media_type, "size": size}


def _refuse_later(reader: Reader, key: str) -> None:
    if reader.has(key):
        reader.take(key)
        reader.note(key, "is not in what nix2container 1.0.0 writes; a later one makes other bytes")


def _layer(reader: Reader) -> Layer:
    digest, size = reader.text("digest"), reader.whole("size")
    if digest and not _DIGEST.match(digest):
        reader.note("digest", f"should be sha256: and 64 hexadecimal digits, got {digest!r}")
    if reader.text("diff_ids") != digest:
        reader.note("diff_ids", "should be the digest; only uncompressed layers are known")
    if (media_type := reader.text("mediatype")) != LAYER_TYPE:
        reader.note("mediatype", f"should be {LAYER_TYPE}, got {media_type!r}")
    if size % _TAR_BLOCK or size < 2 * _TAR_BLOCK:
        reader.note("size", f"should be the size of a tar, got {size}")
    if reader.take("layer-path"):
        reader.note("layer-path", "is not supported; a layer is made from store paths")
    _refuse_later(reader, "History")
    paths = tuple(_path(path) for path in reader.tables("paths"))
    reader.finish()
    return Layer(digest=digest, bytes=size, title=_title(paths), paths=paths)


def _title(paths: tuple[LayerPath, ...]) -> str:
    """What the layer is called: its first store path's name without hash and ``layer-``."""
    name = paths[0].path.rpartition("/")[2] if paths else "empty"
    return _HASH.sub("", name).removeprefix("layer-")


def _path(reader: Reader) -> LayerPath:
    path = reader.text("path")
    if path and not path.startswith("/"):
        reader.note("path", f"should start with /, got {path!r}")
    options = reader.table("options")
    rewrite = options.table("rewrite")
    strip, replace = _regex(rewrite, "regex"), rewrite.text("repl", "")
    if "$" in replace:
        rewrite.note("repl", f"should have no $, got {replace!r}")
    rules = options.tables("perms") if options.has("perms") else []
    permissions = tuple(_permission(rule) for rule in rules)
    for table in (rewrite, options, reader):
        table.finish()
    return LayerPath(path=path, strip=strip, replace=replace, permissions=permissions)


def _permission(reader: Reader) -> Permission:
    permission = Permission(
        regex=_regex(reader, "regex"),
        mode=reader.text("mode", ""),
        uid=reader.whole("uid", 0),
        gid=reader.whole("gid", 0),
        uname=reader.text("uname", ""),
        gname=reader.text("gname", ""),
    )
    if not _MODE.match(permission.mode):
        reader.note("mode", f"should be up to four octal digits, got {permission.mode!r}")
    reader.finish()
    return permission


def _regex(reader: Reader, key: str) -> str:
    pattern = reader.text(key, "")
    try:
        GoRegex(pattern)
    except UnsupportedRegex as error:
        reader.note(key, f"{error}")
    return pattern


def _refused(file: str, problems: list[Problem]) -> BuildError:
    noun = "problem" if len(problems) == 1 else "problems"
    return BuildError(
        f"the image description {file} has {len(problems)} {noun}; nothing was sent",
        hint="./inv build",
        stage="build",
        details=[f"{file}: {problem}" for problem in problems],
    )
