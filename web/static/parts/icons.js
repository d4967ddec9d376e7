/** Lucide icons, drawn from plain data. Icons are decoration: whatever holds one has a name. */
import { html, svg } from "../core/dom.js";
import { NODES } from "../vendor/icon-nodes.js";

const LOOK = {
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
  return html`<svg class="icon" width=${size} height=${size} ...${LOOK}>
    ${NODES[name].map(([shape, attributes]) => html`<${shape} ...${attributes} />`)}
  </svg>`;
}

/** Fill the places of index.html that ask for an icon by `data-icon`. */
export function drawStaticIcons() {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-icon]"))) {
    const drawn = svg("svg", { ...LOOK, width: 20, height: 20, class: "icon" });
    for (const [shape, attributes] of NODES[place.dataset.icon ?? ""]) drawn.append(svg(shape, attributes));
    place.replaceChildren(drawn);
  }
}

/** The icon of a kind of file. @type {Record<string, string>} */
export const KIND_ICON = { document: "file-text", photo: "image", recording: "audio-lines" };
