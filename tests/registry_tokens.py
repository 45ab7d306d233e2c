"""A token server, as GitHub's or GitLab's registry has one (Docker Registry v2 authentication)."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_SERVICE, _ISSUER, _LIFE_S = "registry of tests", "tokens of tests", 300


class Tokens:
    """Gives tokens to those who log in, as long as the block lasts.

    Args:
        folder: for its key.
        users: names and passwords.
        readers: users who may pull and no more.

    Attributes:
        asked: the scopes of each question.
    """

    def __init__(
        self, folder: Path, users: Mapping[str, str], readers: tuple[str, ...] = ()
    ) -> None:
        self._users, self._readers = users, readers
        self._cert, key = folder / "tokens.pem", folder / "tokens.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", key, "-out", self._cert, "-days", "3", "-subj", "/CN=tokens"],
            check=True, capture_output=True,
        )  # fmt: skip
        found = serialization.load_pem_private_key(key.read_bytes(), None)
        assert isinstance(found, EllipticCurvePrivateKey)
        self._key = found
        self.asked: list[tuple[str, ...]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def settings(self) -> dict[str, str]:
        """What ``auth.token`` of a registry is."""
        realm = f"http://127.0.0.1:{self._server.server_port}/token"
        return {"realm": realm, "service": _SERVICE, "issuer": _ISSUER,
                "rootcertbundle": str(self._cert)}  # fmt: skip

    def __enter__(self) -> Tokens:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(tokens) -> type[BaseHTTPRequestHandler]:
        class Asked(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Give a token for what the user may do of what is asked."""
                user = tokens._user(self.headers.get("Authorization", ""))
                scopes = tuple(parse_qs(urlsplit(self.path).query).get("scope", ()))
                tokens.asked.append(scopes)
                body = json.dumps({"token": tokens._token(user, scopes)} if user else {}).encode()
                self.send_response(200 if user else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        return Asked

    def _user(self, shown: str) -> str:
        user, _, password = base64.b64decode(shown.removeprefix("Basic ")).decode().partition(":")
        return user if user and self._users.get(user) == password else ""

    def _token(self, user: str, scopes: tuple[str, ...]) -> str:
        """A JSON web token (RFC 7519), signed with ES256, its certificate beside it."""
        may = {"pull"} if user in self._readers else {"pull", "push"}
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            granted = sorted(may & set(actions.split(",")))
            access.append({"type": kind, "name": name, "actions": granted})
        der = x509.load_pem_x509_certificate(self._cert.read_bytes()).public_bytes(
            serialization.Encoding.DER
        )
        now = int(time.time())
        head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        claims = {"iss": _ISSUER, "sub": user, "aud": _SERVICE, "exp": now + _LIFE_S,
                  "nbf": now - 10, "iat": now, "jti": str(len(self.asked)),
                  "access": access}  # fmt: skip
        text = ".".join(_packed(json.dumps(one).encode()) for one in (head, claims))
        r, s = decode_dss_signature(self._key.sign(text.encode(), ECDSA(hashes.SHA256())))
        return f"{text}.{_packed(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
