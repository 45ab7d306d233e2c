"""What can be measured of how well a page can be used: axe-core's rules, sizes, focus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import selenium_axe_python
from selenium import webdriver

AXE = Path(selenium_axe_python.__file__).parent / "axe-core" / "axe.min.js"
OPTIONS = {
    "runOnly": [
        "wcag2a",
        "wcag2aa",
        "wcag21a",
        "wcag21aa",
        "wcag22a",
        "wcag22aa",
        "best-practice",
    ],
    # The one rule of WCAG 2.2 is off unless it is asked for by name.
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations", "passes"],
}
_RUN = """
const [options, done] = arguments;
axe.run(document, options).then(done, (error) => done({ error: String(error) }));
"""
#: What can be pressed or filled in and is on the page now.
_TARGETS = """
const shown = (node) => node.checkVisibility() && !node.closest(".skip");
return [...document.querySelectorAll("a, button, input, select, summary")].filter(shown)
  .map((node) => {
    const { width, height } = node.getBoundingClientRect();
    return [node.dataset.testid || node.id || node.name || node.tagName, width, height];
  });
"""
_TEXTS = """
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (texts.nextNode()) {
  const { textContent, parentElement } = texts.currentNode;
  if (textContent.trim() && parentElement.checkVisibility())
    found.push([textContent.trim(), parseFloat(getComputedStyle(parentElement).fontSize)]);
}
return found;
"""
_FOCUSED = """
const node = document.activeElement;
const { outlineStyle, outlineWidth } = getComputedStyle(node);
const job = node.closest("[data-job-id]")?.querySelector(".name").textContent;
const name = node.dataset.testid || node.id || node.name || node.className || node.tagName;
const seen = outlineStyle !== "none" && parseFloat(outlineWidth) > 1;
return { name: job ? `${job}/${name}` : name, seen };
"""


def axe(chrome: webdriver.Chrome) -> dict[str, Any]:
    """Run axe-core on the page as it is now and return its answer.

    The rules are those of WCAG 2.0, 2.1 and 2.2, levels A and AA, and axe's best practices.
    """
    chrome.execute_script(AXE.read_text("utf-8"))
    result: dict[str, Any] = chrome.execute_async_script(_RUN, OPTIONS)
    assert "error" not in result, result
    return result


def violations(chrome: webdriver.Chrome) -> list[str]:
    """Return one line for each element that breaks a rule: the rule, the element, the reason."""
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in axe(chrome)["violations"]
        for node in rule["nodes"]
    ]


def too_wide(chrome: webdriver.Chrome) -> int:
    """Return by how many pixels the page must be scrolled sideways to be seen."""
    script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(chrome.execute_script(script))


def small_targets(chrome: webdriver.Chrome, least_px: float) -> list[tuple[str, float, float]]:
    """Return what can be pressed and is narrower or lower than ``least_px``, with its size."""
    found = [tuple(one) for one in chrome.execute_script(_TARGETS)]
    assert found, "the page has nothing to press"
    return [one for one in found if min(one[1], one[2]) < least_px]


def small_texts(chrome: webdriver.Chrome, least_px: float) -> list[tuple[str, float]]:
    """Return the texts that are set smaller than ``least_px``, with their size."""
    found = [tuple(one) for one in chrome.execute_script(_TEXTS)]
    assert found, "the page has no text"
    return [one for one in found if one[1] < least_px]


def focused(chrome: webdriver.Chrome) -> str:
    """Return the name of what has the focus."""
    return str(chrome.execute_script(_FOCUSED)["name"])


def focus_is_seen(chrome: webdriver.Chrome) -> bool:
    """Return whether what has the focus is drawn with an outline."""
    return bool(chrome.execute_script(_FOCUSED)["seen"])


def at_rest(chrome: webdriver.Chrome) -> bool:
    """Return whether no colour is on its way to another one."""
    script = "return document.getAnimations().every(({ playState }) => playState === 'finished')"
    return bool(chrome.execute_script(script))
