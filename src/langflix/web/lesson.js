/** Expressions as cards: those of one lesson, or those that a search found. */

import { getLesson, searchExpressions } from "./api.js";
import { byId, element } from "./dom.js";
import { t } from "./i18n.js";

let asked = 0;
let open = null;

/** @param {object} job */
export async function showLesson(job) {
  open = job.id;
  await fill(job.title, "empty", () => getLesson(job.id));
  byId("lesson-title").focus();
}

/** @param {string} q */
export async function showFound(q) {
  open = null;
  await fill(t("found"), "nothing", async () => ({ ...(await searchExpressions(q)), videos: [] }));
}

/** @param {string} [id] close only when this job's lesson is the one that is open */
export function closeLesson(id = open) {
  if (id !== open) return;
  asked += 1;
  byId("lesson").hidden = true;
  byId("expressions").replaceChildren();
  byId("videos").replaceChildren();
}

async function fill(title, empty, load) {
  const mine = ++asked;
  const message = byId("lesson-message");
  const list = byId("expressions");
  const videos = byId("videos");
  byId("lesson").hidden = false;
  byId("lesson-title").textContent = title;
  message.className = "quiet";
  message.textContent = t("loading");
  list.replaceChildren();
  videos.replaceChildren();
  try {
    const lesson = await load();
    if (mine !== asked) return;
    message.textContent = lesson.expressions.length === 0 ? t(empty) : "";
    list.replaceChildren(...lesson.expressions.map(card));
    videos.replaceChildren(...lesson.videos.map(film));
  } catch (error) {
    if (mine !== asked) return;
    message.className = "error";
    message.textContent = error.message;
  }
}

function card(expression) {
  const facts = [expression.kind, expression.level, expression.title].filter(Boolean).join(" · ");
  const item = element(
    "li",
    {},
    element("h3", { textContent: expression.phrase }),
    element("p", { className: "quiet", textContent: facts }),
    dialogue(expression),
  );
  item.dataset.testid = "expression";
  if (expression.translation)
    item.append(element("p", { className: "translation", textContent: expression.translation }));
  if (expression.meaning)
    item.append(
      element("p", { className: "meaning", lang: "en", textContent: expression.meaning }),
    );
  if (expression.similar.length > 0) {
    const list = expression.similar.join(", ");
    item.append(element("p", { className: "quiet", textContent: t("similar", { list }) }));
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

function player(src, label) {
  const video = element("video", { controls: true, playsInline: true, preload: "metadata", src });
  video.setAttribute("aria-label", label);
  return video;
}
