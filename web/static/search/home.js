/** The start page, before a query: what can be asked, recent searches, the newest files. */
import { html } from "../core/dom.js";
import { addressOf } from "../core/route.js";
import { useStore } from "../core/store.js";
import { count, counted, day, remaining } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { PlayButton } from "../parts/play-button.js";
import { Questions } from "../parts/questions.js";
import { titleOf, useNewestFiles } from "../server/newest-files.js";
import { isWorking, libraryStatus } from "../server/status.js";
import { forgetSearch, recentSearches } from "./recent-searches.js";

function RecentSearches() {
  const texts = useStore(recentSearches);
  if (!texts.length) return null;
  return html`<section aria-label="Recent searches">
    <h2>Recent searches</h2>
    <ul class="recent">${texts.map((text) => html`<li key=${text}>
      <a href=${`/?${new URLSearchParams({ q: text })}`}><${Icon} name="clock" size="16" /><bdi>${text}</bdi></a>
      <button class="quiet" aria-label=${`Forget the search ${text}`} onClick=${() => forgetSearch(text)}><${Icon} name="x" size="16" /></button>
    </li>`)}</ul>
  </section>`;
}

/** @param {{files: Record<string, import("../server/newest-files.js").ReadFile[]>}} props */
function NewestFiles({ files }) {
  const { document: documents, photo: photos, recording: recordings } = files;
  return html`
    ${photos.length > 0 && html`<section aria-label="New photos">
      <h2 class="photo"><${Icon} name="image" size="18" />Photos</h2>
      <ul class="tiles">${photos.slice(0, 8).map((file) => html`<li key=${file.id}><a data-row href=${addressOf(file.id, null)}><img src=${`/api/items/${file.id}/thumb`} alt=${titleOf(file)} loading="lazy" decoding="async" /></a></li>`)}</ul>
    </section>`}
    <div class="pair">
      ${documents.length > 0 && html`<section aria-label="New documents">
        <h2 class="document"><${Icon} name="file-text" size="18" />Documents</h2>
        <ul class="compact-list">${documents.slice(0, 5).map((file) => html`<li key=${file.id}><a data-row href=${addressOf(file.id, { page: 1 })}>
          <span class="thumbnail document"><img src=${`/api/items/${file.id}/thumb`} alt="" width="40" height="52" loading="lazy" decoding="async" /></span>
          <span><bdi>${titleOf(file)}</bdi><small>${day(file.modified_at)}</small></span></a></li>`)}</ul>
      </section>`}
      ${recordings.length > 0 && html`<section aria-label="New recordings">
        <h2 class="recording"><${Icon} name="audio-lines" size="18" />Recordings</h2>
        <ul class="compact-list">${recordings.slice(0, 5).map((file) => html`<li key=${file.id}>
          <${PlayButton} id=${file.id} second=${0} title=${titleOf(file)} />
          <a data-row href=${addressOf(file.id, { start_s: 0 })}><span><bdi>${titleOf(file)}</bdi><small>${day(file.modified_at)}</small></span></a></li>`)}</ul>
      </section>`}
    </div>`;
}

/** The state of the library, in a sentence. */
function LibrarySummary() {
  const status = useStore(libraryStatus);
  if (!status) return html`<p class="lead"> </p>`;
  const { files, failed, understood } = status.coverage;
  if (!files) return html`<p class="lead">Choose a folder and Recollect reads it. Nothing leaves this computer. <a class="button main" href="/library">Choose a folder</a></p>`;
  const time = status.waiting ? "" : remaining(status.eta_s);
  const amount = `${counted(files, "file")} in ${counted(status.roots.length, "folder")}`;
  const state = isWorking(status)
    ? `${count(understood)} understood so far${time ? `, ${time} to go` : ""}`
    : failed ? `all understood but ${count(failed)}` : "all read and understood";
  return html`<p class="lead">${amount}, ${state}. Nothing leaves this computer.</p>`;
}

export function Home() {
  const files = useNewestFiles();
  const anyFile = files && Object.values(files).some((list) => list.length);
  return html`<div class="home">
    <h1>Find anything you have read, seen or heard.</h1>
    <${LibrarySummary} />
    ${files && html`<${Questions} files=${files} />`}
    <${RecentSearches} />
    ${anyFile && html`<${NewestFiles} files=${files} />`}
  </div>`;
}
