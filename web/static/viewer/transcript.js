/** The words of a recording, sentence by sentence, with the one marked that is being spoken. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
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

/** Whoever begins to speak with a line; empty where it is still the same. @param {Line[]} lines @param {number} index @param {(second: number) => string} speakerAt */
function speakerOf(lines, index, speakerAt) {
  const nameOf = (/** @type {Line} */ line) => speakerAt((line.start_s + line.end_s) / 2);
  const name = nameOf(lines[index]);
  return index > 0 && nameOf(lines[index - 1]) === name ? "" : name;
}

/** A sentence whose words can be corrected. @param {{line: Line, correct: (line: Line, text: string) => Promise<void>, close: () => void}} props */
function Correction({ line, correct, close }) {
  const [problem, setProblem] = useState("");
  const keep = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("text") ?? "");
    correct(line, text).then(close, (error) => setProblem(error.message));
  };
  return html`<form class="correction" onSubmit=${keep} onClick=${(/** @type {Event} */ event) => event.stopPropagation()}>
    <textarea name="text" rows="2" maxlength="2000" aria-label="What is really said" dir="auto">${line.text}</textarea>
    <button>Keep</button><button type="button" class="quiet" onClick=${close}>Cancel</button>${problem && html`<p role="alert">${problem}</p>`}
  </form>`;
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
 * @param {(second: number) => string} props.speakerAt who speaks at a second; empty where nobody can tell
 * @param {((line: Line, text: string) => Promise<void>) | null} props.correct keeps what is really said; null where that cannot be
 * @param {() => void} props.onScroll a person scrolls
 */
export function Transcript({ id, track, lines, second, started, playing, follow, speakerAt, correct, onScroll }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const current = lines.findLastIndex((line) => started && line.start_s <= second + 0.05);
  const revealed = useRef(false);
  const [wanted, setWanted] = useState("");
  const [edited, setEdited] = useState("");
  const shown = lines.map((line, index) => ({ line, index })).filter(({ line }) => line.text.toLowerCase().includes(wanted.trim().toLowerCase()));
  useEffect(() => {
    if (!follow || (!playing && revealed.current)) return;
    reveal(list.current?.querySelector("[aria-current]"), "nearest");
    revealed.current = true;
  }, [current, follow, lines]);
  const press = (/** @type {Line} */ line) => () => {
    if (getSelection()?.toString()) return;
    seek(line.start_s);
  };
  return html`<input class="transcript-search" type="search" aria-label="Search in this recording" placeholder="Search in this recording" value=${wanted} onInput=${(/** @type {Event} */ event) => setWanted(/** @type {HTMLInputElement} */ (event.target).value)} />
  <ol class="transcript" ref=${list} onWheel=${onScroll} onTouchMove=${onScroll}>
    ${shown.map(({ line, index }) => html`<li key=${line.key} aria-current=${index === current ? "true" : undefined} onClick=${press(line)}>
      <button class="quiet time" aria-label=${`Play from ${clock(line.start_s)}`} onClick=${(/** @type {Event} */ event) => {
        event.stopPropagation();
        playFrom(id, line.start_s, track);
      }}>${clock(line.start_s)}</button>
      ${edited === line.key && correct
        ? html`<${Correction} line=${line} correct=${correct} close=${() => setEdited("")} />`
        : html`<p dir="auto">${speakerOf(lines, index, speakerAt) && html`<b class="speaker"><bdi>${speakerOf(lines, index, speakerAt)}</bdi> </b>`}<${Snippet} text=${line.text} marks=${line.marks} /></p>
          ${correct && html`<button class="quiet correct" aria-label=${`Correct: ${line.text}`} onClick=${(/** @type {Event} */ event) => {
            event.stopPropagation();
            setEdited(line.key);
          }}>Correct</button>`}`}
    </li>`)}
  </ol>`;
}
