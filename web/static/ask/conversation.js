/** The conversation: questions, the stream of each answer, and what came of it. */
import { eventsOf } from "../server/events.js";
import { Problem, ask, wasAborted } from "../server/http.js";
import { Store } from "../core/store.js";

/**
 * @typedef {import("../core/wording.js").Place} Place
 * @typedef {{n: number, id: string, path: string, kind: string, title: string, attached_to: import("../core/wording.js").Mail, place: Place, snippet: string, thumb: object | null}} Source
 * @typedef {{n: number, id: string, path: string, kind: string, title: string, attached_to: import("../core/wording.js").Mail, place: Place, quote: string, verified: boolean}} Citation
 * @typedef {object} Done
 * @property {string} answer
 * @property {Citation[]} citations
 * @property {import("../core/wording.js").Coverage} coverage
 * @property {string} reason
 * @property {number} left_out
 * @property {string[]} [unfounded] figures that stand in none of the sources
 * @property {{first_token_ms: number, tokens: number, tokens_per_s: number, draft_acceptance: number | null} | null} speed
 *
 * @typedef {object} Turn
 * @property {string} question
 * @property {{id: string, title: string} | null} about
 * @property {string} text
 * @property {Source[]} sources
 * @property {Citation[]} citations
 * @property {"looking" | "writing" | "done" | "stopped" | "failed"} state
 * @property {Done | null} done
 * @property {{code: string, sentence: string} | null} problem
 */

const KEY = "conversation";

/** @returns {Turn[]} */
function stored() {
  try {
    const read = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(read) ? read : [];
  } catch {
    return [];
  }
}

/** @type {Store<Turn[]>} kept as long as the tab */
export const turns = new Store(stored());

/** @type {AbortController | null} */
let answering = null;

/** @param {Partial<Turn>} fields */
function changeLast(fields) {
  turns.set([...turns.value.slice(0, -1), { ...turns.value[turns.value.length - 1], ...fields }]);
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(turns.value));
  } catch {
    // Then a reload starts anew.
  }
}

export const isAnswering = () => answering !== null;

/** Stop writing; what is there stays. */
export function stopAnswer() {
  answering?.abort();
}

export function startAnew() {
  stopAnswer();
  turns.set([]);
  keep();
}

/**
 * Ask, and follow the answer to its end. Answers are never asked twice by themselves.
 * @param {string} question
 * @param {{id: string, title: string} | null} about
 */
export async function askQuestion(question, about) {
  if (answering) return;
  const history = turns.value
    .filter((turn) => turn.text && (turn.state === "done" || turn.state === "stopped"))
    .map((turn) => ({ question: turn.question, answer: turn.text }));
  const mine = new AbortController();
  answering = mine;
  /** @type {Turn} */
  const turn = { question, about, text: "", sources: [], citations: [], state: "looking", done: null, problem: null };
  turns.set([...turns.value, turn]);
  try {
    const response = await ask("/api/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ question, about: about?.id ?? null, history: history.slice(-6) }),
      signal: mine.signal,
    });
    for await (const { event, data } of eventsOf(response)) {
      if (mine.signal.aborted) break;
      take(event, data);
    }
    const { state } = turns.value[turns.value.length - 1] ?? {};
    if (mine.signal.aborted) changeLast({ state: "stopped" });
    else if (state === "looking" || state === "writing") {
      changeLast({ state: "failed", problem: { code: "cut", sentence: "The answer broke off before its end." } });
    }
  } catch (error) {
    if (wasAborted(error)) changeLast({ state: "stopped" });
    else changeLast({ state: "failed", problem: problemOf(error) });
  } finally {
    if (answering === mine) answering = null;
    turns.set([...turns.value]);
    keep();
  }
}

/** @param {unknown} error */
function problemOf(error) {
  if (!(error instanceof Problem)) {
    return { code: "cut", sentence: "The connection broke while the answer was being written." };
  }
  const wait = error.retryAfterS ? ` Try again in ${error.retryAfterS} s.` : "";
  return { code: error.code, sentence: error.sentence + wait };
}

/** @param {string} event @param {any} data */
function take(event, data) {
  const last = turns.value[turns.value.length - 1];
  if (event === "source") changeLast({ sources: [...last.sources, data] });
  else if (event === "token") changeLast({ text: last.text + data.text, state: "writing" });
  else if (event === "citation") changeLast({ citations: [...last.citations, data] });
  else if (event === "error") changeLast({ state: "failed", problem: data });
  else if (event === "done") {
    changeLast({ done: data, text: data.answer || last.text, citations: data.citations, state: "done" });
  }
}
