/** The keys a component takes while it is drawn, and the layers that Esc closes. */
import { useLayoutEffect, useRef } from "./dom.js";

/** @typedef {Record<string, (event: KeyboardEvent) => void>} Bindings handlers by `KeyboardEvent.key` */

/** @type {{close: () => void}[]} what Esc closes, the topmost last */
const layers = [];

/** @type {Bindings[]} the innermost last */
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

/** Close the topmost layer. @returns {boolean} whether there was one */
export function closeTopLayer() {
  const top = layers.at(-1);
  top?.close();
  return top !== undefined;
}

/**
 * Keys that work while the calling component is drawn, outside of text fields.
 * @param {Bindings} keys
 */
export function useKeys(keys) {
  const latest = useRef(keys);
  latest.current = keys;
  useLayoutEffect(() => {
    /** @type {Bindings} */
    const bound = {};
    for (const name of Object.keys(latest.current)) bound[name] = (event) => latest.current[name]?.(event);
    bindings.push(bound);
    return () => void bindings.splice(bindings.indexOf(bound), 1);
  }, []);
}

/**
 * Call the innermost handler of a key. Space on a button or link stays with that.
 * @param {KeyboardEvent} event
 * @returns {boolean} whether there was one
 */
export function callBinding(event) {
  const focused = event.target instanceof HTMLElement ? event.target : null;
  if (event.key === " " && focused?.closest("button, summary, a, [role=button]")) return false;
  const innermost = bindings.findLast((bound) => event.key in bound);
  innermost?.[event.key](event);
  return innermost !== undefined;
}
