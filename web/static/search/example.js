/** Searching by example: a picture or a sound, dropped, pasted or chosen. It never leaves this computer. */
import { html, useEffect, useRef } from "../core/dom.js";
import { go, route } from "../core/route.js";
import { Store, useStore } from "../core/store.js";
import { safeName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { RequestError, request, withParameters } from "../server/http.js";

const LARGEST_BYTES = 20_000_000;
const REFUSAL_MS = 6000; // how long a refusal is shown
const ACCEPTED_TYPES = ["image/png", "image/jpeg", "image/webp", "audio/wav", "audio/x-wav", "audio/flac", "audio/x-flac", "audio/ogg", "audio/mpeg"];

export const example = new Store(/** @type {{file: File, preview: string} | null} */ (null));

/** What is wrong with the last file offered, as a sentence. */
const refusal = new Store("");

/** @param {File} file */
function offer(file) {
  if (!ACCEPTED_TYPES.includes(file.type)) {
    refusal.set("Search by a picture (PNG, JPEG, WebP) or a sound (WAV, FLAC, OGG, MP3).");
  } else if (file.size > LARGEST_BYTES) {
    refusal.set("That file is larger than 20 MB; choose a smaller one.");
  } else {
    refusal.set("");
    dropExample();
    example.set({ file, preview: URL.createObjectURL(file) });
    if (route.value.section !== "search") go("/");
  }
}

/** Remove the example. */
export function dropExample() {
  if (example.value) URL.revokeObjectURL(example.value.preview);
  example.set(null);
}

/**
 * @param {{file: File}} example
 * @param {import("../server/http.js").Parameters} parameters
 * @param {AbortSignal} signal
 * @returns {Promise<import("../server/api.js").SearchJson>}
 */
export async function searchByExample({ file }, parameters, signal) {
  const headers = { "Content-Type": file.type.replace("audio/x-", "audio/") };
  const address = withParameters("/api/search", parameters);
  const response = await request(address, { method: "POST", headers, body: file, signal });
  const answer = await response.json();
  if (!Array.isArray(answer.hits)) throw new RequestError("shape", "The answer could not be understood.");
  return answer;
}

/** Files dropped or pasted anywhere become the example. Called once. */
export function startExamples() {
  const hasFiles = (/** @type {DataTransfer | null} */ data) => data?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event.dataTransfer)) return;
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
    offer(file);
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (!file) return;
    event.preventDefault();
    offer(file);
  });
}

/** The chosen example in the search box, and why a file was refused. */
export function ExampleChip() {
  const chosen = useStore(example);
  const sentence = useStore(refusal);
  useEffect(() => {
    if (!sentence) return undefined;
    const timer = setTimeout(() => refusal.set(""), REFUSAL_MS);
    return () => clearTimeout(timer);
  }, [sentence]);
  return html`
    ${chosen && html`<span class="example">
      ${chosen.file.type.startsWith("image/") ? html`<img src=${chosen.preview} alt="" width="28" height="28" />` : html`<${Icon} name="audio-lines" size="18" />`}
      <bdi>${safeName(chosen.file.name)}</bdi>
      <button type="button" aria-label="Remove the example" onClick=${dropExample}><${Icon} name="x" size="16" /></button>
    </span>`}
    ${sentence && html`<span class="refusal" role="alert">${sentence}</span>`}
  `;
}

/** Opens the file dialog for an example. */
export function ExampleButton() {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const choose = () => {
    const file = input.current?.files?.[0];
    if (file) offer(file);
    if (input.current) input.current.value = "";
  };
  return html`
    <button type="button" class="quiet square" title="Search by a picture or a sound" aria-label="Search by a picture or a sound" onClick=${() => input.current?.click()}><${Icon} name="upload" size="18" /></button>
    <input ref=${input} type="file" hidden accept=${ACCEPTED_TYPES.join(",")} onChange=${choose} />
  `;
}
