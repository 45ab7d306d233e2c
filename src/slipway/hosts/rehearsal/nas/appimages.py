"""``app.image.pull`` and ``app.image.delete``.

Source: ``plugins/apps_images/images.py`` and ``plugins/apps/ix_apps/docker/images.py`` of the
middleware. Docker tells it layer by layer how a pull goes on; what breaks once that has begun is
one more line of the same, which it does not read: the job succeeds, and the image is not there.
"""

from __future__ import annotations

import json
import re
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import docker
from .appquery import image
from .checks import Field
from .engine import run
from .errors import CallError, InstanceNotFound
from .middleware import Call, JobKind, Method
from .releases import Release

Table = dict[str, Any]
_WRITE = "APPS_WRITE"
_PULL_S = 3600
_LONGEST = 4096
# What Docker says before it begins; then it answers with a code of HTTP. All else comes later.
_AT_ONCE = (
    r"manifest.*unknown|not found|denied|unauthorized|no basic auth|connection refused|no such host"
    r"|no route to host|HTTP response to HTTPS|x509|invalid reference|timeout|unreachable"
)


def methods(release: Release) -> list[Method]:
    """The methods of this part."""
    force = Field("options", "table", {}, (Field("force", "bool", False),),
                  model="AppImageDeleteOptions")  # fmt: skip
    return [
        Method("app.image.pull", _pull, (_pull_field(release),), _WRITE, JobKind()),
        Method("app.image.delete", _delete, (Field("image_id"), force), _WRITE),
    ]


def _pull_field(release: Release) -> Field:
    login = [
        Field("username"),
        Field("password", most=_LONGEST) if not release.strict else Field("password"),
    ]
    if release.strict:
        login.append(Field("registry_uri", "str", None, null=True))
    auth = Field("auth_config", "table", None, tuple(login), null=True, model="AppImageAuthConfig")
    image_name = Field("image", least=1 if release.strict else 0)
    return Field("image_pull", "table", fields=(auth, image_name), model="AppImagePull")


def _pull(call: Call, data: Table) -> None:
    docker.require(call)
    name, login = data["image"], data["auth_config"] or {}
    for one, other in (("username", "password"), ("password", "username")):
        if login.get(one) and not login.get(other):
            text = f"{other.capitalize()} is required when {one} is provided"
            raise CallError(text)
    settings = call.middleware.settings
    call.progress(45, "Pulling image")
    with _config(login, name) as options:
        done = run([settings.docker, *options, "pull", name], _PULL_S)
    if done.returncode and re.search(_AT_ONCE, done.stderr, re.IGNORECASE):
        words = done.stderr.strip().removeprefix("Error response from daemon: ")
        raise CallError(f"Failed to pull {name!r} image: {_as_http(words)}")
    call.progress(100, f"{name!r} image pulled successfully")


def _as_http(words: str) -> str:
    """Docker's words as its Python client tells them."""
    missing = re.search("manifest.*unknown|not found", words, re.IGNORECASE) is not None
    code, kind, reason = (404, "Client", "Not Found") if missing else (
        500, "Server", "Internal Server Error")  # fmt: skip
    where = "http+docker://localhost/v1.47/images/create"
    return f'{code} {kind} Error for {where}: {reason} ("{words}")'


@contextmanager
def _config(login: Table, name: str) -> Iterator[tuple[str, ...]]:
    """Options of Docker's client for a login, which Docker itself gets in a header."""
    if not login:
        yield ()
        return
    host = name.partition("/")[0]
    auth = b64encode(f"{login['username']}:{login['password']}".encode()).decode()
    with tempfile.TemporaryDirectory(prefix="pull-") as folder:
        text = json.dumps({"auths": {host: {"auth": auth}}})
        Path(folder, "config.json").write_text(text, "utf-8")
        yield ("--config", folder)


def _delete(call: Call, number: str, options: Table) -> bool:
    docker.require(call)
    settings = call.middleware.settings
    if image(call, number) is None:
        raise InstanceNotFound(f"AppImage {number} does not exist")
    force = ["--force"] if options["force"] else []
    done = run([settings.docker, "image", "rm", *force, number])
    if done.returncode:
        words = done.stderr.strip().removeprefix("Error response from daemon: ")
        where = f"http+docker://localhost/v1.47/images/{number}"
        text = f'409 Client Error for {where}: Conflict ("{words}")'
        raise CallError(f"Failed to delete {number!r} image: {text}")
    return True
