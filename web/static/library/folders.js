/** The folders of the library: adding and removing them, and what is missing or not watched. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { baseName, counted, safeName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { RequestError, getJson, sendJson } from "../server/http.js";
import { FolderChooser } from "./folder-chooser.js";

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
 * @param {() => void} props.remove
 */
function Folder({ root, unwatched, setProblem, remove }) {
  const [asking, setAsking] = useState(/** @type {"" | "remove" | "accept"} */ (""));
  const missing = root.offline ? root.files : root.missing;
  const accept = async () => {
    setAsking("");
    await sendJson("POST", "/api/accept", { path: root.path }).then(() => setProblem(null), setProblem);
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
      <p>This forgets ${counted(root.files, "file")} here. The files themselves are not touched, and conversations stay.</p>
      <button class="danger" onClick=${remove}>Remove folder</button>
      <button onClick=${() => setAsking("")}>Keep it</button>
    </div>`}
  </li>`;
}

/** The folders in a root that send no events. @param {StatusJson} status @param {string} root */
const unwatchedIn = (status, root) =>
  (status.watching?.unwatched ?? []).filter(({ path }) => path === root || path.startsWith(`${root}/`));

/** What is never read, in any folder; requested when it is unfolded. */
export function NeverRead({ open = false } = {}) {
  const [excludes, setExcludes] = useState(/** @type {ExcludesJson | null} */ (null));
  const unfold = () => excludes || getJson("/api/excludes").then(setExcludes, () => {});
  return html`<details class="never-read" open=${open} onToggle=${unfold}>
    <summary>What is never read</summary>
    ${excludes && html`<p>Folders: ${excludes.folders.join(", ")}.</p><p>Files: ${excludes.files.join(", ")}.</p>
      <p>A file <code>.recollectignore</code> in a folder, written like <code>.gitignore</code>, leaves out more.</p>`}
  </details>`;
}

const UNDO_S = 15; // how long the message stands

/**
 * A folder that is removed when this message goes: by itself, closed, or with the page.
 * @param {object} props
 * @param {import("../server/api.js").RootJson} props.root
 * @param {() => void} props.undo
 * @param {SetProblem} props.setProblem
 * @param {() => void} props.done
 */
function Removal({ root, undo, setProblem, done }) {
  const settled = useRef(false);
  const remove = () => {
    if (settled.current) return;
    settled.current = true;
    // The page may be on its way out.
    sendJson("DELETE", "/api/roots", { path: root.path }, { keepalive: true }).then(() => setProblem(null), setProblem).finally(done);
  };
  useEffect(() => {
    const timer = setTimeout(remove, UNDO_S * 1000);
    addEventListener("pagehide", remove);
    return () => {
      clearTimeout(timer);
      removeEventListener("pagehide", remove);
      remove();
    };
  }, []);
  const takeBack = () => {
    settled.current = true;
    undo();
  };
  return html`<li class="removal">
    <${Icon} name="trash" />
    <p role="status"><b><bdi>${baseName(root.path)}</bdi></b> is being removed${root.files > 0 && `, and ${counted(root.files, "file")} forgotten with it`}.</p>
    <button onClick=${takeBack}><${Icon} name="undo-2" size="18" />Undo</button>
    <button class="quiet square" aria-label="Remove it now" title="Remove it now" onClick=${remove}><${Icon} name="x" size="18" /></button>
  </li>`;
}

/** @param {{status: StatusJson}} props */
export function Folders({ status }) {
  const [problem, setProblem] = useState(/** @type {RequestError | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const [refused, setRefused] = useState(""); // the path of a folder that would take in others
  const [removed, setRemoved] = useState(/** @type {string[]} */ ([]));
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const keep = (/** @type {string} */ path) => setRemoved((paths) => paths.filter((other) => other !== path));
  const add = async (/** @type {string} */ path, takeIn = false) => {
    setBusy(true);
    setRefused("");
    try {
      await sendJson("POST", "/api/roots", { path, take_in: takeIn });
      setProblem(null);
      setChoosing(false);
      if (field.current) field.current.value = "";
    } catch (error) {
      const refusal = error instanceof RequestError ? error : new RequestError("browser", String(error));
      setProblem(refusal);
      if (refusal.code === "takes_in") setRefused(path);
    }
    setBusy(false);
  };
  const addTyped = (/** @type {Event} */ event) => {
    event.preventDefault();
    const path = field.current?.value.trim();
    if (path) add(path);
  };
  return html`<section class="panel" aria-labelledby="folders-title">
    <header><h2 id="folders-title">Folders</h2><p>Recollect reads only these, and never changes your files.</p></header>
    <ul class="folders">${status.roots.map((root) => removed.includes(root.path)
      ? html`<${Removal} key=${`removal ${root.path}`} root=${root} undo=${() => keep(root.path)} setProblem=${setProblem} done=${() => keep(root.path)} />`
      : html`<${Folder} key=${root.path} root=${root} unwatched=${unwatchedIn(status, root.path)} setProblem=${setProblem} remove=${() => setRemoved((paths) => [...paths, root.path])} />`)}</ul>
    <${NeverRead} />
    <div class="add-folder">
      <button class="main" aria-expanded=${choosing} onClick=${() => setChoosing(!choosing)}><${Icon} name="folder-plus" size="18" />Choose a folder</button>
      <form onSubmit=${addTyped}>
        <label><span class="visually-hidden">Path of a folder to add</span>
          <input ref=${field} type="text" placeholder="or type its path, like /media/disk" spellcheck="false" autocomplete="off" /></label>
        <button disabled=${busy}>Add folder</button>
      </form>
    </div>
    ${choosing && html`<${FolderChooser} busy=${busy} add=${add} />`}
    ${problem && (refused
      ? html`<div class="confirmation" role="alert">
        <p>${safeName(problem.sentence.replace(/ To agree: .*/, ""))}</p>
        <button class="main" disabled=${busy} onClick=${() => add(refused, true)}>Agree and add it</button>
        <button onClick=${() => (setRefused(""), setProblem(null))}>Leave it as it is</button>
      </div>`
      : html`<p class="problem" role="alert"><${Icon} name="circle-alert" size="18" />${problem.sentence}</p>`)}
  </section>`;
}
