/** Searching by example: a picture or a sound, dropped, pasted or chosen. It never leaves this computer. */
import { html, useEffect, useRef } from "../core/dom.js";
import { Problem, ask, withParameters } from "../server/http.js";
import { Icon } from "../parts/icons.js";
import { go, route } from "../core/route.js";
import { Store, useStore } from "../core/store.js";
import { safeName } from "../core/wording.js";

const LARGEST_BYTES = 20_000_000;
const TAKEN = ["image/png", "image/jpeg", "image/webp", "audio/wav", "audio/x-wav", "audio/flac", "audio/x-flac", "audio/ogg", "audio/mpeg"];

export const example = new Store(/** @type {{file: File, preview: string} | null} */ (null));

/** What is wrong with the last thing offered, as a sentence. */
const refusal = new Store("");

/** @param {File} file */
function take(file) {
  if (!TAKEN.includes(file.type)) {
    refusal.set("Search by a picture (PNG, JPEG, WebP) or a sound (WAV, FLAC, OGG, MP3).");
  } else if (file.size > LARGEST_BYTES) {
    refusal.set("That file is larger than 20 MB; choose a smaller one.");
  } else {
    refusal.set("");
    drop();
    example.set({ file, preview: URL.createObjectURL(file) });
    if (route.value.place !== "search") go("/");
  }
}

/** Let go of the example. */
export function drop() {
  if (example.value) URL.revokeObjectURL(example.value.preview);
  example.set(null);
}

/**
 * @param {{file: File}} given
 * @param {Record<string, string | number | null | undefined>} parameters
 * @param {AbortSignal} signal
 */
export async function searchByExample({ file }, parameters, signal) {
  const headers = { "Content-Type": file.type.replace("audio/x-", "audio/") };
  const address = withParameters("/api/search", parameters);
  const response = await ask(address, { method: "POST", headers, body: file, signal });
  const answer = await response.json();
  if (!Array.isArray(answer.hits)) throw new Problem("shape", "The answer could not be understood.");
  return answer;
}

/** Files dropped or pasted anywhere become the example. Called once. */
export function startExamples() {
  const has = (/** @type {DataTransfer | null} */ carried) => carried?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!has(event.dataTransfer)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    take(file);
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (!file) return;
    event.preventDefault();
    take(file);
  });
}

/** The chip in the box. */
export function Example() {
  const given = useStore(example);
  const sentence = useStore(refusal);
  useEffect(() => {
    if (!sentence) return undefined;
    const timer = setTimeout(() => refusal.set(""), 6000);
    return () => clearTimeout(timer);
  }, [sentence]);
  return html`
    ${given && html`<span class="given">
      ${given.file.type.startsWith("image/") ? html`<img src=${given.preview} alt="" width="28" height="28" />` : html`<${Icon} name="audio-lines" size="18" />`}
      <bdi>${safeName(given.file.name)}</bdi>
      <button type="button" aria-label="Remove the example" onClick=${drop}><${Icon} name="x" size="16" /></button>
    </span>`}
    ${sentence && html`<span class="refusal" role="alert">${sentence}</span>`}
  `;
}

/** Opens the file chooser for an example. */
export function ExampleButton() {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const chosen = () => {
    const file = input.current?.files?.[0];
    if (file) take(file);
    if (input.current) input.current.value = "";
  };
  return html`
    <button type="button" class="quiet square" title="Search by a picture or a sound" aria-label="Search by a picture or a sound" onClick=${() => input.current?.click()}><${Icon} name="upload" size="18" /></button>
    <input ref=${input} type="file" hidden accept=${TAKEN.join(",")} onChange=${chosen} />
  `;
}
