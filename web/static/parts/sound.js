/** The one sound of the page: a row and the player drive the same audio, so two never play at once. */
import { element, html } from "../core/dom.js";
import { Icon } from "./icons.js";
import { Store, useStore } from "../core/store.js";
import { clock } from "../core/wording.js";

/**
 * @typedef {object} Sounding
 * @property {string | null} id the item whose sound is loaded
 * @property {boolean} playing
 * @property {number} second where it is
 * @property {number} duration_s 0 while unknown
 * @property {number | null} from where this play began
 * @property {boolean} broken the browser cannot play it
 */

/** @type {Sounding} */
const SILENCE = { id: null, playing: false, second: 0, duration_s: 0, from: null, broken: false };

export const sounding = new Store(SILENCE);

const audio = () => /** @type {HTMLAudioElement} */ (element("sound"));

/** Called once. */
export function startSound() {
  const sound = audio();
  const tell = () => {
    sounding.change({
      playing: !sound.paused && !sound.ended,
      second: sound.currentTime,
      duration_s: Number.isFinite(sound.duration) ? sound.duration : 0,
    });
  };
  for (const name of ["play", "pause", "ended", "seeked", "loadedmetadata", "timeupdate"]) {
    sound.addEventListener(name, tell);
  }
  sound.addEventListener("error", () => {
    if (sounding.value.id) sounding.change({ broken: true, playing: false });
  });
  const tick = () => {
    if (sound.paused) return;
    sounding.change({ second: sound.currentTime });
    requestAnimationFrame(tick);
  };
  sound.addEventListener("play", () => requestAnimationFrame(tick));
}

/**
 * Load an item's sound and stand at a second of it, paused.
 * @param {string} id
 * @param {number} second
 */
export function cue(id, second) {
  const sound = audio();
  if (sounding.value.id !== id) {
    sounding.set({ ...SILENCE, id, second, from: second });
    sound.src = `/api/items/${encodeURIComponent(id)}/audio`;
    sound.load();
  }
  seek(second);
}

/** @param {number} second */
export function seek(second) {
  const sound = audio();
  const to = Math.max(0, second);
  sounding.change({ second: to });
  if (sound.readyState >= HTMLMediaElement.HAVE_METADATA) {
    sound.currentTime = Math.min(to, sound.duration || to);
    return;
  }
  const { id } = sounding.value;
  sound.addEventListener(
    "loadedmetadata",
    () => {
      if (sounding.value.id === id) sound.currentTime = to;
    },
    { once: true },
  );
}

/** Play an item from a second on. @param {string} id @param {number} second */
export function playFrom(id, second) {
  cue(id, second);
  sounding.change({ from: second });
  resume();
}

export function resume() {
  audio()
    .play()
    .catch(() => sounding.change({ playing: false }));
}

export function hold() {
  audio().pause();
}

/** @param {number} rate */
export function setRate(rate) {
  audio().playbackRate = rate;
}

/**
 * Plays one passage where it is listed, without opening anything.
 * @param {{id: string, second: number, end?: number, title: string}} props
 */
export function PlayButton({ id, second, end, title }) {
  const now = useStore(sounding);
  const mine = now.id === id && now.from === second;
  const playing = mine && now.playing;
  const share = mine && end && end > second ? Math.min(1, Math.max(0, (now.second - second) / (end - second))) : 0;
  const label = `${playing ? "Pause" : "Play"} ${title} from ${clock(second)}`;
  const press = () => {
    if (playing) hold();
    else if (mine && now.second > second) resume();
    else playFrom(id, second);
  };
  return html`<button class=${`play ${playing ? "playing" : ""}`} aria-label=${label} style=${{ "--share": String(share) }} onClick=${press}>
    <${Icon} name=${mine && now.broken ? "circle-alert" : playing ? "pause" : "play"} size="20" />
    <span class="at" aria-hidden="true">${clock(mine && now.second > second ? now.second : second)}</span>
  </button>`;
}
