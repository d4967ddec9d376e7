/** The search page: words at once, meaning as it comes, and nothing on screen jumps. */
import { html, useEffect, useState } from "../core/dom.js";
import { example, searchByExample } from "./example.js";
import { Band, Groups, KindChips } from "./result-rows.js";
import { Home } from "./home.js";
import { Problem, connection, getJson, wasAborted } from "../server/http.js";
import { Icon } from "../parts/icons.js";
import { addressWith, go, route, useScroll } from "../core/route.js";
import { isWorking, status } from "../server/status.js";
import { Store, useStore } from "../core/store.js";
import { baseName, coverageLine, failedLine } from "../core/wording.js";

/**
 * @typedef {import("./result-rows.js").Hit} Hit
 * @typedef {object} Found what is on screen
 * @property {string} key the question it belongs to
 * @property {Hit[]} rows painted; their order is final until the next question
 * @property {Hit[] | null} band found by meaning only; null while that is awaited
 * @property {import("../core/wording.js").Coverage | null} coverage
 * @property {boolean} looking
 * @property {boolean} slow looking for so long that it has to be said
 * @property {Problem | null} problem
 * @property {Record<string, number>} counts by kind, of the last question without a kind
 */

/** @type {Found} */
const NOTHING = {
  key: "",
  rows: [],
  band: [],
  coverage: null,
  looking: false,
  slow: false,
  problem: null,
  counts: {},
};

const found = new Store(NOTHING);

const LIMIT = 60;
const TYPING_PAUSE_MS = 60;
const MEANING_PAUSE_MS = 180; // meaning costs the model; wait until the fingers rest
const COMMIT_WAIT_MS = 400;
const SLOW_MS = 1000;

const DAYS = { week: 7, month: 31, year: 366 };

/** @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) =>
  new Promise((wake, stop) => {
    const timer = setTimeout(wake, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      stop(new DOMException("stopped", "AbortError"));
    });
  });

/**
 * The API's parameters for what the address says.
 * @param {URLSearchParams} query
 */
function parametersOf(query) {
  const roots = status.value?.roots ?? [];
  const folder = query.get("in");
  const since = DAYS[/** @type {keyof typeof DAYS} */ (query.get("when") ?? "")];
  const after = since && new Date(Date.now() - since * 86_400_000).toISOString().slice(0, 10);
  return {
    q: (query.get("q") ?? "").trim(),
    kind: query.get("kind"),
    in: folder && roots.find((root) => baseName(root.path) === folder)?.path,
    after: after || null,
    limit: LIMIT,
  };
}

/** @param {ReturnType<typeof parametersOf>} parameters @param {"words" | "all"} by @param {AbortSignal} signal */
const look = (parameters, by, signal) => getJson("/api/search", { ...parameters, by }, signal);

/**
 * Paint an answer of the server as the final rows of this question.
 * @param {string} key
 * @param {{hits: Hit[], coverage: any}} answer
 * @param {boolean} whole is this everything, or does meaning follow?
 * @param {boolean} allKinds
 */
function paint(key, { hits, coverage }, whole, allKinds) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const hit of hits) counts[hit.kind] = (counts[hit.kind] ?? 0) + 1;
  found.change({
    key,
    rows: hits,
    band: whole ? [] : null,
    coverage,
    problem: null,
    slow: false,
    looking: !whole,
    counts: allKinds ? counts : found.value.counts,
  });
}

/** Meaning arrived after the words were painted: below them, or as a sign on a row already there. @param {Hit[]} hits */
function fillBand(hits) {
  const fused = new Map(hits.map((hit) => [hit.id, hit]));
  const rows = found.value.rows.map((row) => {
    const both = fused.get(row.id)?.found_by.includes("meaning");
    return both && !row.found_by.includes("meaning")
      ? { ...row, found_by: [...row.found_by, "meaning"] }
      : row;
  });
  const painted = new Set(rows.map((row) => row.id));
  found.change({ rows, band: hits.filter((hit) => !painted.has(hit.id)), looking: false, slow: false });
}

/**
 * One question from first words to last meaning.
 * @param {ReturnType<typeof parametersOf>} parameters
 * @param {boolean} typed still typing: words only at first
 * @param {AbortSignal} signal
 */
async function run(parameters, typed, signal) {
  const key = JSON.stringify(parameters);
  const allKinds = !parameters.kind;
  if (typed) {
    await pause(TYPING_PAUSE_MS, signal);
    paint(key, await look(parameters, "words", signal), false, allKinds);
    await pause(MEANING_PAUSE_MS, signal);
    fillBand((await look(parameters, "all", signal)).hits);
    return;
  }
  const words = look(parameters, "words", signal);
  const fused = look(parameters, "all", signal);
  fused.catch(() => {});
  const first = await Promise.race([fused, Promise.all([words, pause(COMMIT_WAIT_MS, signal)])]);
  if (!Array.isArray(first)) {
    words.catch(() => {});
    paint(key, first, true, allKinds);
  } else {
    paint(key, first[0], false, allKinds);
    fillBand((await fused).hits);
  }
}

/** Ask once more, though nothing in the address has changed: the library has. */
export function askAgain() {
  found.change({ key: "" });
  connection.change({ epoch: connection.value.epoch + 1 });
}

/**
 * Ask whenever the address, the example, or the server's presence changes.
 * @returns {string} the key of the question
 */
function useSearching() {
  const { query, state } = useStore(route);
  const { epoch } = useStore(connection);
  const given = useStore(example);
  const typed = Boolean(state.typed);
  const parameters = parametersOf(query);
  const key = JSON.stringify(parameters);
  useEffect(() => {
    if (!parameters.q && !given) {
      found.set(NOTHING);
      return undefined;
    }
    if (!given && found.value.key === key && !found.value.looking && !found.value.problem) return undefined;
    const stop = new AbortController();
    const slow = setTimeout(() => found.change({ slow: true }), SLOW_MS);
    found.change({ looking: true, problem: null });
    attempt(stop.signal).finally(() => clearTimeout(slow));
    return () => {
      stop.abort();
      clearTimeout(slow);
    };
    /** @param {AbortSignal} signal */
    async function attempt(signal) {
      try {
        if (given) paint(key, await searchByExample(given, parameters, signal), true, !parameters.kind);
        else await run(parameters, typed, signal);
      } catch (error) {
        if (wasAborted(error) || signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem("browser", String(error));
        found.change({ problem, looking: false, slow: false, band: found.value.band ?? [] });
        if (!problem.retryAfterS) return;
        await pause(problem.retryAfterS * 1000, signal).then(() => attempt(signal), () => {});
      }
    }
  }, [key, typed, epoch, given]);
  return key;
}

/** Folder and time, as plain selects: they work with every hand and every reader. */
function Filters() {
  const { query } = useStore(route);
  const roots = useStore(status)?.roots ?? [];
  const choose = (/** @type {string} */ name) => (/** @type {Event} */ event) =>
    go(addressWith({ [name]: /** @type {HTMLSelectElement} */ (event.target).value, item: null }));
  return html`<div class="filters">
    ${roots.length > 1 && html`<label class="select"><span class="unseen">Folder</span>
      <select value=${query.get("in") ?? ""} onChange=${choose("in")}>
        <option value="">Any folder</option>
        ${roots.map((root) => html`<option value=${baseName(root.path)}>${baseName(root.path)}</option>`)}
      </select></label>`}
    <label class="select"><span class="unseen">When</span>
      <select value=${query.get("when") ?? ""} onChange=${choose("when")}>
        <option value="">Any time</option>
        <option value="week">Past week</option>
        <option value="month">Past month</option>
        <option value="year">Past year</option>
      </select></label>
  </div>`;
}

/** @param {{coverage: import("../core/wording.js").Coverage | null, slow: boolean}} props */
function CoverageLine({ coverage, slow }) {
  const now = useStore(status);
  const eta = now && isWorking(now) ? now.eta_s : null;
  return html`<div class="coverage">
    <p>${coverage && coverageLine(coverage, eta)}
      ${coverage && coverage.failed > 0 && html` <a href="/library?state=failed">${failedLine(coverage.failed)}</a>`}</p>
    <p class="slow" role="status">${slow ? "Still looking" : ""}</p>
  </div>`;
}

/** Nothing matched: say so, and offer ways on. */
function Nothing({ text }) {
  const { query } = useStore(route);
  const filters = ["kind", "in", "when"].filter((name) => query.get(name));
  const without = Object.fromEntries(filters.map((name) => [name, null]));
  return html`<div class="empty">
    <h2>${text ? html`Nothing matches <q>${text}</q>.` : "Nothing looks or sounds like this."}</h2>
    <p>
      ${filters.length > 0 && html`<a class="button" href=${addressWith(without)}>Search everything</a>`}
      ${text && html`<a class="button" href=${`/ask?${new URLSearchParams({ question: text })}`}><${Icon} name="message-square-text" size="18" />Ask instead</a>`}
    </p>
  </div>`;
}

/** What went wrong, and what happens next. @param {{problem: Problem, retry: () => void}} props */
function ProblemNote({ problem, retry }) {
  const [left, setLeft] = useState(problem.retryAfterS);
  useEffect(() => {
    setLeft(problem.retryAfterS);
    const timer = setInterval(() => setLeft((seconds) => Math.max(0, seconds - 1)), 1000);
    return () => clearInterval(timer);
  }, [problem]);
  const sentence = problem.retryAfterS
    ? `Busy with other questions, trying again in ${left} s.`
    : problem.sentence;
  return html`<div class="problem" role="alert">
    <${Icon} name="circle-alert" />
    <p>${sentence} <code>${problem.code}</code></p>
    ${!problem.retryAfterS && html`<button onClick=${retry}>Try again</button>`}
  </div>`;
}

export function SearchPage() {
  const key = useSearching();
  const { query } = useStore(route);
  const now = useStore(found);
  const given = useStore(example);
  const text = (query.get("q") ?? "").trim();
  const kind = query.get("kind");
  useScroll(now.rows.length > 0 && now.key === key ? key : "");
  if (!text && !given) return html`<${Home} />`;
  const nothing = !now.rows.length && !now.looking && now.band?.length === 0 && !now.problem && now.key;
  const again = () => connection.change({ epoch: connection.value.epoch + 1 });
  return html`<div class="results" aria-busy=${now.looking}>
    <h1 class="unseen">Results for ${text || "your example"}</h1>
    <div class="toolbar"><${KindChips} counts=${now.counts} kind=${kind} /><${Filters} /></div>
    <${CoverageLine} coverage=${now.coverage} slow=${now.slow && now.looking} />
    ${now.problem && html`<${ProblemNote} problem=${now.problem} retry=${again} />`}
    ${nothing ? html`<${Nothing} text=${text} />` : html`<${Groups} rows=${now.rows} kind=${kind} />`}
    <${Band} hits=${now.band} words=${now.rows.length} />
  </div>`;
}
