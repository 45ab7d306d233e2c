/** Expressions as cards: those of one lesson, or those that a search found. */

import { getLesson, searchExpressions } from "./api.js";
import { byId, element } from "./dom.js";
import { t } from "./i18n.js";

let asked = 0;
let open = null;
let view = null;

/** Let the close button and the Escape key close the lesson. */
export function startLesson() {
  byId("lesson-close").addEventListener("click", () => closeLesson());
  document.addEventListener("keydown", ({ key, target }) => {
    // In a field Escape has a meaning of its own, and so it has while a film fills the screen.
    const taken = document.fullscreenElement || target.matches("input, select");
    if (key === "Escape" && open !== null && !taken) closeLesson();
  });
  document.addEventListener("language", () => view && draw());
}

/** Show a job's lesson above the library. @param {object} job */
export async function showLesson(job) {
  open = job.id;
  byId("library").before(byId("lesson"));
  byId("lesson-close").hidden = false;
  await fill(() => job.title, "empty", () => getLesson(job.id));
  if (open !== job.id) return;
  byId("lesson-title").focus({ preventScroll: true });
  byId("lesson").scrollIntoView();
}

/** Show what a search finds below the library. @param {string} q */
export async function showFound(q) {
  open = null;
  byId("library").after(byId("lesson"));
  byId("lesson-close").hidden = true;
  const find = async () => ({ ...(await searchExpressions(q)), videos: [] });
  await fill(() => t("found"), "nothing", find);
}

/** @param {string} [id] close only when this job's lesson is the one that is open */
export function closeLesson(id = open) {
  if (id !== open) return;
  const lesson = byId("lesson");
  const held = lesson.contains(document.activeElement) || document.activeElement === document.body;
  asked += 1;
  open = view = null;
  lesson.hidden = true;
  byId("expressions").replaceChildren();
  byId("videos").replaceChildren();
  if (held) handBack(id);
}

/** Give the focus to the button that had opened the lesson, else to the library. */
function handBack(id) {
  const opener = document.querySelector(`#jobs [data-job-id="${id}"] [data-testid=open]`);
  (opener ?? byId("jobs-title")).focus();
}

async function fill(title, empty, load) {
  const mine = ++asked;
  byId("lesson").hidden = false;
  view = { title, message: () => t("loading"), lesson: { expressions: [], videos: [] } };
  draw();
  try {
    const lesson = await load();
    if (mine !== asked) return;
    view = { title, message: () => (lesson.expressions.length ? "" : t(empty)), lesson };
    draw();
  } catch (error) {
    if (mine !== asked) return;
    view = { ...view, message: () => error.message };
    draw("error");
  }
}

function draw(kind = "quiet") {
  const { title, message, lesson } = view;
  byId("lesson-title").textContent = title();
  byId("lesson-close").setAttribute("aria-label", t("close.lesson", { name: title() }));
  byId("lesson-message").className = kind;
  byId("lesson-message").textContent = message();
  byId("expressions").replaceChildren(...lesson.expressions.map(card));
  byId("videos").replaceChildren(...lesson.videos.map(film));
}

function card(expression) {
  const { level, phrase, similar, title } = expression;
  const facts = [level, t(`kind.${expression.kind}`), title].filter(Boolean).join(" · ");
  const item = element(
    "li",
    {},
    element("h3", { lang: "en", textContent: phrase }),
    element("p", { className: "quiet facts", textContent: facts }),
    dialogue(expression),
  );
  item.dataset.testid = "expression";
  if (expression.translation)
    item.append(element("p", { className: "translation", textContent: expression.translation }));
  if (expression.meaning)
    item.append(
      element("p", { className: "meaning", lang: "en", textContent: expression.meaning }),
    );
  if (similar.length > 0) {
    const list = element("span", { lang: "en", textContent: similar.join(", ") });
    item.append(element("p", { className: "quiet" }, `${t("similar")} `, list));
  }
  if (expression.clip_url)
    item.append(
      element(
        "figure",
        { className: "clip" },
        player(expression.clip_url, t("clip", { text: expression.dialogue })),
      ),
    );
  return item;
}

function dialogue({ dialogue: text, said }) {
  const at = text.indexOf(said);
  const line = element("p", { className: "dialogue", lang: "en" });
  if (at < 0) line.append(text);
  else line.append(text.slice(0, at), element("mark", {}, said), text.slice(at + said.length));
  return line;
}

function film({ kind, url }) {
  const name = t(`video.${kind}`);
  const caption = element("figcaption", { textContent: name });
  return element("figure", { className: `film ${kind}` }, player(url, name), caption);
}

/** The fragment makes browsers of phones draw a picture of the film before it plays. */
function player(url, label) {
  const src = `${url}#t=0.001`;
  const video = element("video", { controls: true, playsInline: true, preload: "metadata", src });
  video.setAttribute("aria-label", label);
  return video;
}
