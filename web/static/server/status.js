/** What the library is doing: one stream for all pages, the pill in the header, the bars below. */
import { html } from "../core/dom.js";
import { follow } from "./events.js";
import { connection } from "./http.js";
import { Icon } from "../parts/icons.js";
import { Store, useStore } from "../core/store.js";
import { count, counted, remaining } from "../core/wording.js";

/**
 * @typedef {import("../core/wording.js").Coverage} Coverage
 * @typedef {object} Status
 * @property {{path: string, files: number, offline: boolean, missing: number, acceptable: boolean, network: string | null, sentence: string | null}[]} roots
 * @property {Coverage} coverage
 * @property {Record<string, number>} states
 * @property {{path: string, reason: string, sentence: string, attempts: number}[]} failed
 * @property {number} queue
 * @property {{name: string, device: string, dtype: string, resident_bytes: number, loaded?: boolean, demonstration?: boolean, problem?: string}} model
 * @property {Record<string, Coverage>} [progress] by kind
 * @property {number | null} [eta_s]
 * @property {string | null} [waiting] what the second stage waits for
 * @property {string | null} [problem] what holds the work up
 * @property {{rescanned_at: number | null, unwatched: {path: string, sentence: string}[], restarts: number}} [watching]
 * @property {boolean} [demonstration]
 */

/** Null until the first word from the server. */
export const status = new Store(/** @type {Status | null} */ (null));

/** Called once. */
export function startStatus() {
  follow("/api/status?stream=1", (data) => status.set(data));
}

/** Is there reading or understanding left to do? @param {Status} now */
export const isWorking = ({ coverage }) =>
  coverage.read + coverage.failed < coverage.files || coverage.understood + coverage.failed < coverage.files;

/** @param {Status} now */
function pillText(now) {
  const { files, read, understood, failed } = now.coverage;
  if (!files) return "No files yet";
  const wait = remaining(now.eta_s);
  if (read + failed < files) return `Reading · ${wait || `${count(read)} of ${count(files)}`}`;
  if (understood + failed < files && now.waiting) return now.waiting.replace(/\.$/, "");
  if (understood + failed < files) return `Understanding · ${wait || `${count(understood)} of ${count(files)}`}`;
  return `${counted(files - failed, "file")}, all understood`;
}

/** One line on what the library is doing; it leads there. */
export function StatusPill() {
  const now = useStore(status);
  const { lost } = useStore(connection);
  if (lost) return html`<a class="pill bad" href="/library"><span class="dot" />Not running</a>`;
  if (!now) return html`<a class="pill" href="/library"><span class="dot" />Connecting</a>`;
  const working = isWorking(now);
  return html`<a class=${`pill ${working ? "working" : "good"}`} href="/library"><span class="dot" />${pillText(now)}</a>`;
}

/** The bar that matters everywhere: the server is gone, or does not know this browser any more. */
export function ConnectionBar() {
  const { lost, refused } = useStore(connection);
  const sentence = lost ? "Recollect is not running. Start it again and this page carries on." : refused;
  return (
    sentence &&
    html`<p class="bar bad" role="status"><${Icon} name="unplug" size="18" /><span>${sentence}</span></p>`
  );
}

/** The model cannot be used; what is left works on. */
export function ModelBar() {
  const problem = useStore(status)?.model?.problem;
  return (
    problem &&
    html`<p class="bar bad" role="status"><${Icon} name="triangle-alert" size="18" /><span>${problem} Words are found without it.</span></p>`
  );
}

/** Said wherever the small model speaks; it cannot be closed. */
export function DemonstrationNote() {
  const now = useStore(status);
  if (!now?.model?.demonstration) return null;
  return html`<p class="demonstration" role="note"><${Icon} name="sparkles" size="18" /><span><b>Demonstration model</b>: it understands the sample library only. Words find every file. A Gemma 4 12B on this machine is used with <code>--model DIRECTORY</code>.</span></p>`;
}
