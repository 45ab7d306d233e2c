/** The only module that speaks HTTP.  Everything it throws is an ApiError with a readable message. */

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

/** @returns {Promise<{jobs: object[], total: number}>} */
export const listJobs = (limit) => get(`${ROOT}/jobs?limit=${limit}`);

/** The lesson of a job: its expressions, each with its clip. */
export async function getLesson(jobId) {
  const path = `${ROOT}/jobs/${encodeURIComponent(jobId)}`;
  const [{ expressions }, { clips }] = await Promise.all([
    get(`${path}/expressions`),
    get(`${path}/clips`),
  ]);
  const clipOf = new Map(clips.map((clip) => [clip.expression_id, clip]));
  return expressions.map((expression) => ({ ...expression, clip: clipOf.get(expression.id) }));
}

/**
 * Send a film and its subtitle.  XMLHttpRequest, because fetch tells nothing of an upload's progress.
 * @param {FormData} form
 * @param {(percent: number) => void} onProgress
 * @returns {{done: Promise<object>, cancel: () => void}}
 */
export function createJob(form, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open("POST", `${ROOT}/jobs`);
    request.responseType = "json";
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => {
      if (lengthComputable) onProgress(Math.floor((100 * loaded) / total));
    };
    request.onload = () => {
      if (request.status === 202) resolve(request.response);
      else reject(refused(request.status, request.response));
    };
    request.onerror = () => reject(new ApiError("The server cannot be reached.", 0));
    request.onabort = () => reject(new ApiError("The upload was cancelled.", 0));
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}

async function get(path) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new ApiError("The server cannot be reached.", 0);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) throw refused(response.status, body);
  return body;
}

const refused = (status, problem) =>
  new ApiError(problem?.detail ?? `The server answered ${status}.`, status);
