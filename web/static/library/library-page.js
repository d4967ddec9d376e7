/** The library page: progress of reading and understanding, folders, what could not be read, all files. */
import { html, useState } from "../core/dom.js";
import { route } from "../core/route.js";
import { useStore } from "../core/store.js";
import { KINDS, baseName, count, counted, remaining, safeName, size } from "../core/wording.js";
import { DemonstrationNote } from "../parts/demonstration-note.js";
import { EngineNote } from "../parts/engine-note.js";
import { Icon, KIND_ICON } from "../parts/icons.js";
import { sendJson } from "../server/http.js";
import { isWorking, libraryStatus } from "../server/status.js";
import { FileTable } from "./file-table.js";
import { Folders } from "./folders.js";

/** @typedef {import("../server/api.js").StatusJson} StatusJson */

const LISTED_FAILURES = 8;

/** What the second stage is called for each kind. @type {Record<string, string>} */
const UNDERSTOOD = { document: "understood", photo: "seen", recording: "heard" };

/** @param {{kind: string, progress: import("../server/api.js").Coverage}} props */
function KindProgress({ kind, progress }) {
  const { files, read, understood } = progress;
  const failed = progress.failed ?? 0;
  const total = Math.max(1, files - failed);
  const bar = (/** @type {string} */ word, /** @type {number} */ value) => html`<div class="stage-line">
    <progress max=${total} value=${Math.min(value, total)} aria-label=${`${KINDS[kind][1]} ${word}`}></progress>
    <span>${value >= total ? html`<${Icon} name="check" size="16" />all ${word}` : `${count(value)} of ${count(total)} ${word}`}</span>
  </div>`;
  if (!files) return null;
  return html`<li class=${`progress ${kind}`}>
    <h3><${Icon} name=${KIND_ICON[kind]} size="20" />${KINDS[kind][1]} <span class="number">${count(files)}</span></h3>
    ${bar("read", read)}${bar(UNDERSTOOD[kind], understood)}
  </li>`;
}

/** @param {{status: StatusJson}} props */
function Progress({ status }) {
  const { coverage, progress, queue } = status;
  const time = remaining(status.eta_s);
  const working = isWorking(status);
  return html`<section class="panel" aria-labelledby="progress-title">
    <header>
      <h2 id="progress-title">${counted(coverage.files, "file")}</h2>
      <p role="status">${working ? `${count(queue)} in the queue${time && !status.waiting ? `, ${time}` : ""}` : coverage.files ? "Everything is up to date." : ""}</p>
    </header>
    ${status.waiting && html`<p class="note" role="status"><${Icon} name="clock" size="18" />${status.waiting}</p>`}
    ${status.problem && html`<p class="note" role="status"><${Icon} name="circle-alert" size="18" />${status.problem}</p>`}
    <ul class="kinds">
      ${Object.keys(KINDS).map((kind) => progress?.[kind] && html`<${KindProgress} key=${kind} kind=${kind} progress=${progress[kind]} />`)}
    </ul>
  </section>`;
}

/** @param {{status: StatusJson}} props */
function Failures({ status }) {
  const [retrying, setRetrying] = useState(false);
  const { failed } = status.coverage;
  if (!failed) return null;
  const retry = async () => {
    setRetrying(true);
    await sendJson("POST", "/api/retry", { path: null }).catch(() => {});
    setRetrying(false);
  };
  return html`<section class="panel failures" aria-labelledby="failures-title">
    <header>
      <h2 id="failures-title"><${Icon} name="triangle-alert" />${counted(failed, "file")} could not be read</h2>
      <button disabled=${retrying} onClick=${retry}><${Icon} name="rotate-cw" size="18" />Try ${failed === 1 ? "this one" : `these ${count(failed)}`} again</button>
    </header>
    <ul>${status.failed.slice(0, LISTED_FAILURES).map((failure) => html`<li key=${failure.path}>
      <b><bdi>${baseName(failure.path)}</bdi></b><span>${failure.sentence}</span>
    </li>`)}</ul>
    ${status.failed.length > LISTED_FAILURES && html`<a href="/library?state=failed">All ${count(failed)}</a>`}
  </section>`;
}

/** How many files were read in part, and the way to their list. @param {{status: StatusJson}} props */
function PartlyRead({ status }) {
  const { partial } = status;
  if (!partial) return null;
  return html`<section class="panel partly-read" aria-labelledby="partly-read-title">
    <h2 id="partly-read-title"><${Icon} name="circle-alert" />${counted(partial, "file")} ${partial === 1 ? "was" : "were"} read in part</h2>
    <p>The rest of ${partial === 1 ? "it" : "them"} cannot be found. <a href="/library?state=partial">What was left out</a></p>
  </section>`;
}

/** @param {{status: StatusJson}} props */
export function ModelLine({ status }) {
  const { model } = status;
  const memory = model.resident_bytes ? `, ${size(model.resident_bytes)} of memory` : "";
  const state = model.engine
    ? `, served by ${model.engine}${model.problem ? ", which cannot be used" : ""}`
    : model.loaded
    ? html` on ${safeName(model.device)} (${safeName(model.dtype)}${memory})`
    : model.problem ? ", which cannot be used" : ", not loaded now";
  return html`<section class="panel" aria-labelledby="model-title">
    <header><h2 id="model-title">Model</h2></header>
    <p>${safeName(model.name)}${state}.</p>
    <${DemonstrationNote} />
    <${EngineNote} />
  </section>`;
}

export function LibraryPage() {
  const status = useStore(libraryStatus);
  const { query } = useStore(route);
  if (!status) return html`<div class="library"><h1>Library</h1><p class="lead">Waiting for Recollect.</p></div>`;
  const filtered = ["failed", "partial"].includes(query.get("state") ?? "");
  return html`<div class="library">
    <div class="title"><h1>Library</h1><a class="button quiet" href="/settings"><${Icon} name="settings" size="18" />Settings</a></div>
    ${!filtered && html`<div class="pair"><${Progress} status=${status} /><${Folders} status=${status} /></div>`}
    ${query.get("state") !== "partial" && html`<${Failures} status=${status} />`}
    ${!filtered && html`<${PartlyRead} status=${status} />`}
    <${FileTable} />
    ${!filtered && html`<${ModelLine} status=${status} />`}
  </div>`;
}
