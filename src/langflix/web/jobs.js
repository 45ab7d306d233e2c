/** The list of jobs, asked for again and again while something may change. */

import { listJobs } from "./api.js";
import { byId, element } from "./dom.js";

const PAGE = 20;
const WHILE_WORKING_MS = 1_500;
const WHILE_IDLE_MS = 15_000;
const STATES = {
  PENDING: "Waiting for a worker",
  RUNNING: "Working",
  DONE: "Ready",
  FAILED: "Failed",
};

/**
 * @param {(job: object) => void} onOpen called when a lesson is to be shown
 * @returns {{refresh: () => void}}
 */
export function startJobs(onOpen) {
  const list = byId("jobs");
  const message = byId("jobs-message");
  const more = byId("jobs-more");
  let limit = PAGE;
  let timer;
  let asked = 0;

  async function refresh() {
    clearTimeout(timer);
    const mine = ++asked;
    let wait = WHILE_IDLE_MS;
    try {
      const { jobs, total } = await listJobs(limit);
      if (mine !== asked) return;
      message.className = "quiet";
      message.textContent = total === 0 ? "No lesson yet." : "";
      more.hidden = total <= limit || limit >= 200;
      show(list, jobs, onOpen);
      if (jobs.some(({ status }) => status === "PENDING" || status === "RUNNING"))
        wait = WHILE_WORKING_MS;
    } catch (error) {
      if (mine !== asked) return;
      message.className = "error";
      message.textContent = error.message;
    }
    if (!document.hidden) timer = setTimeout(refresh, wait);
  }

  more.addEventListener("click", () => {
    limit = Math.min(200, limit + PAGE);
    refresh();
  });
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  refresh();
  return { refresh };
}

/** Bring the list in line with `jobs`, leaving untouched what has not changed (and its focus). */
function show(list, jobs, onOpen) {
  const shown = new Map([...list.children].map((item) => [item.dataset.jobId, item]));
  jobs.forEach((job, index) => {
    const old = shown.get(job.id);
    shown.delete(job.id);
    const state = `${job.status} ${job.progress}`;
    const item = old?.dataset.shows === state ? old : render(job, state, onOpen);
    if (old && old !== item) old.replaceWith(item);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  for (const gone of shown.values()) gone.remove();
}

function render(job, state, onOpen) {
  const item = element(
    "li",
    {},
    element("p", { className: "name", textContent: job.video_name }),
    element("p", { className: "state", textContent: STATES[job.status] ?? job.status }),
  );
  Object.assign(item.dataset, { jobId: job.id, status: job.status, shows: state });
  if (job.status === "RUNNING") {
    const progress = element("progress", { max: 100, value: job.progress });
    progress.setAttribute("aria-label", `Progress of ${job.video_name}`);
    item.append(progress);
  }
  if (job.error) item.append(element("p", { className: "error", textContent: job.error }));
  if (job.status === "DONE") {
    const open = element("button", { type: "button", textContent: "Show lesson" });
    open.dataset.testid = "open";
    open.setAttribute("aria-label", `Show the lesson of ${job.video_name}`);
    open.addEventListener("click", () => onOpen(job));
    item.append(open);
  }
  return item;
}
