/** The picture of a page with its words on top: matches are marked, and the text can be selected. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { useKeys } from "../core/keyboard.js";
import { count, safeName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { getJson } from "../server/http.js";
import { boxesAround, lineOver, linesOf, quotedWords } from "./page-words.js";
import { reveal } from "./reveal.js";

/**
 * @typedef {import("../server/api.js").PageWordsJson} PageWordsJson
 * @typedef {import("./page-words.js").Word} Word
 */

const A4 = { width: 595, height: 842 }; // points; the size until that of the page is known

/** The text that can be selected: invisible, each line stretched over its picture. @param {{words: Word[]}} props */
function SelectableLines({ words }) {
  return linesOf(words).map((words, index) => {
    const { text, x, y, length, height, turn } = lineOver(words);
    return html`<text key=${index} x=${x} y=${y - height * 0.22} transform=${turn ? `rotate(${turn} ${x} ${y})` : undefined} font-size=${height * 0.86} textLength=${Math.max(1, length)} lengthAdjust="spacingAndGlyphs">${text}</text>`;
  });
}

/**
 * @param {{item: import("../server/api.js").ItemJson, page: number, query: string, quote: string, turn: (page: number) => void}} props
 *   words of `query` are marked, and the passage `quote`
 */
export function PageView({ item, page, query, quote, turn }) {
  const [loaded, setLoaded] = useState(/** @type {(PageWordsJson & {page: number}) | null} */ (null));
  const paper = useRef(/** @type {HTMLElement | null} */ (null));
  const pages = item.pages ?? 1;
  useEffect(() => {
    const controller = new AbortController();
    getJson(`/api/items/${item.id}/page/${page}/words`, { q: query }, controller.signal).then(
      (words) => setLoaded({ ...words, page }),
      () => setLoaded(null),
    );
    return () => controller.abort();
  }, [item.id, page, query]);
  const back = () => page > 1 && turn(page - 1);
  const forward = () => page < pages && turn(page + 1);
  useKeys({ n: forward, p: back });
  const text = loaded?.page === page ? loaded : null;
  const passage = text ? quotedWords(text.words, quote) : new Set();
  const matches = new Set(text?.marks ?? []);
  useEffect(() => {
    reveal(paper.current?.querySelector("rect"), "center");
  }, [text, quote]);
  const { width, height } = text ?? loaded ?? A4;
  return html`<div class="page">
    <div class="pager">
      <button class="quiet square" aria-label="Previous page" disabled=${page <= 1} onClick=${back}><${Icon} name="chevron-left" /></button>
      <span>Page ${count(page)} of ${count(pages)}${text?.label && html`<span class="named"> · <bdi>${safeName(text.label)}</bdi></span>`}</span>
      <button class="quiet square" aria-label="Next page" disabled=${page >= pages} onClick=${forward}><${Icon} name="chevron-right" /></button>
      ${passage.size + matches.size > 0 && html`<span class="match-count">${matches.size > 0 ? `${count(matches.size)} ${matches.size === 1 ? "word" : "words"} marked` : "passage marked"}</span>`}
    </div>
    <div class="paper" ref=${paper} style=${{ "--r": String(width / height) }} key=${page}>
      <img src=${`/api/items/${item.id}/page/${page}?w=1200`} width=${Math.round(width)} height=${Math.round(height)} alt=${`Page ${page} of ${pages}`} decoding="async" />
      ${text && html`<svg viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none">
        ${boxesAround(text.words, passage).map(([x, y, w, h]) => html`<rect class="passage" x=${x - 2} y=${y - 1} width=${w + 4} height=${h + 2} rx="2" />`)}
        ${boxesAround(text.words, matches).map(([x, y, w, h]) => html`<rect class="match" x=${x - 1} y=${y} width=${w + 2} height=${h} rx="1.5" />`)}
        <${SelectableLines} words=${text.words} />
      </svg>`}
    </div>
  </div>`;
}
