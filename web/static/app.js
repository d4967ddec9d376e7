/** The browser part of Recollect, from the top: three places, one viewer beside any of them. */
import { ThemeButton } from "./shell/theme-button.js";
import { emptyBox, startBox } from "./shell/search-box.js";
import { element, html, render, useEffect, useState } from "./core/dom.js";
import { Example, ExampleButton, startExamples } from "./search/example.js";
import { Icon, drawStaticIcons } from "./parts/icons.js";
import { focusFirstRow, startKeys, useKeySheet } from "./core/keyboard.js";
import { LibraryPage } from "./library/library-page.js";
import { go, route, startRouting } from "./core/route.js";
import { SearchPage } from "./search/search-page.js";
import { startSound } from "./parts/sound.js";
import { ConnectionBar, ModelBar, StatusPill, startStatus } from "./server/status.js";
import { useStore } from "./core/store.js";
import { Viewer } from "./viewer/viewer.js";

/** The ask page comes when it is wanted: it brings markdown-it, as large as all the rest. */
function AskPage() {
  const [page, setPage] = useState(/** @type {{AskPage: Function} | null} */ (null));
  useEffect(() => void import("./ask/ask-page.js").then(setPage), []);
  return page && html`<${page.AskPage} />`;
}

const PAGES = { search: SearchPage, ask: AskPage, library: LibraryPage };
const TITLES = { search: "Search", ask: "Ask", library: "Library", item: "Open" };
const OVERLAY = matchMedia("(max-width: 1099px)");

/** Is there too little room for the viewer to stand beside a page? */
function useOverlay() {
  const [narrow, setNarrow] = useState(OVERLAY.matches);
  useEffect(() => {
    const tell = () => setNarrow(OVERLAY.matches);
    OVERLAY.addEventListener("change", tell);
    return () => OVERLAY.removeEventListener("change", tell);
  }, []);
  return narrow;
}

/** What stands below the header: a page, and the viewer beside or over it. */
function Stage() {
  const { place, item, query } = useStore(route);
  const narrow = useOverlay();
  const covered = place !== "item" && item !== null && narrow;
  useEffect(() => {
    const asked = query.get("q");
    document.title = place === "search" && asked ? `${asked} · Recollect` : `${TITLES[place]} · Recollect`;
    for (const link of document.querySelectorAll("[data-place]")) {
      if (link.getAttribute("data-place") === place) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }, [place, query]);
  useEffect(() => {
    document.body.classList.toggle("covered", covered);
    for (const part of document.querySelectorAll("header.top, .skip")) part.toggleAttribute("inert", covered);
  }, [covered]);
  if (place === "item") return html`<main id="main" tabindex="-1"><${Viewer} key=${item} id=${item} whole=${true} overlay=${false} /></main>`;
  return html`
    <main id="main" tabindex="-1" inert=${covered}><${PAGES[place]} /></main>
    ${item && html`<${Viewer} id=${item} whole=${false} overlay=${narrow} />`}
  `;
}

function Layers() {
  const [sheet, open] = useKeySheet();
  useEffect(() => {
    startKeys({
      focusBox,
      help: open,
      places: { s: () => go("/"), a: () => go("/ask"), l: () => go("/library") },
      bottom: emptyBox,
    });
    element("help").addEventListener("click", open);
  }, []);
  return sheet;
}

function Tools() {
  return html`<${StatusPill} />
    <button id="help" class="quiet square wide-only" aria-label="Keys" title="Keys"><${Icon} name="keyboard" /></button>
    <${ThemeButton} />`;
}

function focusBox() {
  const box = /** @type {HTMLInputElement} */ (element("q"));
  box.focus();
  box.select();
}

startRouting();
drawStaticIcons();
startBox();
startSound();
startExamples();
startStatus();
render(html`<${Tools} />`, element("top-tools"));
render(html`<${Example} />`, element("example"));
render(html`<${ExampleButton} />`, element("box-tools"));
render(html`<${ConnectionBar} /><${ModelBar} />`, element("bars"));
render(html`<${Stage} />`, element("stage"));
render(html`<${Layers} />`, element("layers"));
element("q").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  focusFirstRow();
});
