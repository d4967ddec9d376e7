/** The conversation: questions, the stream of each answer, and how each ended. */
import { Store } from "../core/store.js";
import { eventsOf } from "../server/events.js";
import { RequestError, request, wasAborted } from "../server/http.js";

/**
 * @typedef {import("../server/api.js").SourceJson} SourceJson
 * @typedef {import("../server/api.js").CitationJson} CitationJson
 * @typedef {import("../server/api.js").ProblemJson} ProblemJson
 * @typedef {{id: string, title: string}} Subject the item a question is about
 * @typedef {object} Turn
 * @property {string} question
 * @property {Subject | null} about
 * @property {string} text
 * @property {SourceJson[]} sources
 * @property {CitationJson[]} citations
 * @property {"looking" | "writing" | "done" | "stopped" | "failed"} state
 * @property {import("../server/api.js").DoneJson | null} done
 * @property {ProblemJson | null} problem
 */

const KEY = "conversation";
const HISTORY_TURNS = 6; // sent with a question

/** @returns {Turn[]} */
function storedTurns() {
  try {
    const turns = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(turns) ? turns : [];
  } catch {
    return [];
  }
}

/** @type {Store<Turn[]>} kept until the tab is closed */
export const conversation = new Store(storedTurns());

/** @type {AbortController | null} of the answer that is being written */
let answering = null;

/** @param {Partial<Turn>} fields */
function changeLastTurn(fields) {
  const turns = conversation.value;
  conversation.set([...turns.slice(0, -1), { ...turns[turns.length - 1], ...fields }]);
}

function storeTurns() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(conversation.value));
  } catch {
    // Without storage a reload starts a new conversation.
  }
}

export const isAnswering = () => answering !== null;

/** Stop the answer; what is written stays. */
export function stopAnswer() {
  answering?.abort();
}

export function startConversation() {
  stopAnswer();
  conversation.set([]);
  storeTurns();
}

/**
 * Ask, and follow the answer to its end. A question is never repeated without a person.
 * @param {string} question
 * @param {Subject | null} about
 */
export async function askQuestion(question, about) {
  if (answering) return;
  const history = conversation.value
    .filter((turn) => turn.text && (turn.state === "done" || turn.state === "stopped"))
    .map((turn) => ({ question: turn.question, answer: turn.text }));
  const controller = new AbortController();
  answering = controller;
  /** @type {Turn} */
  const turn = { question, about, text: "", sources: [], citations: [], state: "looking", done: null, problem: null };
  conversation.set([...conversation.value, turn]);
  try {
    const response = await request("/api/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ question, about: about?.id ?? null, history: history.slice(-HISTORY_TURNS) }),
      signal: controller.signal,
    });
    for await (const { event, data } of eventsOf(response)) {
      if (controller.signal.aborted) break;
      applyEvent(event, data);
    }
    const { state } = conversation.value[conversation.value.length - 1] ?? {};
    if (controller.signal.aborted) changeLastTurn({ state: "stopped" });
    else if (state === "looking" || state === "writing") {
      changeLastTurn({ state: "failed", problem: { code: "cut", sentence: "The answer broke off before its end." } });
    }
  } catch (error) {
    if (wasAborted(error)) changeLastTurn({ state: "stopped" });
    else changeLastTurn({ state: "failed", problem: problemOf(error) });
  } finally {
    if (answering === controller) answering = null;
    conversation.set([...conversation.value]);
    storeTurns();
  }
}

/** @param {unknown} error @returns {ProblemJson} */
function problemOf(error) {
  if (!(error instanceof RequestError)) {
    return { code: "cut", sentence: "The connection broke while the answer was being written." };
  }
  const retry = error.retryAfterS ? ` Try again in ${error.retryAfterS} s.` : "";
  return { code: error.code, sentence: error.sentence + retry };
}

/** @param {string} event as in `AskEvent` @param {any} data */
function applyEvent(event, data) {
  const turn = conversation.value[conversation.value.length - 1];
  if (event === "source") changeLastTurn({ sources: [...turn.sources, data] });
  else if (event === "token") changeLastTurn({ text: turn.text + data.text, state: "writing" });
  else if (event === "citation") changeLastTurn({ citations: [...turn.citations, data] });
  else if (event === "error") changeLastTurn({ state: "failed", problem: data });
  else if (event === "done") {
    changeLastTurn({ done: data, text: data.answer || turn.text, citations: data.citations, state: "done" });
  }
}
