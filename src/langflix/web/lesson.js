/** One lesson: expressions, each with the moment of the film that shows it. */

import { getLesson } from "./api.js";
import { byId, element } from "./dom.js";

let asked = 0;

/** @param {object} job */
export async function showLesson(job) {
  const mine = ++asked;
  const message = byId("lesson-message");
  const list = byId("expressions");
  byId("lesson").hidden = false;
  byId("lesson-title").textContent = job.video_name;
  byId("lesson-title").focus();
  message.className = "quiet";
  message.textContent = "Loading…";
  list.replaceChildren();
  try {
    const lesson = await getLesson(job.id);
    if (mine !== asked) return;
    message.textContent = lesson.length === 0 ? "No expression was found in this film." : "";
    list.replaceChildren(...lesson.map(card));
  } catch (error) {
    if (mine !== asked) return;
    message.className = "error";
    message.textContent = error.message;
  }
}

function card(expression) {
  const item = element(
    "li",
    {},
    element("h3", { textContent: expression.phrase }),
    element("p", { className: "quiet", textContent: `${expression.kind} · ${expression.level}` }),
    dialogue(expression),
  );
  item.dataset.testid = "expression";
  if (expression.clip) item.append(clip(expression));
  return item;
}

function dialogue({ dialogue: text, said }) {
  const at = text.indexOf(said);
  const line = element("p", { className: "dialogue" });
  if (at < 0) line.append(text);
  else line.append(text.slice(0, at), element("mark", {}, said), text.slice(at + said.length));
  return line;
}

function clip(expression) {
  const video = element("video", {
    controls: true,
    playsInline: true,
    preload: "metadata",
    src: expression.clip.url,
  });
  video.setAttribute("aria-label", `Clip: ${expression.dialogue}`);
  return element("figure", { className: "clip" }, video);
}
