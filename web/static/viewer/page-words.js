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
 * How far apart two boxes are, along whichever axis parts them; 0 where they touch.
 * @param {Word} box x0, y0, x1, y1
 * @param {Word} other
 */
const gapBetween = (box, other) =>
  Math.max(0, other[0] - box[2], box[0] - other[2], other[1] - box[3], box[1] - other[3]);

/** The height of a line that runs across, the width of one that runs up or down. @param {Word} word */
const thickness = ([x0, y0, x1, y1]) => Math.min(x1 - x0, y1 - y0);

/**
 * Boxes around neighbouring marked words of a line, whichever way it runs.
 * @param {Word[]} words
 * @param {Set<number>} marked
 * @returns {[number, number, number, number][]} x, y, width, height in points
 */
export function boxesAround(words, marked) {
  /** @type {[number, number, number, number][]} x0, y0, x1, y1 */
  const boxes = [];
  let last = -2;
  for (const index of [...marked].sort((a, b) => a - b)) {
    const word = words[index];
    const [x0, y0, x1, y1, , line] = word;
    const box = boxes.at(-1);
    const continues = box && index === last + 1 && words[last][5] === line;
    if (continues && gapBetween(words[last], word) < 1.5 * thickness(word)) {
      boxes[boxes.length - 1] = [Math.min(box[0], x0), Math.min(box[1], y0), Math.max(box[2], x1), Math.max(box[3], y1)];
    } else {
      boxes.push([x0, y0, x1, y1]);
    }
    last = index;
  }
  return boxes.map(([x0, y0, x1, y1]) => [x0, y0, x1 - x0, y1 - y0]);
}

/** @typedef {{text: string, x: number, y: number, length: number, height: number, turn: number}} Line
 *    `x`, `y` in points where its lower left corner is as it is read, `turn` in degrees clockwise */

/**
 * A line as text that can be drawn over its picture.
 * @param {Word[]} words of one line, in reading order
 * @returns {Line}
 */
export function lineOver(words) {
  const [left, top] = [0, 1].map((side) => Math.min(...words.map((word) => Number(word[side]))));
  const [right, bottom] = [2, 3].map((side) => Math.max(...words.map((word) => Number(word[side]))));
  const [width, height] = [right - left, bottom - top];
  let text = words[0][4];
  // Words of scripts without spaces touch each other.
  words.slice(1).forEach((word, index) => {
    text += (gapBetween(words[index], word) > 0.05 * thickness(word) ? " " : "") + word[4];
  });
  const sideways = height > width && text.length > 1;
  if (!sideways) return { text, x: left, y: bottom, length: width, height, turn: 0 };
  const goesUp = words[0][1] >= words[words.length - 1][1];
  const [x, y] = goesUp ? [right, bottom] : [left, top];
  return { text, x, y, length: height, height: width, turn: goesUp ? -90 : 90 };
}

/** The words of each line, in reading order. @param {Word[]} words @returns {Word[][]} */
export function linesOf(words) {
  /** @type {Map<number, Word[]>} */
  const byLine = new Map();
  for (const word of words) byLine.set(word[5], [...(byLine.get(word[5]) ?? []), word]);
  return [...byLine.values()];
}
