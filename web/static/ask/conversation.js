/** The conversation that is open: its questions, the stream of each answer, and how each ended. */
import { addressWith, go, route } from "../core/route.js";
import { Store } from "../core/store.js";
import { eventsOf } from "../server/events.js";
import { RequestError, getJson, request, wasAborted } from "../server/http.js";

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
 * @property {import("../server/api.js").OutcomeJson | null} done
 * @property {ProblemJson | null} problem
 */

const KEY = "open-conversation";

/** The turns of the open conversation. @type {Store<Turn[]>} */
export const conversation = new Store(/** @type {Turn[]} */ ([]));

/**
 * Which conversation is open: `id` is null until its first question is kept; `shown` changes when
 * another one is opened; `problem` says why it could not be.
 */
export const opened = new Store({ id: /** @type {string | null} */ (null), title: "", shown: 0, problem: "" });

/** @type {AbortController | null} of the answer that is being written */
let answering = null;

/** @param {Partial<Turn>} fields */
function changeLastTurn(fields) {
  const turns = conversation.value;
  conversation.set([...turns.slice(0, -1), { ...turns[turns.length - 1], ...fields }]);
}

/** The conversation that this tab had open last. @returns {string | null} */
export function lastOpened() {
  try {
    return opened.value.id ?? sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** @param {string | null} id */
function remember(id) {
  try {
    if (id) sessionStorage.setItem(KEY, id);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Without storage the address alone leads back to it.
  }
}

export const isAnswering = () => answering !== null;

/** Stop the answer; what is written stays. */
export function stopAnswer() {
  answering?.abort();
}

/** Leave the open conversation, which stays as it is kept. */
export function startConversation() {
  stopAnswer();
  answering = null;
  conversation.set([]);
  opened.set({ id: null, title: "", shown: opened.value.shown + 1, problem: "" });
  remember(null);
}

/**
 * Open a kept conversation, or fetch the open one again.
 * @param {string} id
 */
export async function openConversation(id) {
  if (id === opened.value.id && isAnswering()) return;
  if (id !== opened.value.id) startConversation();
  const { shown } = opened.value;
  try {
    const { title, turns } = await getJson(`/api/conversations/${encodeURIComponent(id)}`);
    if (opened.value.shown !== shown || isAnswering()) return;
    conversation.set(turns.map((turn) => ({ ...turn, about: turn.about[0] ?? null })));
    opened.set({ id, title, shown: opened.value.shown + 1, problem: "" });
    remember(id);
  } catch (error) {
    if (opened.value.shown !== shown) return;
    const missing = error instanceof RequestError && error.status === 404;
    const problem = missing ? "This conversation was deleted." : problemOf(error).sentence;
    if (missing) startConversation();
    opened.change({ problem });
  }
}

/** @param {string} title */
export const setTitle = (title) => opened.change({ title });

/**
 * Ask, and follow the answer to its end. A question is never repeated without a person.
 * @param {string} question
 * @param {Subject | null} about
 */
export async function askQuestion(question, about) {
  if (answering) return;
  const controller = new AbortController();
  answering = controller;
  /** @param {Partial<Turn>} fields nothing where another conversation was opened meanwhile */
  const change = (fields) => answering === controller && changeLastTurn(fields);
  /** @type {Turn} */
  const turn = { question, about, text: "", sources: [], citations: [], state: "looking", done: null, problem: null };
  conversation.set([...conversation.value, turn]);
  try {
    const response = await request("/api/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ question, about: about?.id ?? null, conversation: opened.value.id ?? "new" }),
      signal: controller.signal,
    });
    for await (const { event, data } of eventsOf(response)) {
      if (controller.signal.aborted) break;
      applyEvent(event, data);
    }
    const { state } = conversation.value[conversation.value.length - 1] ?? {};
    if (controller.signal.aborted) change({ state: "stopped" });
    else if (state === "looking" || state === "writing") {
      change({ state: "failed", problem: { code: "cut", sentence: "The answer broke off before its end." } });
    }
  } catch (error) {
    if (wasAborted(error)) change({ state: "stopped" });
    else change({ state: "failed", problem: problemOf(error) });
  } finally {
    if (answering === controller) answering = null;
    conversation.set([...conversation.value]);
  }
}

/** The first question is kept: its conversation has an id and an address. @param {{id: string, title: string}} name */
function nameConversation({ id, title }) {
  opened.change({ id, title });
  remember(id);
  if (route.value.section === "ask") go(addressWith({ c: id }), { replace: true, state: route.value.state });
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
  if (event === "conversation") nameConversation(data);
  else if (event === "source") changeLastTurn({ sources: [...turn.sources, data] });
  else if (event === "token") changeLastTurn({ text: turn.text + data.text, state: "writing" });
  else if (event === "citation") changeLastTurn({ citations: [...turn.citations, data] });
  else if (event === "error") changeLastTurn({ state: "failed", problem: data });
  else if (event === "done") {
    changeLastTurn({ done: data, text: data.answer || turn.text, citations: data.citations, state: "done" });
  }
}
