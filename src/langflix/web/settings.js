/** The choices of language and colours in the page's head; both are remembered. */

import { byId } from "./dom.js";
import { choose, current } from "./i18n.js";

const KEY = "langflix-theme";

export function startSettings() {
  const language = byId("language");
  language.value = current();
  language.addEventListener("change", () => choose(language.value));

  const theme = byId("theme");
  theme.value = stored() ?? "auto";
  document.documentElement.dataset.theme = theme.value;
  theme.addEventListener("change", () => {
    document.documentElement.dataset.theme = theme.value;
    try {
      localStorage.setItem(KEY, theme.value);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
}

function stored() {
  try {
    const value = localStorage.getItem(KEY);
    return ["auto", "light", "dark"].includes(value) ? value : null;
  } catch {
    return null;
  }
}
