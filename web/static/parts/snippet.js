/** A few words of a file, with what matched marked. */
import { html } from "../core/dom.js";

/**
 * `text` cut into marked and plain runs. Ranges count characters as Python does: code points.
 * @param {string} text
 * @param {[number, number][]} marks
 * @returns {{text: string, marked: boolean}[]}
 */
export function runs(text, marks) {
  const characters = Array.from(text);
  const cut = [];
  let at = 0;
  for (const [start, end] of [...marks].sort((a, b) => a[0] - b[0])) {
    if (start < at || end <= start) continue;
    if (start > at) cut.push({ text: characters.slice(at, start).join(""), marked: false });
    cut.push({ text: characters.slice(start, end).join(""), marked: true });
    at = end;
  }
  if (at < characters.length) cut.push({ text: characters.slice(at).join(""), marked: false });
  return cut;
}

/** @param {{text: string, marks?: [number, number][]}} props */
export function Snippet({ text, marks = [] }) {
  return runs(text, marks).map((run) => (run.marked ? html`<mark>${run.text}</mark>` : run.text));
}
