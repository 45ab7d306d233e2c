"""Who one is to a registry, by Docker's configuration, and what is shown of it to whom."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.images.sample_images import image_of, layer

from slipway.doors import Completed
from slipway.errors import CommandFailed, ConfigError, RegistryError
from slipway.images.registry.access import Challenge, read_challenge
from slipway.images.registry.address import Registry
from slipway.images.registry.client import Client, open_http, repository_scope, trust
from slipway.images.registry.logins import Login, config_file, find_login
from slipway.secret import Secret
from slipway.testing.doors import FakeShell

HOST = "registry.example:5000"
WHERE = Registry(HOST)
PULL = repository_scope("app/api", last="pull")


def auth(user: str, password: str) -> str:
    """As ``docker login`` writes it."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def written(folder: Path, value: object) -> Path:
    """Docker's configuration."""
    file = folder / "config.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return file


def helper(says: str, code: int = 0) -> FakeShell:
    """A shell with one helper, which knows what it is asked."""
    shell = FakeShell()
    argv = ("docker-credential-pass", "get")
    shell.on(*argv, reply=Completed(argv, code, says.encode(), b""))
    return shell


def test_where_the_file_is() -> None:
    """Where Docker looks for it."""
    home = Path("/home/me")
    assert config_file({}, home) == home / ".docker/config.json"
    assert config_file({"DOCKER_CONFIG": "/run/x"}, home) == Path("/run/x/config.json")


@pytest.mark.parametrize("name", [HOST, f"https://{HOST}", f"https://{HOST}/v1/"])
def test_a_login_in_the_file(tmp_path: Path, name: str) -> None:
    """By the server's name, however it is written; a password may have colons."""
    file = written(tmp_path, {"auths": {"other": {}, name: {"auth": auth("me", "a:b")}}})
    assert find_login(HOST, file, FakeShell()) == Login("me", Secret("a:b"), str(file))
    assert find_login("registry.example", file, FakeShell()) is None


def test_an_identity_token_in_the_file(tmp_path: Path) -> None:
    """It is stronger than a password beside it."""
    entry = {"auth": auth("me", "x"), "identitytoken": "t"}
    file = written(tmp_path, {"auths": {HOST: entry}})
    assert find_login(HOST, file, FakeShell()) == Login("", Secret("t"), str(file))


def test_nobody(tmp_path: Path) -> None:
    """Without a file, without an entry, with an empty one."""
    assert find_login(HOST, tmp_path / "none", FakeShell()) is None
    empty: tuple[object, ...] = ({}, {"auths": {}}, {"auths": {HOST: {}}})
    for value in (*empty, {"auths": {HOST: {"auth": ""}}}):
        assert find_login(HOST, written(tmp_path, value), FakeShell()) is None


@pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
def test_a_helper(tmp_path: Path, key: str) -> None:
    """It is given the server on standard input; ``<token>`` is no user."""
    file = written(tmp_path, {key: "pass" if key == "credsStore" else {HOST: "pass"}})
    shell = helper(json.dumps({"ServerURL": HOST, "Username": "me", "Secret": "s"}))
    assert find_login(HOST, file, shell) == Login("me", Secret("s"), "docker-credential-pass")
    shell = helper(json.dumps({"Username": "<token>", "Secret": "s"}))
    found = find_login(HOST, file, shell)
    assert found is not None and found.user == ""
    assert shell.inputs == [HOST.encode()]


def test_a_helper_that_has_none_leaves_it_to_the_file(tmp_path: Path) -> None:
    """As Docker does it."""
    shell = helper("credentials not found in native keychain\n", 1)
    value: dict[str, Any] = {"credsStore": "pass"}
    assert find_login(HOST, written(tmp_path, value), shell) is None
    value["auths"] = {HOST: {"auth": auth("me", "x")}}
    found = find_login(HOST, written(tmp_path, value), shell)
    assert found is not None and found.user == "me"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{", "it is no JSON"),
        ("[]", "it is no JSON object"),
        ({"auths": []}, ""),
        ({"auths": [1]}, "auths should be an object"),
        ({"auths": {HOST: {"auth": "%%%"}}}, "base64"),
        ({"auths": {HOST: {"auth": base64.b64encode(b"nobody").decode()}}}, "base64"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, value: object, why: str) -> None:
    """It is a problem of the operator's, with the file's name."""
    file = written(tmp_path, value)
    if not why:
        assert find_login(HOST, file, FakeShell()) is None
        return
    with pytest.raises(ConfigError, match=why) as caught:
        find_login(HOST, file, FakeShell())
    assert str(file) in caught.value.message and caught.value.hint


def test_a_helper_that_fails_or_speaks_otherwise(tmp_path: Path) -> None:
    """It is named; what it printed may hold a password, and is not shown."""
    file = written(tmp_path, {"credsStore": "pass"})
    with pytest.raises(ConfigError, match="ended with 3") as failed:
        find_login(HOST, file, helper("gpg: no key", 3))
    assert failed.value.details == ("gpg: no key",)
    with pytest.raises(ConfigError, match="printed no login") as odd:
        find_login(HOST, file, helper('{"Username": "me", "Password": "canary-7"}'))
    assert "canary" not in f"{odd.value.message}{odd.value.details}{odd.value.__cause__}"

    class Missing(FakeShell):
        def run(self, argv: Any, **_: Any) -> Completed:
            """There is no such program."""
            raise CommandFailed(argv, 127, "", where="here") from FileNotFoundError()

    with pytest.raises(ConfigError, match="is not installed") as missing:
        find_login(HOST, file, Missing())
    assert "install docker-credential-pass" in str(missing.value.hint)


def test_docker_configurations_of_a_login() -> None:
    """Docker reads them as its own; nobody sees them by accident."""
    value = Login("me", Secret("canary-6"), "x").docker_config(HOST)
    assert json.loads(value.reveal()) == {"auths": {HOST: {"auth": auth("me", "canary-6")}}}
    assert "canary" not in f"{value} {value!r}"
    token = Login("", Secret("t"), "x").docker_config(HOST)
    assert json.loads(token.reveal()) == {"auths": {HOST: {"identitytoken": "t"}}}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('Basic realm="x"', Challenge("basic")),
        ('bearer realm="https://a/t",service="s, t"', Challenge("bearer", "https://a/t", "s, t")),
        ("Bearer service=x", None),
        ("Bearer what", None),
        ("Negotiate", None),
        ("", None),
    ],
)
def test_challenges(text: str, found: Challenge | None) -> None:
    """Of two kinds; others are none."""
    assert read_challenge(text) == found


class Guarded:
    """A registry that wants tokens, and the server that gives them.

    Args:
        realm: where it sends.
        gives: what the token server answers with.
        scope: whether a token is enough.
    """

    def __init__(
        self,
        realm: str = "https://tokens.example/t?a=b",
        *,
        gives: object = None,
        enough: bool = True,
    ) -> None:
        self.realm, self.enough = realm, enough
        self.gives = {"token": "T"} if gives is None else gives
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as either of them."""
        self.asked.append(request)
        if request.url.host == "tokens.example":
            request.read()
            if isinstance(self.gives, httpx.Response):
                return self.gives
            return httpx.Response(200, json=self.gives)
        if request.headers.get("Authorization") == "Bearer T" and self.enough:
            return httpx.Response(200)
        more = ',error="insufficient_scope"' if "Authorization" in request.headers else ""
        shown = f'Bearer realm="{self.realm}",service="s"{more}'
        return httpx.Response(401, headers={"WWW-Authenticate": shown})

    def client(self, login: Login | None, registry: Registry = WHERE) -> Client:
        """What asks it."""
        http = httpx.Client(transport=httpx.MockTransport(self))
        return Client(registry, http, login, lambda _: None)

    def ask(self, login: Login | None = None, registry: Registry = WHERE) -> httpx.Response:
        """Ask for anything."""
        client = self.client(login, registry)
        return client.ask("HEAD", client.url("app/api/x"), PULL, "the thing", fine=(200,))


ME = Login("me", Secret("canary-5"), "the file")


def test_tokens_by_a_password() -> None:
    """Asked for once, with the scopes; the registry itself never sees the password."""
    there = Guarded()
    client = there.client(ME)
    for _ in range(3):
        client.ask("HEAD", client.url("app/api/x"), PULL, "the thing", fine=(200,))
    (token,) = [one for one in there.asked if one.url.host == "tokens.example"]
    assert dict(token.url.params) == {"a": "b", "service": "s", "scope": PULL[0]}
    assert token.headers["Authorization"] == f"Basic {auth('me', 'canary-5')}"
    others = [one.headers.get("Authorization") for one in there.asked if one is not token]
    assert others == [None, "Bearer T", "Bearer T", "Bearer T"]


def test_tokens_by_an_identity_token() -> None:
    """By POST, as OAuth 2 has it; the answer's token may be called otherwise."""
    there = Guarded(gives={"access_token": "T"})
    there.ask(Login("", Secret("refresh"), "x"))
    (token,) = [one for one in there.asked if one.method == "POST"]
    form = dict(httpx.QueryParams(token.content.decode()))
    assert form == {"grant_type": "refresh_token", "service": "s", "client_id": "slipway",
                    "scope": PULL[0], "refresh_token": "refresh"}  # fmt: skip


def test_tokens_for_nobody() -> None:
    """Public images are pulled by tokens, too."""
    there = Guarded()
    there.ask()
    assert all("Basic" not in one.headers.get("Authorization", "") for one in there.asked)


@pytest.mark.parametrize(
    ("there", "cause"),
    [
        (Guarded(gives=httpx.Response(401)), "login"),
        (Guarded(gives=httpx.Response(200, text="<html>")), "login"),
        (Guarded(gives={}), "login"),
        (Guarded(gives=httpx.Response(500)), "server"),
        (Guarded(enough=False), "denied"),
        (Guarded("http://tokens.example/t"), "elsewhere"),
        (Guarded("https://tokens.example:port/t"), "elsewhere"),
    ],
)
def test_tokens_that_are_not_had(there: Guarded, cause: str) -> None:
    """Each way by its name; no password by a line that anybody can listen to."""
    with pytest.raises(RegistryError) as caught:
        there.ask(ME)
    assert caught.value.cause == cause
    assert "canary" not in f"{caught.value.message}{caught.value.details}{caught.value.hint}"
    if cause == "elsewhere":  # and never came there
        assert [one.url.host for one in there.asked] == ["registry.example"]


def test_a_token_that_expires_is_asked_for_anew() -> None:
    """Also in the middle of a push."""
    there = Guarded()
    client = there.client(ME)
    client.ask("HEAD", client.url("app/api/x"), PULL, "the thing", fine=(200,))
    gone = iter(
        [httpx.Response(401, headers={"WWW-Authenticate": f'Bearer realm="{there.realm}"'})]
    )

    def expired(request: httpx.Request) -> httpx.Response:
        tokens = request.url.host == "tokens.example"
        return there(request) if tokens else next(gone, None) or there(request)

    client._http._transport = httpx.MockTransport(expired)
    client._access._http._transport = httpx.MockTransport(expired)
    client.ask("HEAD", client.url("app/api/x"), PULL, "the thing", fine=(200,))
    assert [one.url.host for one in there.asked].count("tokens.example") == 2


def test_uploads_go_nowhere_without_tls() -> None:
    """A registry may send on; not to where everybody reads along, and never with our token."""
    client = Guarded().client(ME)
    asked = httpx.Request("POST", "https://registry.example:5000/v2/x/")

    def onward(where: str) -> httpx.URL:
        return client.onward(httpx.Response(202, headers={"Location": where}, request=asked))

    assert str(onward("/v2/y?s=1")) == "https://registry.example:5000/v2/y?s=1"
    assert str(onward("http://registry.example:5000/v2/y")) == "https://registry.example:5000/v2/y"
    assert onward("https://store.example/y").host == "store.example"
    with pytest.raises(RegistryError, match=r"sends on to http://store\.example/y, without TLS"):
        onward("http://store.example/y?signature=1")
    with pytest.raises(RegistryError, match="which is no address"):
        onward("https://store.example:port/y")


def test_what_stands_elsewhere_gets_no_login() -> None:
    """A signed address of a store, for instance."""
    there = Guarded()
    client = there.client(ME)
    client.ask("HEAD", client.url("app/api/x"), PULL, "the thing", fine=(200,))
    there.enough = False
    with pytest.raises(RegistryError):
        client.ask("HEAD", httpx.URL("https://store.example/y"), PULL, "the thing", fine=(200,))
    assert all(
        "Authorization" not in one.headers for one in there.asked if one.url.host == "store.example"
    )


def test_authorities_that_docker_has(tmp_path: Path) -> None:
    """One that is no certificate is named, and not passed over."""
    trust(WHERE, tmp_path)
    (tmp_path / HOST).mkdir()
    (tmp_path / HOST / "ca.crt").write_text("no certificate")
    with pytest.raises(ConfigError, match=r"ca.crt can't be read: it is no certificate"):
        trust(WHERE, tmp_path)


def test_no_proxy_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker has it; others are reached by the environment's proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    for registry, proxied in ((Registry("127.0.0.1:1", plain=True), False), (WHERE, True)):
        with open_http(registry) as http:
            assert bool(http._mounts) == proxied


def test_images_of_nobody_are_asked_for_by_pulling_only() -> None:
    """Whoever may read only can ask what is there."""
    assert repository_scope("a", last="pull") == ("repository:a:pull",)
    assert repository_scope("a", "b") == ("repository:a:pull,push", "repository:b:pull")
    assert image_of("api", layer("a")).reference.startswith("app/api:")
