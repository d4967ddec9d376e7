/** One question and its answer while it is written, with its citations and its outcome. */
import { element, html, useEffect, useRef, useState } from "../core/dom.js";
import { addressOf } from "../core/route.js";
import { baseName, count, counted, placeLabel, safeName } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { isRefusal } from "./answer-format.js";
import { CitationCard, citationChip } from "./citation-card.js";
import { citationAt, openCited, textWithSources } from "./cited.js";
import { askQuestion } from "./conversation.js";
import { AnswerRenderer } from "./markdown.js";
import { Sources } from "./sources.js";

/**
 * @typedef {import("./conversation.js").CitationJson} CitationJson
 * @typedef {import("./conversation.js").Turn} Turn
 */

const HOVER_MS = 250;
const COPIED_MS = 2500; // how long "Copied" is shown

/** Announce something to screen readers, once. @param {string} text */
function announce(text) {
  const line = document.createElement("p");
  line.textContent = text;
  element("announcements").append(line);
}

/**
 * The text of the answer. Its finished blocks stay untouched.
 * @param {object} props
 * @param {Turn} props.turn
 * @param {(chip: HTMLElement | null, atOnce: boolean) => void} props.onPoint a chip is hovered or focused; null when left
 * @param {(chip: HTMLElement, touch: boolean) => void} props.onPress
 */
function AnswerText({ turn, onPoint, onPress }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const renderer = useRef(/** @type {AnswerRenderer | null} */ (null));
  const latest = useRef(turn);
  const announced = useRef(turn.state === "looking" || turn.state === "writing" ? 0 : Infinity); // number of blocks
  const touched = useRef(false);
  latest.current = turn;
  useEffect(() => {
    if (!host.current) return;
    renderer.current ??= new AnswerRenderer(host.current, (n, nth) => citationChip(latest.current, n, nth));
    const blocks = renderer.current.draw(turn.text, new Set(turn.citations.map(({ n }) => n)));
    const finished = turn.state === "writing" ? blocks.length - 1 : blocks.length;
    for (; announced.current < finished; announced.current += 1) announce(blocks[announced.current]);
    if (turn.state === "done" && announced.current !== Infinity) {
      announced.current = Infinity;
      announce(`Answer ready, ${counted(new Set(turn.citations.map(({ n }) => n)).size, "source")}`);
    }
  }, [turn.text, turn.citations, turn.state]);
  const chipOf = (/** @type {Event} */ event) =>
    /** @type {HTMLElement | null} */ (event.target instanceof Element ? event.target.closest(".cite") : null);
  return html`<div class="answer" dir="auto" ref=${host} aria-busy=${turn.state === "writing"}
    onMouseOver=${(/** @type {Event} */ event) => onPoint(chipOf(event), false)}
    onMouseOut=${() => onPoint(null, false)}
    onFocusIn=${(/** @type {Event} */ event) => {
      const chip = chipOf(event);
      if (chip?.matches(":focus-visible")) onPoint(chip, true);
    }}
    onFocusOut=${() => onPoint(null, false)}
    onPointerDown=${(/** @type {PointerEvent} */ event) => (touched.current = event.pointerType === "touch")}
    onClick=${(/** @type {Event} */ event) => {
      const chip = chipOf(event);
      if (chip) onPress(chip, touched.current);
    }}></div>`;
}

/** How the answer ended, in sentences. @param {{turn: Turn, last: boolean}} props */
function Outcome({ turn, last }) {
  const [copied, setCopied] = useState(false);
  const { done, state, problem } = turn;
  const copy = async () => {
    await navigator.clipboard.writeText(textWithSources(turn)).then(() => setCopied(true), () => {});
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  const askAgain = last && html`<button class="quiet" onClick=${() => askQuestion(turn.question, turn.about)}><${Icon} name="rotate-cw" size="18" />Ask again</button>`;
  if (state === "failed") {
    return html`<div class="problem" role="alert"><${Icon} name="circle-alert" /><p>${problem?.sentence} <code>${problem?.code}</code></p>${askAgain}</div>`;
  }
  if (state === "stopped") return html`<p class="outcome">Stopped. What is here stays. ${askAgain}</p>`;
  if (state !== "done" || !done) return null;
  const { files, understood, failed } = done.coverage ?? { files: 0, understood: 0, failed: 0 };
  const checked = turn.citations.filter(({ verified, supports }) => verified && supports).length;
  const mentions = turn.citations.filter(({ supports }) => !supports).length;
  const sentences = [
    files > 0 && (understood + failed >= files ? `All ${count(files - failed)} files were understood.` : `Understood so far: ${count(understood)} of ${count(files)} files.`),
    checked > 0 && `${counted(checked, "quote")} checked.`,
    mentions > 0 && `${counted(mentions, "quote")} only ${mentions === 1 ? "mentions" : "mention"} it: read before you believe it.`,
    done.left_out > 0 && `${counted(done.left_out, "quote")} left out because ${done.left_out === 1 ? "it" : "they"} could not be confirmed.`,
    (done.reason === "length" || done.reason === "time") && "The answer was cut off at the limit.",
    done.reason === "repetition" && "The answer was ended because it began to repeat itself.",
  ].filter(Boolean);
  const figures = done.unfounded ?? [];
  return html`<div class="outcome">
    ${figures.length > 0 && html`<p class="unfounded"><${Icon} name="triangle-alert" size="18" />Check before you believe it: ${figures.join(", ")} ${figures.length === 1 ? "stands" : "stand"} in none of the sources.</p>`}
    <p>${sentences.join(" ")}</p>
    ${!isRefusal(turn.text) && html`<button class="quiet" onClick=${copy}><${Icon} name=${copied ? "check" : "copy"} size="18" /><span role="status">${copied ? "Copied" : "Copy with sources"}</span></button>`}
  </div>`;
}

/** The library does not hold the answer: how much was read, and the nearest source. @param {{turn: Turn}} props */
function NotInLibrary({ turn }) {
  const [nearest] = turn.sources;
  return html`<div class="answer not-in-library">
    <p><b>Not in your library.</b> ${turn.sources.length > 0 && html`I looked at ${counted(turn.sources.length, "place")}; the nearest is <a href=${addressOf(nearest.id, nearest.place)}><bdi>${safeName(nearest.title || baseName(nearest.path))}</bdi></a> ${placeLabel(nearest.place)}.`}</p>
  </div>`;
}

/** @param {{turn: Turn, last: boolean}} props */
export function TurnView({ turn, last }) {
  const question = useRef(/** @type {HTMLElement | null} */ (null));
  const timer = useRef(0);
  const [card, setCard] = useState(/** @type {{chip: HTMLElement, citation: CitationJson | undefined} | null} */ (null));
  useEffect(() => {
    if (last && turn.state === "looking") question.current?.scrollIntoView({ block: "start", behavior: "instant" });
  }, []);
  useEffect(() => {
    if (turn.state === "looking") announce("Answering");
  }, [turn.state]);
  const citationOf = (/** @type {HTMLElement} */ chip) => citationAt(turn, Number(chip.dataset.n), Number(chip.dataset.nth));
  const show = (/** @type {HTMLElement} */ chip) => setCard({ chip, citation: citationOf(chip) });
  const point = (/** @type {HTMLElement | null} */ chip, /** @type {boolean} */ atOnce) => {
    clearTimeout(timer.current);
    if (chip) timer.current = setTimeout(() => show(chip), atOnce ? 0 : HOVER_MS);
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
  const refused = turn.state === "done" && isRefusal(turn.text);
  return html`<article class=${`turn ${last ? "last" : ""}`} aria-label=${turn.question}>
    <div class="exchange">
      <h2 class="question" ref=${question} dir="auto">${turn.question}</h2>
      ${turn.about && html`<p class="about">About <a href=${addressOf(turn.about.id, null)}><bdi>${turn.about.title}</bdi></a></p>`}
      ${turn.state === "looking" && html`<p class="looking" role="status"><span class="dots"><i /><i /><i /></span>${turn.sources.length ? `Reading ${counted(turn.sources.length, "place")}` : "Looking through your library"}</p>`}
      ${refused ? html`<${NotInLibrary} turn=${turn} />` : html`<${AnswerText} turn=${turn} onPoint=${point} onPress=${press} />`}
      <${Outcome} turn=${turn} last=${last} />
    </div>
    <${Sources} turn=${turn} />
    ${card?.citation && html`<${CitationCard} turn=${turn} citation=${card.citation} anchor=${card.chip} close=${() => setCard(null)} onEnter=${() => clearTimeout(timer.current)} onLeave=${() => point(null, false)} />`}
  </article>`;
}
