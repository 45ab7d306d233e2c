"""The environment's variables about the Gemini API, parsed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from langflix.errors import SettingsError
from langflix.secret import Secret

KEY_FILE = "GEMINI_API_KEY_FILE"
URL, MODEL, MAX_COST = "LANGFLIX_GEMINI_URL", "LANGFLIX_GEMINI_MODEL", "LANGFLIX_GEMINI_MAX_COST"
PRICES = "LANGFLIX_GEMINI_PRICES"
#: The base address that the API's reference gives.
DEFAULT_URL = "https://generativelanguage.googleapis.com"
DEFAULT_MODEL = "gemini-2.5-flash"
#: US dollars for one lesson at most: a film's questions cost a cent or two.
DEFAULT_MAX_COST = "0.10"
#: US dollars for a million tokens asked, and answered, of the default model.
DEFAULT_PRICES = "0.30,2.50"
_MODEL = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_AMOUNT = re.compile(r"\d{1,5}(?:\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class GeminiSettings:
    """How to ask the API; money in US dollars, prices for a million tokens."""

    key: Secret
    url: str
    model: str
    max_cost: float
    price_asked: float
    price_answered: float

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> GeminiSettings | None:
        """Return the settings, or None when there is no key file and so nobody to ask.

        Raises:
            SettingsError: with every problem found, each naming its variable.

        """
        key_file = environ.get(KEY_FILE, "").strip()
        if not key_file:
            return None
        problems: list[str] = []
        key = _key(Path(key_file), problems)
        url = environ.get(URL, "").strip().rstrip("/") or DEFAULT_URL
        model = environ.get(MODEL, "").strip() or DEFAULT_MODEL
        max_cost = environ.get(MAX_COST, "").strip() or DEFAULT_MAX_COST
        prices = (environ.get(PRICES, "").strip() or DEFAULT_PRICES).split(",")
        if not _is_http(url):
            problems.append(f"{URL} must be an http or https address")
        if not _MODEL.fullmatch(model):
            problems.append(f"{MODEL} must be a model's name, got {model!r}")
        if not _AMOUNT.fullmatch(max_cost):
            problems.append(f"{MAX_COST} must be an amount such as {DEFAULT_MAX_COST}")
        if len(prices) != 2 or not all(_AMOUNT.fullmatch(price.strip()) for price in prices):
            problems.append(f"{PRICES} must be two amounts such as {DEFAULT_PRICES}")
        if problems:
            raise SettingsError(problems)
        asked, answered = map(float, prices)
        return cls(key, url, model, float(max_cost), asked, answered)

    def cost(self, asked: int, answered: int) -> float:
        """Return what so many tokens cost, in US dollars."""
        return (asked * self.price_asked + answered * self.price_answered) / 1e6


def _key(path: Path, problems: list[str]) -> Secret:
    text = ""
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        problems.append(f"{KEY_FILE}: {path} cannot be read: {reason}")
    else:
        if not text or not text.isascii() or not text.isprintable():
            problems.append(f"{KEY_FILE}: {path} holds no key")
    return Secret(text)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
