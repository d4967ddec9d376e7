/** The head of the open conversation: its title, and what can be done with it. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { useStore } from "../core/store.js";
import { Icon } from "../parts/icons.js";
import { RequestError, sendJson } from "../server/http.js";
import { conversation, opened, setTitle } from "./conversation.js";

/** @param {unknown} error */
const sentenceOf = (error) => (error instanceof RequestError ? error.sentence : "That did not work. Try again.");

/** @param {{id: string, title: string, done: () => void}} props */
function Rename({ id, title, done }) {
  const [problem, setProblem] = useState("");
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => field.current?.select(), []);
  const keep = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      setTitle((await sendJson("POST", `/api/conversations/${id}`, { title: field.current?.value ?? "" })).title);
      done();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return html`<form class="rename" onSubmit=${keep}>
    <input ref=${field} aria-label="Title of the conversation" maxlength="200" defaultValue=${title} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && (event.stopPropagation(), done())} />
    <button class="main">Keep</button><button type="button" class="quiet" onClick=${done}>Cancel</button>
    ${problem && html`<p role="alert">${problem}</p>`}
  </form>`;
}

/** @param {{leave: () => void}} props `leave` leads to the list */
export function ConversationHead({ leave }) {
  const { id, title } = useStore(opened);
  const [first] = useStore(conversation);
  const [doing, setDoing] = useState(/** @type {"" | "rename" | "delete"} */ (""));
  const [problem, setProblem] = useState("");
  useEffect(() => (setDoing(""), setProblem("")), [id]);
  const erase = async () => {
    try {
      await sendJson("DELETE", `/api/conversations/${id}`, {});
      leave();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return html`<div class="conversation-head">
    <button class="quiet all" onClick=${leave}><${Icon} name="arrow-left" size="18" />All conversations</button>
    <h1 class=${doing === "rename" || !title || title === first?.question ? "visually-hidden" : ""} dir="auto">${title || "Ask your library"}</h1>
    ${id && doing === "rename" && html`<${Rename} id=${id} title=${title} done=${() => setDoing("")} />`}
    ${id && doing !== "rename" && html`<div class="actions">
      <button class="quiet" onClick=${() => setDoing("rename")}><${Icon} name="pencil" size="18" />Rename</button>
      <a class="button quiet" href=${`/api/conversations/${id}?format=md`} download><${Icon} name="download" size="18" /><span>Save<span class="wide"> as Markdown</span></span></a>
      <button class="quiet" aria-expanded=${doing === "delete"} onClick=${() => setDoing(doing === "delete" ? "" : "delete")}><${Icon} name="trash" size="18" />Delete</button>
    </div>`}
    ${doing === "delete" && html`<div class="confirmation" role="group" aria-label="Delete this conversation">
      <p>Its questions and answers are deleted for good. Your files stay as they are.</p>
      <button class="danger" onClick=${erase}>Delete it</button>
      <button onClick=${() => setDoing("")}>Keep it</button>
      ${problem && html`<p role="alert">${problem}</p>`}
    </div>`}
  </div>`;
}
