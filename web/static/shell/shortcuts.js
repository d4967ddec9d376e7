/**
 * The one handler of all keys: Esc, the shortcuts of every page, then those of what is drawn. It
 * compares `event.key` alone: "/" and "?" need Shift on some keyboards and none on others.
 */
import { callBinding, closeTopLayer } from "../core/keyboard.js";
import { moveBetweenRows } from "./row-focus.js";

const SEQUENCE_MS = 1000; // how long "g" waits for its second key

/** @param {EventTarget | null} target */
const isTextField = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("input:not([type=range]), textarea, select"));

/**
 * Start listening; called once.
 * @param {object} actions
 * @param {() => void} actions.focusBox "/" and Ctrl+K
 * @param {Record<string, () => void>} actions.sections by the key after "g"
 * @param {() => void} actions.help "?"
 * @param {() => void} actions.escape Esc while no layer is open
 */
export function startShortcuts({ focusBox, sections, help, escape }) {
  let prefix = ""; // "g" while its second key is awaited
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const control = event.ctrlKey || event.metaKey;
    if (event.key === "Escape") {
      event.preventDefault();
      if (!closeTopLayer()) escape();
      return;
    }
    if (control && event.key.toLowerCase() === "k") {
      event.preventDefault();
      focusBox();
      return;
    }
    if (control || event.altKey || isTextField(event.target)) return;
    if (moveBetweenRows(event)) return;
    if (prefix === "g" && sections[event.key]) sections[event.key]();
    else if (event.key === "/") focusBox();
    else if (event.key === "?") help();
    else if (!callBinding(event)) {
      prefix = event.key === "g" ? "g" : "";
      if (prefix) setTimeout(() => (prefix = ""), SEQUENCE_MS);
      return;
    }
    prefix = "";
    event.preventDefault();
  });
}
