/** The chip of a citation in a sentence, and the card with the quote that it opens. */
import { html, useEffect, useLayoutEffect, useRef } from "../core/dom.js";
import { useLayer } from "../core/keyboard.js";
import { placeLabel } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { PlayButton } from "../parts/play-button.js";
import { citationAt, citedPicture, citedPlace, citedTitle, openCited, quotedFrom } from "./cited.js";

/**
 * @typedef {import("./conversation.js").CitationJson} CitationJson
 * @typedef {import("./conversation.js").Turn} Turn
 */

const GAP_PX = 8; // between the card, its chip and the edges of the window

/**
 * The button that stands in a sentence for the `nth` mark `[n]`.
 * @param {Turn} turn
 * @param {number} n
 * @param {number} nth
 * @returns {HTMLElement | null} null while the citation has not arrived
 */
export function citationChip(turn, n, nth) {
  const citation = citationAt(turn, n, nth);
  if (!citation) return null;
  const chip = document.createElement("button");
  chip.className = `cite ${citation.kind} ${citation.supports ? "" : "mentions"}`;
  chip.type = "button";
  chip.dataset.n = String(n);
  chip.dataset.nth = String(nth);
  chip.setAttribute("aria-label", `${citation.supports ? "Source" : "Mentioned in source"} ${n}: ${citedTitle(turn, citation)} ${placeLabel(citation.place)}`);
  chip.append(String(n));
  return chip;
}

/**
 * The quote, its place, and buttons that lead there; beside its chip, or at the bottom of a phone.
 * @param {{turn: Turn, citation: CitationJson, anchor: HTMLElement, close: () => void, onEnter: () => void, onLeave: () => void}} props
 */
export function CitationCard({ turn, citation, anchor, close, onEnter, onLeave }) {
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  useLayer(true, close);
  useLayoutEffect(() => {
    if (!card.current || matchMedia("(max-width: 599px)").matches) return;
    const chip = anchor.getBoundingClientRect();
    const { width, height } = card.current.getBoundingClientRect();
    const below = chip.bottom + GAP_PX + height < innerHeight;
    card.current.style.left = `${Math.max(GAP_PX, Math.min(chip.left - 24, innerWidth - width - GAP_PX))}px`;
    card.current.style.top = `${Math.max(GAP_PX, below ? chip.bottom + GAP_PX : chip.top - height - GAP_PX)}px`;
  }, [anchor, citation]);
  useEffect(() => {
    window.addEventListener("scroll", close, { passive: true });
    return () => window.removeEventListener("scroll", close);
  }, []);
  const start = citation.place?.start_s;
  return html`<div class="card cited" ref=${card} role="group" aria-label=${`Source ${citation.n}`} onMouseEnter=${onEnter} onMouseLeave=${onLeave}>
    <blockquote dir="auto">${citation.quote}</blockquote>
    <div class="from">
      ${citation.kind === "recording" && start !== undefined
        ? html`<${PlayButton} id=${citation.id} second=${start} end=${citation.place?.end_s} track=${citation.place?.track} title=${citedTitle(turn, citation)} />`
        : html`<span class=${`thumbnail ${citation.kind}`}><img src=${citedPicture(citation)} alt="" width="44" height="56" /></span>`}
      <p><bdi>${citedTitle(turn, citation)}</bdi><span class="place">${citedPlace(citation)}</span>
        ${citation.verified && (citation.supports
          ? html`<small><${Icon} name="check" size="14" />${quotedFrom(citation)}</small>`
          : html`<small class="mentions"><${Icon} name="triangle-alert" size="14" />only mentions it · ${quotedFrom(citation)}</small>`)}</p>
      <button onClick=${() => {
        close();
        openCited(citation, citation.quote);
      }}>Open</button>
    </div>
  </div>`;
}
