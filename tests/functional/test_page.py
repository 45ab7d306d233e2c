"""The frontend's page in a real browser, against the deployed stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tests.browser import browser
from tests.functional.conftest import Site

ROOT = Path(__file__).resolve().parents[2]
FILM = ROOT / ".slipway/samples/bigbuckbunny.mp4"
SUBTITLE = ROOT / "tests/data/bigbuckbunny.srt"
JOBS = (By.CSS_SELECTOR, "#jobs [data-job-id]")
_WAIT_S = 90.0


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with browser(tmp_path / "profile") as found:
        yield found


def test_upload_watch_and_play(site: Site, chrome: webdriver.Chrome) -> None:
    """A film and its subtitle are uploaded, the job is done in time, and a clip of it plays."""
    url = site.good("deploy", "--json").json["url"]
    wait = WebDriverWait(chrome, _WAIT_S, poll_frequency=0.2)
    chrome.get(url)
    shown = {job.get_attribute("data-job-id") for job in chrome.find_elements(*JOBS)}

    chrome.find_element(By.NAME, "video").send_keys(str(FILM))
    chrome.find_element(By.NAME, "subtitle").send_keys(str(SUBTITLE))
    chrome.find_element(By.CSS_SELECTOR, "#upload-form [type=submit]").click()

    job = wait.until(
        lambda c: next(
            (j for j in c.find_elements(*JOBS) if j.get_attribute("data-job-id") not in shown), None
        )
    )
    assert job is not None
    name = job.get_attribute("data-job-id")
    here = f'#jobs [data-job-id="{name}"]'
    wait.until(lambda c: c.find_elements(By.CSS_SELECTOR, f'{here}[data-status="DONE"]'))
    video = wait.until(lambda c: _clip(c, here))
    chrome.execute_script("arguments[0].muted = true; arguments[0].play()", video)
    wait.until(lambda c: c.execute_script("return arguments[0].currentTime > 0", video))

    assert chrome.execute_script("return arguments[0].videoWidth", video) > 0
    lines = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    severe = [line["message"] for line in lines if line["level"] == "SEVERE"]
    assert severe == [], severe


def _clip(chrome: webdriver.Chrome, job: str) -> object:
    """The first clip's player; a lesson that is closed is opened first."""
    clips = chrome.find_elements(By.CSS_SELECTOR, ".clip video")
    if clips:
        return clips[0]
    for button in chrome.find_elements(By.CSS_SELECTOR, f"{job} [data-testid=open]"):
        button.click()
    return None
