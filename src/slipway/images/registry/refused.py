"""Why a registry did not take something, as a sentence for each cause. Pure.

Causes are told apart by status, by the codes of the OCI distribution specification 1.1 (section
"Error Codes") and by the types of exceptions.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Final

import httpx

from slipway.errors import RegistryError
from slipway.images.registry.address import Registry

_SHOWN: Final = 3
#: A session of an upload that it does not know, or not as it is, any more.
_LOST: Final = frozenset(("BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"))
#: What servers say of a full disk or quota; 28 is ENOSPC.
_FULL: Final = ("no space left on device", '"err":28', "quota", "insufficient storage")


def codes_of(body: bytes) -> tuple[str, ...]:
    """The codes in an answer's body; none where it has another form."""
    return tuple(str(one.get("code", "")) for one in _errors(body))


def unreachable(registry: Registry, error: Exception) -> RegistryError:
    """No answer came."""
    causes = list(_chain(error))
    name = registry.host
    for one in causes:
        if isinstance(one, socket.gaierror):
            return _error(
                registry, "unknown-host", f"no server is called {name}",
                "look at the address: --to, --from, or `registry` in deploy/hosts.toml or "
                "deploy/hosts.local.toml",
            )  # fmt: skip
        if isinstance(one, ssl.SSLCertVerificationError):
            return _error(
                registry, "certificate",
                f"its certificate is not to be believed: {one.verify_message}",
                f"put its authority's certificate into /etc/docker/certs.d/{name}/ca.crt",
            )  # fmt: skip
        if isinstance(one, ssl.SSLError):
            return _error(
                registry, "no-tls", "it does not speak TLS",
                f"where that is meant, say so: http://{registry}",
            )  # fmt: skip
        if isinstance(one, ConnectionRefusedError):
            return _error(registry, "refused", "nothing listens there",
                          "see that the registry runs, and at its port")  # fmt: skip
    if isinstance(error, httpx.TimeoutException):
        return _error(registry, "silent", "it does not answer", "see that it can be reached")
    why = str(error) or type(error).__name__
    return _error(registry, "broken", f"the connection broke: {why}", "try again")


def refused(registry: Registry, answer: httpx.Response, what: str) -> RegistryError:
    """An answer that is no yes.

    Args:
        registry: who answered.
        answer: it; its body has been read.
        what: what was asked, a clause such as ``the layer python of langflix/api``.
    """
    said, codes = _said(answer.content), codes_of(answer.content)
    status = answer.status_code
    if status == 403 or "DENIED" in codes:
        return denied(registry, what, said)
    if is_full(answer):
        return _error(registry, "full", f"it has no room for {what}",
                      "make room there; its garbage collection frees what no image has",
                      said)  # fmt: skip
    if status == 413:
        return _error(registry, "large", f"{what} is too large for what stands before it",
                      "raise the limit of its proxy (nginx: client_max_body_size)",
                      said)  # fmt: skip
    if status == 416:
        return _error(registry, "range", f"it wants other bytes of {what} than it was sent",
                      "push again: what it has stays", said)  # fmt: skip
    if "DIGEST_INVALID" in codes:
        return _error(registry, "digest", f"other bytes of {what} came there than were sent",
                      "push again; if it stays so, look at what stands before the registry",
                      said)  # fmt: skip
    if _LOST.intersection(codes):
        return _error(registry, "upload-lost", f"it forgot {what} half-way",
                      "push again: what it has stays", said)  # fmt: skip
    if "MANIFEST_BLOB_UNKNOWN" in codes or "BLOB_UNKNOWN" in codes:
        return _error(registry, "blob-unknown", f"it lost a part of {what} meanwhile",
                      "push again, while no garbage collection is running there", said)  # fmt: skip
    if status == 404:
        return _error(registry, "not-found", f"it knows no place for {what}",
                      "look at the address; some registries want the folder to be made first",
                      said)  # fmt: skip
    if status == 429:
        return _error(registry, "busy", "it was asked too often", "try again later", said)
    if status >= 500:
        return _error(registry, "server", f"it failed at {what} ({status})",
                      "look at the registry's own log", said)  # fmt: skip
    return _error(registry, "refused-request", f"it does not take {what} ({status})",
                  "look at the registry's own log", said)  # fmt: skip


def not_logged_in(registry: Registry, source: str, said: Sequence[str] = ()) -> RegistryError:
    """It wants a login, or another one.

    Args:
        registry: which.
        source: where the login that it did not take stands; empty when there was none.
        said: its words.
    """
    why = f"it does not take the login of {source}" if source else "it wants a login"
    return _error(registry, "login", why, f"docker login {registry.host}", said)


def denied(registry: Registry, what: str, said: Sequence[str] = ()) -> RegistryError:
    """The login may not do it."""
    return _error(registry, "denied", f"this login has no right to {what}",
                  "let it read and write there, or log in as somebody who may", said)  # fmt: skip


def foreign(registry: Registry, url: str, why: str) -> RegistryError:
    """It sends on to where nothing is sent."""
    return _error(registry, "elsewhere", f"it sends on to {url}, {why}",
                  "set its own address in the registry's configuration (http.host)")  # fmt: skip


def changed(registry: Registry, what: str) -> RegistryError:
    """It has other bytes than it was given, or none."""
    return _error(registry, "changed", f"it does not give {what} back as it was sent",
                  "look at the registry's own log; push again")  # fmt: skip


def is_full(answer: httpx.Response) -> bool:
    """Whether a server's failure is that its disk or quota is full."""
    if answer.status_code == httpx.codes.INSUFFICIENT_STORAGE:
        return True
    text = answer.content.decode("utf-8", "replace").lower().replace(" :", ":").replace(": ", ":")
    return answer.status_code >= 500 and any(word in text for word in _FULL)


def _error(
    registry: Registry, cause: str, why: str, hint: str, said: Sequence[str] = ()
) -> RegistryError:
    text = f"the registry {registry}: {why}; what runs still runs"
    return RegistryError(text, hint=hint, stage="registry", details=said[:_SHOWN]).by(cause)


def _said(body: bytes) -> tuple[str, ...]:
    """An answer's own words, for people."""
    found = [
        ": ".join(filter(None, (str(one.get("code", "")), str(one.get("message", "")))))
        for one in _errors(body)
    ]
    text = " ".join(body.decode("utf-8", "replace").split())
    return tuple(found) if found else ((text[:200],) if text and "<" not in text[:20] else ())


def _errors(body: bytes) -> list[dict[str, object]]:
    try:
        value = json.loads(body)
        return [one for one in value["errors"] if isinstance(one, dict)]
    except (ValueError, KeyError, TypeError):
        return []


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
