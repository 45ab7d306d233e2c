"""The page for everybody: screen readers, keyboards, phones, two languages, two sets of colours.

Longer than other modules, because all of it looks at one library that takes a while to make.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from tests.browser import (
    PHONE_PX,
    WAIT_S,
    browser,
    choose,
    click,
    count,
    on,
    put,
    resize,
    severe,
    shown,
    text,
    there,
)
from tests.integration.langflix.audit import (
    at_rest,
    axe,
    focus_is_seen,
    focused,
    small_targets,
    small_texts,
    too_wide,
    violations,
)
from tests.integration.langflix.conftest import (
    SUBTITLE,
    Postgres,
    Redis,
    Stack,
    new_stack,
    wait_until,
)
from tests.integration.langflix.pages import click_entry, serve

from langflix.api.who import COOKIE

TOKEN = "the-token-of-the-tests"
GOOD, BROKEN = "Hase & Igel", "Nicht zu lesen"
#: Width and height in CSS pixels, language, colours.
LOOKS = {
    "desktop": (1280, 900, "en", "light"),
    "desktop-ko-dark": (1280, 900, "ko", "dark"),
    "tablet": (820, 1180, "en", "light"),
    "phone-ko-dark": (390, 844, "ko", "dark"),
    "phone-small": (320, 640, "en", "light"),
}
#: A job that runs is not held up for a photograph: the page's own code draws one.
RUNNING = """
const [title, done] = arguments;
window.fetch = () => new Promise(() => {});  // the list is not made anew under our hands
import("/job.js").then(({ render }) => {
  const job = { id: "1", title, status: "RUNNING", progress: 40, level: "B1", language: "ko" };
  const item = render({ ...job, created_at: new Date().toISOString(), note: "a note" }, {});
  const list = document.querySelector("#jobs");
  const keep = () => item.isConnected || list.prepend(item);
  keep();  // and again, should an answer come late that had been asked for before
  new MutationObserver(keep).observe(list, { childList: true });
  done();
});
"""
#: Keeps everything that is read out without being looked for.
LISTEN = """
window.said = [];
const region = document.querySelector("#announce");
new MutationObserver(() => region.textContent && window.said.push(region.textContent))
  .observe(region, { childList: true });
"""
State = Callable[[webdriver.Chrome], None]


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Give a headless browser."""
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def site(
    stack: Stack, worker: subprocess.Popen[bytes], clip: Path, tmp_path_factory: Any
) -> Iterator[str]:
    """Give the page with a media share, a lesson, and a film that could not be read."""
    share = stack.home / "share"
    (share / "Serie").mkdir(parents=True)
    (share / "Serie" / "one.mp4").write_bytes(b"film")
    (share / "Serie" / "one.srt").write_bytes(SUBTITLE.read_bytes())
    broken = tmp_path_factory.mktemp("broken") / "broken.mp4"
    broken.write_bytes(b"no film")
    with serve(stack, LANGFLIX_MEDIA_DIR=str(share)) as url:
        for film, title in ((clip, GOOD), (broken, BROKEN)):
            upload(url, film, title)
        wait_until(lambda: statuses(url) == {"DONE", "FAILED"}, "both films are done", WAIT_S)
        yield url


@pytest.fixture(scope="module")
def empty_site(postgres: Postgres, redis: Redis, tmp_path_factory: Any) -> Iterator[str]:
    """Give the page without a lesson."""
    with new_stack(postgres, redis, tmp_path_factory.mktemp("empty")) as made:
        with serve(made) as url:
            yield url


@pytest.fixture(scope="module")
def locked_site(stack: Stack, site: str, tmp_path_factory: Any) -> Iterator[str]:
    """Give the page of a server that wants a token, with the lessons of the other."""
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(TOKEN, "utf-8")
    with serve(stack, LANGFLIX_API_TOKEN_FILE=str(path)) as url:
        yield url


def upload(url: str, film: Path, title: str) -> str:
    """Make a job of a film and return its id."""
    with film.open("rb") as video, SUBTITLE.open("rb") as subtitle:
        files = {"video": (film.name, video), "subtitle": ("film.srt", subtitle)}
        answer = httpx.post(f"{url}/api/v1/jobs", files=files, data={"title": title}, timeout=60)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def statuses(url: str) -> set[str]:
    """Return how the jobs stand."""
    return {job["status"] for job in httpx.get(f"{url}/api/v1/jobs").json()["jobs"]}


def listed(chrome: webdriver.Chrome) -> None:
    there(chrome, "#live[data-live=true]")
    there(chrome, "#jobs [data-status=DONE]")
    there(chrome, "#jobs [data-status=FAILED] .error")


def running(chrome: webdriver.Chrome) -> None:
    listed(chrome)
    chrome.execute_async_script(RUNNING, "Läuft")
    there(chrome, "#jobs progress")


def lesson(chrome: webdriver.Chrome) -> None:
    click(chrome, "#jobs [data-testid=open]")
    there(chrome, "#lesson .clip video")
    wait_until(lambda: focused(chrome) == "lesson-title", "the lesson has the focus")


def found(chrome: webdriver.Chrome) -> None:
    put(chrome, "#search", "put up")
    there(chrome, "[data-testid=expression]")


def share(chrome: webdriver.Chrome) -> None:
    click(chrome, "#media:not([hidden]) summary")
    for name in ("Serie/", "one.mp4", "one.srt"):
        click_entry(chrome, name)
    there(chrome, "#media-make:not([disabled])")


STATES: dict[str, State] = {
    "library": listed,
    "running": running,
    "lesson": lesson,
    "search": found,
    "share": share,
}


def complaints(chrome: webdriver.Chrome, width: int) -> list[object]:
    """Return everything that is wrong with the page as it is now.

    Touch wants 44 pixels (WCAG 2.5.5), a mouse 24 (2.5.8); a phone enlarges the page when a field
    is set smaller than 16.
    """
    wait_until(lambda: at_rest(chrome), "colours stand still")
    least = 44 if width < PHONE_PX else 24
    sideways = [f"{too_wide(chrome)} px too wide"] if too_wide(chrome) else []
    small = [*small_targets(chrome, least), *small_texts(chrome, 14)]
    return [*violations(chrome), *sideways, *small, *severe(chrome)]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible(
    site: str, chrome: webdriver.Chrome, state: str, look: str
) -> None:
    """No rule of axe-core is broken, nothing is cut off or too small, at each width."""
    width, height, language, theme = LOOKS[look]
    resize(chrome, (width, height))
    choose(chrome, site, language, theme)
    STATES[state](chrome)
    assert complaints(chrome, width) == []


@pytest.mark.parametrize("look", LOOKS)
def test_the_empty_page_is_accessible(empty_site: str, chrome: webdriver.Chrome, look: str) -> None:
    """The page says what to do first, and nothing is wrong with it."""
    width, height, language, theme = LOOKS[look]
    resize(chrome, (width, height))
    choose(chrome, empty_site, language, theme)
    there(chrome, "#jobs-message:not(:empty).quiet")
    assert complaints(chrome, width) == []


@pytest.mark.parametrize("look", LOOKS)
def test_signing_in_is_accessible(locked_site: str, chrome: webdriver.Chrome, look: str) -> None:
    """Nothing but the form is shown; a wrong token is told and marked; a right one lets in.

    Signing out ends the session for good: the cookie, put back, lets nobody in.
    """
    width, height, language, theme = LOOKS[look]
    resize(chrome, (width, height))
    chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    choose(chrome, locked_site, language, theme)
    field = "#login-form:not([hidden]) input"
    there(chrome, field)
    assert not shown(chrome, "#upload-form")
    assert not shown(chrome, "#search")
    assert focused(chrome) == "token"
    put(chrome, field, "wrong", Keys.ENTER)
    there(chrome, "#login-form [aria-invalid=true]")
    # That the token was refused is what the browser complains of.
    assert [line for line in severe(chrome) if "401" not in line] == []
    assert complaints(chrome, width) == []
    on(chrome, field, WebElement.clear)
    put(chrome, field, TOKEN, Keys.ENTER)
    there(chrome, "#jobs [data-status=DONE]")
    assert focused(chrome) == "jobs-title"
    assert shown(chrome, "#upload-form")
    there(chrome, "#logout:not([hidden])")
    assert complaints(chrome, width) == []
    cookie = chrome.get_cookie(COOKIE)
    click(chrome, "#logout")
    there(chrome, field)
    assert chrome.get_cookie(COOKIE) is None
    assert not shown(chrome, "#logout")
    chrome.add_cookie(cookie)
    choose(chrome, locked_site, language, theme)
    there(chrome, field)


def test_who_may_only_look_is_not_offered_more(locked_site: str, chrome: webdriver.Chrome) -> None:
    """With a token that lets read there are lessons, and nothing that makes or deletes one."""
    owner = {"Authorization": f"Bearer {TOKEN}"}
    wish = {"name": "viewer", "scope": "read"}
    made = httpx.post(f"{locked_site}/api/v1/tokens", json=wish, headers=owner).json()["token"]
    resize(chrome, (1280, 900))
    chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    choose(chrome, locked_site, "en", "light")
    field = "#login-form:not([hidden]) input"
    there(chrome, field)
    put(chrome, field, made, Keys.ENTER)
    there(chrome, "#jobs [data-status=DONE]")
    assert shown(chrome, "#jobs [data-testid=open]")
    assert not shown(chrome, "#upload-form")
    assert not shown(chrome, "#jobs [data-testid=delete]")
    assert complaints(chrome, 1280) == []
    httpx.delete(f"{locked_site}/api/v1/tokens/viewer", headers=owner)


def test_the_audit_would_see_a_fault(site: str, chrome: webdriver.Chrome) -> None:
    """Faults put into the page are found, and the rule on sizes of WCAG 2.2 is among those run."""
    resize(chrome, (1280, 900))
    choose(chrome, site, "en", "light")
    listed(chrome)
    assert "target-size" in {rule["id"] for rule in axe(chrome)["passes"]}
    chrome.execute_script(
        "document.querySelector('#search').closest('label').replaceWith(document.querySelector('#search'));"
        "document.querySelector('.name').style.cssText = 'color: #999; font-size: 9px';"
        "document.querySelector('main').style.width = '2000px'"
    )
    seen = {line.split(":")[0] for line in violations(chrome)}
    assert seen == {"label", "color-contrast"}
    assert too_wide(chrome) > 0
    assert len(small_texts(chrome, 14)) == 1


def press(chrome: webdriver.Chrome, key: str) -> None:
    """Press a key where the focus is."""
    ActionChains(chrome).send_keys(key).perform()


def test_the_tabulator_goes_through_the_page_in_order(site: str, chrome: webdriver.Chrome) -> None:
    """Everything is reached, in the order in which it is read, and each stop is seen."""
    resize(chrome, (1280, 900))
    choose(chrome, site, "en", "light")
    listed(chrome)
    expected = ["skip", "language", "theme", "video", "subtitle", "title", "level", "language"]
    expected += ["upload", "SUMMARY", "search", "status"]
    expected += [f"{BROKEN}/retry", f"{BROKEN}/delete", f"{GOOD}/open", f"{GOOD}/delete"]
    stops = []
    for _ in expected:
        press(chrome, Keys.TAB)
        stops.append(focused(chrome))
        assert focus_is_seen(chrome), stops
    assert stops == expected


def test_the_skip_link_leads_to_the_lessons(site: str, chrome: webdriver.Chrome) -> None:
    """The first stop jumps over the form."""
    resize(chrome, (390, 844))
    choose(chrome, site, "en", "light")
    press(chrome, Keys.TAB)
    assert focused(chrome) == "skip"
    assert on(chrome, ".skip", lambda found: found.rect["x"]) >= 0
    press(chrome, Keys.ENTER)
    assert focused(chrome) == "jobs-title"
    press(chrome, Keys.TAB)
    assert focused(chrome) == "search"


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
def test_a_lesson_is_opened_and_closed_by_keys(
    site: str, chrome: webdriver.Chrome, size: tuple[int, int]
) -> None:
    """Enter opens and puts the title in view and in focus; Escape or the button gives it back."""
    resize(chrome, size)
    choose(chrome, site, "en", "light")
    listed(chrome)
    for way_out in ([Keys.ESCAPE], [Keys.TAB, Keys.ENTER]):
        put(chrome, "#jobs [data-testid=open]", Keys.ENTER)
        there(chrome, "#lesson .clip video")
        wait_until(lambda: focused(chrome) == "lesson-title", "the lesson has the focus")
        top = chrome.execute_script(
            "return document.querySelector('#lesson-title').getBoundingClientRect().top"
        )
        assert 0 <= top < size[1] / 2
        for key in way_out:
            press(chrome, key)
        assert not shown(chrome, "#lesson")
        assert focused(chrome) == f"{GOOD}/open"


def test_escape_in_the_search_field_leaves_a_lesson_open(
    site: str, chrome: webdriver.Chrome
) -> None:
    """There the key empties the field, as everywhere."""
    resize(chrome, (1280, 900))
    choose(chrome, site, "en", "light")
    lesson(chrome)
    put(chrome, "#search", Keys.ESCAPE)
    assert shown(chrome, "#lesson")


def test_folders_of_the_share_keep_the_focus(site: str, chrome: webdriver.Chrome) -> None:
    """After a folder is opened by a key, the focus is on its first entry."""
    resize(chrome, (1280, 900))
    choose(chrome, site, "en", "light")
    put(chrome, "#media:not([hidden]) summary", Keys.ENTER)
    put(chrome, "#media-entries button", Keys.ENTER)
    held = "return document.querySelector('#media-entries').contains(document.activeElement)"
    wait_until(lambda: "Folder above" in text(chrome, "#media-entries"), "the folder is open")
    assert chrome.execute_script(held)
    assert "Folder above" in chrome.execute_script("return document.activeElement.textContent")


def test_an_upload_is_cancelled_by_keys(site: str, chrome: webdriver.Chrome, clip: Path) -> None:
    """While a film is sent the page is accessible; Cancel ends it and gives the focus back."""
    resize(chrome, (390, 844))
    choose(chrome, site, "en", "light")
    listed(chrome)
    put(chrome, "input[name=video]", str(clip))
    put(chrome, "input[name=subtitle]", str(SUBTITLE))
    chrome.set_network_conditions(latency=0, download_throughput=2**20, upload_throughput=2**10)
    try:
        put(chrome, "[data-testid=upload]", Keys.ENTER)
        there(chrome, "#upload-progress:not([hidden])")
        assert focused(chrome) == "upload"
        assert complaints(chrome, 390) == []
        press(chrome, Keys.TAB)
        press(chrome, Keys.ENTER)
        assert text(chrome, "#upload-message.error") == "The upload was cancelled."
    finally:
        chrome.delete_network_conditions()
    assert focused(chrome) == "upload"


def test_changes_of_a_job_are_read_out_and_leave_the_focus(
    site: str, chrome: webdriver.Chrome, clip: Path
) -> None:
    """A job's end is told by its title; deleting it takes the focus to the library's title."""
    resize(chrome, (1280, 900))
    choose(chrome, site, "en", "light")
    listed(chrome)
    chrome.execute_script(LISTEN)
    click(chrome, "#search")
    name = upload(site, clip, "Neu")
    item = f'#jobs [data-job-id="{name}"]'
    there(chrome, f'{item}[data-status="DONE"]')
    assert chrome.execute_script("return window.said")[-1] == "Neu: Ready"
    assert focused(chrome) == "search"

    put(chrome, f"{item} [data-testid=delete]", Keys.ENTER)
    chrome.switch_to.alert.accept()
    wait_until(lambda: count(chrome, item) == 0, "it is deleted")
    assert focused(chrome) == "jobs-title"


@pytest.mark.parametrize(("wish", "moves"), [("reduce", False), ("no-preference", True)])
def test_less_motion_is_respected(
    site: str, chrome: webdriver.Chrome, wish: str, moves: bool
) -> None:
    """Nothing is animated for those who have told their device so."""
    choose(chrome, site, "en", "light")
    listed(chrome)
    features = [{"name": "prefers-reduced-motion", "value": wish}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        durations = chrome.execute_script(
            "return [...document.querySelectorAll('*')].map((node) => getComputedStyle(node))"
            ".flatMap((style) => [style.transitionDuration, style.animationDuration])"
        )
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert any(float(part.strip(" s")) for one in durations for part in one.split(",")) == moves


def test_colours_follow_the_device(site: str, chrome: webdriver.Chrome) -> None:
    """Without a choice of one's own, the device's dark colours are those of the page."""
    choose(chrome, site, "en", "auto")
    seen = set()
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        seen.add(chrome.execute_script("return getComputedStyle(document.body).backgroundColor"))
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert seen == {"rgb(251, 250, 248)", "rgb(23, 22, 21)"}
