/** The newest files, and the questions one could ask of them. */
import { html, useEffect, useState } from "../core/dom.js";
import { connection, getJson } from "../server/http.js";
import { Icon } from "./icons.js";
import { status } from "../server/status.js";
import { useStore } from "../core/store.js";
import { baseName, short } from "../core/wording.js";

/**
 * @typedef {object} File
 * @property {string | null} id
 * @property {string} path
 * @property {string} name
 * @property {string | null} kind
 * @property {string} state
 * @property {number} modified_at
 */

/** A file's name without its ending, as one would say it. @param {File} file */
export const spoken = (file) => baseName(file.name).replace(/\.[^.]+$/, "").replace(/[-_]+/g, " ").trim();

/**
 * The newest files of each kind, looked up again when the number of read files changes.
 * @returns {Record<string, Known[]> | null}
 */
export function useNewest() {
  const [files, setFiles] = useState(/** @type {Record<string, Known[]> | null} */ (null));
  const { epoch } = useStore(connection);
  const read = useStore(status)?.coverage.read ?? -1;
  useEffect(() => {
    const stop = new AbortController();
    const kinds = ["document", "photo", "recording"];
    const asked = kinds.map((kind) => getJson("/api/files", { kind, limit: 12 }, stop.signal));
    Promise.all(asked).then(
      (answers) => setFiles(Object.fromEntries(kinds.map((kind, at) => [kind, newest(answers[at].files)]))),
      () => {},
    );
    return () => stop.abort();
  }, [read, epoch]);
  return files;
}

/** @typedef {File & {id: string}} Known a file that can be opened */

/** @param {File[]} files @returns {Known[]} */
const newest = (files) => /** @type {Known[]} */ (files.filter((file) => file.id)).sort((a, b) => b.modified_at - a.modified_at);

const LONGEST_NAME = 48; // characters of a name in a question

/** Questions one could ask of this very library. @param {Record<string, Known[]>} files */
function questionsFrom({ document: documents = [], photo: photos = [], recording: recordings = [] }) {
  const called = (/** @type {File} */ file) => `“${short(spoken(file), LONGEST_NAME)}”`;
  return [
    documents[0] && { text: `What does ${called(documents[0])} say?`, about: documents[0] },
    recordings[0] && { text: `What is said in ${called(recordings[0])}?`, about: recordings[0] },
    photos[0] && { text: `What is in the photo ${called(photos[0])}?`, about: photos[0] },
    documents[1] && { text: `What does ${called(documents[1])} say?`, about: documents[1] },
  ].filter(Boolean).slice(0, 3);
}

/** @param {{files: Record<string, Known[]>}} props */
export function Questions({ files }) {
  const questions = questionsFrom(files);
  if (!questions.length) return null;
  return html`<ul class="questions">
    ${questions.map(({ text, about }) => html`<li key=${text}><a href=${`/ask?${new URLSearchParams({ question: text, about: about.id })}`}>
      <${Icon} name="message-square-text" size="18" /><bdi>${text}</bdi>
    </a></li>`)}
  </ul>`;
}
