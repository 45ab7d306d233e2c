"""The page in a real browser, against the deployed stack; takes the pictures of the docs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.support.ui import WebDriverWait
from tests.browser import WAIT_S, browser, choose, click, plays, put, resize, severe, there
from tests.functional.conftest import Site
from tests.pictures import MADE, PICTURES, ROOT, Picture

SUBTITLE = ROOT / "tests/data/bigbuckbunny.srt"
_CLIP = ".clip video"
#: Whether every film that is shown has its picture.
_DRAWN = """
return [...document.querySelectorAll("video")].every(({ readyState }) => readyState === 4);
"""
#: The id of the newest job of a title; read at once, for the list changes under one's hands.
_NEWEST = """
const jobs = [...document.querySelectorAll("#jobs > li")];
return jobs.find((job) => job.querySelector(".name").textContent === arguments[0])?.dataset.jobId;
"""


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with browser(tmp_path / "profile") as found:
        yield found


def test_upload_watch_and_play(site: Site, chrome: webdriver.Chrome, tmp_path: Path) -> None:
    """A film and its subtitle are uploaded, the job is done in time, and a clip of it plays.

    A file that is no film is told to be none. Then the page's pictures are taken.
    """
    url = site.good("deploy", "--json").json["url"]
    wait = WebDriverWait(chrome, WAIT_S, poll_frequency=0.2)
    chrome.get(url)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    failed = _upload(chrome, broken, "A file that is no film")
    _until(site, chrome, f'{failed}[data-status="FAILED"]')

    film = site.root / ".slipway/samples/bigbuckbunny.mp4"
    here = _upload(chrome, film, "Big Buck Bunny")
    _until(site, chrome, f'{here}[data-status="DONE"]')
    _open(chrome, here)
    wait.until(lambda c: plays(c, _CLIP))

    assert chrome.execute_script("return document.querySelector(arguments[0]).videoWidth", _CLIP)
    MADE.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        (MADE / name).write_bytes(_take(chrome, url, here, picture))
    assert severe(chrome) == []


def _until(site: Site, chrome: webdriver.Chrome, selector: str) -> None:
    """Wait for a job's state on the page; else say what the API and the worker make of it."""
    try:
        there(chrome, selector)
    except TimeoutException:
        listed = site.inv("run", "--", "jobs", "list", "--json").out
        pytest.fail(f"{selector} never came: {listed}\n{site.inv('logs', 'worker').out}")


def _upload(chrome: webdriver.Chrome, film: Path, title: str) -> str:
    """Send a film with its subtitle; where its job is in the library, as a selector."""
    put(chrome, "input[name=video]", str(film))
    put(chrome, "input[name=subtitle]", str(SUBTITLE))
    put(chrome, "input[name=title]", title)
    click(chrome, "#upload-form [type=submit]")
    wait = WebDriverWait(chrome, WAIT_S, poll_frequency=0.2)
    job = wait.until(lambda c: c.execute_script(_NEWEST, title))
    return f'#jobs [data-job-id="{job}"]'


def _open(chrome: webdriver.Chrome, job: str) -> None:
    """Open a lesson, which is closed on a page that was loaded a moment ago."""
    click(chrome, f"{job} [data-testid=open]")
    there(chrome, _CLIP)


def _take(chrome: webdriver.Chrome, url: str, job: str, picture: Picture) -> bytes:
    """Bring the page to where a picture of it is taken, and take it as a PNG."""
    resize(chrome, picture.size, picture.scale)
    choose(chrome, url, picture.language, picture.theme)
    there(chrome, "#live[data-live=true]")
    there(chrome, job)
    if picture.lesson:
        _open(chrome, job)
        WebDriverWait(chrome, WAIT_S).until(lambda c: c.execute_script(_DRAWN))
    return _still(chrome)


def _still(chrome: webdriver.Chrome) -> bytes:
    """A picture of the page once nothing moves: a player turns a wheel while it loads."""
    last = b""

    def same(chrome: webdriver.Chrome) -> bytes:
        nonlocal last
        before, last = last, chrome.get_screenshot_as_png()
        return last if last == before else b""

    return WebDriverWait(chrome, WAIT_S, poll_frequency=0.3).until(same)
