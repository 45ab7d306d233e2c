"""Headless Chromium from Debian, which talks to nothing but what is under test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

# Without these Chromium asks hosts of its maker at every start.
_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--autoplay-policy=no-user-gesture-required",
    "--hide-scrollbars",
    "--lang=en",
)
#: A phone's pages are laid out for touch from here down, in CSS pixels.
PHONE_PX = 500


@contextmanager
def browser(profile: Path, size: tuple[int, int] = (1280, 900)) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile; closed at the end."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert program and driver, "Chromium is missing: apt-get install chromium chromium-driver"
    options = Options()
    options.binary_location = program
    for flag in (*_QUIET, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    chrome.set_page_load_timeout(60)
    try:
        yield chrome
    finally:
        chrome.quit()


def resize(chrome: webdriver.Chrome, size: tuple[int, int], scale: float = 1) -> None:
    """Give the page a width and a height in CSS pixels; a narrow one is a phone's.

    ``scale`` is how many pixels of a picture a CSS pixel makes up.
    """
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale}
    command = "Emulation.setDeviceMetricsOverride"
    chrome.execute_cdp_cmd(command, {**metrics, "mobile": width < PHONE_PX})


def choose(chrome: webdriver.Chrome, url: str, language: str, theme: str) -> None:
    """Open a page of LangFlix as somebody does who has chosen these before."""
    chrome.get(url)
    remember = "for (const [k, v] of Object.entries(arguments[0])) localStorage.setItem(k, v)"
    chosen = {"langflix-language": language, "langflix-theme": theme}
    chrome.execute_script(remember, chosen)
    chrome.get(url)


def severe(chrome: webdriver.Chrome) -> list[str]:
    """What the browser has complained about since it was asked last."""
    lines = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    return [line["message"] for line in lines if line["level"] == "SEVERE"]
