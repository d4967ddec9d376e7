/** The words of a page: which of them a quote covers, and where they lie. */

/** @typedef {import("../server/api.js").PageWordsJson["words"][number]} Word x0, y0, x1, y1 in points, text, line */

/** Letters and digits alone, so that a quote matches across line ends and hyphens. @param {string} text */
const lettersOf = (text) => text.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

const SHORTEST = 2; // letters of a quote that is looked for
const LONG = 80; // letters from which the middle of a quote is enough

/**
 * Indices of the words in which `quote` stands on the page, letter for letter; empty if it does not.
 * @param {Word[]} words
 * @param {string} quote
 * @returns {Set<number>}
 */
export function quotedWords(words, quote) {
  const indices = new Set();
  const wanted = lettersOf(quote.replaceAll("…", " "));
  if (wanted.length < SHORTEST) return indices;
  const letters = words.map((word) => lettersOf(word[4]));
  /** @type {number[]} */
  const starts = [];
  let page = "";
  for (const part of letters) {
    starts.push(page.length);
    page += part;
  }
  let position = page.indexOf(wanted);
  let length = wanted.length;
  if (position < 0 && wanted.length > LONG) {
    // A passage may begin inside a word of another page: its middle part is enough.
    const middle = wanted.slice(Math.floor(wanted.length * 0.1), Math.floor(wanted.length * 0.9));
    [position, length] = [page.indexOf(middle), middle.length];
  }
  if (position < 0) return indices;
  letters.forEach((part, index) => {
    const start = starts[index];
    if (part && start < position + length && start + part.length > position) indices.add(index);
  });
  return indices;
}

/**
 * Boxes around neighbouring marked words of a line.
 * @param {Word[]} words
 * @param {Set<number>} marked
 * @returns {[number, number, number, number][]} x, y, width, height in points
 */
export function boxesAround(words, marked) {
  /** @type {[number, number, number, number][]} */
  const boxes = [];
  let last = -2;
  for (const index of [...marked].sort((a, b) => a - b)) {
    const [x0, y0, x1, y1, , line] = words[index];
    const box = boxes.at(-1);
    if (box && index === last + 1 && words[last][5] === line) {
      box[2] = x1 - box[0];
      box[3] = Math.max(box[3], y1 - box[1]);
    } else {
      boxes.push([x0, y0, x1 - x0, y1 - y0]);
    }
    last = index;
  }
  return boxes;
}

/** The words of each line, in reading order. @param {Word[]} words @returns {Word[][]} */
export function linesOf(words) {
  /** @type {Map<number, Word[]>} */
  const byLine = new Map();
  for (const word of words) byLine.set(word[5], [...(byLine.get(word[5]) ?? []), word]);
  return [...byLine.values()];
}
