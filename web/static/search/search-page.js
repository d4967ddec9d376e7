/** The search page: rows found by words at once, those found by meaning below, and nothing moves. */
import { html, useEffect, useState } from "../core/dom.js";
import { addressWith, go, route, useScroll } from "../core/route.js";
import { useStore } from "../core/store.js";
import { baseName, coverageLine, failedLine, safeName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { repeatRequests } from "../server/http.js";
import { isWorking, libraryStatus } from "../server/status.js";
import { example } from "./example.js";
import { Home } from "./home.js";
import { Groups, KindChips, MeaningGroup, MoreRows } from "./result-rows.js";
import { results, useSearch } from "./results.js";
import { TypedFilters } from "./typed-filters.js";

/** Folder and time, as plain selects: they work by keyboard, touch and screen reader. */
function Filters() {
  const { query } = useStore(route);
  const roots = useStore(libraryStatus)?.roots ?? [];
  const choose = (/** @type {string} */ name) => (/** @type {Event} */ event) =>
    go(addressWith({ [name]: /** @type {HTMLSelectElement} */ (event.target).value, item: null }));
  return html`<div class="filters">
    ${roots.length > 1 && html`<label class="select"><span class="visually-hidden">Folder</span>
      <select value=${query.get("in") ?? ""} onChange=${choose("in")}>
        <option value="">Any folder</option>
        ${roots.map((root) => html`<option value=${baseName(root.path)}>${baseName(root.path)}</option>`)}
      </select></label>`}
    <label class="select"><span class="visually-hidden">When</span>
      <select value=${query.get("when") ?? ""} onChange=${choose("when")}>
        <option value="">Any time</option>
        <option value="week">Past week</option>
        <option value="month">Past month</option>
        <option value="year">Past year</option>
      </select></label>
  </div>`;
}

/** @param {{coverage: import("../server/api.js").Coverage | null, slow: boolean}} props */
function CoverageLine({ coverage, slow }) {
  const status = useStore(libraryStatus);
  const etaS = status && isWorking(status) && !status.waiting ? status.eta_s : null;
  return html`<div class="coverage">
    <p>${coverage && coverageLine(coverage, etaS)}
      ${coverage && coverage.failed > 0 && html` <a href="/library?state=failed">${failedLine(coverage.failed)}</a>`}</p>
    <p class="slow" role="status">${slow ? "Still looking" : ""}</p>
  </div>`;
}

/** Nothing matched: a sentence, and what else can be tried. @param {{text: string}} props */
function NoMatches({ text }) {
  const { query } = useStore(route);
  const filters = ["kind", "in", "when"].filter((name) => query.get(name));
  const withoutFilters = Object.fromEntries(filters.map((name) => [name, null]));
  return html`<div class="empty">
    <h2>${text ? html`Nothing matches <q>${text}</q>.` : "Nothing looks or sounds like this."}</h2>
    <p>
      ${filters.length > 0 && html`<a class="button" href=${addressWith(withoutFilters)}>Search everything</a>`}
      ${text && html`<a class="button" href=${`/ask?${new URLSearchParams({ question: text })}`}><${Icon} name="message-square-text" size="18" />Ask instead</a>`}
    </p>
  </div>`;
}

/** What went wrong, and when it is tried again. @param {{problem: import("../server/http.js").RequestError, name: string}} props `name` of the example */
function ProblemNote({ problem, name }) {
  const [secondsLeft, setSecondsLeft] = useState(problem.retryAfterS);
  useEffect(() => {
    setSecondsLeft(problem.retryAfterS);
    const timer = setInterval(() => setSecondsLeft((seconds) => Math.max(0, seconds - 1)), 1000);
    return () => clearInterval(timer);
  }, [problem]);
  const sentence = problem.retryAfterS
    ? `Busy with other questions, trying again in ${secondsLeft} s.`
    : problem.sentence;
  return html`<div class="problem" role="alert">
    <${Icon} name="circle-alert" />
    <p>${name && html`<b><bdi>${safeName(name)}</bdi></b>: `}${sentence} <code>${problem.code}</code></p>
    ${!problem.retryAfterS && html`<button onClick=${repeatRequests}>Try again</button>`}
  </div>`;
}

export function SearchPage() {
  const key = useSearch();
  const { query } = useStore(route);
  const { rows, following, understood, byMeaning, coverage, counts, problem, searching, slow, key: shownKey } = useStore(results);
  const chosen = useStore(example);
  const text = (query.get("q") ?? "").trim();
  const kind = query.get("kind");
  useScroll(rows.length > 0 && shownKey === key ? key : "");
  if (!text && !chosen) return html`<${Home} />`;
  const noMatches = !rows.length && !searching && byMeaning?.length === 0 && !problem && shownKey;
  return html`<div class="results" aria-busy=${searching}>
    <h1 class="visually-hidden">Results for ${text || "your example"}</h1>
    <div class="toolbar"><${KindChips} counts=${counts} kind=${kind} /><${Filters} /></div>
    <${TypedFilters} filters=${understood} />
    <${CoverageLine} coverage=${coverage} slow=${slow && searching} />
    ${problem && html`<${ProblemNote} problem=${problem} name=${chosen?.file.name ?? ""} />`}
    ${noMatches ? html`<${NoMatches} text=${text} />` : html`<${Groups} rows=${rows} kind=${kind} />`}
    ${kind && following && html`<${MoreRows} />`}
    <${MeaningGroup} hits=${byMeaning} belowRows=${rows.length > 0} />
  </div>`;
}
