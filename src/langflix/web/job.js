/** One job as an element of the library: what it is, how it stands, what can be done with it. */

import { element } from "./dom.js";
import { current, languageName, t, when } from "./i18n.js";

/** @returns {string} the word for how a job stands */
export function stateOf({ status, cancel_requested: cancelled }) {
  if (!cancelled) return status;
  return status === "RUNNING" ? "cancelling" : "CANCELLED";
}

/** @returns {string} two jobs with the same one look the same */
export const looks = (job) =>
  [current(), job.status, job.progress, job.cancel_requested, job.retryable].join(" ");

/**
 * @param {object} job
 * @param {Object<string, (job: object) => void>} actions what its buttons do, by their names
 */
export function render(job, actions) {
  const facts = [job.level, languageName(job.language), when(job.created_at)].join(" · ");
  const item = element(
    "li",
    { tabIndex: -1 },
    element("p", { className: "name", textContent: job.title }),
    element("p", { className: "state", textContent: t(stateOf(job)) }),
    element("p", { className: "quiet facts", textContent: facts }),
  );
  const { id, status } = job;
  Object.assign(item.dataset, { jobId: id, status, state: stateOf(job), shows: looks(job) });
  if (job.status === "RUNNING") item.append(progress(job));
  // What the server says is English.
  if (job.error && !job.cancel_requested)
    item.append(element("p", { className: "error", lang: "en", textContent: job.error }));
  if (job.note)
    item.append(element("p", { className: "quiet", lang: "en", textContent: job.note }));
  const buttons = namesOf(job).map((name) => button(job, name, actions[name]));
  item.append(element("div", { className: "actions" }, ...buttons));
  return item;
}

function progress(job) {
  const bar = element("progress", { max: 100, value: job.progress });
  bar.setAttribute("aria-label", t("progress", { name: job.title }));
  return bar;
}

function button(job, name, act) {
  const made = element("button", { type: "button", textContent: t(name) });
  made.dataset.testid = name;
  made.setAttribute("aria-label", `${t(name)}: ${job.title}`);
  made.addEventListener("click", () => act(job));
  return made;
}

function namesOf(job) {
  if (job.status === "DONE") return ["open", "delete"];
  if (job.status === "FAILED") return job.retryable ? ["retry", "delete"] : ["delete"];
  return job.cancel_requested ? [] : ["cancel"];
}
