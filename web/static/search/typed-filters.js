/** Filters that were typed among the words, as the library understood them: each can be taken back. */
import { html, searchBox } from "../core/dom.js";
import { addressWith, go, route } from "../core/route.js";
import { Icon } from "../parts/icons.js";

/** @typedef {import("../server/api.js").FilterJson} FilterJson */

/**
 * Take a filter out of the query; one that was guessed is searched for as words instead.
 * @param {FilterJson} filter
 */
function takeBack({ text, literal }) {
  const query = route.value.query.get("q") ?? "";
  const q = query.replace(text, () => literal ?? "").replace(/\s+/g, " ").trim();
  searchBox().value = q;
  go(addressWith({ q, item: null }));
}

/** @param {FilterJson} filter */
const undoTitle = ({ text, literal }) => (literal ? `Search for the words ${literal} instead` : `Take ${text} out`);

/** @param {{filters: FilterJson[]}} props */
export function TypedFilters({ filters }) {
  if (!filters.length) return null;
  return html`<ul class="typed-filters" aria-label="Understood from what you typed">
    ${filters.map((filter) => html`<li class=${filter.problem ? "typed-filter unknown" : "typed-filter"} key=${filter.text}>
      <span>${filter.problem ?? filter.label}</span>
      <button type="button" class="quiet" title=${undoTitle(filter)} aria-label=${undoTitle(filter)}
        onClick=${() => takeBack(filter)}><${Icon} name="x" size="14" /></button>
    </li>`)}
  </ul>`;
}
