/** The library: jobs as the server tells of them, by events while they come, else by asking. */

import { announce } from "./announce.js";
import { cancelJob, deleteJob, listJobs, openEvents, retryJob } from "./api.js";
import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { looks, render, stateOf } from "./job.js";

const PAGE = 20;
const MOST = 200;
const WHILE_DEAF_MS = 2_000;
const SAFETY_MS = 60_000;
const SETTLE_MS = 250;
const DEAF_AFTER_MS = 5_000;
const LISTEN_AGAIN_MS = 10_000;

/**
 * @param {{onOpen: (job: object) => void, onGone: (id: string) => void}} hooks
 * @returns {{refresh: () => void, filter: (q: string, status: string) => void}}
 */
export function startJobs({ onOpen, onGone }) {
  const list = byId("jobs");
  const message = byId("jobs-message");
  const more = byId("jobs-more");
  const live = byId("live");
  let limit = PAGE;
  let wanted = { q: "", status: "" };
  let shown = [];
  /** What was heard since the list was last asked for: newer than what that answer will say. */
  const newer = new Map();
  const states = new Map();
  let hearing = false;
  let asked = 0;
  let timer;
  let deaf;

  async function refresh() {
    clearTimeout(timer);
    const mine = ++asked;
    newer.clear();
    try {
      const { jobs, total } = await listJobs(limit, wanted.q, wanted.status);
      if (mine !== asked) return;
      shown = jobs.map((job) => newer.get(job.id) ?? job);
      const empty = wanted.q || wanted.status ? "nothing" : "none";
      tell("quiet", total === 0 ? t(empty) : "");
      more.hidden = total <= limit || limit >= MOST;
      draw();
    } catch (error) {
      if (mine !== asked) return;
      tell("error", error.message);
    }
    later(hearing ? SAFETY_MS : WHILE_DEAF_MS);
  }

  function later(wait) {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, wait);
  }

  function tell(kind, text) {
    message.className = kind;
    if (message.textContent !== text) message.textContent = text;
  }

  function heard(job) {
    newer.set(job.id, job);
    const at = shown.findIndex(({ id }) => id === job.id);
    if (at < 0 || wanted.status) later(SETTLE_MS);
    else {
      shown[at] = job;
      draw();
    }
  }

  function label() {
    live.textContent = t(hearing ? "live" : "offline");
    live.dataset.live = hearing;
  }

  function listen() {
    const events = openEvents();
    events.addEventListener("reset", () => {
      clearTimeout(deaf);
      hearing = true;
      label();
      refresh();
    });
    events.addEventListener("job", ({ data }) => heard(JSON.parse(data)));
    events.addEventListener("removed", ({ data }) => {
      const { id } = JSON.parse(data);
      onGone(id);
      if (shown.some((job) => job.id === id)) later(SETTLE_MS);
    });
    // A stream ends once a minute and the next one begins at once: that is not worth a word.
    events.onerror = () => {
      hearing = false;
      clearTimeout(deaf);
      deaf = setTimeout(label, DEAF_AFTER_MS);
      later(WHILE_DEAF_MS);
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, LISTEN_AGAIN_MS);
    };
  }

  async function act(what, job) {
    try {
      await what(job.id);
      refresh();
    } catch (error) {
      tell("error", error.message);
    }
  }

  const actions = {
    open: onOpen,
    cancel: (job) => act(cancelJob, job),
    retry: (job) => act(retryJob, job),
    delete: (job) =>
      window.confirm(t("delete.sure", { name: job.title })) && act(deleteJob, job),
  };

  function draw() {
    show(list, shown, actions);
    const changed = shown.filter((job) => ![undefined, stateOf(job)].includes(states.get(job.id)));
    for (const job of shown) states.set(job.id, stateOf(job));
    announce(changed.map((job) => `${job.title}: ${t(stateOf(job))}`).join(". "));
  }

  more.addEventListener("click", () => {
    limit = Math.min(MOST, limit + PAGE);
    refresh();
  });
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  document.addEventListener("language", () => {
    label();
    draw();
  });
  label();
  refresh();
  listen();
  return {
    refresh,
    filter(q, status) {
      wanted = { q, status };
      limit = PAGE;
      refresh();
    },
  };
}

/** Bring the list in line with `jobs`, leaving untouched what has not changed (and its focus). */
function show(list, jobs, actions) {
  const before = new Map([...list.children].map((item) => [item.dataset.jobId, item]));
  jobs.forEach((job, index) => {
    const old = before.get(job.id);
    before.delete(job.id);
    const item = old?.dataset.shows === looks(job) ? old : render(job, actions);
    if (old && old !== item) replace(old, item);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  for (const gone of before.values()) {
    const held = gone.contains(document.activeElement);
    gone.remove();
    if (held) byId("jobs-title").focus();
  }
}

/** A button that had the focus hands it on to its successor, else to the job as a whole. */
function replace(old, item) {
  const held = old.contains(document.activeElement);
  const name = held && document.activeElement.dataset.testid;
  old.replaceWith(item);
  if (held) (item.querySelector(`[data-testid="${name}"]`) ?? item).focus();
}
