/** JSON of the server, for as long as a part of the page is shown. */
import { useEffect, useState } from "../core/dom.js";
import { getJson } from "./http.js";

/**
 * @template {string} Path
 * @param {Path} path
 * @param {string} query words that are marked in the answer
 * @param {import("./endpoints.js").AnswerTo<Path>} fallback after an error
 * @returns {import("./endpoints.js").AnswerTo<Path> | null} null while it is awaited
 */
export function useJson(path, query, fallback) {
  const [answer, setAnswer] = useState(/** @type {typeof fallback | null} */ (null));
  useEffect(() => {
    const controller = new AbortController();
    getJson(path, query ? { q: query } : {}, controller.signal).then(setAnswer, () => setAnswer(fallback));
    return () => controller.abort();
  }, [path, query]);
  return answer;
}
