"""The environment's variables, parsed once into one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from langflix.errors import SettingsError
from langflix.secret import Secret

Need = Literal["database", "redis", "flower"]
T = TypeVar("T")

#: Where commands look for an API that they were not told of.
DEFAULT_URL = "http://127.0.0.1:8000"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
DATABASE_SCHEME = "postgresql+psycopg"
REDIS_SCHEMES = ("redis", "rediss")
#: Long ffmpeg work apart from quick housekeeping, so that neither waits for the other.
MEDIA_QUEUE = "media"
LIGHT_QUEUE = "light"
QUEUES = (MEDIA_QUEUE, LIGHT_QUEUE)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is, and the password that it wants; prints without it."""

    url: str
    password: Secret | None = None
    #: Who logs in, when that isn't the one in the URL.
    user: str = ""

    def with_password(self) -> str:
        """Return the URL with the password in it, percent-encoded; never log it."""
        if self.password is None:
            return self.url
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        user = self.user or parts.username or ""
        login = f"{quote(user, safe='')}:{quote(self.password.reveal(), safe='')}"
        return urlunsplit(parts._replace(netloc=f"{login}@{host}"))


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process was told; sizes in bytes, times as ``timedelta``."""

    database: Endpoint | None
    redis: Endpoint | None
    flower_password: Secret | None
    api_token: Secret | None
    #: The one that was wanted before; both let in, so that nobody is kept out by the change.
    api_token_before: Secret | None
    data_dir: Path
    media_dir: Path | None
    run_dir: Path
    log_level: str
    upload_ttl: timedelta
    #: Time between scans of the media share; none at all when it is zero.
    scan_every: timedelta
    max_upload_bytes: int
    port: int
    flower_port: int
    concurrency: int
    queues: tuple[str, ...]
    stop_within: timedelta
    ffmpeg: Path | None
    url: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str], need: Sequence[Need] = ()) -> Settings:
        """Parse ``LANGFLIX_*`` of ``environ``; password files are read here, nowhere else.

        Args:
            environ: usually ``os.environ``.
            need: services without which the command cannot start.

        Raises:
            SettingsError: with every problem found, each naming its variable.

        """
        reader = _Reader(environ)
        settings = cls(
            database=reader.database("database" in need),
            redis=reader.endpoint("REDIS", REDIS_SCHEMES, "redis" in need),
            flower_password=reader.secret("FLOWER_PASSWORD_FILE", "flower" in need),
            api_token=reader.secret("API_TOKEN_FILE", needed=False),
            api_token_before=reader.secret("API_TOKEN_BEFORE_FILE", needed=False, empty=True),
            data_dir=reader.value("DATA_DIR", "/data", _absolute),
            media_dir=reader.value("MEDIA_DIR", "", _absolute_or_none),
            run_dir=reader.value("RUN_DIR", "/tmp/langflix", _absolute),  # noqa: S108  see heartbeat
            log_level=reader.value("LOG_LEVEL", "INFO", _log_level),
            upload_ttl=reader.value("UPLOAD_TTL_HOURS", "72", _hours),
            scan_every=reader.value("SCAN_MINUTES", "15", _minutes),
            max_upload_bytes=reader.value("MAX_UPLOAD_BYTES", str(8 * 2**30), _whole(1)),
            port=reader.value("PORT", "8000", _whole(1, 65535)),
            flower_port=reader.value("FLOWER_PORT", "5555", _whole(1, 65535)),
            concurrency=reader.value("CONCURRENCY", "2", _whole(1, 64)),
            queues=reader.value("QUEUES", ",".join(QUEUES), _queues),
            stop_within=reader.value("STOP_WITHIN_S", "100", _seconds),
            ffmpeg=reader.value("FFMPEG", "", _absolute_or_none),
            url=reader.value("URL", DEFAULT_URL, str),
        )
        if reader.problems:
            raise SettingsError(reader.problems)
        return settings

    def need_database(self) -> Endpoint:
        """Return the database's endpoint, or raise SettingsError when there is none."""
        return _given(self.database, "DATABASE_URL")

    def need_redis(self) -> Endpoint:
        """Return the queue's endpoint, or raise SettingsError when there is none."""
        return _given(self.redis, "REDIS_URL")

    def need_flower_password(self) -> Secret:
        """Return Flower's password, or raise SettingsError when there is none."""
        return _given(self.flower_password, "FLOWER_PASSWORD_FILE")


def _given(value: T | None, name: str) -> T:
    if value is None:
        raise SettingsError([f"LANGFLIX_{name} is not set"])
    return value


class _Reader:
    """Collects problems while reading, so that all are told at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def value(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        text = self._environ.get(f"LANGFLIX_{name}", "").strip()
        if text:
            try:
                return parse(text)
            except ValueError as problem:
                self.problems.append(f"LANGFLIX_{name} {problem}, got {text!r}")
        return parse(default)

    def endpoint(self, name: str, schemes: Collection[str], needed: bool) -> Endpoint | None:
        password = self.secret(f"{name}_PASSWORD_FILE", needed=False)
        url = self._environ.get(f"LANGFLIX_{name}_URL", "").strip()
        if not url:
            if needed:
                self.problems.append(f"LANGFLIX_{name}_URL is not set")
            return None
        problem = _url_problem(url, schemes)
        if problem:
            self.problems.append(f"LANGFLIX_{name}_URL {problem}")
            return None
        return Endpoint(url, password)

    def database(self, needed: bool) -> Endpoint | None:
        """The database, whose user may stand with his password in a file of ``user:password``."""
        found = self.endpoint("DATABASE", (DATABASE_SCHEME,), needed)
        login = self.secret("DATABASE_LOGIN_FILE", needed=False)
        if login is None or found is None:
            return found
        if found.password is not None:
            self.problems.append("LANGFLIX_DATABASE_LOGIN_FILE is set beside _PASSWORD_FILE")
        user, _, password = login.reveal().partition(":")
        if not user or not password:
            self.problems.append("LANGFLIX_DATABASE_LOGIN_FILE: it does not hold user:password")
        return Endpoint(found.url, Secret(password), user)

    def secret(self, name: str, needed: bool, empty: bool = False) -> Secret | None:
        path = self._environ.get(f"LANGFLIX_{name}", "").strip()
        if not path:
            if needed:
                self.problems.append(f"LANGFLIX_{name} is not set")
            return None
        try:
            text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not UTF-8 text"
            self.problems.append(f"LANGFLIX_{name}: {path} cannot be read: {reason}")
            return None
        if not text and empty:
            return None
        if not text:
            self.problems.append(f"LANGFLIX_{name}: {path} is empty")
            return None
        return Secret(text)


def _url_problem(url: str, schemes: Collection[str]) -> str | None:
    """Say what is wrong with ``url``; the text never repeats it, for it may hold a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"is not a URL: {error}"
    if parts.scheme not in schemes:
        return f"must start with {' or '.join(f'{scheme}://' for scheme in sorted(schemes))}"
    if parts.password is not None:
        return "must not hold the password; put it in a file named by the _PASSWORD_FILE variable"
    if not parts.hostname:
        return "names no host"
    return None


def _absolute(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


def _absolute_or_none(text: str) -> Path | None:
    return _absolute(text) if text else None


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _queues(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not set(names) <= set(QUEUES):
        raise ValueError(f"must be one or more of {', '.join(QUEUES)}, with commas between")
    return names


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=_whole(1, 24 * 3600)(text))


def _minutes(text: str) -> timedelta:
    return timedelta(minutes=_whole(0, 24 * 60)(text))


def _hours(text: str) -> timedelta:
    return timedelta(hours=_whole(1, 24 * 365)(text))


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    wanted = f"must be a whole number from {least}" + (f" to {most}" if most else " up")

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise ValueError(wanted)
        number = int(text)
        if number < least or (most is not None and number > most):
            raise ValueError(wanted)
        return number

    return parse
