/** The folders of the library: adding and removing them, and what is missing or not watched. */
import { html, useRef, useState } from "../core/dom.js";
import { baseName, counted, safeName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { RequestError, getJson, sendJson } from "../server/http.js";

/**
 * @typedef {import("../server/api.js").StatusJson} StatusJson
 * @typedef {import("../server/api.js").ExcludesJson} ExcludesJson
 * @typedef {(problem: RequestError | null) => void} SetProblem
 */

/**
 * @param {object} props
 * @param {import("../server/api.js").RootJson} props.root
 * @param {import("../server/api.js").UnwatchedJson[]} props.unwatched folders in it that send no events
 * @param {SetProblem} props.setProblem
 */
function Folder({ root, unwatched, setProblem }) {
  const [asking, setAsking] = useState(/** @type {"" | "remove" | "accept"} */ (""));
  const missing = root.offline ? root.files : root.missing;
  const accept = async () => {
    setAsking("");
    await sendJson("POST", "/api/accept", { path: root.path }).then(() => setProblem(null), setProblem);
  };
  const remove = async () => {
    setAsking("");
    await sendJson("DELETE", "/api/roots", { path: root.path }).then(() => setProblem(null), setProblem);
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
    ${asking === "accept" && html`<div class="confirmation" role="group" aria-label="Accept what is missing">
      <p>This forgets what is known of ${counted(missing, "missing file")}. If you wait, they are found again when they are back.</p>
      <button class="danger" onClick=${accept}>Forget them</button>
      <button onClick=${() => setAsking("")}>Wait</button>
    </div>`}
    ${asking === "remove" && html`<div class="confirmation" role="group" aria-label="Remove folder">
      <p>This forgets ${counted(root.files, "file")} here. The files themselves are not touched.</p>
      <button class="danger" onClick=${remove}>Remove folder</button>
      <button onClick=${() => setAsking("")}>Keep it</button>
    </div>`}
  </li>`;
}

/** The folders in a root that send no events. @param {StatusJson} status @param {string} root */
const unwatchedIn = (status, root) =>
  (status.watching?.unwatched ?? []).filter(({ path }) => path === root || path.startsWith(`${root}/`));

/** What is never read, in any folder; requested when it is unfolded. */
function NeverRead() {
  const [excludes, setExcludes] = useState(/** @type {ExcludesJson | null} */ (null));
  const unfold = () => excludes || getJson("/api/excludes").then(setExcludes, () => {});
  return html`<details class="never-read" onToggle=${unfold}>
    <summary>What is never read</summary>
    ${excludes && html`<p>Folders: ${excludes.folders.join(", ")}.</p><p>Files: ${excludes.files.join(", ")}.</p>
      <p>A file <code>.recollectignore</code> in a folder, written like <code>.gitignore</code>, leaves out more.</p>`}
  </details>`;
}

/** @param {{status: StatusJson}} props */
export function Folders({ status }) {
  const [problem, setProblem] = useState(/** @type {RequestError | null} */ (null));
  const [busy, setBusy] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const add = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const path = field.current?.value.trim();
    if (!path) return;
    setBusy(true);
    await sendJson("POST", "/api/roots", { path }).then(
      () => {
        setProblem(null);
        if (field.current) field.current.value = "";
      },
      setProblem,
    );
    setBusy(false);
  };
  return html`<section class="panel" aria-labelledby="folders-title">
    <header><h2 id="folders-title">Folders</h2><p>Recollect reads only these, and never changes your files.</p></header>
    <ul class="folders">${status.roots.map((root) => html`<${Folder} key=${root.path} root=${root} unwatched=${unwatchedIn(status, root.path)} setProblem=${setProblem} />`)}</ul>
    <${NeverRead} />
    <form class="add-folder" onSubmit=${add}>
      <label><span class="visually-hidden">Path of a folder to add</span>
        <input ref=${field} type="text" placeholder="Path of a folder, like ~/Documents" spellcheck="false" autocomplete="off" /></label>
      <button class="main" disabled=${busy}><${Icon} name="folder-plus" size="18" />Add folder</button>
    </form>
    ${problem && html`<p class="problem" role="alert"><${Icon} name="circle-alert" size="18" />${problem.sentence}</p>`}
  </section>`;
}
