"""The stack over HTTPS in a real browser that trusts its authority, and one's own certificate."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium import webdriver
from tests.browser import browser, severe, there
from tests.functional.conftest import Site

PLAIN, SECURE = "docker-compose.quick.yml", "docker-compose.https.yml"
#: A page that came by HTTP/2 says so itself.
_PROTOCOL = "return performance.getEntriesByType('navigation')[0].nextHopProtocol"


@pytest.fixture
def secure(site: Site) -> Iterator[dict[str, Any]]:
    """The outcome of a deploy with HTTPS; what is changed for it is put back."""
    hosts = site.root / "deploy/hosts.toml"
    kept = hosts.read_bytes()
    site.replace("deploy/hosts.toml", PLAIN, SECURE)
    yield site.good("deploy", "--json").json
    hosts.write_bytes(kept)
    site.good("deploy")


def trusted(profile: Path, root: Path) -> None:
    """Have a browser's profile trust an authority, as its settings do."""
    store = profile / ".pki/nssdb"
    store.mkdir(parents=True)
    new = ["certutil", "-d", f"sql:{store}", "-N", "--empty-password"]
    add = ["certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "langflix", "-i", str(root)]
    for argv in (new, add):
        subprocess.run(argv, check=True, capture_output=True)


def test_people_come_by_https(
    site: Site, secure: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that trusts what `./inv certificate` prints opens the page, another one won't.

    The deploy has made a lesson that way, status knows when the certificate ends, and who comes
    without TLS is sent on. Then somebody supplies a certificate, and it is served.
    """
    url = secure["url"]
    assert url.startswith("https://")
    root = tmp_path / "langflix.pem"
    told = site.good("certificate")
    root.write_text(told.out)
    assert "Import what is printed here" in told.err
    shown = site.good("status", "--json").json["certificate"]
    assert shown["days"] in (179, 180)
    assert httpx.URL(url).host in shown["names"]

    plain = url.replace("https:", "http:").replace(":8443", ":8080")
    sent = httpx.get(f"{plain}/a?b=c", trust_env=False, timeout=30)
    assert (sent.status_code, sent.headers["Location"]) == (308, f"{url}/a?b=c")

    with browser(tmp_path / "stranger") as chrome:
        assert _refused(chrome, url)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    trusted(tmp_path / "home", root)
    with browser(tmp_path / "friend") as chrome:
        chrome.get(plain)
        there(chrome, "#live[data-live=true]")
        assert chrome.current_url.startswith(url)
        assert chrome.execute_script(_PROTOCOL) == "h2"
        assert severe(chrome) == []

    mine = _supplied(site, url, tmp_path)
    secrets = site.root / "deploy/secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "tls_certificate").write_text(mine)
    try:
        # Nobody here trusts who vouches for that, so the deploy's own questions have to be told.
        site.good("deploy", SSL_CERT_FILE=str(tmp_path / "mine.pem"))
        said = site.good("certificate")
        assert said.out.strip() == ""
        assert "nothing has to be imported" in said.err
        assert site.good("status", "--json").json["certificate"]["issuer"] == "mine"
    finally:
        (secrets / "tls_certificate").unlink()
        site.good("secrets.set", "tls_certificate", SSL_CERT_FILE=str(tmp_path / "mine.pem"))


def _refused(chrome: webdriver.Chrome, url: str) -> bool:
    """Whether the browser warns instead of opening a page."""
    try:
        chrome.get(url)
    except Exception as error:
        return "ERR_CERT_AUTHORITY_INVALID" in str(error)
    return "ERR_CERT_AUTHORITY_INVALID" in chrome.page_source


def _supplied(site: Site, url: str, folder: Path) -> str:
    """A certificate that vouches for itself, with its key."""
    address = httpx.URL(url).host
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", folder / "mine.key", "-out", folder / "mine.pem", "-days", "30",
         "-subj", "/CN=mine", "-addext", f"subjectAltName=IP:{address}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return (folder / "mine.pem").read_text() + (folder / "mine.key").read_text()
