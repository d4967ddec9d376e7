/** Choosing a folder to add: those below the home folder, one level at a time. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { baseName, count, safeName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { RequestError, getJson, wasAborted } from "../server/http.js";

/** @typedef {import("../server/api.js").FoldersJson} FoldersJson */

/** @param {{busy: boolean, add: (path: string) => void}} props */
export function FolderChooser({ busy, add }) {
  const [path, setPath] = useState("");
  const [hidden, setHidden] = useState(false);
  const [listing, setListing] = useState(/** @type {FoldersJson | null} */ (null));
  const [problem, setProblem] = useState("");
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const controller = new AbortController();
    getJson("/api/folders", { path, ...(hidden && { hidden: "true" }) }, controller.signal).then(
      (folders) => {
        setListing(folders);
        setProblem("");
      },
      (error) => wasAborted(error) || setProblem(error instanceof RequestError ? error.sentence : String(error)),
    );
    return () => controller.abort();
  }, [path, hidden]);
  const enter = (/** @type {string} */ folder) => {
    setPath(folder);
    heading.current?.focus(); // the button that was pressed goes with its list
  };
  if (!listing) return problem && html`<p class="problem" role="alert">${problem}</p>`;
  const { parent, watched, folders } = listing;
  return html`<div class="chooser" role="group" aria-label="Choose a folder">
    <header>
      ${parent && html`<button class="quiet square" aria-label="To the folder above" title="To the folder above" onClick=${() => enter(parent)}><${Icon} name="arrow-left" size="18" /></button>`}
      <h3 ref=${heading} tabindex="-1"><bdi>${safeName(listing.path)}</bdi></h3>
      ${watched
        ? html`<span class="watched"><${Icon} name="check" size="16" />In the library</span>`
        : html`<button class="main" disabled=${busy} onClick=${() => add(listing.path)}>Add “${baseName(listing.path)}”</button>`}
    </header>
    <ul>${folders.map((folder) => html`<li key=${folder.path}>
      <button class="quiet" onClick=${() => enter(folder.path)}><${Icon} name="folder" size="18" /><bdi>${safeName(folder.name)}</bdi>
        ${folder.watched && html`<span class="watched"><${Icon} name="check" size="16" />in the library</span>`}<${Icon} name="chevron-right" size="16" /></button>
    </li>`)}</ul>
    ${folders.length === 0 && html`<p class="quiet-note">There are no folders in it.</p>`}
    ${listing.left_out > 0 && html`<p class="quiet-note">${count(listing.left_out)} more are not listed; type the path of one.</p>`}
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    <label class="hidden-ones"><input type="checkbox" checked=${hidden} onChange=${(/** @type {Event} */ event) => setHidden(/** @type {HTMLInputElement} */ (event.target).checked)} /> Show hidden folders</label>
  </div>`;
}
