/** The ask page: a question, an answer as it is written, and its way back to the sources. */
import { CitationCard, Sources, chipFor, citationAt, openCited, withSources } from "./citations.js";
import { askQuestion, isAnswering, startAnew, stopAnswer, turns } from "./conversation.js";
import { element, html, useEffect, useRef, useState } from "../core/dom.js";
import { getJson } from "../server/http.js";
import { Icon } from "../parts/icons.js";
import { Writing } from "./markdown.js";
import { Questions, useNewest } from "../parts/questions.js";
import { addressOf, addressWith, go, route } from "../core/route.js";
import { DemonstrationNote } from "../server/status.js";
import { useStore } from "../core/store.js";
import { baseName, count, counted, placeLabel, safeName } from "../core/wording.js";

/** @typedef {import("./conversation.js").Turn} Turn */

const HOVER_MS = 250;
const NOT_THERE = /^That is not in your library\.?\s*$/;

/** Say something to those who listen instead of look; said once. @param {string} text */
function say(text) {
  const line = document.createElement("p");
  line.textContent = text;
  element("spoken").append(line);
}

/** The growing text. Its finished blocks stay untouched. @param {{turn: Turn, point: (target: EventTarget | null, soon: boolean) => void, press: (chip: HTMLElement, touch: boolean) => void}} props */
function AnswerText({ turn, point, press }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const writing = useRef(/** @type {Writing | null} */ (null));
  const latest = useRef(turn);
  const spoken = useRef(turn.state === "done" ? Infinity : 0);
  const touched = useRef(false);
  latest.current = turn;
  useEffect(() => {
    if (!host.current) return;
    writing.current ??= new Writing(host.current, (n, nth) => chipFor(latest.current, n, nth));
    const blocks = writing.current.draw(turn.text, new Set(turn.citations.map(({ n }) => n)));
    const finished = turn.state === "writing" ? blocks.length - 1 : blocks.length;
    for (; spoken.current < finished; spoken.current += 1) say(blocks[spoken.current]);
    if (turn.state === "done" && spoken.current !== Infinity) {
      spoken.current = Infinity;
      say(`Answer ready, ${counted(new Set(turn.citations.map(({ n }) => n)).size, "source")}`);
    }
  }, [turn.text, turn.citations, turn.state]);
  const chipOf = (/** @type {Event} */ event) =>
    /** @type {HTMLElement | null} */ (event.target instanceof Element ? event.target.closest(".cite") : null);
  return html`<div class="answer" dir="auto" ref=${host} aria-busy=${turn.state === "writing"}
    onMouseOver=${(/** @type {Event} */ event) => point(chipOf(event), false)}
    onMouseOut=${() => point(null, false)}
    onFocusIn=${(/** @type {Event} */ event) => {
      const chip = chipOf(event);
      if (chip?.matches(":focus-visible")) point(chip, true);
    }}
    onFocusOut=${() => point(null, false)}
    onPointerDown=${(/** @type {PointerEvent} */ event) => (touched.current = event.pointerType === "touch")}
    onClick=${(/** @type {Event} */ event) => {
      const chip = chipOf(event);
      if (chip) press(chip, touched.current);
    }}></div>`;
}

/** What came of the answer, in sentences. @param {{turn: Turn, last: boolean}} props */
function Outcome({ turn, last }) {
  const [copied, setCopied] = useState(false);
  const { done, state, problem } = turn;
  const copy = async () => {
    await navigator.clipboard.writeText(withSources(turn)).then(() => setCopied(true), () => {});
    setTimeout(() => setCopied(false), 2500);
  };
  const again = last && html`<button class="quiet" onClick=${() => askQuestion(turn.question, turn.about)}><${Icon} name="rotate-cw" size="18" />Ask again</button>`;
  if (state === "failed") {
    return html`<div class="problem" role="alert"><${Icon} name="circle-alert" /><p>${problem?.sentence} <code>${problem?.code}</code></p>${again}</div>`;
  }
  if (state === "stopped") return html`<p class="outcome">Stopped. What is here stays. ${again}</p>`;
  if (state !== "done" || !done) return null;
  const { files, understood, failed } = done.coverage ?? { files: 0, understood: 0, failed: 0 };
  const checked = done.citations.filter(({ verified }) => verified).length;
  const said = [
    files > 0 && (understood + failed >= files ? `All ${count(files - failed)} files were understood.` : `Understood so far: ${count(understood)} of ${count(files)} files.`),
    checked > 0 && `${counted(checked, "quote")} checked.`,
    done.left_out > 0 && `${counted(done.left_out, "quote")} left out because ${done.left_out === 1 ? "it" : "they"} could not be confirmed.`,
    (done.reason === "length" || done.reason === "time") && "The answer was cut off at the limit.",
    done.reason === "repetition" && "The answer was ended because it began to repeat itself.",
  ].filter(Boolean);
  const figures = done.unfounded ?? [];
  return html`<div class="outcome">
    ${figures.length > 0 && html`<p class="doubt"><${Icon} name="triangle-alert" size="18" />Check before you believe it: ${figures.join(", ")} ${figures.length === 1 ? "stands" : "stand"} in none of the sources.</p>`}
    <p>${said.join(" ")}</p>
    ${!NOT_THERE.test(turn.text) && html`<button class="quiet" onClick=${copy}><${Icon} name=${copied ? "check" : "copy"} size="18" /><span role="status">${copied ? "Copied" : "Copy with sources"}</span></button>`}
  </div>`;
}

/** The library does not hold it: what was looked at, and the nearest. @param {{turn: Turn}} props */
function NotThere({ turn }) {
  const [nearest] = turn.sources;
  return html`<div class="answer not-there">
    <p><b>Not in your library.</b> ${turn.sources.length > 0 && html`I looked at ${counted(turn.sources.length, "place")}; the nearest is <a href=${addressOf(nearest.id, nearest.place)}><bdi>${safeName(nearest.title || baseName(nearest.path))}</bdi></a> ${placeLabel(nearest.place)}.`}</p>
  </div>`;
}

/** @param {{turn: Turn, last: boolean}} props */
function TurnView({ turn, last }) {
  const question = useRef(/** @type {HTMLElement | null} */ (null));
  const timer = useRef(0);
  const [card, setCard] = useState(/** @type {{chip: HTMLElement, citation: any} | null} */ (null));
  useEffect(() => {
    if (last && turn.state === "looking") question.current?.scrollIntoView({ block: "start", behavior: "instant" });
  }, []);
  useEffect(() => {
    if (turn.state === "looking") say("Answering");
  }, [turn.state]);
  const citationOf = (/** @type {HTMLElement} */ chip) => citationAt(turn, Number(chip.dataset.n), Number(chip.dataset.nth));
  const show = (/** @type {HTMLElement} */ chip) => setCard({ chip, citation: citationOf(chip) });
  const point = (/** @type {any} */ chip, /** @type {boolean} */ soon) => {
    clearTimeout(timer.current);
    if (chip) timer.current = setTimeout(() => show(chip), soon ? 0 : HOVER_MS);
    else timer.current = setTimeout(() => setCard(null), HOVER_MS);
  };
  const press = (/** @type {HTMLElement} */ chip, /** @type {boolean} */ touch) => {
    clearTimeout(timer.current);
    if (touch) {
      show(chip);
      return;
    }
    setCard(null);
    const citation = citationOf(chip);
    if (citation) openCited(citation, citation.quote);
  };
  const notThere = turn.state === "done" && NOT_THERE.test(turn.text);
  return html`<article class=${`turn ${last ? "last" : ""}`} aria-label=${turn.question}>
    <div class="said">
      <h2 class="question" ref=${question} dir="auto">${turn.question}</h2>
      ${turn.about && html`<p class="about">About <a href=${addressOf(turn.about.id, null)}><bdi>${turn.about.title}</bdi></a></p>`}
      ${turn.state === "looking" && html`<p class="looking" role="status"><span class="dots"><i /><i /><i /></span>${turn.sources.length ? `Reading ${counted(turn.sources.length, "place")}` : "Looking through your library"}</p>`}
      ${notThere ? html`<${NotThere} turn=${turn} />` : html`<${AnswerText} turn=${turn} point=${point} press=${press} />`}
      <${Outcome} turn=${turn} last=${last} />
    </div>
    <${Sources} turn=${turn} />
    ${card?.citation && html`<${CitationCard} turn=${turn} citation=${card.citation} anchor=${card.chip} close=${() => setCard(null)} stay=${() => clearTimeout(timer.current)} leave=${() => point(null, false)} />`}
  </article>`;
}

/** The title of the item a question is about. @param {string | null} id */
function useTitle(id) {
  const [title, setTitle] = useState("");
  useEffect(() => {
    setTitle("");
    if (id) getJson(`/api/items/${encodeURIComponent(id)}`).then((item) => setTitle(safeName(item.title || baseName(item.path))), () => {});
  }, [id]);
  return title;
}

/** @param {{about: {id: string, title: string} | null, busy: boolean, follow: boolean}} props */
function Composer({ about, busy, follow }) {
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
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  return html`<form class="composer" onSubmit=${send}>
    ${about && html`<p class="about">About <b><bdi>${about.title || "this"}</bdi></b>
      <button type="button" class="quiet" aria-label="Ask about everything instead" onClick=${() => go(addressWith({ about: null }), { replace: true })}><${Icon} name="x" size="16" /></button></p>`}
    <div class="field">
      <textarea ref=${field} rows="1" maxlength="2000" aria-label="Your question" placeholder=${follow ? "Ask a follow-up" : "Ask your library a question"} onKeyDown=${key}></textarea>
      ${busy
        ? html`<button type="button" class="main round" aria-label="Stop" title="Stop" onClick=${stopAnswer}><${Icon} name="circle-stop" /></button>`
        : html`<button class="main round" aria-label="Ask" title="Ask"><${Icon} name="arrow-up" /></button>`}
    </div>
  </form>`;
}

/** Shown when text grows out of sight: nothing scrolls by itself. @param {{busy: boolean, list: Turn[]}} props */
function NewText({ busy, list }) {
  const [below, setBelow] = useState(false);
  useEffect(() => {
    const end = document.querySelector(".turn.last .said")?.getBoundingClientRect().bottom ?? 0;
    setBelow(busy && end > innerHeight - 120);
  }, [list, busy]);
  const down = () => document.querySelector(".turn.last .outcome, .turn.last .answer > :last-child")?.scrollIntoView({ block: "center", behavior: "instant" });
  return below && html`<button class="pill-button" onClick=${down}>New text below</button>`;
}

export function AskPage() {
  const { query } = useStore(route);
  const list = useStore(turns);
  const files = useNewest();
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
    <h1 class=${list.length ? "unseen" : ""}>Ask your library</h1>
    ${list.length === 0 && html`<p class="lead">Answers come from your own files alone, and every statement leads back to its page, picture or second.</p>
      ${files && html`<${Questions} files=${files} />`}`}
    ${list.map((turn, at) => html`<${TurnView} key=${at} turn=${turn} last=${at === list.length - 1} />`)}
    <div class="dock">
      <${NewText} busy=${busy} list=${list} />
      <${Composer} about=${about} busy=${busy} follow=${list.length > 0} />
      ${list.length > 0 && html`<button class="quiet anew" onClick=${startAnew}><${Icon} name="plus" size="18" />New conversation</button>`}
    </div>
  </div>`;
}
