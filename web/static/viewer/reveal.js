/**
 * Scroll an element of the viewer into view. A viewer beside a list has its own scroll position, but
 * the browser scrolls the list too; that is undone, so that closing leads back to the same rows.
 * @param {Element | null | undefined} element
 * @param {ScrollLogicalPosition} block
 */
export function reveal(element, block) {
  const { scrollX, scrollY } = window;
  element?.scrollIntoView({ block, behavior: "instant" });
  if (element?.closest(".viewer:not(.whole)")) window.scrollTo(scrollX, scrollY);
}
