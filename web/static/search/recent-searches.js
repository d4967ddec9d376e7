/** Recent searches: kept in this browser only, each can be forgotten. */
import { Store } from "../core/store.js";

const KEY = "recent-searches";
const KEPT = 6;

/** @returns {string[]} */
function stored() {
  try {
    const read = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(read) ? read.filter((text) => typeof text === "string").slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

/** @type {Store<string[]>} newest first */
export const recent = new Store(stored());

/** @param {string[]} texts */
function keep(texts) {
  recent.set(texts);
  try {
    localStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // Without storage they last as long as the page.
  }
}

/** @param {string} text */
export function remember(text) {
  keep([text, ...recent.value.filter((other) => other !== text)].slice(0, KEPT));
}

/** @param {string} text */
export function forget(text) {
  keep(recent.value.filter((other) => other !== text));
}
