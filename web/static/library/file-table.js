/** Every file with its state, a page of rows at a time. */
import { html, useEffect, useState } from "../core/dom.js";
import { connection, getJson, sendJson, wasAborted } from "../server/http.js";
import { Icon, KIND_ICON } from "../parts/icons.js";
import { addressOf, addressWith, go, route } from "../core/route.js";
import { status } from "../server/status.js";
import { useStore } from "../core/store.js";
import { KINDS, baseName, count, day, safeName, size } from "../core/wording.js";

const PAGE_ROWS = 50;

/** The states a file can be in, in words. @type {Record<string, string>} */
const STATES = {
  pending: "Waiting",
  reading: "Being read",
  read: "Read, waiting to be understood",
  understanding: "Being understood",
  understood: "Understood",
  failed: "Could not be read",
  skipped: "Not a kind we read",
  missing: "Missing, kept",
  offline: "Not connected",
};

/** @typedef {import("../parts/questions.js").File & {sentence: string | null, reason: string | null, attempts: number, size_bytes: number}} Row */

/**
 * The rows of the page, asked again whenever the library has moved on.
 * @param {{state: string | null, kind: string | null, offset: number}} wanted
 * @returns {{count: number, files: Row[]} | null}
 */
function useFiles({ state, kind, offset }) {
  const [known, setKnown] = useState(/** @type {{count: number, files: Row[]} | null} */ (null));
  const { epoch } = useStore(connection);
  const moved = JSON.stringify(useStore(status)?.states ?? {});
  useEffect(() => {
    const stop = new AbortController();
    getJson("/api/files", { state, kind, offset, limit: PAGE_ROWS }, stop.signal).then(
      setKnown,
      (error) => wasAborted(error) || setKnown((before) => before ?? { count: 0, files: [] }),
    );
    return () => stop.abort();
  }, [state, kind, offset, epoch, moved]);
  return known;
}

/** @param {{row: Row}} props */
function FileRow({ row }) {
  const [asked, setAsked] = useState(false);
  const retry = () => {
    setAsked(true);
    sendJson("POST", "/api/retry", { path: row.path }).catch(() => setAsked(false));
  };
  const name = html`<bdi>${safeName(row.name || baseName(row.path))}</bdi>`;
  const place = row.kind === "document" ? { page: 1 } : null;
  return html`<tr class=${row.state}>
    <td class="name">${row.kind ? html`<span class=${row.kind} title=${KINDS[row.kind][0]}><${Icon} name=${KIND_ICON[row.kind]} size="18" /></span>` : html`<${Icon} name="info" size="18" />`}
      ${row.id ? html`<a data-row href=${addressOf(row.id, place)} title=${safeName(row.path)}>${name}</a>` : html`<span title=${safeName(row.path)}>${name}</span>`}</td>
    <td class="state" title=${row.sentence ?? ""}>${row.sentence && (row.state === "failed" || row.state === "skipped") ? row.sentence : (STATES[row.state] ?? row.state)}
      ${row.state === "failed" && html` <button class="quiet" disabled=${asked} onClick=${retry}>${asked ? "Trying" : "Try again"}</button>`}</td>
    <td class="size">${size(row.size_bytes)}</td>
    <td class="day">${day(row.modified_at)}</td>
  </tr>`;
}

/** @param {{label: string, name: string, value: string | null, options: [string, string][]}} props */
function Choice({ label, name, value, options }) {
  const choose = (/** @type {Event} */ event) =>
    go(addressWith({ [name]: /** @type {HTMLSelectElement} */ (event.target).value, from: null }));
  return html`<label class="select"><span class="unseen">${label}</span>
    <select value=${value ?? ""} onChange=${choose}>${options.map(([key, text]) => html`<option value=${key}>${text}</option>`)}</select></label>`;
}

export function FileTable() {
  const { query } = useStore(route);
  const [state, kind] = [query.get("state"), query.get("kind")];
  const offset = Math.max(0, Number(query.get("from")) || 0);
  const known = useFiles({ state, kind, offset });
  const states = Object.keys(useStore(status)?.states ?? {}).filter((name) => STATES[name]);
  const last = Math.min(offset + PAGE_ROWS, known?.count ?? 0);
  return html`<section class="panel files" aria-labelledby="files-title">
    <header>
      <h2 id="files-title">Files ${known && html`<span class="number">${count(known.count)}</span>`}</h2>
      <div class="filters">
        <${Choice} label="State" name="state" value=${state} options=${[["", "Any state"], ...states.map((name) => [name, STATES[name]])]} />
        <${Choice} label="Kind" name="kind" value=${kind} options=${[["", "Any kind"], ...Object.entries(KINDS).map(([name, [, many]]) => [name, many])]} />
      </div>
    </header>
    <div class="table-wrap"><table>
      <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col" class="size">Size</th><th scope="col" class="day">Changed</th></tr></thead>
      <tbody>${known?.files.map((row) => html`<${FileRow} key=${row.path} row=${row} />`)}</tbody>
    </table></div>
    ${known && known.count === 0 && html`<p class="quiet-note">No files here.</p>`}
    ${known && known.count > PAGE_ROWS && html`<footer class="pager">
      <button class="quiet square" aria-label="Earlier files" disabled=${offset === 0} onClick=${() => go(addressWith({ from: Math.max(0, offset - PAGE_ROWS) || null }))}><${Icon} name="chevron-left" /></button>
      <span>${count(offset + 1)} to ${count(last)} of ${count(known.count)}</span>
      <button class="quiet square" aria-label="Later files" disabled=${last >= known.count} onClick=${() => go(addressWith({ from: offset + PAGE_ROWS }))}><${Icon} name="chevron-right" /></button>
    </footer>`}
  </section>`;
}
