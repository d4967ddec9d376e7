/** The sources of an answer, as cards: those it cites, and apart those it only read. */
import { html } from "../core/dom.js";
import { addressOf, onPlainClick, route } from "../core/route.js";
import { useStore } from "../core/store.js";
import { baseName, count, counted, safeName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { citationAt, citedPicture, citedPlace, openCited } from "./cited.js";

/** @typedef {import("./conversation.js").SourceJson} SourceJson */

/** @param {{source: SourceJson, quote: string}} props */
function SourceCard({ source, quote }) {
  const { item } = useStore(route);
  const open = onPlainClick(() => openCited(source, quote || source.snippet));
  return html`<li class=${`source ${source.kind} ${item === source.id ? "open" : ""}`}>
    <span class="source-number">${source.n}</span>
    ${source.kind === "recording"
      ? html`<span class="thumbnail recording"><${Icon} name="audio-lines" size="22" /></span>`
      : html`<span class=${`thumbnail ${source.kind}`}><img src=${citedPicture(source)} alt="" width="44" height="56" loading="lazy" decoding="async" /></span>`}
    <div>
      <a class="row-link" href=${addressOf(source.id, source.place)} onClick=${open}><bdi>${safeName(source.title || baseName(source.path))}</bdi></a>
      <span class="place">${citedPlace(source)}</span>
      <p dir="auto">${quote ? html`<q>${quote}</q>` : source.snippet}</p>
    </div>
  </li>`;
}

/** @param {{turn: import("./conversation.js").Turn}} props */
export function Sources({ turn }) {
  if (!turn.sources.length) return html`<aside class="sources" aria-label="Sources"></aside>`;
  const unfinished = turn.state === "looking" || turn.state === "writing";
  const cited = turn.sources.filter((source) => turn.citations.some(({ n }) => n === source.n));
  const shown = unfinished ? turn.sources : cited;
  const others = unfinished ? [] : turn.sources.filter((source) => !cited.includes(source));
  const quoteOf = (/** @type {SourceJson} */ source) => citationAt(turn, source.n, 0)?.quote ?? "";
  const cards = (/** @type {SourceJson[]} */ sources) =>
    html`<ol>${sources.map((source) => html`<${SourceCard} key=${source.n} source=${source} quote=${quoteOf(source)} />`)}</ol>`;
  return html`<aside class="sources" aria-label=${`Sources of: ${turn.question}`}>
    ${shown.length > 0 && html`<h3><${Icon} name="quote" size="16" />${unfinished ? "Looking at" : "Sources"} <span class="number">${count(shown.length)}</span></h3>${cards(shown)}`}
    ${others.length > 0 && html`<details><summary>${shown.length ? `Also looked at: ${count(others.length)} more` : `Looked at: ${counted(others.length, "place")}`}</summary>${cards(others)}</details>`}
  </aside>`;
}
