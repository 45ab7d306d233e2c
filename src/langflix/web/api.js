/** The only module that speaks HTTP.  Everything it throws is an ApiError with a readable message. */

import { t } from "./i18n.js";

const ROOT = "/api/v1";
const TIMEOUT_MS = 15_000;

export class ApiError extends Error {
  /** @param {string} message @param {number} status 0 when there was no answer */
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

const job = (id) => `${ROOT}/jobs/${encodeURIComponent(id)}`;

/** @returns {Promise<{needs_token: boolean, allowed: boolean}>} */
export const getSession = () => call("GET", `${ROOT}/session`);
export const logout = () => call("DELETE", `${ROOT}/session`);
export const login = (token) => call("POST", `${ROOT}/session`, { token });

/** @returns {Promise<{jobs: object[], total: number}>} */
export const listJobs = (limit, q, status) =>
  call("GET", `${ROOT}/jobs?${new URLSearchParams({ limit, q, ...(status && { status }) })}`);
export const searchExpressions = (q) =>
  call("GET", `${ROOT}/expressions?${new URLSearchParams({ q, limit: 50 })}`);
export const cancelJob = (id) => call("POST", `${job(id)}/cancel`);
export const retryJob = (id) => call("POST", `${job(id)}/retry`);
export const deleteJob = (id) => call("DELETE", job(id));
export const listFolder = (path) =>
  call("GET", `${ROOT}/media?${new URLSearchParams({ path })}`);
/** Films that a lesson can be made of and is not yet. @returns {Promise<{films: object[]}>} */
export const listNewFilms = (limit) =>
  call("GET", `${ROOT}/media/films?subtitled=true&fresh=true&limit=${limit}`);
export const createFromMedia = (body) => call("POST", `${ROOT}/media/jobs`, body);

/** Changes of jobs as they happen. */
export const openEvents = () => new EventSource(`${ROOT}/events`);

/** The lesson of a job: its expressions, each with its clip, and the whole as videos. */
export async function getLesson(id) {
  const [{ expressions }, { clips }, { videos }] = await Promise.all([
    call("GET", `${job(id)}/expressions`),
    call("GET", `${job(id)}/clips`),
    call("GET", `${job(id)}/videos`),
  ]);
  const clipOf = new Map(clips.map((clip) => [clip.expression_id, clip]));
  return {
    expressions: expressions.map((one) => ({ ...one, clip_url: clipOf.get(one.id)?.url })),
    videos,
  };
}

/**
 * Send a film and its subtitle.  XMLHttpRequest, because fetch tells nothing of an upload's progress.
 * @param {FormData} form
 * @param {string} key the same for each try to send the same form: it makes one job at most
 * @param {(percent: number) => void} onProgress
 * @returns {{done: Promise<object>, cancel: () => void}}
 */
export function createJob(form, key, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open("POST", `${ROOT}/jobs`);
    request.setRequestHeader("Idempotency-Key", key);
    request.responseType = "json";
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => {
      if (lengthComputable) onProgress(Math.floor((100 * loaded) / total));
    };
    request.onload = () => {
      if (request.status === 202) resolve(request.response);
      else reject(refused(request.status, request.response));
    };
    request.onerror = () => reject(new ApiError(t("unreachable"), 0));
    request.onabort = () => reject(new ApiError(t("aborted"), 0));
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}

async function call(method, path, sent) {
  let response;
  try {
    response = await fetch(path, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(sent && { body: JSON.stringify(sent), headers: { "Content-Type": "application/json" } }),
    });
  } catch {
    throw new ApiError(t("unreachable"), 0);
  }
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) throw refused(response.status, body);
  return body;
}

const refused = (status, problem) =>
  new ApiError(problem?.detail ?? t("answered", { status }), status);
