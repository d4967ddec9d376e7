/** Citations: the chip in the sentence, the card that shows the quote, the cards of the sources. */
import { html, useEffect, useLayoutEffect, useRef } from "../core/dom.js";
import { Icon } from "../parts/icons.js";
import { useLayer } from "../core/keyboard.js";
import { addressOf, onPlainClick, openItem, route } from "../core/route.js";
import { PlayButton, playFrom } from "../parts/sound.js";
import { useStore } from "../core/store.js";
import { KINDS, attachedTo, baseName, count, counted, placeLabel, safeName } from "../core/wording.js";

/**
 * @typedef {import("./conversation.js").Citation} Citation
 * @typedef {import("./conversation.js").Source} Source
 * @typedef {import("./conversation.js").Turn} Turn
 */

const LEAD_S = 1; // a cited sound begins this much before its place

/**
 * The citation behind the `nth` mark `[n]` of an answer.
 * @param {Turn} turn
 * @param {number} n
 * @param {number} nth
 * @returns {Citation | undefined}
 */
export function citationAt(turn, n, nth) {
  const same = turn.citations.filter((citation) => citation.n === n);
  return same[Math.min(nth, same.length - 1)];
}

/**
 * The button that stands in a sentence for `[n]`.
 * @param {Turn} turn
 * @param {number} n
 * @param {number} nth
 * @returns {HTMLElement | null} null while the citation has not come
 */
export function chipFor(turn, n, nth) {
  const citation = citationAt(turn, n, nth);
  if (!citation) return null;
  const chip = document.createElement("button");
  chip.className = `cite ${citation.kind}`;
  chip.type = "button";
  chip.dataset.n = String(n);
  chip.dataset.nth = String(nth);
  chip.setAttribute("aria-label", `Source ${n}: ${titleOf(turn, citation)} ${placeLabel(citation.place)}`);
  chip.append(String(n));
  return chip;
}

/** The place in what is cited, and the mail that came in. @param {Citation | Source} cited */
function whereOf({ kind, place, attached_to }) {
  const within = placeLabel(place) || (kind === "photo" ? KINDS.photo[0] : "");
  return [within, attachedTo(attached_to)].filter(Boolean).join(" · ");
}

/** @param {Turn} turn @param {Citation} citation */
function titleOf(turn, citation) {
  const source = turn.sources.find((one) => one.n === citation.n);
  return safeName(source?.title || baseName(citation.path));
}

/** Open what is cited, at its place; a sound plays from just before it. @param {Citation | Source} cited @param {string} quote */
export function openCited(cited, quote) {
  openItem(cited.id, cited.place, quote);
  const from = cited.place?.start_s;
  if (cited.kind === "recording" && from !== undefined) playFrom(cited.id, Math.max(0, from - LEAD_S));
}

/**
 * The quote, where it stands, and ways to it; beside its chip, or at the bottom of a phone.
 * @param {{turn: Turn, citation: Citation, anchor: HTMLElement, close: () => void, stay: () => void, leave: () => void}} props
 */
export function CitationCard({ turn, citation, anchor, close, stay, leave }) {
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  useLayer(true, close);
  useLayoutEffect(() => {
    const box = card.current;
    if (!box || matchMedia("(max-width: 599px)").matches) return;
    const at = anchor.getBoundingClientRect();
    const { width, height } = box.getBoundingClientRect();
    const below = at.bottom + 8 + height < innerHeight;
    box.style.left = `${Math.max(8, Math.min(at.left - 24, innerWidth - width - 8))}px`;
    box.style.top = `${Math.max(8, below ? at.bottom + 8 : at.top - height - 8)}px`;
  }, [anchor, citation]);
  useEffect(() => {
    window.addEventListener("scroll", close, { passive: true });
    return () => window.removeEventListener("scroll", close);
  }, []);
  const from = citation.place?.start_s;
  return html`<div class="card cited" ref=${card} role="group" aria-label=${`Source ${citation.n}`} onMouseEnter=${stay} onMouseLeave=${leave}>
    <blockquote dir="auto">${citation.quote}</blockquote>
    <div class="from">
      ${citation.kind === "recording" && from !== undefined
        ? html`<${PlayButton} id=${citation.id} second=${from} end=${citation.place?.end_s} title=${titleOf(turn, citation)} />`
        : html`<span class=${`face ${citation.kind}`}><img src=${faceOf(citation)} alt="" width="44" height="56" /></span>`}
      <p><bdi>${titleOf(turn, citation)}</bdi><span class="place">${whereOf(citation)}</span>
        ${citation.verified && html`<small><${Icon} name="check" size="14" />quote checked against the file</small>`}</p>
      <button onClick=${() => {
        close();
        openCited(citation, citation.quote);
      }}>Open</button>
    </div>
  </div>`;
}

/** @param {Citation | Source} cited */
const faceOf = ({ id, kind, place }) =>
  kind === "document" ? `/api/items/${id}/page/${place?.page ?? 1}?w=240` : `/api/items/${id}/thumb`;

/** @param {{source: Source, quote: string}} props */
function SourceCard({ source, quote }) {
  const { item } = useStore(route);
  const open = onPlainClick(() => openCited(source, quote || source.snippet));
  return html`<li class=${`source ${source.kind} ${item === source.id ? "open" : ""}`}>
    <span class="n">${source.n}</span>
    ${source.kind === "recording"
      ? html`<span class="face recording"><${Icon} name="audio-lines" size="22" /></span>`
      : html`<span class=${`face ${source.kind}`}><img src=${faceOf(source)} alt="" width="44" height="56" loading="lazy" decoding="async" /></span>`}
    <div>
      <a class="whole" href=${addressOf(source.id, source.place)} onClick=${open}><bdi>${safeName(source.title || baseName(source.path))}</bdi></a>
      <span class="place">${whereOf(source)}</span>
      <p dir="auto">${quote ? html`<q>${quote}</q>` : source.snippet}</p>
    </div>
  </li>`;
}

/** The sources of an answer: those it cites, and apart those it only looked at. @param {{turn: Turn}} props */
export function Sources({ turn }) {
  if (!turn.sources.length) return html`<aside class="sources" aria-label="Sources"></aside>`;
  const writing = turn.state === "looking" || turn.state === "writing";
  const cited = turn.sources.filter((source) => turn.citations.some(({ n }) => n === source.n));
  const shown = writing ? turn.sources : cited;
  const others = writing ? [] : turn.sources.filter((source) => !cited.includes(source));
  const quoteOf = (/** @type {Source} */ source) => citationAt(turn, source.n, 0)?.quote ?? "";
  const cards = (/** @type {Source[]} */ list) =>
    html`<ol>${list.map((source) => html`<${SourceCard} key=${source.n} source=${source} quote=${quoteOf(source)} />`)}</ol>`;
  return html`<aside class="sources" aria-label=${`Sources of: ${turn.question}`}>
    ${shown.length > 0 && html`<h3><${Icon} name="quote" size="16" />${writing ? "Looking at" : "Sources"} <span class="number">${count(shown.length)}</span></h3>${cards(shown)}`}
    ${others.length > 0 && html`<details><summary>${shown.length ? `Also looked at: ${count(others.length)} more` : `Looked at: ${counted(others.length, "place")}`}</summary>${cards(others)}</details>`}
  </aside>`;
}

/**
 * Text for the clipboard: the answer, then each source with its quote.
 * @param {Turn} turn
 */
export function withSources(turn) {
  const lines = turn.citations.map((citation) => {
    const name = citation.attached_to ? safeName(citation.title) : baseName(citation.path);
    const where = whereOf(citation);
    return `[${citation.n}] ${name}${where && `, ${where}`}: "${citation.quote}"`;
  });
  return [turn.text, ...new Set(lines)].join("\n");
}

