/** Tells a screen reader what has changed without the focus being there. */

import { byId } from "./dom.js";

const CLEAR_MS = 5_000;
let timer;

/** @param {string} text nothing is said of an empty one */
export function announce(text) {
  if (!text) return;
  const region = byId("announce");
  region.textContent = text;
  // The same words again are a change only when they were gone in between.
  clearTimeout(timer);
  timer = setTimeout(() => (region.textContent = ""), CLEAR_MS);
}
