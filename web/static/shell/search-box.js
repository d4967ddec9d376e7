/** The search box in the header: it stands in index.html, so that it can be typed in before any script. */
import { searchBox } from "../core/dom.js";
import { addressWith, go, route } from "../core/route.js";
import { dropExample } from "../search/example.js";
import { rememberSearch } from "../search/recent-searches.js";
import { withParameters } from "../server/http.js";

/** The address of a query's results: filters stay, parameters of another page do not. @param {string} q */
function addressOfQuery(q) {
  if (route.value.section !== "search") return withParameters("/", { q });
  return addressWith({ q, item: null, page: null, t: null, track: null });
}

/** Is the present history entry one of a query that is being typed? */
const isTyping = () => Boolean(route.value.state.typed) && route.value.section === "search";

/** Handle the box, with what was typed before. Called once. */
export function startSearchBox() {
  const box = searchBox();
  const { section, query, state } = route.value;
  const typedEarly = box.value !== "" && box.value !== query.get("q");
  if (!typedEarly) box.value = query.get("q") ?? "";
  const type = () => {
    const replace = isTyping();
    go(addressOfQuery(box.value), { replace, state: { ...(replace ? route.value.state : {}), typed: true } });
  };
  box.addEventListener("input", type);
  if (typedEarly && (section === "search" || !state.typed)) type();
  box.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(box.value);
  });
  route.watch((current) => {
    const onSearch = current.section === "search";
    const text = onSearch ? (current.query.get("q") ?? "") : box.value;
    if (document.activeElement !== box && box.value !== text) box.value = text;
    else if (onSearch && box.value.trim() !== text.trim()) box.value = text;
  });
}

/** Enter: rank once, and remember the query. @param {string} text */
function submit(text) {
  if (text.trim()) rememberSearch(text.trim());
  go(addressOfQuery(text), { replace: isTyping(), state: {} });
  window.scrollTo(0, 0);
}

/** Esc while no layer is open: the box is emptied. */
export function emptySearchBox() {
  dropExample();
  searchBox().value = "";
  if (route.value.section === "search" && route.value.query.get("q")) {
    go("/", { replace: Boolean(route.value.state.typed) });
  }
}
