/** Films that are new on the media share: one press makes a lesson of one. */

import { createFromMedia, listNewFilms } from "./api.js";
import { byId, element } from "./dom.js";
import { t } from "./i18n.js";

const MOST = 5;
const UNITS = ["kB", "MB", "GB", "TB"];

/**
 * @param {{wishes: () => object, onCreated: (job: object) => void}} hooks
 * @returns {{refresh: () => Promise<void>}}
 */
export function startShelf({ wishes, onCreated }) {
  const section = byId("shelf");
  const list = byId("shelf-films");
  const message = byId("shelf-message");
  let films = [];

  async function refresh() {
    try {
      ({ films } = await listNewFilms(MOST));
      if (message.className === "error") tell("quiet", "");
      draw();
    } catch (error) {
      tell("error", error.message);
    }
  }

  function draw() {
    list.replaceChildren(...films.map(row));
    section.hidden = films.length === 0 && message.textContent === "";
  }

  function row(film) {
    const title = name(film);
    const button = element("button", { type: "button", textContent: t("make") });
    button.setAttribute("aria-label", `${t("make")}: ${title}`);
    button.addEventListener("click", () => make(film, button));
    const about = element("span", { className: "quiet", textContent: facts(film) });
    return element("li", {}, element("span", { textContent: title }), about, button);
  }

  async function make(film, button) {
    button.disabled = true;
    try {
      const job = await createFromMedia({
        video: film.path,
        subtitle: film.subtitle,
        ...wishes(),
      });
      tell("quiet", t("queued", { name: job.title }));
      byId("shelf-title").focus();
      await refresh();
      onCreated(job);
    } catch (error) {
      tell("error", error.message);
      button.disabled = false;
    }
  }

  function tell(kind, text) {
    message.className = kind;
    message.textContent = text;
    section.hidden = false;
  }

  document.addEventListener("language", draw);
  return { refresh };
}

const name = ({ path }) => path.split("/").pop().replace(/\.[^.]*$/, "");

const facts = ({ film, bytes }) => `${length(film.duration_ms)} · ${size(bytes)}`;

function length(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
}

function size(bytes) {
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}
