/** Arrow keys move the focus between results: rows up and down, photos also left and right. */
import { searchBox } from "../core/dom.js";

const allRows = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#main [data-row]")]);

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} whether it was an arrow key on a row
 */
export function moveBetweenRows(event) {
  const current = event.target;
  if (!(current instanceof HTMLElement) || !current.matches("[data-row]")) return false;
  const rows = allRows();
  const index = rows.indexOf(current);
  const from = current.getBoundingClientRect();
  const middle = from.left + from.width / 2;
  const distance = (/** @type {HTMLElement} */ row) => {
    const box = row.getBoundingClientRect();
    return Math.abs(box.top - from.top) * 4 + Math.abs(box.left + box.width / 2 - middle);
  };
  const nearest = (/** @type {(box: DOMRect) => boolean} */ condition) =>
    rows.filter((row) => condition(row.getBoundingClientRect())).sort((a, b) => distance(a) - distance(b))[0];
  const inGrid = Boolean(current.closest(".photos"));
  let target;
  if (event.key === "ArrowDown") target = nearest((box) => box.top >= from.bottom - 2);
  else if (event.key === "ArrowUp") target = nearest((box) => box.bottom <= from.top + 2) ?? searchBox();
  else if (event.key === "ArrowRight" && inGrid) target = rows[index + 1];
  else if (event.key === "ArrowLeft" && inGrid) target = rows[index - 1];
  else return false;
  event.preventDefault();
  target?.focus();
  return true;
}

/** From the search box down into the results. */
export function focusFirstRow() {
  allRows()[0]?.focus();
}
