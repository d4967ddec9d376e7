/** Requests to the server: JSON both ways, and every problem as one sentence for a person. */
import { Store } from "../core/store.js";

/** @typedef {Record<string, string | number | null | undefined>} Parameters null, undefined and "" are left out */

/**
 * `lost` while the server does not answer; `epoch` counts how often it answered again, so that pages
 * repeat their requests; `refused` is its sentence when it no longer knows this browser.
 */
export const connection = new Store({ lost: false, epoch: 0, refused: "" });

/** Make every page repeat its requests. */
export function repeatRequests() {
  connection.change({ epoch: connection.value.epoch + 1 });
}

/** A request that failed, or was not answered. */
export class RequestError extends Error {
  /**
   * @param {string} code
   * @param {string} sentence for a person
   * @param {number} [status] HTTP status, 0 where there was no answer
   * @param {number} [retryAfterS] how long the server asks us to wait
   */
  constructor(code, sentence, status = 0, retryAfterS = 0) {
    super(sentence);
    this.code = code;
    this.sentence = sentence;
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** @param {unknown} error */
export const wasAborted = (error) => error instanceof DOMException && error.name === "AbortError";

/** After an answer of the server. */
function markAnswered() {
  const { lost, epoch } = connection.value;
  if (lost) connection.change({ lost: false, epoch: epoch + 1 });
}

const RETRY_DELAYS_S = [1, 2, 5, 10];

/** How long to wait before the next try, seconds. @param {number} failures so far */
export const retryDelayS = (failures) => RETRY_DELAYS_S[Math.min(failures, RETRY_DELAYS_S.length - 1)];

/** The server does not answer: repeat a small request until it does. */
async function pollUntilAnswered() {
  if (connection.value.lost) return;
  connection.change({ lost: true });
  for (let failures = 0; connection.value.lost; failures += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000 * retryDelayS(failures)));
    await fetch("/api/status", { method: "HEAD", credentials: "same-origin" }).then(markAnswered, () => {});
  }
}

/**
 * One request. Throws `RequestError`, or the AbortError of `signal`.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (wasAborted(error)) throw error;
    pollUntilAnswered();
    throw new RequestError("offline", "Recollect is not running.");
  }
  markAnswered();
  if (response.ok) {
    if (connection.value.refused) connection.change({ refused: "" });
    return response;
  }
  const problem = await problemOf(response);
  if (problem.status === 401) connection.change({ refused: problem.sentence });
  throw problem;
}

/** @param {Response} response */
async function problemOf(response) {
  const retryAfterS = Number(response.headers.get("Retry-After")) || 0;
  /** @type {import("./api.js").ProblemJson | null} */
  let problem = null;
  try {
    problem = (await response.json()).error;
  } catch (error) {
    if (wasAborted(error)) throw error;
    // An answer without JSON still has a status to speak of.
  }
  const fallback =
    response.status === 401
      ? "This page has lost its key. Open the address that Recollect printed when it started."
      : `Recollect answered with an error (${response.status}).`;
  return new RequestError(problem?.code ?? "http", problem?.sentence ?? fallback, response.status, retryAfterS);
}

/**
 * @template {string} Path
 * @param {Path} path
 * @param {Parameters} [parameters]
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./endpoints.js").AnswerTo<Path>>}
 */
export async function getJson(path, parameters = {}, signal) {
  return (await request(withParameters(path, parameters), { signal })).json();
}

/**
 * @param {"POST" | "DELETE"} method
 * @param {string} path
 * @param {unknown} body sent as JSON
 * @param {RequestInit} [options]
 */
export async function sendJson(method, path, body, options = {}) {
  const headers = { "Content-Type": "application/json" };
  const response = await request(path, { ...options, method, headers, body: JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

/**
 * @param {string} path
 * @param {Parameters} parameters
 */
export function withParameters(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value != null && value !== "");
  if (!given.length) return path;
  return `${path}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}
