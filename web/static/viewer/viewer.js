/** The viewer: one thing opened at its place, beside whatever is on screen; a whole page on a phone. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { ForgetButton, ForgetQuestion } from "./forget.js";
import { Problem, connection, getJson, wasAborted } from "../server/http.js";
import { Icon, KIND_ICON } from "../parts/icons.js";
import { useKeys, useLayer } from "../core/keyboard.js";
import { PageView } from "./page-view.js";
import { Player } from "./player.js";
import { addressOf, addressWith, closeItem, go, onPlainClick, openItem, route } from "../core/route.js";
import { hold, sounding } from "../parts/sound.js";
import { useStore } from "../core/store.js";
import { KINDS, baseName, clock, count, day, safeName, size } from "../core/wording.js";

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {string} path
 * @property {string[]} paths
 * @property {"document" | "photo" | "recording"} kind
 * @property {string} title
 * @property {import("../core/wording.js").Mail} attached_to
 * @property {{id: string, title: string, kind: string}[]} attachments
 * @property {string} state
 * @property {number | null} pages
 * @property {number | null} w
 * @property {number | null} h
 * @property {string | null} colour
 * @property {number | null} duration_s
 * @property {number} modified_at
 * @property {number | null} made_at
 * @property {number} size_bytes
 * @property {string | null} note
 * @property {string | null} caption
 */

/**
 * The item with this id, and what went wrong instead.
 * @param {string} id
 * @returns {[Item | null, Problem | null]}
 */
function useItem(id) {
  const [known, setKnown] = useState(/** @type {[Item | null, Problem | null]} */ ([null, null]));
  const { epoch } = useStore(connection);
  useEffect(() => {
    const stop = new AbortController();
    getJson(`/api/items/${encodeURIComponent(id)}`, {}, stop.signal).then(
      (item) => setKnown([item, null]),
      (error) => wasAborted(error) || setKnown([null, error]),
    );
    return () => stop.abort();
  }, [id, epoch]);
  return known[0]?.id === id || known[1] ? known : [null, null];
}

/** A photo as large as there is room, and its caption. @param {{item: Item}} props */
function PhotoView({ item }) {
  const ratio = item.w && item.h ? item.w / item.h : 4 / 3;
  const colour = /^#[0-9a-f]{6}$/i.test(item.colour ?? "") ? item.colour : "transparent";
  return html`<figure class="picture">
    <img src=${`/api/items/${item.id}/picture`} alt=${item.caption || `Photo, ${day(item.made_at ?? item.modified_at)}`} style=${{ "--r": String(ratio), "--colour": colour }} />
    <figcaption dir="auto">${item.caption || (item.state === "understood" ? "No caption." : "Not looked at yet: it can be found by name and date only so far.")}</figcaption>
  </figure>`;
}

/** What is known of the file itself. @param {{item: Item}} props */
function Facts({ item }) {
  const facts = [
    KINDS[item.kind][0],
    item.pages && item.kind === "document" ? `${count(item.pages)} ${item.pages === 1 ? "page" : "pages"}` : "",
    item.w && item.kind === "photo" ? `${count(item.w)} × ${count(item.h ?? 0)}` : "",
    item.duration_s ? clock(item.duration_s) : "",
    day(item.made_at ?? item.modified_at),
    size(item.size_bytes),
  ];
  return html`<div class="facts">
    <p>${facts.filter(Boolean).join(" · ")}</p>
    ${item.paths.map((path) => html`<p class="path"><bdi>${safeName(path)}</bdi></p>`)}
  </div>`;
}

/** The mail this came in, or what came in this mail. @param {{item: Item}} props */
function Mail({ item }) {
  const link = (/** @type {string} */ id, /** @type {string} */ text) =>
    html`<a href=${addressOf(id, null)} onClick=${onPlainClick(() => openItem(id, null))}><bdi>${text}</bdi></a>`;
  if (item.attached_to) return html`<p class="mail">Attached to ${link(item.attached_to.id, safeName(item.attached_to.title))}</p>`;
  if (!item.attachments.length) return null;
  return html`<p class="mail">Attached: ${item.attachments.map((one) => link(one.id, safeName(one.title)))}</p>`;
}

/** Copies a link to the place that is open. @param {{item: Item}} props */
function CopyLink({ item }) {
  const [said, setSaid] = useState("");
  const now = useStore(route);
  const copy = async () => {
    const heard = sounding.value.id === item.id ? Math.floor(sounding.value.second) : now.second;
    /** @type {Record<string, string>} */
    const query = item.kind === "document" ? { page: String(now.page ?? 1) } : item.kind === "recording" ? { t: String(heard ?? 0) } : {};
    const text = new URLSearchParams(query).toString();
    try {
      await navigator.clipboard.writeText(`${location.origin}/item/${item.id}${text && `?${text}`}`);
      setSaid(item.kind === "document" ? `Copied link to page ${now.page ?? 1}` : item.kind === "recording" ? `Copied link to ${clock(heard ?? 0)}` : "Copied link");
    } catch {
      setSaid("The browser did not allow copying");
    }
    setTimeout(() => setSaid(""), 2500);
  };
  useKeys({ c: copy });
  return html`<button class="quiet" onClick=${copy}><${Icon} name=${said ? "check" : "link"} size="18" /><span role="status">${said || "Copy link"}</span></button>`;
}

/** @param {{id: string, whole: boolean, overlay: boolean}} props `whole`: it is the page itself; `overlay`: it covers the page */
export function Viewer({ id, whole, overlay }) {
  const [item, problem] = useItem(id);
  const now = useStore(route);
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  const [asking, ask] = useState(false);
  const askAbout = () => go(`/ask?${new URLSearchParams({ about: id })}`);
  useLayer(!whole, closeItem);
  useKeys({ a: askAbout });
  useEffect(() => hold, [id]);
  useEffect(() => ask(false), [id]);
  useEffect(() => {
    if (!overlay) return undefined;
    const opener = document.activeElement;
    panel.current?.focus();
    return () => opener instanceof HTMLElement && opener.isConnected && opener.focus();
  }, [overlay]);
  const title = item ? safeName(item.title || baseName(item.path)) : problem ? "Not found" : "Opening";
  return html`<aside ref=${panel} class=${`viewer ${whole ? "whole" : ""} ${item?.kind ?? ""}`} aria-label=${`Open: ${title}`} tabindex="-1">
    <header>
      ${!whole && html`<button class="quiet square back" aria-label="Close" onClick=${closeItem}><${Icon} name=${overlay ? "arrow-left" : "x"} /></button>`}
      ${whole ? html`<h1><bdi>${title}</bdi></h1>` : html`<h2><bdi>${title}</bdi></h2>`}
      ${item && html`<span class=${`kind ${item.kind}`}><${Icon} name=${KIND_ICON[item.kind]} size="18" />${KINDS[item.kind][0]}</span>`}
    </header>
    ${problem && html`<div class="problem" role="alert"><${Icon} name="circle-alert" /><p>${problem.status === 404 ? "This file is not in your library any more." : problem.sentence}</p></div>`}
    ${item && html`<${Mail} item=${item} />`}
    ${item?.note && html`<p class="left-out"><${Icon} name="circle-alert" size="16" /><span dir="auto">${item.note}</span></p>`}
    ${item?.kind === "document" && html`<${PageView} key=${id} item=${item} page=${Math.min(now.page ?? 1, item.pages ?? 1)} words=${now.query.get("q") ?? ""} quote=${now.state.quote ?? ""} turn=${turn} />`}
    ${item?.kind === "photo" && html`<${PhotoView} item=${item} />`}
    ${item?.kind === "recording" && html`<${Player} key=${id} item=${item} second=${now.second ?? 0} />`}
    ${item && html`<footer>
      <div class="actions">
        <${CopyLink} item=${item} />
        <button class="quiet" onClick=${askAbout}><${Icon} name="message-square-text" size="18" />Ask about this</button>
        <a class="button quiet" href=${`/api/items/${id}/original`} download><${Icon} name="download" size="18" />Original</a>
        <${ForgetButton} asking=${asking} ask=${ask} />
      </div>
      ${asking && html`<${ForgetQuestion} item=${item} ask=${ask} done=${() => !whole && closeItem()} />`}
      <${Facts} item=${item} />
    </footer>`}
  </aside>`;
}

/** Another page of the same document: no new step in the history. @param {number} page */
function turn(page) {
  go(addressWith({ page }), { replace: true, state: { ...route.value.state, quote: undefined } });
}
