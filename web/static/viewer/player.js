/** A recording or a film: what is seen, its waveform to seek in, and its words, lit while they are spoken. */
import { html, useEffect, useMemo, useRef, useState } from "../core/dom.js";
import { getJson } from "../server/http.js";
import { Icon } from "../parts/icons.js";
import { useKeys } from "../core/keyboard.js";
import { reveal } from "./reveal.js";
import { cue, hold, playFrom, resume, seek, setRate, sounding } from "../parts/sound.js";
import { useStore } from "../core/store.js";
import { clock } from "../core/wording.js";

const RATES = [1, 1.25, 1.5, 2, 0.75];
const EVERY_S = 4; // how often the picture of a film changes that nobody has looked at yet
const TALL = 100; // height of the waveform's own coordinates

/** @typedef {{ordinal: number, text: string, place: import("../core/wording.js").Place, source: string}} Passage */

/**
 * One closed path of mirrored bars.
 * @param {number[]} peaks each in [0, 1]
 */
function waveform(peaks) {
  return peaks
    .map((peak, at) => {
      const half = Math.max(1.5, Math.min(1, peak) * (TALL / 2));
      return `M${at + 0.2} ${TALL / 2 - half}h.6v${2 * half}h-.6z`;
    })
    .join("");
}

/** @template T @param {string} path @param {T} empty @returns {T | null} null while it is awaited */
function useFetched(path, empty) {
  const [known, setKnown] = useState(/** @type {T | null} */ (null));
  useEffect(() => {
    const stop = new AbortController();
    getJson(path, {}, stop.signal).then(setKnown, () => setKnown(empty));
    return () => stop.abort();
  }, [path]);
  return known;
}

/** The waveform with a real slider over it. @param {{peaks: number[], second: number, duration_s: number}} props */
function Wave({ peaks, second, duration_s }) {
  const path = useMemo(() => waveform(peaks), [peaks]);
  const share = duration_s ? Math.min(1, second / duration_s) : 0;
  const moved = (/** @type {Event} */ event) => seek(Number(/** @type {HTMLInputElement} */ (event.target).value));
  return html`<div class="wave" style=${{ "--played": `${share * 100}%` }}>
    <svg viewBox=${`0 0 ${Math.max(1, peaks.length)} ${TALL}`} preserveAspectRatio="none" aria-hidden="true">
      <path d=${path} /><path class="played" d=${path} />
    </svg>
    <input type="range" min="0" max=${duration_s || 1} step="0.1" value=${second} aria-label="Position" aria-valuetext=${`${clock(second)} of ${clock(duration_s)}`} onInput=${moved} />
  </div>`;
}

/** @param {{passages: Passage[], second: number, started: boolean, playing: boolean, follow: boolean, id: string, unfollow: () => void}} props */
function Transcript({ passages, second, started, playing, follow, id, unfollow }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const lit = passages.findLastIndex((passage) => started && (passage.place?.start_s ?? 0) <= second + 0.05);
  const away = useRef(false);
  useEffect(() => {
    if (!follow || (!playing && away.current)) return;
    reveal(list.current?.querySelector("[aria-current]"), "nearest");
    away.current = true;
  }, [lit, follow, passages]);
  const press = (/** @type {Passage} */ passage) => () => {
    if (getSelection()?.toString()) return;
    seek(passage.place?.start_s ?? 0);
  };
  return html`<ol class="transcript" ref=${list} onWheel=${unfollow} onTouchMove=${unfollow}>
    ${passages.map((passage, at) => html`<li key=${passage.ordinal} aria-current=${at === lit ? "true" : undefined} onClick=${press(passage)}>
      <button class="quiet time" aria-label=${`Play from ${clock(passage.place?.start_s ?? 0)}`} onClick=${(/** @type {Event} */ event) => {
        event.stopPropagation();
        playFrom(id, passage.place?.start_s ?? 0);
      }}>${clock(passage.place?.start_s ?? 0)}</button>
      <p dir="auto">${passage.text}</p>
    </li>`)}
  </ol>`;
}

/** What is seen in a film at its second: the frame that was looked at last, or any where none was yet. @param {{item: import("./viewer.js").Item, passages: Passage[], at: number}} props */
function Still({ item, passages, at }) {
  const frames = passages.filter(({ place }) => place?.start_s !== undefined && place.start_s === place.end_s);
  const shown = frames.findLast(({ place }) => (place?.start_s ?? 0) <= at + 0.05) ?? frames[0];
  const second = shown?.place?.start_s ?? Math.floor(at / EVERY_S) * EVERY_S;
  return html`<img class="still" src=${`/api/items/${item.id}/picture?px=1280&at=${second}`} alt=${shown?.text ?? ""} width=${item.w} height=${item.h} decoding="async" />`;
}

/** @param {{item: import("./viewer.js").Item, second: number}} props */
export function Player({ item, second }) {
  const now = useStore(sounding);
  const [rate, choose] = useState(0);
  const [follow, setFollow] = useState(true);
  const peaks = useFetched(`/api/items/${item.id}/peaks`, { duration_s: item.duration_s ?? 0, peaks: [] });
  const text = useFetched(`/api/items/${item.id}/text`, { passages: /** @type {Passage[]} */ ([]) });
  const mine = now.id === item.id;
  useEffect(() => {
    if (!(mine && now.playing && Math.abs(now.second - second) < 1)) cue(item.id, second);
  }, [item.id, second]);
  useEffect(() => setRate(RATES[rate]), [rate, item.id]);
  const duration_s = (mine && now.duration_s) || item.duration_s || peaks?.duration_s || 0;
  const at = mine ? now.second : second;
  const playing = mine && now.playing;
  const toggle = () => (playing ? hold() : resume());
  const skip = (/** @type {number} */ by) => seek(Math.min(duration_s, at + by));
  useKeys({
    k: toggle,
    " ": toggle,
    j: () => skip(-10),
    l: () => skip(10),
    t: () => setFollow((on) => !on),
  });
  const spoken = (text?.passages ?? []).filter(({ text: said, place }) => said.trim() && place?.start_s !== undefined);
  return html`<div class="player">
    ${item.w && item.h && html`<${Still} item=${item} passages=${text?.passages ?? []} at=${at} />`}
    <div class="deck">
      <${Wave} peaks=${peaks?.peaks ?? []} second=${at} duration_s=${duration_s} />
      <div class="controls">
        <button class="main round" aria-label=${playing ? "Pause" : "Play"} onClick=${toggle}><${Icon} name=${playing ? "pause" : "play"} /></button>
        <button class="quiet square" aria-label="Ten seconds back" onClick=${() => skip(-10)}><${Icon} name="rotate-ccw" /></button>
        <button class="quiet square" aria-label="Ten seconds forward" onClick=${() => skip(10)}><${Icon} name="rotate-cw" /></button>
        <span class="clock">${clock(at)} <span class="of">/ ${clock(duration_s)}</span></span>
        <button class="quiet rate" aria-label=${`Speed ${RATES[rate]} times; change`} onClick=${() => choose((rate + 1) % RATES.length)}>${RATES[rate]}×</button>
        <button class="quiet follow" aria-pressed=${follow} onClick=${() => setFollow(!follow)}>Follow</button>
      </div>
      ${mine && now.broken && html`<p class="problem" role="alert"><${Icon} name="circle-alert" size="18" />The browser cannot play this sound. Its original can still be downloaded.</p>`}
    </div>
    ${spoken.length > 0 && html`<${Transcript} passages=${spoken} second=${at} started=${at > 0 || playing} playing=${playing} follow=${follow} id=${item.id} unfollow=${() => playing && setFollow(false)} />`}
    ${text && spoken.length === 0 && html`<p class="quiet-note">${item.state === "understood" ? "No words were heard in it." : "Not listened to yet: its words appear here once it has been heard."}</p>`}
    ${playing && !follow && html`<button class="pill-button" onClick=${() => setFollow(true)}>Back to ${clock(at)}</button>`}
  </div>`;
}
