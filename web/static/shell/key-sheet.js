/** The sheet that lists all keys. */
import { html, useLayoutEffect, useRef } from "../core/dom.js";
import { useLayer } from "../core/keyboard.js";
import { Icon } from "../parts/icons.js";

const ENTRIES = [
  ["/", "Type in the search box"],
  ["↓ ↑", "Move through the results"],
  ["Enter", "Open; in the box: search"],
  ["Esc", "Close the topmost thing"],
  ["g s · g a · g l", "Search, Ask, Library"],
  ["n · p", "Next, previous page"],
  ["c", "Copy a link to this place"],
  ["a", "Ask about what is open"],
  ["k or Space", "Play, pause"],
  ["j · l", "Ten seconds back, forward"],
  ["t", "Follow the words while playing"],
  ["?", "This list"],
];

/** @param {{close: () => void}} props */
export function KeySheet({ close }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayer(true, close);
  useLayoutEffect(() => {
    const [sheet, opener] = [dialog.current, document.activeElement];
    sheet?.showModal();
    return () => {
      sheet?.close(); // as long as it is open, nothing behind it takes the focus
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return html`<dialog ref=${dialog} class="sheet" aria-labelledby="keys-title" onCancel=${(/** @type {Event} */ event) => {
    event.preventDefault();
    close();
  }}>
    <header>
      <h2 id="keys-title">Keys</h2>
      <button class="quiet square" aria-label="Close" onClick=${close}><${Icon} name="x" /></button>
    </header>
    <dl class="keys">
      ${ENTRIES.map(([keys, action]) => html`<div><dt><kbd>${keys}</kbd></dt><dd>${action}</dd></div>`)}
    </dl>
  </dialog>`;
}
