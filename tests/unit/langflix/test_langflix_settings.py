"""The environment becomes one value, or all of its problems."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langflix.errors import SettingsError
from langflix.secret import Secret
from langflix.settings import Endpoint, Settings

DATABASE = "postgresql+psycopg://langflix@postgres:5432/langflix"


def test_defaults_are_the_images() -> None:
    """An empty environment gives what the images count on."""
    settings = Settings.from_env({})
    assert (settings.data_dir, settings.run_dir) == (Path("/data"), Path("/tmp/langflix"))
    assert (settings.port, settings.flower_port, settings.concurrency) == (8000, 5555, 2)
    assert settings.upload_ttl == timedelta(hours=72)
    assert settings.scan_every == timedelta(minutes=15)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Every wrong variable is named in one error."""
    (tmp_path / "empty").write_text("\n")
    environ = {
        "LANGFLIX_DATABASE_URL": "mysql://db/x",
        "LANGFLIX_DATABASE_PASSWORD_FILE": str(tmp_path / "none"),
        "LANGFLIX_REDIS_PASSWORD_FILE": str(tmp_path / "empty"),
        "LANGFLIX_DATA_DIR": "data",
        "LANGFLIX_LOG_LEVEL": "loud",
        "LANGFLIX_PORT": "70000",
        "LANGFLIX_CONCURRENCY": "0",
        "LANGFLIX_MAX_UPLOAD_BYTES": "1e9",
        "LANGFLIX_UPLOAD_TTL_HOURS": "-1",
        "LANGFLIX_SCAN_MINUTES": "1441",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ, ("database", "redis", "flower"))
    told = {problem.split()[0].rstrip(":") for problem in caught.value.problems}
    assert told == set(environ) | {"LANGFLIX_REDIS_URL", "LANGFLIX_FLOWER_PASSWORD_FILE"}
    assert caught.value.exit_code == 2


def test_a_password_in_a_url_is_refused_without_repeating_it() -> None:
    """A URL that holds a password is an error, and the error does not show it."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"LANGFLIX_DATABASE_URL": DATABASE.replace("@", ":hunter2@")})
    assert "PASSWORD_FILE" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_passwords_do_not_show(tmp_path: Path) -> None:
    """No form of the settings shows a password; pickling one is refused."""
    (tmp_path / "password").write_text("hunter2\n")
    environ = {
        "LANGFLIX_DATABASE_URL": DATABASE,
        "LANGFLIX_DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
    }
    settings = Settings.from_env(environ)
    assert "hunter2" not in f"{settings!r} {settings} {settings.need_database()}"
    assert settings.need_database().password == Secret("hunter2")
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(settings.need_database().password)


def test_a_file_names_the_databases_user(tmp_path: Path) -> None:
    """User and password come out of one file; the password may hold colons; neither shows."""
    file = tmp_path / "login"
    environ = {"LANGFLIX_DATABASE_URL": DATABASE, "LANGFLIX_DATABASE_LOGIN_FILE": str(file)}
    file.write_text("langflix_app_a:hunter:2\n")
    database = Settings.from_env(environ).need_database()
    parts = urlsplit(database.with_password())
    assert (parts.username, unquote(parts.password or "")) == ("langflix_app_a", "hunter:2")
    assert (parts.hostname, parts.path) == ("postgres", "/langflix")
    assert "hunter" not in repr(database)


@pytest.mark.parametrize("text", ["hunter2", ":hunter2", "langflix_app_a:"])
def test_a_login_without_a_user_or_a_password_is_refused(tmp_path: Path, text: str) -> None:
    """It is named, together with a second password, and not repeated."""
    (tmp_path / "login").write_text(text)
    (tmp_path / "password").write_text("hunter3")
    environ = {
        "LANGFLIX_DATABASE_URL": DATABASE,
        "LANGFLIX_DATABASE_LOGIN_FILE": str(tmp_path / "login"),
        "LANGFLIX_DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
    }
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    assert [one.split()[0].rstrip(":") for one in caught.value.problems] == [
        "LANGFLIX_DATABASE_LOGIN_FILE"
    ] * 2
    assert "hunter" not in str(caught.value)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_password_survives_the_url(password: str) -> None:
    """Whatever the password holds, the URL gives it back and keeps user, host and path."""
    url = Endpoint(DATABASE, Secret(password)).with_password()
    parts = urlsplit(url)
    assert unquote(parts.password or "") == password
    assert (parts.username, parts.hostname, parts.port) == ("langflix", "postgres", 5432)
    assert parts.path == "/langflix"


def test_needing_what_is_not_there_names_the_variable() -> None:
    """Asking for an endpoint that was not set says which variable to set."""
    with pytest.raises(SettingsError, match="LANGFLIX_REDIS_URL is not set"):
        Settings.from_env({}).need_redis()
