/** Questions one could ask of the newest files, as links to the ask page. */
import { html } from "../core/dom.js";
import { shorten } from "../core/wording.js";
import { titleOf } from "../server/newest-files.js";
import { Icon } from "./icons.js";

/**
 * @typedef {import("../server/newest-files.js").FilesByKind} FilesByKind
 * @typedef {import("../server/newest-files.js").ReadFile} ReadFile
 */

const LONGEST_NAME = 48; // characters of a name in a question
const LIMIT = 3;

/** @param {FilesByKind} files @returns {{text: string, about: ReadFile}[]} */
function questionsFrom({ document: documents = [], photo: photos = [], recording: recordings = [] }) {
  const question = (/** @type {string} */ start, /** @type {ReadFile} */ file, /** @type {string} */ end) =>
    file && { text: `${start} “${shorten(titleOf(file), LONGEST_NAME)}”${end}`, about: file };
  return [
    question("What does", documents[0], " say?"),
    question("What is said in", recordings[0], "?"),
    question("What is in the photo", photos[0], "?"),
    question("What does", documents[1], " say?"),
  ].filter(Boolean).slice(0, LIMIT);
}

/** @param {{files: FilesByKind}} props */
export function Questions({ files }) {
  const questions = questionsFrom(files);
  if (!questions.length) return null;
  return html`<ul class="questions">
    ${questions.map(({ text, about }) => html`<li key=${text}><a href=${`/ask?${new URLSearchParams({ question: text, about: about.id })}`}>
      <${Icon} name="message-square-text" size="18" /><bdi>${text}</bdi>
    </a></li>`)}
  </ul>`;
}
