/** The one place where Preact, its hooks and htm are tied together: every module draws by `html`. */
import htm from "../vendor/htm.js";
import { createElement, render } from "../vendor/preact.js";

export { render };
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.js";

/** Tagged template that builds a tree; what is put into it becomes text, never markup. */
export const html = htm.bind(createElement);

/**
 * The element of index.html with this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html has no element #${id}`);
  return node;
}

/** The search box of index.html. */
export const searchBox = () => /** @type {HTMLInputElement} */ (element("q"));

const SVG = "http://www.w3.org/2000/svg";

/**
 * An SVG element with attributes, for what is drawn without Preact.
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElement}
 */
export function svg(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}
