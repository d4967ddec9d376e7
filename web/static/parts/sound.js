/** The one audio element of the page: rows and the player drive it, so two never play at once. */
import { element } from "../core/dom.js";
import { Store } from "../core/store.js";

/**
 * @typedef {object} Playback
 * @property {string | null} id the item whose sound is loaded
 * @property {number | null} track its sound track; null for the default one
 * @property {boolean} playing
 * @property {number} second the position
 * @property {number} duration_s 0 while unknown
 * @property {number | null} from the second this play began at
 * @property {boolean} broken the browser cannot play it
 */

/** @type {Playback} */
const NOTHING_LOADED = { id: null, track: null, playing: false, second: 0, duration_s: 0, from: null, broken: false };

export const playback = new Store(NOTHING_LOADED);

const audio = () => /** @type {HTMLAudioElement} */ (element("sound"));

/** Called once. */
export function startSound() {
  const sound = audio();
  const update = () => {
    playback.change({
      playing: !sound.paused && !sound.ended,
      second: sound.currentTime,
      duration_s: Number.isFinite(sound.duration) ? sound.duration : 0,
    });
  };
  for (const name of ["play", "pause", "ended", "seeked", "loadedmetadata", "timeupdate"]) {
    sound.addEventListener(name, update);
  }
  sound.addEventListener("error", () => {
    if (playback.value.id) playback.change({ broken: true, playing: false });
  });
  const updatePosition = () => {
    if (sound.paused) return;
    playback.change({ second: sound.currentTime });
    requestAnimationFrame(updatePosition);
  };
  sound.addEventListener("play", () => requestAnimationFrame(updatePosition));
}

/**
 * Load the sound of an item and seek to a second of it, without playing.
 * @param {string} id
 * @param {number} second
 * @param {number | null} track one of several sound tracks; null for the default one
 */
export function load(id, second, track) {
  const sound = audio();
  if (!isLoaded(id, track)) {
    playback.set({ ...NOTHING_LOADED, id, track, second, from: second });
    sound.src = `/api/items/${encodeURIComponent(id)}/audio${track === null ? "" : `?track=${track}`}`;
    sound.load();
  }
  seek(second);
}

/** @param {string | null} id @param {number | null} track */
const isLoaded = (id, track) => playback.value.id === id && playback.value.track === track;

/** @param {number} second */
export function seek(second) {
  const sound = audio();
  const target = Math.max(0, second);
  playback.change({ second: target });
  if (sound.readyState >= HTMLMediaElement.HAVE_METADATA) {
    sound.currentTime = Math.min(target, sound.duration || target);
    return;
  }
  const { id, track } = playback.value;
  sound.addEventListener(
    "loadedmetadata",
    () => {
      if (isLoaded(id, track)) sound.currentTime = target;
    },
    { once: true },
  );
}

/** Play an item from a second on. @param {string} id @param {number} second @param {number | null} track */
export function playFrom(id, second, track) {
  load(id, second, track);
  playback.change({ from: second });
  play();
}

/** Go on playing what is loaded. */
export function play() {
  audio()
    .play()
    .catch(() => playback.change({ playing: false }));
}

export function pause() {
  audio().pause();
}

/** @param {number} rate */
export function setRate(rate) {
  audio().playbackRate = rate;
}
