/** Forgetting one item for good, after one question. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { count } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { searchAgain } from "../search/results.js";
import { RequestError, sendJson } from "../server/http.js";

/**
 * The button in the row of actions.
 * @param {{asking: boolean, setAsking: (asking: boolean) => void}} props
 */
export function ForgetButton({ asking, setAsking }) {
  return html`<button class="quiet" aria-expanded=${asking} onClick=${() => setAsking(!asking)}><${Icon} name="trash" size="18" />Forget</button>`;
}

/**
 * The question, and what went wrong if it failed.
 * @param {{item: import("../server/api.js").ItemJson, cancel: () => void, done: () => void}} props
 */
export function ForgetQuestion({ item, cancel, done }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {RequestError | null} */ (null));
  const group = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => group.current?.scrollIntoView({ block: "nearest" }), []);
  const forget = async () => {
    setBusy(true);
    try {
      await sendJson("POST", "/api/forget", { what: item.id });
    } catch (error) {
      setProblem(error instanceof RequestError ? error : new RequestError("unknown", "It could not be forgotten. Try again."));
      setBusy(false);
      return;
    }
    // Results and lists on screen that show it are requested again.
    searchAgain();
    done();
  };
  const copies = item.paths.length;
  return html`<div ref=${group} class="confirmation" role="group" aria-label="Forget this">
    <p>${copies > 1 ? `Its words, its picture and what was understood of it leave Recollect for good, in all ${count(copies)} places where it lies.` : "Its words, its picture and what was understood of it leave Recollect for good."}
      ${item.attached_to && " The mail it came in stays."}${" "}Your file is not touched, and is not read again.</p>
    <button class="danger" disabled=${busy} onClick=${forget}>${busy ? "Forgetting" : "Forget it"}</button>
    <button disabled=${busy} onClick=${cancel}>Keep it</button>
    ${problem && html`<p class="problem" role="alert"><${Icon} name="circle-alert" size="18" />${problem.sentence}</p>`}
  </div>`;
}
