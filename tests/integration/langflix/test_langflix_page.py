"""The page in a real browser, before the real API, queue and worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from starlette.staticfiles import StaticFiles
from tests.integration.langflix.conftest import ROOT, SUBTITLE, Stack, free_port, wait_until

from langflix.api.app import create
from langflix.data.engine import connect
from langflix.media import ffmpeg
from langflix.media.share import Share
from langflix.media.storage import Storage
from langflix.queue.scan import scan
from langflix.queue.work import Doors
from langflix.settings import Settings

WEB = ROOT / "src" / "langflix" / "web"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-proxy-server",
    "--autoplay-policy=no-user-gesture-required",
)
WAIT_S = 90
#: Clicks the share's entry of a name, in one step with finding it; says whether it was there.
CLICK = """
const wanted = arguments[0];
const buttons = [...document.querySelectorAll("#media-entries button")];
const found = buttons.find((button) => button.textContent === wanted);
found?.click();
return found !== undefined;
"""


@pytest.fixture(scope="module")
def site(stack: Stack) -> Iterator[str]:
    """Serve page and API from one address, with a media share, and give it."""
    share = stack.home / "share"
    (share / "Serie").mkdir(parents=True)
    (share / "Serie" / "one.mp4").write_bytes(b"film")
    (share / "Serie" / "one.srt").write_bytes(SUBTITLE.read_bytes())
    port = free_port()
    app = create(Settings.from_env({**stack.environ, "LANGFLIX_MEDIA_DIR": str(share)}))
    app.mount("/", StaticFiles(directory=WEB, html=True))
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the site is served")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Give a headless browser of a phone's width."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert program and driver, "Chromium is missing: apt-get install chromium chromium-driver"
    options = Options()
    options.binary_location = program
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=500,900", "--lang=en"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


def one(chrome: webdriver.Chrome, selector: str) -> Any:
    """Return the element that a selector finds, once it is there."""
    wait_until(lambda: bool(chrome.find_elements(By.CSS_SELECTOR, selector)), selector, WAIT_S)
    return chrome.find_element(By.CSS_SELECTOR, selector)


def severe(chrome: webdriver.Chrome) -> list[str]:
    """Return what the browser complained about."""
    lines = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    return [line["message"] for line in lines if line["level"] == "SEVERE"]


def test_a_lesson_is_made_watched_and_deleted(
    site: str, chrome: webdriver.Chrome, worker: subprocess.Popen[bytes], clip: Path
) -> None:
    """Upload, live progress, a playing clip, search, deletion: and no complaint in the console."""
    chrome.get(site)
    one(chrome, "#live[data-live=true]")
    one(chrome, "input[name=video]").send_keys(str(clip))
    one(chrome, "input[name=subtitle]").send_keys(str(SUBTITLE))
    one(chrome, "input[name=title]").send_keys("Hase & Igel")
    one(chrome, "#upload-form [type=submit]").click()
    assert one(chrome, "#jobs [data-status=DONE] .name").text == "Hase & Igel"
    one(chrome, "#jobs [data-testid=open]").click()
    video = one(chrome, ".clip video")
    chrome.execute_script("arguments[0].muted = true; arguments[0].play()", video)
    wait_until(
        lambda: chrome.execute_script("return arguments[0].currentTime > 0", video), "it plays"
    )
    assert len(chrome.find_elements(By.CSS_SELECTOR, "[data-testid=expression]")) == 3
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chrome.execute_script(wide) == 0

    one(chrome, "#search").send_keys("put up")
    wait_until(
        lambda: len(chrome.find_elements(By.CSS_SELECTOR, "[data-testid=expression]")) == 1,
        "the expression is found",
    )
    wait_until(
        lambda: not chrome.find_elements(By.CSS_SELECTOR, "#jobs li"), "no lesson is called so"
    )
    one(chrome, "#search").clear()
    one(chrome, "#search").send_keys("igel")
    one(chrome, "#jobs [data-testid=delete]").click()
    chrome.switch_to.alert.accept()
    wait_until(lambda: not chrome.find_elements(By.CSS_SELECTOR, "#jobs li"), "it is deleted")
    assert severe(chrome) == []


def test_a_film_of_the_share_is_chosen(site: str, chrome: webdriver.Chrome) -> None:
    """Folders open, a film and a subtitle are chosen, and a job is made of them."""
    chrome.get(site)
    one(chrome, "#media:not([hidden]) summary").click()
    for name in ("Serie/", "one.mp4", "one.srt"):
        wait_until(lambda name=name: chrome.execute_script(CLICK, name), name)  # type: ignore[misc]
    one(chrome, "#media-make:not([disabled])").click()
    assert one(chrome, "#jobs li .name").text == "one"
    assert severe(chrome) == []


def test_a_new_film_of_the_share_takes_one_press(
    site: str, chrome: webdriver.Chrome, stack: Stack, clip: Path
) -> None:
    """What a scan found, with a subtitle, is offered with its length, and a job is made of it."""
    share = stack.home / "share"
    for path, source in (("Neu/new <b>.mp4", clip), ("Neu/new <b>.en.srt", SUBTITLE)):
        (share / path).parent.mkdir(exist_ok=True)
        (share / path).write_bytes(source.read_bytes())
        os.utime(share / path, (1e9, 1e9))
    engine = connect(stack.settings.need_database())
    scan(Doors(engine, Storage(stack.settings.data_dir), ffmpeg.program, Share(share)))
    engine.dispose()
    chrome.get(site)
    one(chrome, "#media:not([hidden]) summary").click()
    film = one(chrome, "#shelf:not([hidden]) li")
    assert len(chrome.find_elements(By.CSS_SELECTOR, "#shelf li")) == 1
    assert "new <b>" in film.text
    assert "0:00:05 · " in film.text
    button = one(chrome, "#shelf li button")
    assert button.accessible_name == "Make a lesson: new <b>"
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chrome.execute_script(wide) == 0
    button.click()
    wait_until(
        lambda: one(chrome, "#shelf-message").text == "new <b> is in the queue.", "it is queued"
    )
    wait_until(lambda: one(chrome, "#jobs li .name").text == "new <b>", "it is listed")
    assert chrome.switch_to.active_element.get_attribute("id") == "shelf-title"
    assert severe(chrome) == []


def test_language_and_colours_are_chosen_and_kept(site: str, chrome: webdriver.Chrome) -> None:
    """Korean and dark hold at once and after the page is loaded again."""
    chrome.get(site)
    Select(one(chrome, "#language")).select_by_value("ko")
    Select(one(chrome, "#theme")).select_by_value("dark")
    for _ in range(2):
        assert one(chrome, "#jobs-title").text == "강의"
        assert one(chrome, "html").get_attribute("lang") == "ko"
        colour = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(23, 22, 21)"
        chrome.refresh()
