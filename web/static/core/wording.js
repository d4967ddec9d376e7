/** Values as text for people: places, times, counts, and how much of the library is understood. */

/**
 * @typedef {import("../server/api.js").Coverage} Coverage
 * @typedef {import("../server/api.js").MailJson} MailJson
 */

const numbers = new Intl.NumberFormat();
const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const clockDays = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** @param {number} value */
export const count = (value) => numbers.format(value);

/**
 * A number with its noun: "1 file", "12 files".
 * @param {number} value
 * @param {string} noun
 */
export const counted = (value, noun) => `${count(value)} ${value === 1 ? noun : `${noun}s`}`;

/** The names of the kinds, singular and plural. @type {Record<string, [string, string]>} */
export const KINDS = {
  document: ["Document", "Documents"],
  photo: ["Photo", "Photos"],
  recording: ["Recording", "Recordings"],
};

/** 192.4 -> "3:12", 3700 -> "1:01:40". @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 0.001));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const twoDigits = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const rest = `${hours ? twoDigits(minutes) : minutes}:${twoDigits(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** @param {import("./route.js").Place} place */
export function placeLabel(place) {
  if (place?.page && place.label?.endsWith(` ${place.page}`)) return safeName(place.label);
  if (place?.page) return `p. ${count(place.page)}${place.label ? ` · ${shorten(safeName(place.label), 32)}` : ""}`;
  if (place?.start_s === undefined) return "";
  return place.track ? `${clock(place.start_s)} · ${trackName(place.track, shorten(place.label ?? "", 32))}` : clock(place.start_s);
}

/** The name of a sound track: "2: German", or its number. @param {number} track @param {string} label */
export const trackName = (track, label) => (label ? `${track}: ${safeName(label)}` : `track ${track}`);

/** @param {number | null | undefined} unixS */
export const day = (unixS) => (unixS ? days.format(new Date(unixS * 1000)) : "");

/**
 * The day something was made, or else changed; of a photo, the day its camera's clock showed.
 * @param {{ made_at: number | null, made_offset_s: number | null, modified_at: number }} item
 */
export const dayOf = ({ made_at, made_offset_s, modified_at }) =>
  made_at === null || made_offset_s === null
    ? day(made_at ?? modified_at)
    : clockDays.format(new Date((made_at + made_offset_s) * 1000));

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/**
 * A name without hidden characters: control and direction marks are shown as escapes.
 * @param {string} name
 */
export function safeName(name) {
  return name
    .toWellFormed()
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** The last part of a path. @param {string} path */
export const baseName = (path) => safeName(path.replace(/[/\\]+$/, "").split(/[/\\]/).pop() || path);

/**
 * At most `limit` characters, cut in the middle, where names differ least.
 * @param {string} text
 * @param {number} limit
 */
export function shorten(text, limit) {
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  const half = Math.floor((limit - 1) / 2);
  return `${characters.slice(0, half).join("")}…${characters.slice(-half).join("")}`;
}

/** Which mail something was attached to, if any. @param {MailJson | null} mail */
export const attachedTo = (mail) => (mail ? `attached to ${shorten(safeName(mail.title), 60)}` : "");

/** The remaining time, rounded more coarsely the longer it is. @param {number | null | undefined} seconds */
export function remaining(seconds) {
  if (seconds == null) return "";
  const minutes = seconds / 60;
  if (minutes < 1) return "less than a minute";
  if (minutes < 10) return `about ${Math.round(minutes)} min`;
  if (minutes < 90) return `about ${Math.round(minutes / 5) * 5} min`;
  if (minutes < 36 * 60) return `about ${Math.round(minutes / 30) / 2} h`;
  return `about ${Math.round(minutes / 1440)} days`;
}

/**
 * How much of the library a result covers, in one or two sentences; failures are a sentence apart,
 * because that is a link.
 * @param {Coverage} coverage
 * @param {number | null} [etaS]
 */
export function coverageLine({ files, read, understood, failed }, etaS) {
  const readable = files - failed;
  if (files === 0) return "There are no files here yet.";
  if (readable <= 0) return "";
  const all = readable === 1 ? "the 1 file" : `${failed ? "" : "all "}${count(readable)} files`;
  const time = remaining(etaS);
  if (understood >= readable) return `Searched ${all}.`;
  const words = read >= readable ? `Words of ${all}` : `Words of ${count(read)} of ${count(files)} files so far`;
  if (understood === 0) {
    return `${words}. Meaning search starts when the first files are understood${time ? ` (${time})` : ""}.`;
  }
  const left = `${count(readable - understood)} to go${time ? `, ${time}` : ""}`;
  return `${words}, meaning of ${count(understood)} (${left}).`;
}

/** @param {number} failed */
export const failedLine = (failed) => `${counted(failed, "file")} could not be read.`;
