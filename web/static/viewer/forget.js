/** Forgetting one thing for good, after asking once. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { Problem, sendJson } from "../server/http.js";
import { Icon } from "../parts/icons.js";
import { askAgain } from "../search/search-page.js";
import { count } from "../core/wording.js";

/**
 * The button in the row of actions.
 * @param {{asking: boolean, ask: (asking: boolean) => void}} props
 */
export function ForgetButton({ asking, ask }) {
  return html`<button class="quiet" aria-expanded=${asking} onClick=${() => ask(!asking)}><${Icon} name="trash" size="18" />Forget</button>`;
}

/**
 * The question, and what became of it.
 * @param {{item: {id: string, paths: string[], attached_to: object | null}, ask: (asking: boolean) => void, done: () => void}} props
 */
export function ForgetQuestion({ item, ask, done }) {
  const [busy, setBusy] = useState(false);
  const [problem, tell] = useState(/** @type {Problem | null} */ (null));
  const group = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => group.current?.scrollIntoView({ block: "nearest" }), []);
  const forget = async () => {
    setBusy(true);
    try {
      await sendJson("POST", "/api/forget", { what: item.id });
    } catch (error) {
      tell(error instanceof Problem ? error : new Problem("unknown", "It could not be forgotten. Try again."));
      setBusy(false);
      return;
    }
    // everything on screen asks again: results and lists that showed it must not
    askAgain();
    done();
  };
  const copies = item.paths.length;
  return html`<div ref=${group} class="sure" role="group" aria-label="Forget this">
    <p>${copies > 1 ? `Its words, its picture and what was understood of it leave Recollect for good, in all ${count(copies)} places where it lies.` : "Its words, its picture and what was understood of it leave Recollect for good."}
      ${item.attached_to && " The mail it came in stays."}${" "}Your file is not touched, and is not read again.</p>
    <button class="danger" disabled=${busy} onClick=${forget}>${busy ? "Forgetting" : "Forget it"}</button>
    <button disabled=${busy} onClick=${() => ask(false)}>Keep it</button>
    ${problem && html`<p class="problem" role="alert"><${Icon} name="circle-alert" size="18" />${problem.sentence}</p>`}
  </div>`;
}
