/** Asking the server: JSON in and out, and what went wrong as one sentence for a person. */
import { Store } from "../core/store.js";

/**
 * Whether the server answers; `epoch` counts how often it came back, so that pages ask again, and
 * `refused` is its sentence when it no longer knows this browser.
 */
export const connection = new Store({ lost: false, epoch: 0, refused: "" });

/** Something the server, or its absence, has to say. */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {string} sentence
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

/** The server answered: whoever waited for it may ask again. */
function answered() {
  const { lost, epoch } = connection.value;
  if (lost) connection.change({ lost: false, epoch: epoch + 1 });
}

const WAITS_S = [1, 2, 5, 10];

/** How long to wait before the next try, seconds. @param {number} failures so far */
export const waitS = (failures) => WAITS_S[Math.min(failures, WAITS_S.length - 1)];

/** The server does not answer: knock until it does. */
async function knock() {
  if (connection.value.lost) return;
  connection.change({ lost: true });
  for (let failures = 0; connection.value.lost; failures += 1) {
    await new Promise((wake) => setTimeout(wake, 1000 * waitS(failures)));
    await fetch("/api/status", { method: "HEAD", credentials: "same-origin" }).then(answered, () => {});
  }
}

/**
 * One request. Throws `Problem`, or the AbortError of `signal`.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (wasAborted(error)) throw error;
    knock();
    throw new Problem("offline", "Recollect is not running.");
  }
  answered();
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
  const wait = Number(response.headers.get("Retry-After")) || 0;
  let said = null;
  try {
    said = (await response.json()).error;
  } catch (error) {
    if (wasAborted(error)) throw error;
    // An answer without JSON still has a status to speak of.
  }
  const fallback =
    response.status === 401
      ? "This page has lost its key. Open the address that Recollect printed when it started."
      : `Recollect answered with an error (${response.status}).`;
  return new Problem(said?.code ?? "http", said?.sentence ?? fallback, response.status, wait);
}

/**
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [parameters] empty ones are left out
 * @param {AbortSignal} [signal]
 */
export async function getJson(path, parameters = {}, signal) {
  return (await ask(withParameters(path, parameters), { signal })).json();
}

/**
 * @param {"POST" | "DELETE"} method
 * @param {string} path
 * @param {unknown} body sent as JSON
 */
export async function sendJson(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await ask(path, { method, headers, body: JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

/**
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} parameters
 */
export function withParameters(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value != null && value !== "");
  if (!given.length) return path;
  return `${path}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}
