/** The viewer: one item open at a place, beside the page or over it, or as a page of its own. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { useKeys, useLayer } from "../core/keyboard.js";
import { addressOf, addressWith, closeItem, go, onPlainClick, openItem, route } from "../core/route.js";
import { useStore } from "../core/store.js";
import { KINDS, baseName, clock, count, dayOf, safeName, size } from "../core/wording.js";
import { Icon, KIND_ICON } from "../parts/icons.js";
import { Snippet } from "../parts/snippet.js";
import { pause, playback } from "../parts/sound.js";
import { RequestError, connection, getJson, wasAborted } from "../server/http.js";
import { useJson } from "../server/use-json.js";
import { ForgetButton, ForgetQuestion } from "./forget.js";
import { PageView } from "./page-view.js";
import { Player } from "./player.js";

/** @typedef {import("../server/api.js").ItemJson} ItemJson */

const COPIED_MS = 2500; // how long the outcome of copying is shown

/**
 * The item with this id, or why there is none; both null while it is awaited.
 * @param {string} id
 * @returns {[ItemJson | null, RequestError | null]}
 */
function useItem(id) {
  const [answer, setAnswer] = useState(/** @type {[ItemJson | null, RequestError | null]} */ ([null, null]));
  const { epoch } = useStore(connection);
  useEffect(() => {
    const controller = new AbortController();
    getJson(`/api/items/${encodeURIComponent(id)}`, {}, controller.signal).then(
      (item) => setAnswer([item, null]),
      (error) => wasAborted(error) || setAnswer([null, error]),
    );
    return () => controller.abort();
  }, [id, epoch]);
  const [item, problem] = answer;
  return item?.id === id || problem ? answer : [null, null];
}

/** A photo as large as there is room, and its caption with words of `query` marked. @param {{item: ItemJson, query: string}} props */
function PhotoView({ item, query }) {
  const text = useJson(`/api/items/${item.id}/text`, query, { id: item.id, count: 0, passages: [] });
  const marks = text?.passages.find((passage) => passage.text === item.caption)?.marks ?? [];
  const ratio = item.w && item.h ? item.w / item.h : 4 / 3;
  const colour = /^#[0-9a-f]{6}$/i.test(item.colour ?? "") ? item.colour : "transparent";
  return html`<figure class="picture">
    <img src=${`/api/items/${item.id}/picture`} alt=${item.caption || `Photo, ${dayOf(item)}`} style=${{ "--r": String(ratio), "--colour": colour }} />
    <figcaption dir="auto">${item.caption ? html`<${Snippet} text=${item.caption} marks=${marks} />` : item.state === "understood" ? "No caption." : "Not looked at yet: it can be found by name and date only so far."}</figcaption>
  </figure>`;
}

/** Kind, length or size, date, who read its pictures or heard it, and paths of the file. @param {{item: ItemJson}} props */
function Facts({ item }) {
  const facts = [
    KINDS[item.kind][0],
    item.pages && item.kind === "document" ? `${count(item.pages)} ${item.pages === 1 ? "page" : "pages"}` : "",
    item.w && item.kind === "photo" ? `${count(item.w)} × ${count(item.h ?? 0)}` : "",
    item.duration_s ? clock(item.duration_s) : "",
    dayOf(item),
    size(item.size_bytes),
    item.read_by ?? "",
  ];
  return html`<div class="facts">
    <p>${facts.filter(Boolean).join(" · ")}</p>
    ${item.paths.map((path) => html`<p class="path"><bdi>${safeName(path)}</bdi></p>`)}
  </div>`;
}

/** The mail this is attached to, or what is attached to this mail. @param {{item: ItemJson}} props */
function Attachments({ item }) {
  const link = (/** @type {string} */ id, /** @type {string} */ text) =>
    html`<a href=${addressOf(id, null)} onClick=${onPlainClick(() => openItem(id, null))}><bdi>${text}</bdi></a>`;
  if (item.attached_to) return html`<p class="mail">Attached to ${link(item.attached_to.id, safeName(item.attached_to.title))}</p>`;
  if (!item.attachments.length) return null;
  return html`<p class="mail">Attached: ${item.attachments.map(({ id, title }) => link(id, safeName(title)))}</p>`;
}

/** What of it was not read. @param {{item: ItemJson}} props */
function LeftOut({ item }) {
  if (!item.notes.length) return null;
  return html`<ul class="left-out" aria-label="Not read">${item.notes.map(({ sentence }) => html`<li key=${sentence}><${Icon} name="circle-alert" size="16" /><span dir="auto">${sentence}</span></li>`)}</ul>`;
}

/** Copies a link to the place that is open. @param {{item: ItemJson}} props */
function CopyLink({ item }) {
  const [message, setMessage] = useState("");
  const { page, second, track } = useStore(route);
  const copy = async () => {
    const position = playback.value.id === item.id ? Math.floor(playback.value.second) : second;
    /** @type {Record<string, string>} */
    const query = item.kind === "document" ? { page: String(page ?? 1) } : item.kind === "recording" ? { t: String(position ?? 0), ...(track && { track: String(track) }) } : {};
    const text = new URLSearchParams(query).toString();
    try {
      await navigator.clipboard.writeText(`${location.origin}/item/${item.id}${text && `?${text}`}`);
      setMessage(item.kind === "document" ? `Copied link to page ${page ?? 1}` : item.kind === "recording" ? `Copied link to ${clock(position ?? 0)}` : "Copied link");
    } catch {
      setMessage("The browser did not allow copying");
    }
    setTimeout(() => setMessage(""), COPIED_MS);
  };
  useKeys({ c: copy });
  return html`<button class="quiet" onClick=${copy}><${Icon} name=${message ? "check" : "link"} size="18" /><span role="status">${message || "Copy link"}</span></button>`;
}

/** @param {{id: string, whole: boolean, overlay: boolean}} props `whole`: it is the page itself; `overlay`: it covers the page */
export function Viewer({ id, whole, overlay }) {
  const [item, problem] = useItem(id);
  const { page, second, track, query, state } = useStore(route);
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  const [asking, setAsking] = useState(false); // whether to forget it
  const askAbout = () => go(`/ask?${new URLSearchParams({ about: id })}`);
  useLayer(!whole, closeItem);
  useKeys({ a: askAbout });
  useEffect(() => pause, [id]);
  useEffect(() => setAsking(false), [id]);
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
    ${item && html`<${Attachments} item=${item} />`}
    ${item && html`<${LeftOut} item=${item} />`}
    ${item?.kind === "document" && html`<${PageView} key=${id} item=${item} page=${Math.min(page ?? 1, item.pages ?? 1)} query=${query.get("q") ?? ""} quote=${state.quote ?? ""} turn=${turnTo} />`}
    ${item?.kind === "photo" && html`<${PhotoView} item=${item} query=${query.get("q") ?? ""} />`}
    ${item?.kind === "recording" && html`<${Player} key=${id} item=${item} second=${second ?? 0} track=${track} query=${query.get("q") ?? ""} />`}
    ${item && html`<footer>
      <div class="actions">
        <${CopyLink} item=${item} />
        <button class="quiet" onClick=${askAbout}><${Icon} name="message-square-text" size="18" />Ask about this</button>
        <a class="button quiet" href=${`/api/items/${id}/original`} download><${Icon} name="download" size="18" />Original</a>
        <${ForgetButton} asking=${asking} setAsking=${setAsking} />
      </div>
      ${asking && html`<${ForgetQuestion} item=${item} cancel=${() => setAsking(false)} done=${() => !whole && closeItem()} />`}
      <${Facts} item=${item} />
    </footer>`}
  </aside>`;
}

/** Another page of the same document, without a new entry in the history. @param {number} page */
function turnTo(page) {
  go(addressWith({ page }), { replace: true, state: { ...route.value.state, quote: undefined } });
}
