/**
 * Bring something in the viewer into sight. A viewer beside a list scrolls for itself, but a browser
 * moves the list along with it, and the way back would lead elsewhere.
 * @param {Element | null | undefined} element
 * @param {ScrollLogicalPosition} block
 */
export function reveal(element, block) {
  const { scrollX, scrollY } = window;
  element?.scrollIntoView({ block, behavior: "instant" });
  if (element?.closest(".viewer:not(.whole)")) window.scrollTo(scrollX, scrollY);
}
