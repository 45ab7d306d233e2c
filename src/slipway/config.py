"""``slipway.toml``, the one description of the images (see docs/reference/slipway-toml.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from slipway.architecture import AMD64
from slipway.errors import ConfigError
from slipway.reading import Reader, parse_toml, read_text

_NAME = "slipway.toml"
PROGRAMS = ("acl", "certificate", "door", "edge")
"""Our own programs that an image may ask for."""
LAYER_ORDER = ("base", "libc", "crypto", "python")
_OTHER_ARCHITECTURE = (
    'should be "amd64", got {!r}: images, packages and wheels are made for that processor only'
)
_ADDRESS = re.compile(r"[a-z][a-z0-9+-]*://\S+\Z")
_NO_ADDRESS = (
    "should be an address, such as https://cache.example.org or file:///srv/cache, got {!r}"
)
# 32 bytes of Ed25519 in base 64.
_KEY = re.compile(r"[^\s:]+:[A-Za-z0-9+/]{43}=\Z")
_NO_KEY = "should be a public key, NAME:BASE64, as ./inv cache.key prints it, got {!r}"
_ROLE = re.compile(r"[a-z][a-z0-9-]{0,30}\Z")


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """One role's image.

    Attributes:
        role: its name, such as ``api``.
        debian: packages of its own, besides the shared layers.
        python: names of Python sets; empty for a role without Python.
        exclude: folders of the application's ``source`` that this role does without as well.
        programs: our own programs in it, of :data:`PROGRAMS`.
        files: folder in the image to folder in the repository.
        bare: whether it goes without the shared layers.
        entrypoint: program and arguments that always run.
        command: default further arguments.
        environment: variables.
        user: ``uid:gid``.
        port: the TCP port it listens on, or 0.
    """

    role: str
    debian: tuple[str, ...]
    python: tuple[str, ...]
    exclude: tuple[str, ...]
    programs: tuple[str, ...]
    files: dict[str, str]
    bare: bool
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: dict[str, str]
    user: str
    port: int


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """The binary caches of ``[cache]``, besides those that Nix is set to.

    Attributes:
        addresses: as Nix has them, such as ``https://cache.example.org``.
        keys: public keys whose signatures count, as ``NAME:BASE64``.
    """

    addresses: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of ``slipway.toml``.

    Attributes:
        application: its name; image references start with it.
        source: folder of the Python package that goes into the application layer.
        exclude: folders of ``source`` left out of it.
        release: Debian's code name, such as ``trixie``.
        architecture: Debian's name for it; ``amd64``, the only one there is.
        drop: globs left out of every package.
        drop_from: globs left out of single packages.
        layers: packages of the shared layers, by layer.
        python_version: such as ``3.13``.
        heavy_bytes: wheels from this size on have a layer of their own.
        python_drop_from: globs left out of single wheels.
        python_sets: Python requirements by set.
        images: by role.
        rehearsal: packages of the rehearsal host.
        tools: packages the build itself needs, by tool.
        samples: Python packages of which one file is taken, for smoke tests and tests.
        mirrors: addresses of Debian's archives, by archive.
        cache: binary caches.
    """

    application: str
    source: str
    exclude: tuple[str, ...]
    release: str
    architecture: str
    drop: tuple[str, ...]
    drop_from: dict[str, tuple[str, ...]]
    layers: dict[str, tuple[str, ...]]
    python_version: str
    heavy_bytes: int
    python_drop_from: dict[str, tuple[str, ...]]
    python_sets: dict[str, tuple[str, ...]]
    images: dict[str, ImageConfig]
    rehearsal: tuple[str, ...]
    tools: dict[str, tuple[str, ...]]
    samples: dict[str, str]
    mirrors: dict[str, str]
    cache: CacheConfig

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role, in the order of the file."""
        return tuple(self.images)

    def drops_of(self, package: str) -> tuple[str, ...]:
        """The globs left out of ``package``."""
        return (*self.drop, *self.drop_from.get(package, ()))

    def known_roles(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """``wanted``, or every role when it is empty.

        Raises:
            ConfigError: one of them is no role.
        """
        unknown = [role for role in wanted if role not in self.images]
        if unknown:
            raise ConfigError(
                f"there is no role {', '.join(unknown)}; nothing was built",
                hint=f"the roles are {', '.join(self.roles)}",
                stage="config",
            )
        return wanted or self.roles


def load(root: Path) -> Config:
    """Read ``slipway.toml`` of a checkout.

    Raises:
        ConfigError: it is missing, no UTF-8, no TOML, or has problems (all of them are named).
    """
    return parse(read_text(root / "slipway.toml", _NAME))


def parse(text: str) -> Config:
    """Read the text of a ``slipway.toml``.

    Raises:
        ConfigError: it is no TOML, or has problems (all of them are named).
    """
    reader = Reader(parse_toml(text, _NAME))
    reader.format(1)
    application, debian = reader.table("application", required=True), reader.table("debian")
    python, layers = reader.table("python"), reader.table("layers")
    drop_from, images, tools = (
        debian.table("drop-from"),
        reader.table("image"),
        reader.table("tool"),
    )
    sets, wheel_drops = python.table("sets"), python.table("drop-from")
    config = Config(
        application=application.text("name"),
        source=application.text("source"),
        exclude=application.texts("exclude", []),
        release=debian.text("release"),
        architecture=debian.text("architecture"),
        drop=debian.texts("drop", []),
        drop_from={name: drop_from.texts(name) for name in drop_from.names()},
        layers={name: layers.texts(name) for name in LAYER_ORDER},
        python_version=python.text("version"),
        heavy_bytes=python.whole("heavy_bytes"),
        python_drop_from={name: wheel_drops.texts(name) for name in wheel_drops.names()},
        python_sets={name: sets.texts(name) for name in sets.names()},
        images={role: _image(role, images.table(role), sets.names()) for role in images.names()},
        rehearsal=reader.table("rehearsal").texts("debian", []),
        tools={name: tools.table(name).texts("debian") for name in tools.names()},
        samples=reader.text_map("samples"),
        mirrors=reader.text_map("mirrors"),
        cache=_cache(reader.table("cache")),
    )
    for text_key in ("title", "description"):
        application.text(text_key, "")
    for table in (reader, application, debian, python, layers):
        table.finish()
    if config.architecture and config.architecture != AMD64.debian:
        debian.note("architecture", _OTHER_ARCHITECTURE.format(config.architecture))
    _check_names(config, reader)
    _check_globs(config, reader)
    if reader.problems:
        raise ConfigError.from_problems(_NAME, reader.problems)
    return config


def _cache(reader: Reader) -> CacheConfig:
    cache = CacheConfig(reader.texts("addresses", []), reader.texts("keys", []))
    for index, address in enumerate(cache.addresses):
        if not _ADDRESS.match(address):
            reader.note(f"addresses[{index}]", _NO_ADDRESS.format(address))
    for index, key in enumerate(cache.keys):
        if not _KEY.match(key):
            reader.note(f"keys[{index}]", _NO_KEY.format(key))
    if cache.keys and not cache.addresses:
        reader.note("keys", "there is no address whose signatures they could vouch for")
    reader.finish()
    return cache


def _image(role: str, reader: Reader, sets: tuple[str, ...]) -> ImageConfig:
    image = ImageConfig(
        role=role,
        debian=reader.texts("debian", []),
        python=reader.texts("python", []),
        exclude=reader.texts("exclude", []),
        programs=reader.texts("programs", []),
        files=reader.text_map("files"),
        bare=reader.flag("bare", False),
        entrypoint=reader.texts("entrypoint"),
        command=reader.texts("command", []),
        environment=reader.text_map("environment"),
        user=reader.text("user", "568:568"),
        port=reader.whole("port", 0),
    )
    reader.finish()
    for index, name in enumerate(image.python):
        if name not in sets:
            reader.note(f"python[{index}]", f"there is no Python set {name}")
    for index, name in enumerate(image.programs):
        if name not in PROGRAMS:
            reader.note(f"programs[{index}]", f"there is no program {name}, only {PROGRAMS}")
    if image.exclude and not image.python:
        reader.note("exclude", "without a Python set there is no application layer to leave out of")
    if image.bare and (image.debian or image.python):
        reader.note("bare", "packages and Python sets need the shared layers")
    for target in image.files:
        if not target.startswith("/"):
            reader.note(f"files.{target}", "should start with /")
    return image


def _check_names(config: Config, reader: Reader) -> None:
    if not _ROLE.match(config.application or "x"):
        reader.note("application.name", "should be lower-case letters, digits and hyphens")
    for role in config.images:
        if not _ROLE.match(role):
            reader.note(f"image.{role}", "a role is lower-case letters, digits and hyphens")
    if not config.images:
        reader.note("image", "there is no role")


def _check_globs(config: Config, reader: Reader) -> None:
    groups = {"debian.drop": config.drop}
    groups |= {f"debian.drop-from.{name}": globs for name, globs in config.drop_from.items()}
    groups |= {f"python.drop-from.{name}": globs for name, globs in config.python_drop_from.items()}
    for where, globs in groups.items():
        for index, glob in enumerate(globs):
            if "**" in glob.removesuffix("/**") or glob.startswith("/"):
                reader.note(f"{where}[{index}]", "** may only end a glob, and / not begin it")
