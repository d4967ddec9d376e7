/** A value that components watch: how modules share state. */
import { useEffect, useState } from "./dom.js";

/** @template T */
export class Store {
  /** @param {T} value */
  constructor(value) {
    this.value = value;
    /** @type {Set<(value: T) => void>} */
    this.watchers = new Set();
  }

  /** Replace the value, and call every watcher if it is another one. @param {T} value */
  set(value) {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const watcher of [...this.watchers]) watcher(value);
  }

  /** Replace some fields of an object value. @param {Partial<T>} fields */
  change(fields) {
    this.set({ ...this.value, ...fields });
  }

  /**
   * Call `watcher` with every later value.
   * @param {(value: T) => void} watcher
   * @returns {() => void} stops it
   */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
}

/**
 * The value of `store`, drawn again whenever it changes.
 * @template T
 * @param {Store<T>} store
 * @returns {T}
 */
export function useStore(store) {
  const [, redraw] = useState(0);
  useEffect(() => store.watch(() => redraw((count) => count + 1)), [store]);
  return store.value;
}
