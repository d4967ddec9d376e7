/** The words of a recording, with those marked that are being spoken. */
import { html, useEffect, useRef } from "../core/dom.js";
import { clock } from "../core/wording.js";
import { Snippet } from "../parts/snippet.js";
import { playFrom, seek } from "../parts/sound.js";
import { reveal } from "./reveal.js";

/** @typedef {import("../server/api.js").PassageJson} PassageJson */

/** @param {PassageJson} passage */
const startOf = (passage) => passage.place?.start_s ?? 0;

/**
 * @param {object} props
 * @param {string} props.id of the item
 * @param {number | null} props.track
 * @param {PassageJson[]} props.passages of that track
 * @param {number} props.second the position
 * @param {boolean} props.started false until it was played or sought in; nothing is marked before
 * @param {boolean} props.playing
 * @param {boolean} props.follow scroll to the marked passage
 * @param {() => void} props.onScroll a person scrolls
 */
export function Transcript({ id, track, passages, second, started, playing, follow, onScroll }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const current = passages.findLastIndex((passage) => started && startOf(passage) <= second + 0.05);
  const revealed = useRef(false);
  useEffect(() => {
    if (!follow || (!playing && revealed.current)) return;
    reveal(list.current?.querySelector("[aria-current]"), "nearest");
    revealed.current = true;
  }, [current, follow, passages]);
  const press = (/** @type {PassageJson} */ passage) => () => {
    if (getSelection()?.toString()) return;
    seek(startOf(passage));
  };
  return html`<ol class="transcript" ref=${list} onWheel=${onScroll} onTouchMove=${onScroll}>
    ${passages.map((passage, index) => html`<li key=${passage.ordinal} aria-current=${index === current ? "true" : undefined} onClick=${press(passage)}>
      <button class="quiet time" aria-label=${`Play from ${clock(startOf(passage))}`} onClick=${(/** @type {Event} */ event) => {
        event.stopPropagation();
        playFrom(id, startOf(passage), track);
      }}>${clock(startOf(passage))}</button>
      <p dir="auto"><${Snippet} text=${passage.text} marks=${passage.marks} /></p>
    </li>`)}
  </ol>`;
}
