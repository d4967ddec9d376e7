/** The settings: the model in use, the folders, what is never read, and where the data lies. */
import { html } from "../core/dom.js";
import { useStore } from "../core/store.js";
import { baseName, counted, safeName, size } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { libraryStatus } from "../server/status.js";
import { useJson } from "../server/use-json.js";
import { NeverRead } from "./folders.js";
import { ModelLine } from "./library-page.js";

/** How to use another model: it is loaded when Recollect starts. */
function OtherModel() {
  return html`<section class="panel" aria-labelledby="other-model-title">
    <header><h2 id="other-model-title">Another model</h2></header>
    <p>A model is chosen in the terminal and used from the next start on. What it has to understand anew is found by its words meanwhile.</p>
    <dl>
      <dt>See which are here</dt><dd><code>recollect model list</code></dd>
      <dt>Fetch the one that is proposed</dt><dd><code>recollect model pull</code></dd>
      <dt>Use one from now on</dt><dd><code>recollect model use NAME</code></dd>
      <dt>Use one of Ollama, LM Studio or another engine</dt><dd><code>recollect model use http://127.0.0.1:PORT/v1</code></dd>
      <dt>See whether it fits this machine</dt><dd><code>recollect doctor</code></dd>
    </dl>
  </section>`;
}

function Storage() {
  const storage = useJson("/api/storage", "", { path: "", size_bytes: 0, conversations_bytes: 0 });
  return html`<section class="panel" aria-labelledby="storage-title">
    <header><h2 id="storage-title">Where the data lies</h2></header>
    ${storage?.path && html`<p><code><bdi>${safeName(storage.path)}</bdi></code></p>
      <p>${size(storage.size_bytes)} in all: the index, which can be made again from your files, and ${storage.conversations_bytes ? `${size(storage.conversations_bytes)} of conversations` : "conversations"}, which cannot. It lies on this computer alone. Another folder is named at the start: <code>recollect --data FOLDER serve</code></p>`}
  </section>`;
}

export function SettingsPage() {
  const status = useStore(libraryStatus);
  return html`<div class="library settings">
    <h1>Settings</h1>
    ${status && html`<${ModelLine} status=${status} />`}
    <${OtherModel} />
    <section class="panel" aria-labelledby="watched-title">
      <header><h2 id="watched-title">Folders</h2><a class="button" href="/library"><${Icon} name="folder-plus" size="18" />Add or remove</a></header>
      <ul class="folders">${status?.roots.map((root) => html`<li key=${root.path}><${Icon} name="folder" />
        <div class="name"><b><bdi>${baseName(root.path)}</bdi></b><small><bdi>${safeName(root.path)}</bdi></small></div>
        <span class="amount">${counted(root.files, "file")}</span></li>`)}</ul>
      <${NeverRead} open=${true} />
    </section>
    <${Storage} />
  </div>`;
}
