/** The conversations that are kept, found by their words. */
import { html, useEffect, useState } from "../core/dom.js";
import { useStore } from "../core/store.js";
import { count, counted, day } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { connection, getJson, wasAborted } from "../server/http.js";

/** @typedef {import("../server/api.js").ConversationsJson} ConversationsJson */

const PAGE = 20;
const MOST = 200; // that the server lists at once
const PAUSE_MS = 120; // of typing, before it is searched

export function ConversationList() {
  const [words, setWords] = useState("");
  const [limit, setLimit] = useState(PAGE);
  const [page, setPage] = useState(/** @type {ConversationsJson | null} */ (null));
  const { epoch } = useStore(connection);
  useEffect(() => {
    const controller = new AbortController();
    const fetchPage = () =>
      getJson("/api/conversations", { q: words.trim(), limit }, controller.signal).then(
        setPage,
        (error) => wasAborted(error) || setPage((present) => present ?? { count: 0, conversations: [] }),
      );
    const timer = setTimeout(fetchPage, page ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [words, limit, epoch]);
  if (!page || (!page.count && !words)) return null;
  const { conversations } = page;
  return html`<section class="conversations" aria-labelledby="conversations-title">
    <header>
      <h2 id="conversations-title">Conversations <span class="number">${count(page.count)}</span></h2>
      <label><span class="visually-hidden">Search the conversations</span>
        <input type="search" placeholder="Search the conversations" maxlength="200" spellcheck="false" autocomplete="off"
          onInput=${(/** @type {Event} */ event) => setWords(/** @type {HTMLInputElement} */ (event.target).value)} /></label>
    </header>
    ${conversations.length === 0 && html`<p class="quiet-note" role="status">No conversation has these words.</p>`}
    <ul>${conversations.map(({ id, title, questions, changed_at }) => html`<li key=${id}>
      <a data-row href=${`/ask?${new URLSearchParams({ c: id })}`}><${Icon} name="message-square-text" size="18" />
        <bdi>${title}</bdi><small>${counted(questions, "question")} · ${day(changed_at)}</small></a>
    </li>`)}</ul>
    ${conversations.length < page.count && limit < MOST && html`<button class="quiet" onClick=${() => setLimit(Math.min(MOST, limit + PAGE))}>More conversations</button>`}
  </section>`;
}
