/** The address holds what is on screen; every entry of the history holds its scroll position. */
import { useEffect } from "./dom.js";
import { Store } from "./store.js";

/**
 * @typedef {import("../server/api.js").PlaceJson | null} Place
 * @typedef {object} Route
 * @property {"search" | "ask" | "library" | "settings" | "item"} section
 * @property {string | null} item the item open in the viewer
 * @property {number | null} page
 * @property {number | null} second
 * @property {number | null} track the sound track; null for the default one
 * @property {URLSearchParams} query
 * @property {{typed?: boolean, quote?: string, scroll?: number, pushed?: boolean}} state
 *   of the history entry: `typed` while a query is being typed, `quote` to be marked in the viewer,
 *   `scroll` in pixels, `pushed` for an entry of its own
 */

/** @returns {Route} */
function currentRoute() {
  const [, first, second] = location.pathname.split("/");
  const query = new URLSearchParams(location.search);
  const itemPage = first === "item" && second;
  return {
    section: itemPage ? "item" : first === "ask" || first === "library" || first === "settings" ? first : "search",
    item: itemPage ? decodeURIComponent(second) : query.get("item"),
    page: countedNumber(query.get("page")),
    track: countedNumber(query.get("track")),
    second: query.has("t") ? Math.max(0, Number(query.get("t")) || 0) : null,
    query,
    state: history.state ?? {},
  };
}

/** @param {string | null} text */
const countedNumber = (text) => (text && Number(text) >= 1 ? Math.floor(Number(text)) : null);

export const route = new Store(currentRoute());

/**
 * Go to an address of this application.
 * @param {string} address
 * @param {{replace?: boolean, state?: Route["state"]}} [options]
 */
export function go(address, { replace = false, state: { scroll: _, ...state } = {} } = {}) {
  const samePath = new URL(address, location.href).pathname === location.pathname;
  if (replace) {
    history.replaceState(state, "", address);
  } else {
    keepScroll();
    history.pushState({ ...state, pushed: true }, "", address);
    if (!samePath) window.scrollTo(0, 0);
  }
  route.set(currentRoute());
}

/**
 * The present address with some parameters changed; null removes one.
 * @param {Record<string, string | number | null>} changes
 * @param {string} [path]
 */
export function addressWith(changes, path = location.pathname) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(key);
    else query.set(key, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/**
 * The address that opens a place of an item beside what is on screen.
 * @param {string} id
 * @param {Place} place
 */
export function addressOf(id, place) {
  const changes = {
    item: id,
    page: place?.page ?? null,
    t: place?.start_s === undefined ? null : Math.round(place.start_s * 10) / 10,
    track: place?.track ?? null,
  };
  const path = location.pathname.startsWith("/item/") ? "/" : location.pathname;
  return addressWith(changes, path);
}

/** Close the viewer: back if opening it was a step, else by removing it from the address. */
export function closeItem() {
  if (route.value.section === "item") go("/");
  else if (route.value.state.pushed && history.length > 1 && openedSincePopstate) history.back();
  else go(addressWith({ item: null, page: null, t: null, track: null }), { replace: true });
}

let openedSincePopstate = false;

/**
 * Open a place of an item in the viewer.
 * @param {string} id
 * @param {Place} place
 * @param {string} [quote] the words to mark there
 */
export function openItem(id, place, quote) {
  const viewerOpen = route.value.item !== null;
  openedSincePopstate = viewerOpen ? openedSincePopstate : true;
  const state = { ...(viewerOpen ? route.value.state : {}), quote };
  go(addressOf(id, place), { replace: viewerOpen, state });
}

/** Store the scroll position in the history entry that is about to be left. */
function keepScroll() {
  history.replaceState({ ...history.state, scroll: window.scrollY }, "");
}

/** @param {MouseEvent} event a click with a modifier key or another button is left to the browser */
const isPlain = (event) =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

/**
 * A click handler for a link: a plain click calls `act` instead of following it.
 * @param {() => void} act
 * @returns {(event: MouseEvent) => void}
 */
export const onPlainClick = (act) => (event) => {
  if (!isPlain(event)) return;
  event.preventDefault();
  act();
};

/** Handle links and the back button. Called once. */
export function startRouting() {
  history.scrollRestoration = "manual";
  window.addEventListener("popstate", () => {
    openedSincePopstate = false;
    route.set(currentRoute());
  });
  window.addEventListener("pagehide", keepScroll);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || !isPlain(event)) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.target || link.hash) return;
    if (/^\/(api|static)\//.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/**
 * Restore the scroll position of a history entry, once its rows are drawn.
 * @param {string} ready a key of what is shown; empty until it is
 */
export function useScroll(ready) {
  useEffect(() => {
    const { scroll } = route.value.state;
    if (ready && scroll) window.scrollTo(0, scroll);
  }, [ready]);
}
