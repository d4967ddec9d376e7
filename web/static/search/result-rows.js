/** The results by kind: documents as rows, photos as a grid, recordings that play from the second found. */
import { html, useState } from "../core/dom.js";
import { addressOf, addressWith, onPlainClick, openItem, route } from "../core/route.js";
import { useStore } from "../core/store.js";
import { KINDS, attachedTo, baseName, clock, count, dayOf, placeLabel, safeName } from "../core/wording.js";
import { Icon, KIND_ICON } from "../parts/icons.js";
import { PlayButton } from "../parts/play-button.js";
import { Snippet } from "../parts/snippet.js";
import { PhotoGrid } from "./photo-grid.js";
import { showMoreRows } from "./results.js";

/** @typedef {import("../server/api.js").HitJson} HitJson */

/** How many of a kind are shown while all kinds are. @type {Record<string, number>} */
const FIRST_SHOWN = { document: 5, photo: 8, recording: 4 };
const FIRST_BY_MEANING = 3;

/** @param {{counts: Record<string, number>, kind: string | null}} props */
export function KindChips({ counts, kind }) {
  const counted = Object.keys(counts).length > 0;
  const chip = (/** @type {string | null} */ name, /** @type {string} */ label, /** @type {string} */ number) =>
    html`<a class=${`chip ${name ?? ""}`} href=${addressWith({ kind: name, item: null, page: null, t: null, track: null })} aria-current=${kind === name ? "true" : undefined}>
      ${name && html`<${Icon} name=${KIND_ICON[name]} size="16" />`}${label}${name && html` <span class="number">${number}</span>`}
    </a>`;
  return html`<nav class="chips" aria-label="Kinds">
    ${chip(null, "All", "")}
    ${Object.entries(KINDS).map(([name, [, plural]]) => chip(name, plural, counted ? count(counts[name] ?? 0) : ""))}
  </nav>`;
}

/** Kinds in the order of their best hit; rows inside a kind keep their rank. @param {{rows: HitJson[], kind: string | null}} props */
export function Groups({ rows, kind }) {
  /** @type {Map<string, HitJson[]>} */
  const groups = new Map();
  for (const hit of rows) groups.set(hit.kind, [...(groups.get(hit.kind) ?? []), hit]);
  return [...groups].map(([name, hits]) => {
    const shown = kind ? hits : hits.slice(0, FIRST_SHOWN[name]);
    return html`<section class="group" key=${name} aria-label=${KINDS[name][1]}>
      <header>
        <h2 class=${name}><${Icon} name=${KIND_ICON[name]} size="18" />${KINDS[name][1]}</h2>
        ${shown.length < hits.length && html`<a href=${addressWith({ kind: name, item: null })}>All ${count(hits.length)}</a>`}
      </header>
      ${name === "photo" ? html`<${PhotoGrid} hits=${shown} />` : html`<ol class="rows">${shown.map((hit) => html`<${Row} key=${hit.id} hit=${hit} />`)}</ol>`}
    </section>`;
  });
}

/** The rest of a list that is longer than what was asked for at first. */
export function MoreRows() {
  const [asking, setAsking] = useState(false);
  const show = () => {
    setAsking(true);
    showMoreRows().finally(() => setAsking(false));
  };
  return html`<p class="more-rows"><button disabled=${asking} onClick=${show}>More results</button></p>`;
}

/** Found by meaning only: always below the rows found by words; its room is kept while it is awaited. @param {{hits: HitJson[] | null, belowRows: boolean}} props */
export function MeaningGroup({ hits, belowRows }) {
  const [all, setAll] = useState(false);
  if (hits?.length === 0) return null;
  const shown = all ? (hits ?? []) : (hits ?? []).slice(0, FIRST_BY_MEANING);
  const more = (hits?.length ?? 0) - shown.length;
  return html`<section class=${`group by-meaning ${hits ? "" : "waiting"}`} aria-label="Found by meaning">
    <header><h2><${Icon} name="sparkles" size="18" />${belowRows ? "Also found by meaning" : "Found by meaning"}</h2></header>
    <ol class="rows">
      ${hits ? shown.map((hit) => html`<${Row} key=${hit.id} hit=${hit} />`) : [1, 2, 3].map((n) => html`<li class="row placeholder" key=${n} aria-hidden="true"></li>`)}
    </ol>
    ${more > 0 && html`<button class="quiet" onClick=${() => setAll(true)}>Show ${count(more)} more</button>`}
  </section>`;
}

/** The picture of a hit: its page, the photo or frame itself, or a button that plays it. @param {{hit: HitJson}} props */
function Thumbnail({ hit }) {
  const { start_s: start, end_s: end, track } = hit.place ?? {};
  if (hit.kind === "recording" && start !== undefined && start === end) {
    return html`<span class="thumbnail film"><img src=${`/api/items/${hit.id}/picture?px=240&at=${start}`} alt="" width="84" height="64" loading="lazy" decoding="async" /></span>`;
  }
  if (hit.kind === "recording") {
    return html`<${PlayButton} id=${hit.id} second=${start ?? 0} end=${end} track=${track} title=${safeName(hit.title)} />`;
  }
  const page = hit.place?.page ?? 1;
  const source = hit.kind === "document" ? `/api/items/${hit.id}/page/${page}?w=240` : `/api/items/${hit.id}/thumb`;
  return html`<span class=${`thumbnail ${hit.kind}`}><img src=${source} alt="" width="64" height="84" loading="lazy" decoding="async" /></span>`;
}

/** What tells a copy from the hit: its folder, where the name is the same. @param {HitJson} hit @param {HitJson["also_in"][number]} copy */
function copyName(hit, copy) {
  const name = baseName(copy.path);
  return name === baseName(hit.path) ? `${baseName(copy.path.slice(0, -name.length - 1))}/${name}` : name;
}

/** One file: the whole row links to its best place, other places have links of their own. @param {{hit: HitJson}} props */
function Row({ hit }) {
  const { item } = useStore(route);
  const open = (/** @type {HitJson["place"]} */ place, /** @type {string} */ quote) =>
    onPlainClick(() => openItem(hit.id, place, quote));
  const both = hit.found_by.includes("meaning") && hit.found_by.length > 1;
  const others = hit.more.filter((other) => placeLabel(other.place)).slice(0, 6);
  return html`<li class=${`row ${hit.kind} ${item === hit.id ? "open" : ""}`}>
    <${Thumbnail} hit=${hit} />
    <div class="words">
      <h3>
        <a class="row-link" data-row href=${addressOf(hit.id, hit.place)} aria-current=${item === hit.id ? "true" : undefined} onClick=${open(hit.place, hit.snippet)}>
          <bdi>${safeName(hit.title || baseName(hit.path))}</bdi>
        </a>
        <span class="place">${placeLabel(hit.place)}${hit.kind === "recording" && hit.duration_s ? html`<span class="total"> of ${clock(hit.duration_s)}</span>` : ""}</span>
      </h3>
      ${hit.snippet && html`<p class="snippet" dir="auto"><${Snippet} text=${hit.snippet} marks=${hit.marks} /></p>`}
      <p class="meta">
        <bdi class="file">${attachedTo(hit.attached_to) || baseName(hit.path)}</bdi>
        <span>${dayOf(hit)}</span>
        ${others.length > 0 && html`<span class="more">also ${others.map((other) => html`<a href=${addressOf(hit.id, other.place)} onClick=${open(other.place, other.snippet)}>${placeLabel(other.place)}</a>`)}</span>`}
        ${hit.also_in.length > 0 && html`<span class="more">also in ${hit.also_in.slice(0, 6).map((copy) => html`<a href=${addressOf(copy.id, null)} title=${copy.path} onClick=${onPlainClick(() => openItem(copy.id, null, hit.snippet))}><bdi>${copyName(hit, copy)}</bdi></a>`)}${hit.also_in.length > 6 ? ` and ${count(hit.also_in.length - 6)} more` : ""}</span>`}
        ${both && html`<span title="Found by its words and by its meaning"><${Icon} name="sparkles" size="14" /><span class="visually-hidden">Found by words and meaning</span></span>`}
      </p>
    </div>
  </li>`;
}
