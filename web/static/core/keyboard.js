/** The keyboard: one handler for all keys, one owner of Esc, and the sheet that lists them. */
import { html, useLayoutEffect, useRef, useState } from "./dom.js";
import { Icon } from "../parts/icons.js";

/** @type {{close: () => void}[]} what Esc closes, the topmost last */
const layers = [];

/** @type {Record<string, (event: KeyboardEvent) => void>[]} bindings, the innermost last */
const bindings = [];

/**
 * While `open`, Esc closes this layer (and only this one, if it is the topmost). A layout effect, as
 * are all here: the next key may come before the effects that wait for a paint.
 * @param {boolean} open
 * @param {() => void} close
 */
export function useLayer(open, close) {
  const latest = useRef(close);
  latest.current = close;
  useLayoutEffect(() => {
    if (!open) return undefined;
    const layer = { close: () => latest.current() };
    layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, [open]);
}

/**
 * Keys that work while the calling component is drawn, outside of text fields.
 * @param {Record<string, (event: KeyboardEvent) => void>} keys by `KeyboardEvent.key`
 */
export function useKeys(keys) {
  const latest = useRef(keys);
  latest.current = keys;
  useLayoutEffect(() => {
    const names = Object.keys(latest.current);
    const bound = Object.fromEntries(
      names.map((name) => [name, (/** @type {KeyboardEvent} */ event) => latest.current[name]?.(event)]),
    );
    bindings.push(bound);
    return () => void bindings.splice(bindings.indexOf(bound), 1);
  }, []);
}

/** @param {EventTarget | null} target */
const isField = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("input:not([type=range]), textarea, select"));

let waiting = ""; // the "g" of "g s", for a second

/**
 * Start listening; called once.
 * @param {{focusBox: () => void, places: Record<string, () => void>, help: () => void, bottom: () => void}} to
 *   `bottom` is what Esc does when no layer is open
 */
export function startKeys({ focusBox, places, help, bottom }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const held = event.ctrlKey || event.metaKey;
    if (event.key === "Escape") {
      event.preventDefault();
      const top = layers.at(-1);
      if (top) top.close();
      else bottom();
      return;
    }
    if (held && event.key.toLowerCase() === "k") {
      event.preventDefault();
      focusBox();
      return;
    }
    if (held || event.altKey || isField(event.target)) return;
    if (moved(event)) return;
    if (waiting === "g" && places[event.key]) places[event.key]();
    else if (event.key === "/") focusBox();
    else if (event.key === "?") help();
    else if (!bindingFor(event)) {
      waiting = event.key === "g" ? "g" : "";
      if (waiting) setTimeout(() => (waiting = ""), 1000);
      return;
    }
    waiting = "";
    event.preventDefault();
  });
}

/** @param {KeyboardEvent} event */
function bindingFor(event) {
  const focused = event.target instanceof HTMLElement ? event.target : null;
  if (event.key === " " && focused?.closest("button, summary, a, [role=button]")) return false;
  const found = bindings.findLast((bound) => event.key in bound);
  found?.[event.key](event);
  return Boolean(found);
}

/**
 * Arrows move between rows and photos: up and down to the next row, left and right along a grid.
 * @param {KeyboardEvent} event
 */
function moved(event) {
  const from = event.target;
  if (!(from instanceof HTMLElement) || !from.matches("[data-row]")) return false;
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#main [data-row]")]);
  const at = rows.indexOf(from);
  const here = from.getBoundingClientRect();
  const middle = here.left + here.width / 2;
  const far = (/** @type {HTMLElement} */ row) => {
    const there = row.getBoundingClientRect();
    return Math.abs(there.top - here.top) * 4 + Math.abs(there.left + there.width / 2 - middle);
  };
  const nearest = (/** @type {(row: DOMRect) => boolean} */ wanted) =>
    rows.filter((row) => wanted(row.getBoundingClientRect())).sort((a, b) => far(a) - far(b))[0];
  const inGrid = Boolean(from.closest(".photos"));
  let to;
  if (event.key === "ArrowDown") to = nearest((there) => there.top >= here.bottom - 2);
  else if (event.key === "ArrowUp") to = nearest((there) => there.bottom <= here.top + 2) ?? document.getElementById("q");
  else if (event.key === "ArrowRight" && inGrid) to = rows[at + 1];
  else if (event.key === "ArrowLeft" && inGrid) to = rows[at - 1];
  else return false;
  event.preventDefault();
  to?.focus();
  return true;
}

/** From the box down into the results. */
export function focusFirstRow() {
  /** @type {HTMLElement | null} */ (document.querySelector("#main [data-row]"))?.focus();
}

const SHEET = [
  ["/", "Type in the search box"],
  ["↓ ↑", "Move through the results"],
  ["Enter", "Open; in the box: search"],
  ["Esc", "Close the topmost thing"],
  ["g s · g a · g l", "Search, Ask, Library"],
  ["n · p", "Next, previous page"],
  ["c", "Copy a link to this place"],
  ["a", "Ask about what is open"],
  ["k or Space", "Play, pause"],
  ["j · l", "Ten seconds back, forward"],
  ["t", "Follow the words while playing"],
  ["?", "This list"],
];

/** All keys, in a sheet. @param {{close: () => void}} props */
export function KeySheet({ close }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayer(true, close);
  useLayoutEffect(() => {
    const [sheet, opener] = [dialog.current, document.activeElement];
    sheet?.showModal();
    return () => {
      sheet?.close(); // as long as it is open, nothing behind it takes the focus
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return html`<dialog ref=${dialog} class="sheet" aria-labelledby="keys-title" onCancel=${(/** @type {Event} */ event) => {
    event.preventDefault();
    close();
  }}>
    <header>
      <h2 id="keys-title">Keys</h2>
      <button class="quiet square" aria-label="Close" onClick=${close}><${Icon} name="x" /></button>
    </header>
    <dl class="keys">
      ${SHEET.map(([keys, does]) => html`<div><dt><kbd>${keys}</kbd></dt><dd>${does}</dd></div>`)}
    </dl>
  </dialog>`;
}

/** Opens the sheet of keys; `[element or null, open]`. */
export function useKeySheet() {
  const [open, setOpen] = useState(false);
  return [open && html`<${KeySheet} close=${() => setOpen(false)} />`, () => setOpen(true)];
}
