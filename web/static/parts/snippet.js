/** An excerpt of a file, with the matches marked. */
import { html } from "../core/dom.js";

/**
 * `text` cut into marked and plain runs. Ranges count characters as Python does: code points.
 * @param {string} text
 * @param {[number, number][]} marks
 * @returns {{text: string, marked: boolean}[]}
 */
function runs(text, marks) {
  const characters = Array.from(text);
  const pieces = [];
  let position = 0;
  for (const [start, end] of [...marks].sort((a, b) => a[0] - b[0])) {
    if (start < position || end <= start) continue;
    if (start > position) pieces.push({ text: characters.slice(position, start).join(""), marked: false });
    pieces.push({ text: characters.slice(start, end).join(""), marked: true });
    position = end;
  }
  if (position < characters.length) pieces.push({ text: characters.slice(position).join(""), marked: false });
  return pieces;
}

/** @param {{text: string, marks?: [number, number][]}} props */
export function Snippet({ text, marks = [] }) {
  return runs(text, marks).map((run) => (run.marked ? html`<mark>${run.text}</mark>` : run.text));
}
