/** The results on screen, and the requests that fill them: words first, then meaning below. */
import { useEffect } from "../core/dom.js";
import { route } from "../core/route.js";
import { Store, useStore } from "../core/store.js";
import { baseName } from "../core/wording.js";
import { RequestError, connection, getJson, repeatRequests, wasAborted } from "../server/http.js";
import { libraryStatus } from "../server/status.js";
import { example, searchByExample } from "./example.js";

/**
 * @typedef {import("../server/api.js").HitJson} HitJson
 * @typedef {import("../server/api.js").SearchJson} SearchJson
 * @typedef {ReturnType<typeof parametersOf>} Parameters
 * @typedef {object} Results
 * @property {string} key of the query they answer
 * @property {import("../server/api.js").FilterJson[]} understood filters among the words
 * @property {HitJson[]} rows shown; their order is final until the next query
 * @property {{offset: number, by: "words" | "all"} | null} following where the rows go on
 * @property {HitJson[] | null} byMeaning found by meaning only; null while that is awaited
 * @property {import("../server/api.js").Coverage | null} coverage
 * @property {boolean} searching
 * @property {boolean} slow searching for so long that the page says so
 * @property {RequestError | null} problem
 * @property {Record<string, number>} counts by kind, of the last query without a kind
 */

/** @type {Results} */
const NO_RESULTS = {
  key: "",
  understood: [],
  rows: [],
  following: null,
  byMeaning: [],
  coverage: null,
  searching: false,
  slow: false,
  problem: null,
  counts: {},
};

export const results = new Store(NO_RESULTS);

const LIMIT = 60;
const TYPING_PAUSE_MS = 60;
const MEANING_PAUSE_MS = 180; // meaning costs the model; wait for a pause in typing
const SUBMIT_WAIT_MS = 400; // how long a submitted query waits for both before words are shown alone
const SLOW_MS = 1000;
const LOADING_PAUSE_MS = 700; // from one look to the next whether the model is loaded

/** @type {Record<string, number>} */
const DAYS = { week: 7, month: 31, year: 366 };

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    });
  });

/**
 * The API's parameters for the query in the address.
 * @param {URLSearchParams} query
 */
function parametersOf(query) {
  const roots = libraryStatus.value?.roots ?? [];
  const folder = query.get("in");
  const days = DAYS[query.get("when") ?? ""];
  const after = days && new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  return {
    q: (query.get("q") ?? "").trim(),
    kind: query.get("kind"),
    in: folder && roots.find((root) => baseName(root.path) === folder)?.path,
    after: after || null,
    limit: LIMIT,
  };
}

/** @param {Parameters} parameters @param {"words" | "all"} by @param {AbortSignal} signal */
const fetchHits = (parameters, by, signal) => getJson("/api/search", { ...parameters, by }, signal);

/** The same by all, when the model can have its part in it. @param {Parameters} parameters @param {AbortSignal} signal */
async function fetchAllHits(parameters, signal) {
  for (;;) {
    const answer = await fetchHits(parameters, "all", signal);
    if (!answer.loading) return answer;
    await pause(LOADING_PAUSE_MS, signal);
  }
}

/**
 * Show an answer of the server as the final rows of this query.
 * @param {string} key
 * @param {SearchJson} answer
 * @param {boolean} complete false if hits by meaning follow
 * @param {boolean} allKinds
 */
function showRows(key, { hits, coverage, understood, next_offset: next }, complete, allKinds) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const hit of hits) counts[hit.kind] = (counts[hit.kind] ?? 0) + 1;
  results.change({
    key,
    understood,
    rows: hits,
    following: next ? { offset: next, by: complete ? "all" : "words" } : null,
    byMeaning: complete ? [] : null,
    coverage,
    problem: null,
    slow: false,
    searching: !complete,
    counts: allKinds ? counts : results.value.counts,
  });
}

/** Whether a hit is not shown in any of these rows: by meaning, another copy may be the best. @param {HitJson[]} rows @returns {(hit: HitJson) => boolean} */
function notAmong(rows) {
  const idsOf = (/** @type {HitJson} */ hit) => [hit.id, ...hit.also_in.map((copy) => copy.id)];
  const shown = new Set(rows.flatMap(idsOf));
  return (hit) => !idsOf(hit).some((id) => shown.has(id));
}

/** Hits by meaning go below the rows; one that is a row already only gets its mark. @param {HitJson[]} hits */
function addHitsByMeaning(hits) {
  const byId = new Map(hits.map((hit) => [hit.id, hit]));
  const rows = results.value.rows.map((row) => {
    const both = byId.get(row.id)?.found_by.includes("meaning");
    return both && !row.found_by.includes("meaning")
      ? { ...row, found_by: [...row.found_by, "meaning"] }
      : row;
  });
  results.change({ rows, byMeaning: hits.filter(notAmong(rows)), searching: false, slow: false });
}

/**
 * One query, from the first words to the last hit by meaning.
 * @param {Parameters} parameters
 * @param {boolean} typed still being typed: words alone at first
 * @param {AbortSignal} signal
 */
async function search(parameters, typed, signal) {
  const key = JSON.stringify(parameters);
  const allKinds = !parameters.kind;
  if (typed) {
    await pause(TYPING_PAUSE_MS, signal);
    showRows(key, await fetchHits(parameters, "words", signal), false, allKinds);
    await pause(MEANING_PAUSE_MS, signal);
    addHitsByMeaning((await fetchAllHits(parameters, signal)).hits);
    return;
  }
  const words = fetchHits(parameters, "words", signal);
  const all = fetchAllHits(parameters, signal);
  all.catch(() => {});
  const first = await Promise.race([all, Promise.all([words, pause(SUBMIT_WAIT_MS, signal)])]);
  if (!Array.isArray(first)) {
    words.catch(() => {});
    showRows(key, first, true, allKinds);
  } else {
    showRows(key, first[0], false, allKinds);
    addHitsByMeaning((await all).hits);
  }
}

/** Below the rows, those that follow them. */
export async function showMoreRows() {
  const { key, following } = results.value;
  if (!following) return;
  const parameters = { ...parametersOf(route.value.query), ...following };
  const { signal } = new AbortController();
  try {
    const answer = example.value
      ? await searchByExample(example.value, parameters, signal)
      : await getJson("/api/search", parameters, signal);
    if (results.value.key !== key) return; // another query since
    const { rows, byMeaning } = results.value;
    results.change({
      rows: [...rows, ...answer.hits.filter(notAmong(rows))],
      byMeaning: byMeaning && byMeaning.filter(notAmong(answer.hits)),
      following: answer.next_offset ? { ...following, offset: answer.next_offset } : null,
    });
  } catch (error) {
    const problem = error instanceof RequestError ? error : new RequestError("browser", String(error));
    results.change({ problem });
  }
}

/** Search again, though nothing in the address has changed: the library has. */
export function searchAgain() {
  results.change({ key: "" });
  repeatRequests();
}

/**
 * Search whenever the address, the example, or the connection changes.
 * @returns {string} the key of the query
 */
export function useSearch() {
  const { query, state } = useStore(route);
  const { epoch } = useStore(connection);
  const chosen = useStore(example);
  const typed = Boolean(state.typed);
  const parameters = parametersOf(query);
  const key = JSON.stringify(parameters);
  useEffect(() => {
    if (!parameters.q && !chosen) {
      results.set(NO_RESULTS);
      return undefined;
    }
    const answered = results.value.key === key && !results.value.searching && !results.value.problem;
    if (!chosen && answered) return undefined;
    const controller = new AbortController();
    const slowTimer = setTimeout(() => results.change({ slow: true }), SLOW_MS);
    results.change({ searching: true, problem: null });
    attempt(controller.signal).finally(() => clearTimeout(slowTimer));
    return () => {
      controller.abort();
      clearTimeout(slowTimer);
    };
    /** @param {AbortSignal} signal @returns {Promise<void>} */
    async function attempt(signal) {
      try {
        if (chosen) showRows(key, await searchByExample(chosen, parameters, signal), true, !parameters.kind);
        else await search(parameters, typed, signal);
      } catch (error) {
        if (wasAborted(error) || signal.aborted) return;
        const problem = error instanceof RequestError ? error : new RequestError("browser", String(error));
        // Rows of another query, or of another example, are no answer to this one.
        if (!problem.retryAfterS && (chosen || results.value.key !== key)) results.set({ ...NO_RESULTS, key, byMeaning: [], problem });
        else results.change({ problem, searching: false, slow: false, byMeaning: results.value.byMeaning ?? [] });
        if (!problem.retryAfterS) return;
        await pause(problem.retryAfterS * 1000, signal).then(() => attempt(signal), () => {});
      }
    }
  }, [key, typed, epoch, chosen]);
  return key;
}
