/** Where we are: the address is the truth, and every entry of the history knows its scroll. */
import { useEffect } from "./dom.js";
import { Store } from "./store.js";

/**
 * @typedef {object} Route
 * @property {"search" | "ask" | "library" | "item"} place
 * @property {string | null} item the thing open in the viewer
 * @property {number | null} page
 * @property {number | null} second
 * @property {URLSearchParams} query
 * @property {{typed?: boolean, quote?: string, scroll?: number, pushed?: boolean, ask?: boolean}} state
 */

/** @returns {Route} */
function read() {
  const [, first, second] = location.pathname.split("/");
  const query = new URLSearchParams(location.search);
  const whole = first === "item" && second;
  return {
    place: whole ? "item" : first === "ask" || first === "library" ? first : "search",
    item: whole ? decodeURIComponent(second) : query.get("item"),
    page: counted(query.get("page")),
    second: query.has("t") ? Math.max(0, Number(query.get("t")) || 0) : null,
    query,
    state: history.state ?? {},
  };
}

/** @param {string | null} text */
const counted = (text) => (text && Number(text) >= 1 ? Math.floor(Number(text)) : null);

export const route = new Store(read());

/**
 * Go to an address of ours.
 * @param {string} address
 * @param {{replace?: boolean, state?: Route["state"]}} [how]
 */
export function go(address, { replace = false, state: { scroll, ...state } = {} } = {}) {
  const samePlace = new URL(address, location.href).pathname === location.pathname;
  if (replace) {
    history.replaceState(state, "", address);
  } else {
    keepScroll();
    history.pushState({ ...state, pushed: true }, "", address);
    if (!samePlace) window.scrollTo(0, 0);
  }
  route.set(read());
}

/**
 * The present address with some parameters changed; null takes one out.
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
 * Where a place of an item opens: beside what is on screen.
 * @param {string} id
 * @param {import("./wording.js").Place} place
 */
export function addressOf(id, place) {
  const where = {
    item: id,
    page: place?.page ?? null,
    t: place?.start_s === undefined ? null : Math.round(place.start_s * 10) / 10,
  };
  const path = location.pathname.startsWith("/item/") ? "/" : location.pathname;
  return addressWith(where, path);
}

/** Close the viewer: back if opening it was a step, else by taking it out of the address. */
export function closeItem() {
  if (route.value.place === "item") go("/");
  else if (route.value.state.pushed && history.length > 1 && openedHere) history.back();
  else go(addressWith({ item: null, page: null, t: null }), { replace: true });
}

let openedHere = false;

/**
 * Open a place of an item in the viewer.
 * @param {string} id
 * @param {import("./wording.js").Place} place
 * @param {string} [quote] the words to mark there
 */
export function openItem(id, place, quote) {
  const again = route.value.item !== null;
  openedHere = again ? openedHere : true;
  go(addressOf(id, place), { replace: again, state: { ...(again ? route.value.state : {}), quote } });
}

/** Remember how far down we are in the entry we are about to leave. */
function keepScroll() {
  history.replaceState({ ...history.state, scroll: window.scrollY }, "");
}

/** @param {MouseEvent} event a click that held keys and other buttons leave to the browser */
const isPlain = (event) =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

/**
 * For a link: what a plain click on it does instead of following it.
 * @param {() => void} act
 * @returns {(event: MouseEvent) => void}
 */
export const onPlainClick = (act) => (event) => {
  if (!isPlain(event)) return;
  event.preventDefault();
  act();
};

/** Take over links and the back button. Called once. */
export function startRouting() {
  history.scrollRestoration = "manual";
  window.addEventListener("popstate", () => {
    openedHere = false;
    route.set(read());
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
 * Put the page back where it was, once its rows are there.
 * @param {string} ready what is shown; empty until it is
 */
export function useScroll(ready) {
  useEffect(() => {
    const { scroll } = route.value.state;
    if (ready && scroll) window.scrollTo(0, scroll);
  }, [ready]);
}
