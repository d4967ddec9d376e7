/** The ask page: the conversation, and the field for the next question. */
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { addressWith, go, route } from "../core/route.js";
import { useStore } from "../core/store.js";
import { baseName, safeName } from "../core/wording.js";
import { DemonstrationNote } from "../parts/demonstration-note.js";
import { EngineNote } from "../parts/engine-note.js";
import { Icon } from "../parts/icons.js";
import { Questions } from "../parts/questions.js";
import { connection, getJson } from "../server/http.js";
import { useNewestFiles } from "../server/newest-files.js";
import { ConversationHead } from "./conversation-head.js";
import { ConversationList } from "./conversation-list.js";
import { askQuestion, conversation, isAnswering, lastOpened, openConversation, opened, startConversation, stopAnswer } from "./conversation.js";
import { TurnView } from "./turn.js";

/** The title of the item a question is about; "" until it is known. @param {string | null} id */
function useTitle(id) {
  const [title, setTitle] = useState("");
  useEffect(() => {
    setTitle("");
    if (!id) return;
    getJson(`/api/items/${encodeURIComponent(id)}`).then(
      (item) => setTitle(safeName(item.title || baseName(item.path))),
      () => {},
    );
  }, [id]);
  return title;
}

/** @param {{about: import("./conversation.js").Subject | null, busy: boolean, followUp: boolean}} props */
function Composer({ about, busy, followUp }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => {
    if (!matchMedia("(pointer: coarse)").matches) field.current?.focus({ preventScroll: true });
  }, [about?.id]);
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    const question = field.current?.value.trim();
    if (!question || busy || !field.current) return;
    field.current.value = "";
    askQuestion(question, about);
  };
  const sendOnEnter = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  return html`<form class="composer" onSubmit=${send}>
    ${about && html`<p class="about">About <b><bdi>${about.title || "this"}</bdi></b>
      <button type="button" class="quiet" aria-label="Ask about everything instead" onClick=${() => go(addressWith({ about: null }), { replace: true })}><${Icon} name="x" size="16" /></button></p>`}
    <div class="field">
      <textarea ref=${field} rows="1" maxlength="2000" aria-label="Your question" placeholder=${followUp ? "Ask a follow-up" : "Ask your library a question"} onKeyDown=${sendOnEnter}></textarea>
      ${busy
        ? html`<button type="button" class="main round" aria-label="Stop" title="Stop" onClick=${stopAnswer}><${Icon} name="circle-stop" /></button>`
        : html`<button class="main round" aria-label="Ask" title="Ask"><${Icon} name="arrow-up" /></button>`}
    </div>
  </form>`;
}

/** Shown while the answer grows below the window: the page does not scroll by itself. @param {{busy: boolean, turns: import("./conversation.js").Turn[]}} props */
function NewTextBelow({ busy, turns }) {
  const [below, setBelow] = useState(false);
  useEffect(() => {
    const bottom = document.querySelector(".turn.last .exchange")?.getBoundingClientRect().bottom ?? 0;
    setBelow(busy && bottom > innerHeight - 120);
  }, [turns, busy]);
  const scrollDown = () => document.querySelector(".turn.last .outcome, .turn.last .answer > :last-child")?.scrollIntoView({ block: "center", behavior: "instant" });
  return below && html`<button class="pill-button" onClick=${scrollDown}>New text below</button>`;
}

/** The address names the open conversation; without one it is that which the tab had open last. */
function useOpenConversation() {
  const { query } = useStore(route);
  const { epoch } = useStore(connection);
  const id = query.get("c");
  useEffect(() => {
    const last = lastOpened();
    if (id) openConversation(id);
    else if (last) go(addressWith({ c: last }), { replace: true });
  }, [id, epoch]);
}

/** To the start of the page, where all conversations are listed. */
function leaveConversation() {
  startConversation();
  go(addressWith({ c: null, item: null, page: null, t: null, track: null }));
}

export function AskPage() {
  useOpenConversation();
  const { query } = useStore(route);
  const { shown, problem } = useStore(opened);
  const turns = useStore(conversation);
  const files = useNewestFiles();
  const id = query.get("about");
  const title = useTitle(id);
  const about = id ? { id, title } : null;
  const question = query.get("question");
  const busy = isAnswering();
  useEffect(() => {
    if (!question || (id && !title)) return;
    go(addressWith({ question: null }), { replace: true });
    askQuestion(question, about);
  }, [question, id, title]);
  return html`<div class="ask">
    <${DemonstrationNote} />
    <${EngineNote} />
    ${turns.length ? html`<${ConversationHead} leave=${leaveConversation} />` : html`<h1>Ask your library</h1>`}
    ${problem && html`<p class="problem" role="alert"><${Icon} name="circle-alert" size="18" />${problem}</p>`}
    ${turns.length === 0 && html`<p class="lead">Answers come from your own files alone, and every statement leads back to its page, picture or second.</p>
      ${files && html`<${Questions} files=${files} />`}
      <${ConversationList} />`}
    ${turns.map((turn, index) => html`<${TurnView} key=${`${shown} ${index}`} turn=${turn} last=${index === turns.length - 1} />`)}
    <div class="dock">
      <${NewTextBelow} busy=${busy} turns=${turns} />
      <${Composer} about=${about} busy=${busy} followUp=${turns.length > 0} />
      ${turns.length > 0 && html`<button class="quiet" onClick=${leaveConversation}><${Icon} name="plus" size="18" />New conversation</button>`}
    </div>
  </div>`;
}
