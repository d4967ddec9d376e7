/** The search box in the header: it stands in index.html, so that it is typable before any script. */
import { drop } from "../search/example.js";
import { withParameters } from "../server/http.js";
import { remember } from "../search/recent-searches.js";
import { addressWith, go, route } from "../core/route.js";

/** Where a query is answered: filters stay, what belongs to another page does not. @param {string} q */
function addressOfQuery(q) {
  if (route.value.place !== "search") return withParameters("/", { q });
  return addressWith({ q, item: null, page: null, t: null });
}

/** Take over the box, with what was typed before. Called once. */
export function startBox() {
  const box = /** @type {HTMLInputElement} */ (document.getElementById("q"));
  const { place, query, state } = route.value;
  const early = box.value !== "" && box.value !== query.get("q");
  if (!early) box.value = query.get("q") ?? "";
  const type = () => {
    const typing = route.value.state.typed && route.value.place === "search";
    go(addressOfQuery(box.value), { replace: Boolean(typing), state: { ...(typing ? route.value.state : {}), typed: true } });
  };
  box.addEventListener("input", type);
  if (early && (place === "search" || !state.typed)) type();
  box.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    commit(box.value);
  });
  route.watch(({ place: now, query: said }) => {
    const text = now === "search" ? (said.get("q") ?? "") : box.value;
    if (document.activeElement !== box && box.value !== text) box.value = text;
    else if (now === "search" && box.value.trim() !== text.trim()) box.value = text;
  });
}

/** Enter: sort once, and remember the question. @param {string} text */
function commit(text) {
  const typing = route.value.state.typed && route.value.place === "search";
  if (text.trim()) remember(text.trim());
  go(addressOfQuery(text), { replace: Boolean(typing), state: {} });
  window.scrollTo(0, 0);
}

/** Esc at the very bottom: the box is emptied. */
export function emptyBox() {
  const box = /** @type {HTMLInputElement} */ (document.getElementById("q"));
  drop();
  box.value = "";
  if (route.value.place === "search" && route.value.query.get("q")) {
    go("/", { replace: Boolean(route.value.state.typed) });
  }
}
