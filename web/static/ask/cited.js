/** What is cited: its title, the place in it, its picture, and opening it. */
import { openItem } from "../core/route.js";
import { KINDS, attachedTo, baseName, placeLabel, safeName } from "../core/wording.js";
import { playFrom } from "../parts/sound.js";

/**
 * @typedef {import("./conversation.js").CitationJson} CitationJson
 * @typedef {import("./conversation.js").SourceJson} SourceJson
 * @typedef {import("./conversation.js").Turn} Turn
 */

const LEAD_S = 1; // a cited recording plays from this much before its place

/**
 * The citation behind the `nth` mark `[n]` of an answer.
 * @param {Turn} turn
 * @param {number} n
 * @param {number} nth
 * @returns {CitationJson | undefined}
 */
export function citationAt(turn, n, nth) {
  const ofSource = turn.citations.filter((citation) => citation.n === n);
  return ofSource[Math.min(nth, ofSource.length - 1)];
}

/** @param {Turn} turn @param {CitationJson} citation */
export function citedTitle(turn, citation) {
  const source = turn.sources.find(({ n }) => n === citation.n);
  return safeName(source?.title || baseName(citation.path));
}

/** The place in what is cited, and the mail it was attached to. @param {CitationJson | SourceJson} cited */
export function citedPlace({ kind, place, attached_to }) {
  const within = placeLabel(place) || (kind === "photo" ? KINDS.photo[0] : "");
  return [within, attachedTo(attached_to)].filter(Boolean).join(" · ");
}

/** What its quote is. @param {CitationJson} citation */
export const quotedFrom = ({ source }) =>
  source === "transcript" ? "from the transcript" : source === "caption" ? "from the caption" : "text of the page";

/** The address of its picture. @param {CitationJson | SourceJson} cited */
export const citedPicture = ({ id, kind, place }) =>
  kind === "document" ? `/api/items/${id}/page/${place?.page ?? 1}?w=240` : `/api/items/${id}/thumb`;

/** Open what is cited at its place; a recording plays from just before it. @param {CitationJson | SourceJson} cited @param {string} quote */
export function openCited(cited, quote) {
  openItem(cited.id, cited.place, quote);
  const start = cited.place?.start_s;
  if (cited.kind === "recording" && start !== undefined) playFrom(cited.id, Math.max(0, start - LEAD_S), cited.place?.track ?? null);
}

/**
 * Text for the clipboard: the answer, then each source with its quote.
 * @param {Turn} turn
 */
export function textWithSources(turn) {
  const lines = turn.citations.map((citation) => {
    const name = citation.attached_to ? safeName(citation.title) : baseName(citation.path);
    const place = citedPlace(citation);
    return `[${citation.n}] ${name}${place && `, ${place}`}${citation.supports ? "" : ", mentions"}: "${citation.quote}"`;
  });
  return [turn.text, ...new Set(lines)].join("\n");
}
