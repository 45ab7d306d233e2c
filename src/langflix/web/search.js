/** The search field and the choice of status above the library. */

import { byId } from "./dom.js";
import { closeLesson, showFound } from "./lesson.js";

const SETTLE_MS = 300;

/** @param {(q: string, status: string) => void} onFilter */
export function startSearch(onFilter) {
  const field = byId("search");
  const status = byId("status");
  let timer;
  let before = "";

  function apply() {
    clearTimeout(timer);
    const q = field.value.trim();
    onFilter(q, status.value);
    if (q && q !== before) showFound(q);
    if (!q && before) closeLesson();
    before = q;
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, SETTLE_MS);
  });
  status.addEventListener("change", apply);
  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
}
