/** The words of a recording, sentence by sentence, with the one marked that is being spoken. */
import { html, useEffect, useRef } from "../core/dom.js";
import { clock } from "../core/wording.js";
import { Snippet } from "../parts/snippet.js";
import { playFrom, seek } from "../parts/sound.js";
import { reveal } from "./reveal.js";

/**
 * @typedef {import("../server/api.js").PassageJson} PassageJson
 * @typedef {{key: string, start_s: number, end_s: number, text: string, marks: [number, number][]}} Line a sentence, or a passage whose sentences have no seconds of their own
 */

/** @param {PassageJson[]} passages @returns {Line[]} */
export function linesOf(passages) {
  return passages.flatMap(({ ordinal, text, place, marks, sentences }) => {
    if (!sentences.length) return [{ key: String(ordinal), start_s: place?.start_s ?? 0, end_s: place?.end_s ?? 0, text, marks }];
    return sentences.map(({ start, end, start_s, end_s }) => ({
      key: `${ordinal}-${start}`,
      start_s,
      end_s,
      text: text.slice(start, end),
      marks: marks.filter(([first, last]) => first >= start && last <= end).map(([first, last]) => /** @type {[number, number]} */ ([first - start, last - start])),
    }));
  });
}

/**
 * @param {object} props
 * @param {string} props.id of the item
 * @param {number | null} props.track
 * @param {Line[]} props.lines of that track
 * @param {number} props.second the position
 * @param {boolean} props.started false until it was played or sought in; nothing is marked before
 * @param {boolean} props.playing
 * @param {boolean} props.follow scroll to the marked line
 * @param {() => void} props.onScroll a person scrolls
 */
export function Transcript({ id, track, lines, second, started, playing, follow, onScroll }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const current = lines.findLastIndex((line) => started && line.start_s <= second + 0.05);
  const revealed = useRef(false);
  useEffect(() => {
    if (!follow || (!playing && revealed.current)) return;
    reveal(list.current?.querySelector("[aria-current]"), "nearest");
    revealed.current = true;
  }, [current, follow, lines]);
  const press = (/** @type {Line} */ line) => () => {
    if (getSelection()?.toString()) return;
    seek(line.start_s);
  };
  return html`<ol class="transcript" ref=${list} onWheel=${onScroll} onTouchMove=${onScroll}>
    ${lines.map((line, index) => html`<li key=${line.key} aria-current=${index === current ? "true" : undefined} onClick=${press(line)}>
      <button class="quiet time" aria-label=${`Play from ${clock(line.start_s)}`} onClick=${(/** @type {Event} */ event) => {
        event.stopPropagation();
        playFrom(id, line.start_s, track);
      }}>${clock(line.start_s)}</button>
      <p dir="auto"><${Snippet} text=${line.text} marks=${line.marks} /></p>
    </li>`)}
  </ol>`;
}
