/** A recording or a film: its picture, a waveform to seek in, and its transcript. */
import { html, useEffect, useMemo, useState } from "../core/dom.js";
import { useKeys } from "../core/keyboard.js";
import { addressWith, go, route } from "../core/route.js";
import { useStore } from "../core/store.js";
import { clock, trackName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { load, pause, play, playFrom, playback, seek, setRate } from "../parts/sound.js";
import { sendJson } from "../server/http.js";
import { useJson } from "../server/use-json.js";
import { Minutes } from "./minutes.js";
import { Transcript, linesOf } from "./transcript.js";

/**
 * @typedef {import("../server/api.js").ItemJson} ItemJson
 * @typedef {import("../server/api.js").PassageJson} PassageJson
 */

const RATES = [1, 1.25, 1.5, 2, 0.75];
const SKIP_S = 10;
const FRAME_EVERY_S = 4; // how often the picture changes of a film without captions yet
const WAVEFORM_HEIGHT = 100; // in the units of its path

/**
 * One closed path of mirrored bars.
 * @param {number[]} peaks each in [0, 1]
 */
function waveformPath(peaks) {
  const middle = WAVEFORM_HEIGHT / 2;
  return peaks
    .map((peak, index) => {
      const half = Math.max(1.5, Math.min(1, peak) * middle);
      return `M${index + 0.2} ${middle - half}h.6v${2 * half}h-.6z`;
    })
    .join("");
}

/** The waveform with a slider over it. @param {{peaks: number[], second: number, duration_s: number}} props */
function Waveform({ peaks, second, duration_s }) {
  const path = useMemo(() => waveformPath(peaks), [peaks]);
  const share = duration_s ? Math.min(1, second / duration_s) : 0;
  const move = (/** @type {Event} */ event) => seek(Number(/** @type {HTMLInputElement} */ (event.target).value));
  return html`<div class="wave" style=${{ "--played": `${share * 100}%` }}>
    <svg viewBox=${`0 0 ${Math.max(1, peaks.length)} ${WAVEFORM_HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d=${path} /><path class="played" d=${path} />
    </svg>
    <input type="range" min="0" max=${duration_s || 1} step="0.1" value=${second} aria-label="Position" aria-valuetext=${`${clock(second)} of ${clock(duration_s)}`} onInput=${move} />
  </div>`;
}

/** The picture of a film at a second: the last frame with a caption, or one every few seconds without. @param {{item: ItemJson, passages: PassageJson[], second: number}} props */
function Frame({ item, passages, second }) {
  const captions = passages.filter(({ place }) => place?.start_s !== undefined && place.start_s === place.end_s);
  const caption = captions.findLast(({ place }) => (place?.start_s ?? 0) <= second + 0.05) ?? captions[0];
  const frameS = caption?.place?.start_s ?? Math.floor(second / FRAME_EVERY_S) * FRAME_EVERY_S;
  return html`<img class="still" src=${`/api/items/${item.id}/picture?px=1280&at=${frameS}`} alt=${caption?.text ?? ""} width=${item.w} height=${item.h} decoding="async" />`;
}

/** The sound tracks to choose from. @param {{tracks: ItemJson["tracks"], track: number | null, choose: (track: number) => void}} props */
function TrackChoice({ tracks, track, choose }) {
  const change = (/** @type {Event} */ event) => choose(Number(/** @type {HTMLSelectElement} */ (event.target).value));
  return html`<label class="select"><span class="visually-hidden">Sound track</span>
    <select value=${String(track)} onChange=${change}>${tracks.map(({ track, label }) => html`<option key=${track} value=${String(track)}>${trackName(track, label)}</option>`)}</select></label>`;
}

/** @type {import("../server/api.js").RecordingJson} */
const NO_MINUTES = { id: "", title: "", made_at: null, duration_s: 0, minutes: "short", speakers: [], sentences: [], sections: [], decisions: [], actions: [], questions: [] };

/** Whether it is the sound track of which there are minutes. @param {ItemJson} item @param {number | null} track */
const isDefaultTrack = (item, track) => !item.tracks.length || track === item.tracks[0].track;

/** @param {{item: ItemJson, second: number, track: number | null, query: string}} props `second` is where it begins, `track` null for the default one; words of `query` are marked */
export function Player({ item, second, track: wanted, query }) {
  const known = item.tracks.some(({ track }) => track === wanted);
  const track = known ? wanted : (item.tracks[0]?.track ?? null);
  const current = useStore(playback);
  const [rateIndex, setRateIndex] = useState(0);
  const [follow, setFollow] = useState(true);
  const peaks = useJson(`/api/items/${item.id}/peaks${track === null ? "" : `?track=${track}`}`, "", { duration_s: item.duration_s ?? 0, peaks: [] });
  const text = useJson(`/api/items/${item.id}/text`, query, { id: item.id, count: 0, passages: [] });
  const fetched = useJson(`/api/items/${item.id}/recording`, "", NO_MINUTES);
  const [changed, setChanged] = useState(/** @type {import("../server/api.js").RecordingJson | null} */ (null));
  const recording = changed ?? fetched;
  const loaded = current.id === item.id && current.track === track;
  useEffect(() => {
    if (!(loaded && current.playing && Math.abs(current.second - second) < 1)) load(item.id, second, track);
  }, [item.id, second, track]);
  useEffect(() => setRate(RATES[rateIndex]), [rateIndex, item.id]);
  const duration_s = (loaded && current.duration_s) || item.duration_s || peaks?.duration_s || 0;
  const position = loaded ? current.second : second;
  const playing = loaded && current.playing;
  const toggle = () => (playing ? pause() : play());
  const skip = (/** @type {number} */ byS) => seek(Math.min(duration_s, position + byS));
  useKeys({
    k: toggle,
    " ": toggle,
    j: () => skip(-SKIP_S),
    l: () => skip(SKIP_S),
    t: () => setFollow((following) => !following),
  });
  const choose = (/** @type {number} */ chosen) => {
    if (playing) playFrom(item.id, position, chosen);
    go(addressWith({ track: chosen, t: Math.round(position * 10) / 10 }), { replace: true, state: route.value.state });
  };
  const passages = (text?.passages ?? []).filter(({ place }) => (place?.track ?? track) === track);
  const spoken = useMemo(() => (changed && isDefaultTrack(item, track) ? changed.sentences.map(({ text, start_s, end_s }) => ({ key: String(start_s), start_s, end_s, text, marks: [] })) : linesOf((text?.passages ?? []).filter((passage) => (passage.place?.track ?? track) === track && passage.text.trim() && passage.place?.start_s !== undefined))), [text, track, changed]);
  const isDefault = isDefaultTrack(item, track);
  const speakerAt = (/** @type {number} */ second) => {
    const sentence = isDefault ? recording?.sentences.find(({ start_s, end_s }) => start_s <= second && second <= end_s) : undefined;
    return recording?.speakers.find(({ speaker }) => speaker === sentence?.speaker)?.name ?? "";
  };
  const correct = async (/** @type {import("./transcript.js").Line} */ line, /** @type {string} */ said) => {
    setChanged(await sendJson("POST", `/api/items/${item.id}/recording/sentence`, { at_s: line.start_s, text: said }));
  };
  return html`<div class="player">
    ${item.w && item.h && html`<${Frame} item=${item} passages=${passages} second=${position} />`}
    <div class="deck">
      <${Waveform} peaks=${peaks?.peaks ?? []} second=${position} duration_s=${duration_s} />
      <div class="controls">
        <button class="main round" aria-label=${playing ? "Pause" : "Play"} onClick=${toggle}><${Icon} name=${playing ? "pause" : "play"} /></button>
        <button class="quiet square" aria-label="Ten seconds back" onClick=${() => skip(-SKIP_S)}><${Icon} name="rotate-ccw" /></button>
        <button class="quiet square" aria-label="Ten seconds forward" onClick=${() => skip(SKIP_S)}><${Icon} name="rotate-cw" /></button>
        <span class="clock">${clock(position)} <span class="total">/ ${clock(duration_s)}</span></span>
        <button class="quiet rate" aria-label=${`Speed ${RATES[rateIndex]} times; change`} onClick=${() => setRateIndex((rateIndex + 1) % RATES.length)}>${RATES[rateIndex]}×</button>
        ${item.tracks.length > 1 && html`<${TrackChoice} tracks=${item.tracks} track=${track} choose=${choose} />`}
        <button class="quiet follow" aria-pressed=${follow} onClick=${() => setFollow(!follow)}>Follow</button>
      </div>
      ${loaded && current.broken && html`<p class="problem" role="alert"><${Icon} name="circle-alert" size="18" />The browser cannot play this sound. Its original can still be downloaded.</p>`}
    </div>
    ${isDefault && recording && html`<${Minutes} id=${item.id} track=${track} recording=${recording} changed=${setChanged} />`}
    ${spoken.length > 0 && html`<${Transcript} id=${item.id} track=${track} lines=${spoken} second=${position} started=${position > 0 || playing} playing=${playing} follow=${follow} speakerAt=${speakerAt} correct=${isDefault ? correct : null} onScroll=${() => playing && setFollow(false)} />`}
    ${text && spoken.length === 0 && html`<p class="quiet-note">${item.state === "understood" ? "No words were heard in it." : "Not listened to yet: its words appear here once it has been heard."}</p>`}
    ${playing && !follow && html`<button class="pill-button" onClick=${() => setFollow(true)}>Back to ${clock(position)}</button>`}
  </div>`;
}
