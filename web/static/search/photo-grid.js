/** Photos in justified rows: the browser lays them out by their known ratios, so nothing moves. */
import { html } from "../core/dom.js";
import { addressOf, onPlainClick, openItem, route } from "../core/route.js";
import { useStore } from "../core/store.js";
import { attachedTo, dayOf, safeName } from "../core/wording.js";
import { Snippet } from "../parts/snippet.js";

/** @param {{hits: import("../server/api.js").HitJson[]}} props */
export function PhotoGrid({ hits }) {
  return html`<ol class="photos">${hits.map((hit) => html`<${Photo} key=${hit.id} hit=${hit} />`)}</ol>`;
}

/** One photo with its caption below, which is always visible. @param {{hit: import("../server/api.js").HitJson}} props */
function Photo({ hit }) {
  const { item } = useStore(route);
  const { w, h, colour } = hit.thumb ?? { w: 4, h: 3, colour: "" };
  const ratio = Math.min(3, Math.max(0.5, w / h));
  const caption = hit.source === "name" ? "" : hit.snippet;
  const mail = attachedTo(hit.attached_to);
  const open = onPlainClick(() => openItem(hit.id, null));
  const style = { "--r": String(ratio), "--colour": /^#[0-9a-f]{6}$/i.test(colour) ? colour : "transparent" };
  return html`<li class=${item === hit.id ? "open" : ""} style=${style}>
    <a data-row href=${addressOf(hit.id, null)} aria-current=${item === hit.id ? "true" : undefined} onClick=${open}>
      <img src=${`/api/items/${hit.id}/thumb`} alt=${[caption || `Photo, ${dayOf(hit)}`, mail].filter(Boolean).join(", ")} loading="lazy" decoding="async" />
      <span class="caption" aria-hidden="true">${caption ? html`<${Snippet} text=${caption} marks=${hit.marks} />` : safeName(hit.title)}${mail && ` · ${mail}`}</span>
    </a>
  </li>`;
}
