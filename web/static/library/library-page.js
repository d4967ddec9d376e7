/** The library page: folders, how far reading and understanding have come, what could not be read. */
import { html, useRef, useState } from "../core/dom.js";
import { FileTable } from "./file-table.js";
import { Problem, getJson, sendJson } from "../server/http.js";
import { Icon, KIND_ICON } from "../parts/icons.js";
import { route } from "../core/route.js";
import { DemonstrationNote, isWorking, status } from "../server/status.js";
import { useStore } from "../core/store.js";
import { KINDS, baseName, count, counted, remaining, safeName, size } from "../core/wording.js";

/** @typedef {import("../server/status.js").Status} Status */

/** What the second stage is called for each kind. @type {Record<string, string>} */
const UNDERSTOOD = { document: "understood", photo: "seen", recording: "heard" };

/** @param {{kind: string, progress: import("../core/wording.js").Coverage}} props */
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

/** @param {{now: Status}} props */
function Progress({ now }) {
  const { coverage, progress, queue } = now;
  const wait = remaining(now.eta_s);
  const working = isWorking(now);
  return html`<section class="panel" aria-labelledby="progress-title">
    <header>
      <h2 id="progress-title">${counted(coverage.files, "file")}</h2>
      <p role="status">${working ? `${count(queue)} in the queue${wait && !now.waiting ? `, ${wait}` : ""}` : coverage.files ? "Everything is up to date." : ""}</p>
    </header>
    ${now.waiting && html`<p class="note" role="status"><${Icon} name="clock" size="18" />${now.waiting}</p>`}
    ${now.problem && html`<p class="note" role="status"><${Icon} name="circle-alert" size="18" />${now.problem}</p>`}
    <ul class="kinds">
      ${Object.keys(KINDS).map((kind) => progress?.[kind] && html`<${KindProgress} key=${kind} kind=${kind} progress=${progress[kind]} />`)}
    </ul>
  </section>`;
}

/** @param {{root: Status["roots"][number], unwatched: {path: string, sentence: string}[], tell: (problem: Problem | null) => void}} props */
function Folder({ root, unwatched, tell }) {
  const [asking, setAsking] = useState(/** @type {"" | "remove" | "accept"} */ (""));
  const gone = root.offline ? root.files : root.missing;
  const accept = async () => {
    setAsking("");
    await sendJson("POST", "/api/accept", { path: root.path }).then(() => tell(null), tell);
  };
  const remove = async () => {
    setAsking("");
    await sendJson("DELETE", "/api/roots", { path: root.path }).then(() => tell(null), tell);
  };
  return html`<li>
    <${Icon} name="folder" />
    <div class="name"><b><bdi>${baseName(root.path)}</bdi></b><small><bdi>${safeName(root.path)}</bdi></small>
      ${root.network && html`<small>On a network (${root.network}): looked at every few minutes.</small>`}
      ${root.sentence && html`<small class="warn">${safeName(root.sentence)}</small>`}
      ${unwatched.map((folder) => html`<small class="warn" key=${folder.path}>${safeName(folder.sentence)}</small>`)}</div>
    <span class="amount">${counted(root.files, "file")}</span>
    ${root.acceptable && !asking && html`<button class="quiet" onClick=${() => setAsking("accept")}>They are gone</button>`}
    ${!asking && html`<button class="quiet square" aria-label=${`Remove the folder ${baseName(root.path)}`} onClick=${() => setAsking("remove")}><${Icon} name="trash" size="18" /></button>`}
    ${asking === "accept" && html`<div class="sure" role="group" aria-label="Accept what is missing">
      <p>This forgets what is known of ${counted(gone, "missing file")}. If you wait, they are found again when they are back.</p>
      <button class="danger" onClick=${accept}>Forget them</button>
      <button onClick=${() => setAsking("")}>Wait</button>
    </div>`}
    ${asking === "remove" && html`<div class="sure" role="group" aria-label="Remove folder">
      <p>This forgets ${counted(root.files, "file")} here. The files themselves are not touched.</p>
      <button class="danger" onClick=${remove}>Remove folder</button>
      <button onClick=${() => setAsking("")}>Keep it</button>
    </div>`}
  </li>`;
}

/** The folders below a root that no events come from. @param {Status} now @param {string} root */
const unwatchedIn = (now, root) =>
  (now.watching?.unwatched ?? []).filter(({ path }) => path === root || path.startsWith(`${root}/`));

/** What is left alone everywhere; asked for when it is unfolded. */
function NeverRead() {
  const [known, setKnown] = useState(/** @type {{folders: string[], files: string[]} | null} */ (null));
  const unfold = () => known || getJson("/api/excludes", {}).then(setKnown, () => {});
  return html`<details class="never" onToggle=${unfold}>
    <summary>What is never read</summary>
    ${known && html`<p>Folders: ${known.folders.join(", ")}.</p><p>Files: ${known.files.join(", ")}.</p>
      <p>A file <code>.recollectignore</code> in a folder, written like <code>.gitignore</code>, leaves out more.</p>`}
  </details>`;
}

/** @param {{now: Status}} props */
function Folders({ now }) {
  const [problem, tell] = useState(/** @type {Problem | null} */ (null));
  const [busy, setBusy] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const add = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const path = field.current?.value.trim();
    if (!path) return;
    setBusy(true);
    await sendJson("POST", "/api/roots", { path }).then(
      () => {
        tell(null);
        if (field.current) field.current.value = "";
      },
      (error) => tell(error),
    );
    setBusy(false);
  };
  return html`<section class="panel" aria-labelledby="folders-title">
    <header><h2 id="folders-title">Folders</h2><p>Recollect reads only these, and never changes your files.</p></header>
    <ul class="folders">${now.roots.map((root) => html`<${Folder} key=${root.path} root=${root} unwatched=${unwatchedIn(now, root.path)} tell=${tell} />`)}</ul>
    <${NeverRead} />
    <form class="add" onSubmit=${add}>
      <label><span class="unseen">Path of a folder to add</span>
        <input ref=${field} type="text" placeholder="Path of a folder, like ~/Documents" spellcheck="false" autocomplete="off" /></label>
      <button class="main" disabled=${busy}><${Icon} name="folder-plus" size="18" />Add folder</button>
    </form>
    ${problem && html`<p class="problem" role="alert"><${Icon} name="circle-alert" size="18" />${problem.sentence}</p>`}
  </section>`;
}

/** @param {{now: Status}} props */
function Failures({ now }) {
  const [asked, setAsked] = useState(false);
  const number = now.coverage.failed;
  if (!number) return null;
  const retry = async () => {
    setAsked(true);
    await sendJson("POST", "/api/retry", { path: null }).catch(() => {});
    setAsked(false);
  };
  return html`<section class="panel failures" aria-labelledby="failures-title">
    <header>
      <h2 id="failures-title"><${Icon} name="triangle-alert" />${counted(number, "file")} could not be read</h2>
      <button disabled=${asked} onClick=${retry}><${Icon} name="rotate-cw" size="18" />Try ${number === 1 ? "this one" : `these ${count(number)}`} again</button>
    </header>
    <ul>${now.failed.slice(0, 8).map((failure) => html`<li key=${failure.path}>
      <b><bdi>${baseName(failure.path)}</bdi></b><span>${failure.sentence}</span>
    </li>`)}</ul>
    ${now.failed.length > 8 && html`<a href="/library?state=failed">All ${count(number)}</a>`}
  </section>`;
}

/** @param {{now: Status}} props */
function ModelLine({ now }) {
  const { model } = now;
  const memory = model.resident_bytes ? `, ${size(model.resident_bytes)} of memory` : "";
  const place = model.loaded
    ? html` on ${safeName(model.device)} (${safeName(model.dtype)}${memory})`
    : model.problem ? ", which cannot be used" : ", not loaded now";
  return html`<section class="panel" aria-labelledby="model-title">
    <header><h2 id="model-title">Model</h2></header>
    <p>${safeName(model.name)}${place}.</p>
    <${DemonstrationNote} />
  </section>`;
}

export function LibraryPage() {
  const now = useStore(status);
  const { query } = useStore(route);
  if (!now) return html`<div class="library"><h1>Library</h1><p class="lead">Waiting for Recollect.</p></div>`;
  const filtered = query.get("state") === "failed";
  return html`<div class="library">
    <h1>Library</h1>
    ${!filtered && html`<div class="pair"><${Progress} now=${now} /><${Folders} now=${now} /></div>`}
    <${Failures} now=${now} />
    <${FileTable} />
    ${!filtered && html`<${ModelLine} now=${now} />`}
  </div>`;
}
