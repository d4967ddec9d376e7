/**
 * The browser's side of Recollect, from the top: three sections, and the viewer beside any of them.
 *
 *   app.js     draws the parts of index.html and starts what listens
 *   shell/     what surrounds every page: search box, status pill, theme, keys
 *   ask/       the ask page: conversation, answers as they are written, citations
 *   library/   the library page: folders, progress, all files; settings
 *   viewer/    one item open at a place: pages, photos, recordings
 *   search/    the search page: results, example, start page
 *   parts/     components that several pages draw
 *   server/    requests, the status of the library, the types of the JSON
 *   core/      drawing, stores, the address, keys, values as text
 *
 * A folder imports from those below it only. CSS lies beside the modules that use it.
 */
import { element, html, render, searchBox, useEffect, useState } from "./core/dom.js";
import { go, route, startRouting } from "./core/route.js";
import { useStore } from "./core/store.js";
import { LibraryPage } from "./library/library-page.js";
import { SettingsPage } from "./library/settings-page.js";
import { Icon, drawStaticIcons } from "./parts/icons.js";
import { startSound } from "./parts/sound.js";
import { ExampleButton, ExampleChip, startExamples } from "./search/example.js";
import { SearchPage } from "./search/search-page.js";
import { startStatus } from "./server/status.js";
import { KeySheet } from "./shell/key-sheet.js";
import { focusFirstRow } from "./shell/row-focus.js";
import { emptySearchBox, startSearchBox } from "./shell/search-box.js";
import { startShortcuts } from "./shell/shortcuts.js";
import { ConnectionBar, HostBar, ModelBar, StatusPill } from "./shell/status-bars.js";
import { ThemeButton } from "./shell/theme-button.js";
import { Viewer } from "./viewer/viewer.js";

/** The ask page is loaded when it is opened: it needs markdown-it, as large as all the rest. */
function AskPage() {
  const [module, setModule] = useState(/** @type {typeof import("./ask/ask-page.js") | null} */ (null));
  useEffect(() => void import("./ask/ask-page.js").then(setModule), []);
  return module && html`<${module.AskPage} />`;
}

const PAGES = { search: SearchPage, ask: AskPage, library: LibraryPage, settings: SettingsPage };
const TITLES = { search: "Search", ask: "Ask", library: "Library", settings: "Settings", item: "Open" };
const NARROW = matchMedia("(max-width: 1099px)");

/** Is there too little room for the viewer to stand beside a page? */
function useNarrow() {
  const [narrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const update = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", update);
    return () => NARROW.removeEventListener("change", update);
  }, []);
  return narrow;
}

/** What stands below the header: a page, and the viewer beside or over it. */
function Stage() {
  const { section, item, query } = useStore(route);
  const narrow = useNarrow();
  const covered = section !== "item" && item !== null && narrow;
  useEffect(() => {
    const text = query.get("q");
    document.title = section === "search" && text ? `${text} · Recollect` : `${TITLES[section]} · Recollect`;
    for (const link of document.querySelectorAll("[data-section]")) {
      if (link.getAttribute("data-section") === section) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }, [section, query]);
  useEffect(() => {
    document.body.classList.toggle("covered", covered);
    for (const part of document.querySelectorAll("header.top, .skip")) part.toggleAttribute("inert", covered);
  }, [covered]);
  if (section === "item") return html`<main id="main" tabindex="-1"><${Viewer} key=${item} id=${item} whole=${true} overlay=${false} /></main>`;
  return html`
    <main id="main" tabindex="-1" inert=${covered}><${PAGES[section]} /></main>
    ${item && html`<${Viewer} id=${item} whole=${false} overlay=${narrow} />`}
  `;
}

/** The sheet of keys, and the shortcuts that work on every page. */
function Layers() {
  const [sheetOpen, setSheetOpen] = useState(false);
  useEffect(() => {
    const help = () => setSheetOpen(true);
    startShortcuts({
      focusBox,
      help,
      sections: { s: () => go("/"), a: () => go("/ask"), l: () => go("/library") },
      escape: emptySearchBox,
    });
    element("help").addEventListener("click", help);
  }, []);
  return sheetOpen && html`<${KeySheet} close=${() => setSheetOpen(false)} />`;
}

function Tools() {
  return html`<${StatusPill} />
    <a class="button quiet square wide-only" href="/settings" aria-label="Settings" title="Settings"><${Icon} name="settings" /></a>
    <button id="help" class="quiet square wide-only" aria-label="Keys" title="Keys"><${Icon} name="keyboard" /></button>
    <${ThemeButton} />`;
}

function focusBox() {
  searchBox().focus();
  searchBox().select();
}

startRouting();
drawStaticIcons();
startSearchBox();
startSound();
startExamples();
startStatus();
render(html`<${Tools} />`, element("top-tools"));
render(html`<${ExampleChip} />`, element("example"));
render(html`<${ExampleButton} />`, element("box-tools"));
render(html`<${HostBar} /><${ConnectionBar} /><${ModelBar} />`, element("bars"));
render(html`<${Stage} />`, element("stage"));
render(html`<${Layers} />`, element("layers"));
searchBox().addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  focusFirstRow();
});
