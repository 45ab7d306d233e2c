"""Headless Chromium from Debian, which talks to nothing but what is under test.

A page draws its lists anew as it hears of changes, so what was found may be gone a moment later:
tests keep selectors and never elements. What they do with an element, they do by these functions.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")

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
#: For how long something is waited for on a page: a film takes a busy machine a while.
WAIT_S = 90.0
_PLAY = """
const video = document.querySelector(arguments[0]);
if (video === null) return false;
video.muted = true;
video.play();
return video.currentTime > 0.1;
"""
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


def on(chrome: webdriver.Chrome, selector: str, do: Callable[[WebElement], T]) -> T:
    """Do something with the first element that a selector finds, once it is there.

    When the page has taken it away in between, nothing was done, and it is found anew.

    Raises:
        TimeoutException: it never came.
    """

    def attempt(chrome: webdriver.Chrome) -> tuple[T] | Literal[False]:
        found = chrome.find_elements(By.CSS_SELECTOR, selector)
        return bool(found) and (do(found[0]),)

    gone = (StaleElementReferenceException,)
    wait = WebDriverWait(chrome, WAIT_S, poll_frequency=0.05, ignored_exceptions=gone)
    return wait.until(attempt, selector)[0]


def there(chrome: webdriver.Chrome, selector: str) -> None:
    """Wait until a selector finds something."""
    on(chrome, selector, lambda _: None)


def count(chrome: webdriver.Chrome, selector: str) -> int:
    """How many elements a selector finds now."""
    return len(chrome.find_elements(By.CSS_SELECTOR, selector))


def text(chrome: webdriver.Chrome, selector: str) -> str:
    """What is to be read in an element, once it is there."""
    return on(chrome, selector, lambda found: found.text)


def attribute(chrome: webdriver.Chrome, selector: str, name: str) -> str | None:
    """An element's attribute, once the element is there."""
    return on(chrome, selector, lambda found: found.get_attribute(name))


def shown(chrome: webdriver.Chrome, selector: str) -> bool:
    """Whether an element can be seen, once it is there."""
    return on(chrome, selector, WebElement.is_displayed)


def click(chrome: webdriver.Chrome, selector: str) -> None:
    """Click an element, once it is there."""
    on(chrome, selector, WebElement.click)


def put(chrome: webdriver.Chrome, selector: str, *keys: str) -> None:
    """Press keys in a field or on a button, or give a file's path to a field, once it is there."""
    on(chrome, selector, lambda found: found.send_keys(*keys))


def plays(chrome: webdriver.Chrome, selector: str) -> bool:
    """Let a player begin, and say whether it has got anywhere."""
    return bool(chrome.execute_script(_PLAY, selector))


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
