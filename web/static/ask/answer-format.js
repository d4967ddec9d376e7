/** The form of an answer, as model/answer_format.py defines it: the marks of citations, the refusal. */

const MARK = /\[(\d{1,2})\]/g;
const REFUSAL = /^That is not in your library\.?\s*$/;

/**
 * The marks in `text`, in order: `[3]` cites source 3.
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

/** Whether the library does not hold the answer. @param {string} text of a whole answer */
export const isRefusal = (text) => REFUSAL.test(text);
