/** Lucide icons, drawn from plain data. Icons are decoration: the element around one has a name. */
import { NODES } from "../vendor/icon-nodes.js";
import { html, svg } from "../core/dom.js";

const ATTRIBUTES = {
  viewBox: "0 0 24 24",
  fill: "none",
  stroke: "currentColor",
  "stroke-width": "1.75",
  "stroke-linecap": "round",
  "stroke-linejoin": "round",
  "aria-hidden": "true",
};

/**
 * @param {{name: string, size?: number}} props `size` in CSS pixels
 */
export function Icon({ name, size = 20 }) {
  return html`<svg class="icon" width=${size} height=${size} ...${ATTRIBUTES}>
    ${NODES[name].map(([shape, attributes]) => html`<${shape} ...${attributes} />`)}
  </svg>`;
}

/** Draw the icons of index.html, named there by `data-icon`. */
export function drawStaticIcons() {
  for (const holder of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-icon]"))) {
    const icon = svg("svg", { ...ATTRIBUTES, width: 20, height: 20, class: "icon" });
    for (const [shape, attributes] of NODES[holder.dataset.icon ?? ""]) icon.append(svg(shape, attributes));
    holder.replaceChildren(icon);
  }
}

/** The icon of a kind of file. @type {Record<string, string>} */
export const KIND_ICON = { document: "file-text", photo: "image", recording: "audio-lines" };
