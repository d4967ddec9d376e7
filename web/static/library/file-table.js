/** The table of all files with their states, in pages. */
import { html, useEffect, useState } from "../core/dom.js";
import { addressOf, addressWith, go, route } from "../core/route.js";
import { useStore } from "../core/store.js";
import { KINDS, baseName, count, day, safeName, size } from "../core/wording.js";
import { Icon, KIND_ICON } from "../parts/icons.js";
import { connection, getJson, sendJson, wasAborted } from "../server/http.js";
import { libraryStatus } from "../server/status.js";

/**
 * @typedef {import("../server/api.js").FileJson} FileJson
 * @typedef {import("../server/api.js").FilesJson} FilesJson
 */

const PAGE_ROWS = 50;

/** The states a file can be in, in words. @type {Record<string, string>} */
const STATES = {
  pending: "Waiting",
  reading: "Being read",
  read: "Read, waiting to be understood",
  understanding: "Being understood",
  understood: "Understood",
  failed: "Could not be read",
  empty: "Empty, nothing to read",
  skipped: "Not a kind we read",
  partial: "Read in part",
  missing: "Missing, kept",
  offline: "Not connected",
};

/**
 * One page of files, requested again whenever the number of files in a state changes.
 * @param {{state: string | null, kind: string | null, offset: number}} filter
 * @returns {FilesJson | null} null until it is known
 */
function useFiles({ state, kind, offset }) {
  const [page, setPage] = useState(/** @type {FilesJson | null} */ (null));
  const { epoch } = useStore(connection);
  const status = useStore(libraryStatus);
  const states = JSON.stringify([status?.states, status?.partial]);
  useEffect(() => {
    const controller = new AbortController();
    getJson("/api/files", { state, kind, offset, limit: PAGE_ROWS }, controller.signal).then(
      setPage,
      (error) => wasAborted(error) || setPage((present) => present ?? { count: 0, files: [] }),
    );
    return () => controller.abort();
  }, [state, kind, offset, epoch, states]);
  return page;
}

/** @param {{file: FileJson}} props */
function FileRow({ file }) {
  const [retrying, setRetrying] = useState(false);
  const retry = () => {
    setRetrying(true);
    sendJson("POST", "/api/retry", { path: file.path }).catch(() => setRetrying(false));
  };
  const name = html`<bdi>${safeName(file.name || baseName(file.path))}</bdi>`;
  const place = file.kind === "document" ? { page: 1 } : null;
  return html`<tr class=${file.state === "empty" ? "wordless" : file.state}>
    <td class="name">${file.kind ? html`<span class=${file.kind} title=${KINDS[file.kind][0]}><${Icon} name=${KIND_ICON[file.kind]} size="18" /></span>` : html`<${Icon} name="info" size="18" />`}
      ${file.id ? html`<a data-row href=${addressOf(file.id, place)} title=${safeName(file.path)}>${name}</a>` : html`<span title=${safeName(file.path)}>${name}</span>`}</td>
    <td class="state" title=${file.sentence ?? ""}>${file.sentence && (file.state === "failed" || file.state === "skipped") ? file.sentence : (STATES[file.state] ?? file.state)}
      ${file.notes.map(({ sentence }) => html`<small key=${sentence} dir="auto">${sentence}</small>`)}
      ${file.state === "failed" && html` <button class="quiet" disabled=${retrying} onClick=${retry}>${retrying ? "Trying" : "Try again"}</button>`}</td>
    <td class="size">${size(file.size_bytes)}</td>
    <td class="day">${day(file.modified_at)}</td>
  </tr>`;
}

/** @param {{label: string, name: string, value: string | null, options: [string, string][]}} props */
function FilterSelect({ label, name, value, options }) {
  const choose = (/** @type {Event} */ event) =>
    go(addressWith({ [name]: /** @type {HTMLSelectElement} */ (event.target).value, from: null }));
  return html`<label class="select"><span class="visually-hidden">${label}</span>
    <select value=${value ?? ""} onChange=${choose}>${options.map(([key, text]) => html`<option value=${key}>${text}</option>`)}</select></label>`;
}

export function FileTable() {
  const { query } = useStore(route);
  const [state, kind] = [query.get("state"), query.get("kind")];
  const offset = Math.max(0, Number(query.get("from")) || 0);
  const page = useFiles({ state, kind, offset });
  const status = useStore(libraryStatus);
  const present = { ...status?.states, ...(status?.partial ? { partial: status.partial } : {}) };
  const states = Object.keys(present).filter((name) => STATES[name]);
  const last = Math.min(offset + PAGE_ROWS, page?.count ?? 0);
  return html`<section class="panel files" aria-labelledby="files-title">
    <header>
      <h2 id="files-title">Files ${page && html`<span class="number">${count(page.count)}</span>`}</h2>
      <div class="filters">
        <${FilterSelect} label="State" name="state" value=${state} options=${[["", "Any state"], ...states.map((name) => [name, STATES[name]])]} />
        <${FilterSelect} label="Kind" name="kind" value=${kind} options=${[["", "Any kind"], ...Object.entries(KINDS).map(([name, [, plural]]) => [name, plural])]} />
      </div>
    </header>
    <div class="table-wrap"><table>
      <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col" class="size">Size</th><th scope="col" class="day">Changed</th></tr></thead>
      <tbody>${page?.files.map((file) => html`<${FileRow} key=${file.path} file=${file} />`)}</tbody>
    </table></div>
    ${page && page.count === 0 && html`<p class="quiet-note">No files here.</p>`}
    ${page && page.count > PAGE_ROWS && html`<footer class="pager">
      <button class="quiet square" aria-label="Earlier files" disabled=${offset === 0} onClick=${() => go(addressWith({ from: Math.max(0, offset - PAGE_ROWS) || null }))}><${Icon} name="chevron-left" /></button>
      <span>${count(offset + 1)} to ${count(last)} of ${count(page.count)}</span>
      <button class="quiet square" aria-label="Later files" disabled=${last >= page.count} onClick=${() => go(addressWith({ from: offset + PAGE_ROWS }))}><${Icon} name="chevron-right" /></button>
    </footer>`}
  </section>`;
}
