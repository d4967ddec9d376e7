/** The mark of a citation in the text of an answer: `[3]` stands for source 3. As in Python's grammar. */

const MARK = /\[(\d{1,2})\]/g;

/**
 * The marks in `text`, in order.
 * @param {string} text
 * @returns {{n: number, start: number, end: number}[]} offsets in UTF-16 code units
 */
export function marksIn(text) {
  return [...text.matchAll(MARK)].map((match) => ({
    n: Number(match[1]),
    start: match.index,
    end: match.index + match[0].length,
  }));
}
