"""Names with letters beyond ASCII."""

from __future__ import annotations

import pytest

from slipway.app.names import ascii_url
from slipway.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("https://Lessons.Example:8443", "https://Lessons.Example:8443"),
        ("http://[fd00::7]:8080", "http://[fd00::7]:8080"),
        ("https://{address}:8443/", "https://{address}:8443/"),
        ("https://küche.example:8443", "https://xn--kche-0ra.example:8443"),
        ("https://KÜCHE.example", "https://xn--kche-0ra.example"),
        ("https://ku\u0308che.example", "https://xn--kche-0ra.example"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://집.example/a", "https://xn--rc6b.example/a"),
    ],
)
def test_a_url_has_the_name_of_the_dns(given: str, wanted: str) -> None:
    """What is ASCII stays letter for letter; other names are as RFC 5891 has them."""
    assert ascii_url(given) == wanted


@pytest.mark.parametrize("name", ["-ü", "a..ü", "_ü", "ü b", "ü" * 64, "☃️"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """With a sentence that names it, before anything is changed."""
    with pytest.raises(ConfigError, match=r"nothing was changed") as caught:
        ascii_url(f"https://{name}.example:8443")
    assert caught.value.message.startswith(f"https://{name}.example:8443: ")
    assert "address" in (caught.value.hint or "")
