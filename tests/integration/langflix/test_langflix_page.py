"""The page in a real browser, before the real API, queue and worker."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select
from tests.browser import (
    WAIT_S,
    attribute,
    browser,
    click,
    count,
    on,
    plays,
    put,
    severe,
    text,
    there,
)
from tests.integration.langflix.audit import focused
from tests.integration.langflix.conftest import SUBTITLE, Stack, wait_until
from tests.integration.langflix.pages import click_entry, serve

from langflix.data.engine import connect
from langflix.media import ffmpeg
from langflix.media.share import Share
from langflix.media.storage import Storage
from langflix.queue.scan import scan
from langflix.queue.work import Doors


@pytest.fixture(scope="module")
def site(stack: Stack) -> Iterator[str]:
    """Serve page and API from one address, with a media share, and give it."""
    share = stack.home / "share"
    (share / "Serie").mkdir(parents=True)
    (share / "Serie" / "one.mp4").write_bytes(b"film")
    (share / "Serie" / "one.srt").write_bytes(SUBTITLE.read_bytes())
    with serve(stack, LANGFLIX_MEDIA_DIR=str(share)) as url:
        yield url


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Give a headless browser of a phone's width."""
    with browser(tmp_path_factory.mktemp("profile"), (500, 900)) as found:
        yield found


#: Holds back each list of jobs until ``release`` is called, as a slow network does.
HOLD = """
const ask = window.fetch;
window.held = [];
window.fetch = async (...what) => {
  const answer = await ask(...what);
  if (String(what[0]).includes("/jobs?")) await new Promise((go) => window.held.push(go));
  return answer;
};
document.dispatchEvent(new Event("visibilitychange"));
"""


def test_an_old_answer_does_not_hide_what_was_heard(site: str, chrome: webdriver.Chrome) -> None:
    """A list that was asked for before a change, and comes after it, does not undo the change."""
    body = {"video": "Serie/one.mp4", "subtitle": "Serie/one.srt"}
    job = httpx.post(f"{site}/api/v1/media/jobs", json=body).raise_for_status().json()["id"]
    chrome.get(site)
    there(chrome, "#live[data-live=true]")
    there(chrome, f'[data-job-id="{job}"][data-status=PENDING]')
    chrome.execute_script(HOLD)
    wait_until(lambda: chrome.execute_script("return held.length > 0"), "the list is on its way")
    httpx.post(f"{site}/api/v1/jobs/{job}/cancel").raise_for_status()
    there(chrome, f'[data-job-id="{job}"][data-status=FAILED]')
    chrome.execute_async_script("held.forEach((go) => go()); setTimeout(arguments[0], 200);")
    assert attribute(chrome, f'[data-job-id="{job}"]', "data-status") == "FAILED"
    httpx.delete(f"{site}/api/v1/jobs/{job}").raise_for_status()


def test_a_lesson_is_made_watched_and_deleted(
    site: str, chrome: webdriver.Chrome, worker: subprocess.Popen[bytes], clip: Path
) -> None:
    """Upload, live progress, a playing clip, search, deletion: and no complaint in the console."""
    chrome.get(site)
    there(chrome, "#live[data-live=true]")
    put(chrome, "input[name=video]", str(clip))
    put(chrome, "input[name=subtitle]", str(SUBTITLE))
    put(chrome, "input[name=title]", "Hase & Igel")
    click(chrome, "#upload-form [type=submit]")
    assert text(chrome, "#jobs [data-status=DONE] .name") == "Hase & Igel"
    click(chrome, "#jobs [data-testid=open]")
    there(chrome, ".clip video")
    wait_until(lambda: plays(chrome, ".clip video"), "it plays", WAIT_S)
    assert count(chrome, "[data-testid=expression]") == 3
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chrome.execute_script(wide) == 0

    put(chrome, "#search", "put up")
    wait_until(
        lambda: count(chrome, "[data-testid=expression]") == 1,
        "the expression is found",
    )
    wait_until(lambda: count(chrome, "#jobs li") == 0, "no lesson is called so")
    on(chrome, "#search", WebElement.clear)
    put(chrome, "#search", "igel")
    click(chrome, "#jobs [data-testid=delete]")
    chrome.switch_to.alert.accept()
    wait_until(lambda: count(chrome, "#jobs li") == 0, "it is deleted")
    assert severe(chrome) == []


def test_a_film_of_the_share_is_chosen(site: str, chrome: webdriver.Chrome) -> None:
    """Folders open, a film and a subtitle are chosen, and a job is made of them."""
    chrome.get(site)
    click(chrome, "#media:not([hidden]) summary")
    for name in ("Serie/", "one.mp4", "one.srt"):
        click_entry(chrome, name)
    click(chrome, "#media-make:not([disabled])")
    assert text(chrome, "#jobs li .name") == "one"
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
    click(chrome, "#media:not([hidden]) summary")
    film = text(chrome, "#shelf:not([hidden]) li")
    assert count(chrome, "#shelf li") == 1
    assert "new <b>" in film
    assert "0:00:05 · " in film
    button = "#shelf li button"
    name = on(chrome, button, lambda found: found.accessible_name)
    assert name == "Make a lesson: new <b>"
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chrome.execute_script(wide) == 0
    click(chrome, button)
    wait_until(lambda: text(chrome, "#shelf-message") == "new <b> is in the queue.", "it is queued")
    wait_until(lambda: text(chrome, "#jobs li .name") == "new <b>", "it is listed")
    assert focused(chrome) == "shelf-title"
    assert severe(chrome) == []


def test_what_is_drawn_anew_is_found_anew(site: str, chrome: webdriver.Chrome) -> None:
    """A list that the page makes anew between finding and reading a part of it fails no test."""
    chrome.get(site)
    anew = "const old = document.querySelector('#jobs-title'); old.replaceWith(old.cloneNode(true))"
    tries = 0

    def read(found: WebElement) -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            chrome.execute_script(anew)
        return found.text

    assert on(chrome, "#jobs-title", read) == text(chrome, "#jobs-title")
    assert tries == 2


def test_language_and_colours_are_chosen_and_kept(site: str, chrome: webdriver.Chrome) -> None:
    """Korean and dark hold at once and after the page is loaded again."""
    chrome.get(site)
    on(chrome, "#language", lambda found: Select(found).select_by_value("ko"))
    on(chrome, "#theme", lambda found: Select(found).select_by_value("dark"))
    for _ in range(2):
        assert text(chrome, "#jobs-title") == "강의"
        assert attribute(chrome, "html", "lang") == "ko"
        colour = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(23, 22, 21)"
        chrome.refresh()
