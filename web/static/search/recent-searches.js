/** Recent searches: stored in this browser only; each can be removed. */
import { Store } from "../core/store.js";

const KEY = "recent-searches";
const LIMIT = 6;

/** @returns {string[]} */
function stored() {
  try {
    const texts = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(texts) ? texts.filter((text) => typeof text === "string").slice(0, LIMIT) : [];
  } catch {
    return [];
  }
}

/** @type {Store<string[]>} newest first */
export const recentSearches = new Store(stored());

/** @param {string[]} texts */
function store(texts) {
  recentSearches.set(texts);
  try {
    localStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // Without storage they are kept until the page is closed.
  }
}

/** @param {string} text */
export function rememberSearch(text) {
  store([text, ...recentSearches.value.filter((other) => other !== text)].slice(0, LIMIT));
}

/** @param {string} text */
export function forgetSearch(text) {
  store(recentSearches.value.filter((other) => other !== text));
}
