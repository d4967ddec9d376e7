/** A page as it looks, with its words on top: marked where they were found, and selectable. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { getJson } from "../server/http.js";
import { Icon } from "../parts/icons.js";
import { useKeys } from "../core/keyboard.js";
import { reveal } from "./reveal.js";
import { count, safeName } from "../core/wording.js";

/**
 * @typedef {[number, number, number, number, string, number]} Word x0, y0, x1, y1 in points, text, line
 * @typedef {{width: number, height: number, words: Word[], marks: number[], label?: string | null}} PageWords
 */

/** Letters and digits alone, so that a quote is found across line ends and hyphens. @param {string} text */
const bare = (text) => text.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

/**
 * Indices of the words in which `quote` stands on the page, letter for letter; empty if it does not.
 * @param {Word[]} words
 * @param {string} quote
 * @returns {Set<number>}
 */
export function quoted(words, quote) {
  const sought = bare(quote.replaceAll("…", " "));
  if (sought.length < 2) return new Set();
  const letters = words.map((word) => bare(word[4]));
  const starts = [];
  let all = "";
  for (const part of letters) {
    starts.push(all.length);
    all += part;
  }
  let at = all.indexOf(sought);
  // A passage may begin inside a word of another page: its longest middle part will do.
  const middle = sought.slice(Math.floor(sought.length * 0.1), Math.floor(sought.length * 0.9));
  let length = sought.length;
  if (at < 0 && sought.length > 80) [at, length] = [all.indexOf(middle), middle.length];
  const found = new Set();
  if (at < 0) return found;
  letters.forEach((part, index) => {
    if (part && starts[index] < at + length && starts[index] + part.length > at) found.add(index);
  });
  return found;
}

/**
 * Boxes around neighbouring marked words of a line.
 * @param {Word[]} words
 * @param {Set<number>} marked
 * @returns {[number, number, number, number][]} x, y, width, height in points
 */
function boxes(words, marked) {
  /** @type {[number, number, number, number][]} */
  const made = [];
  let last = -2;
  for (const index of [...marked].sort((a, b) => a - b)) {
    const [x0, y0, x1, y1, , line] = words[index];
    const before = made.at(-1);
    if (before && index === last + 1 && words[last][5] === line) {
      before[2] = x1 - before[0];
      before[3] = Math.max(before[3], y1 - before[1]);
    } else {
      made.push([x0, y0, x1 - x0, y1 - y0]);
    }
    last = index;
  }
  return made;
}

/** The words of each line, in reading order. @param {Word[]} words @returns {Word[][]} */
function lines(words) {
  /** @type {Map<number, Word[]>} */
  const byLine = new Map();
  for (const word of words) byLine.set(word[5], [...(byLine.get(word[5]) ?? []), word]);
  return [...byLine.values()];
}

/** The text one can select: invisible, each line stretched over its picture. @param {{words: Word[]}} props */
function Lines({ words }) {
  return lines(words).map((line, at) => {
    const [x0, x1] = [line[0][0], line.at(-1)?.[2] ?? 0];
    const bottom = Math.max(...line.map((word) => word[3]));
    const height = bottom - Math.min(...line.map((word) => word[1]));
    return html`<text key=${at} x=${x0} y=${bottom - height * 0.22} font-size=${height * 0.86} textLength=${Math.max(1, x1 - x0)} lengthAdjust="spacingAndGlyphs">${line.map((word) => word[4]).join(" ")}</text>`;
  });
}

/**
 * @param {{item: import("./viewer.js").Item, page: number, words: string, quote: string, turn: (page: number) => void}} props
 *   `words` were searched for; `quote` is a passage to show
 */
export function PageView({ item, page, words, quote, turn }) {
  const [known, setKnown] = useState(/** @type {(PageWords & {page: number, of: string}) | null} */ (null));
  const paper = useRef(/** @type {HTMLElement | null} */ (null));
  const pages = item.pages ?? 1;
  const base = `/api/items/${item.id}/page/${page}`;
  useEffect(() => {
    const stop = new AbortController();
    getJson(`${base}/words`, { q: words }, stop.signal).then(
      (read) => setKnown({ ...read, page, of: words }),
      () => setKnown(null),
    );
    return () => stop.abort();
  }, [base, words]);
  const back = () => page > 1 && turn(page - 1);
  const on = () => page < pages && turn(page + 1);
  useKeys({ n: on, p: back });
  const here = known?.page === page ? known : null;
  const passage = here ? quoted(here.words, quote) : new Set();
  const exact = new Set(here?.marks ?? []);
  useEffect(() => {
    reveal(paper.current?.querySelector("rect"), "center");
  }, [here, quote]);
  const [width, height] = here ? [here.width, here.height] : [known?.width ?? 595, known?.height ?? 842];
  return html`<div class="page">
    <div class="pager">
      <button class="quiet square" aria-label="Previous page" disabled=${page <= 1} onClick=${back}><${Icon} name="chevron-left" /></button>
      <span>Page ${count(page)} of ${count(pages)}${here?.label && html`<span class="named"> · <bdi>${safeName(here.label)}</bdi></span>`}</span>
      <button class="quiet square" aria-label="Next page" disabled=${page >= pages} onClick=${on}><${Icon} name="chevron-right" /></button>
      ${passage.size + exact.size > 0 && html`<span class="found">${exact.size > 0 ? `${count(exact.size)} ${exact.size === 1 ? "word" : "words"} marked` : "passage marked"}</span>`}
    </div>
    <div class="paper" ref=${paper} style=${{ "--r": String(width / height) }} key=${page}>
      <img src=${`${base}?w=1200`} width=${Math.round(width)} height=${Math.round(height)} alt=${`Page ${page} of ${pages}`} decoding="async" />
      ${here && html`<svg viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none">
        ${boxes(here.words, passage).map(([x, y, w, h]) => html`<rect class="passage" x=${x - 2} y=${y - 1} width=${w + 4} height=${h + 2} rx="2" />`)}
        ${boxes(here.words, exact).map(([x, y, w, h]) => html`<rect class="exact" x=${x - 1} y=${y} width=${w + 2} height=${h} rx="1.5" />`)}
        <${Lines} words=${here.words} />
      </svg>`}
    </div>
  </div>`;
}
