/** What a long recording came to, beside its player: outline, decisions, actions, open questions, speakers. */
import { html, useState } from "../core/dom.js";
import { clock } from "../core/wording.js";
import { playFrom } from "../parts/sound.js";
import { sendJson } from "../server/http.js";

/**
 * @typedef {import("../server/api.js").RecordingJson} RecordingJson
 * @typedef {import("../server/api.js").PointJson} PointJson
 * @typedef {import("../server/api.js").SpeakerJson} SpeakerJson
 */

/** A second that plays. @param {{id: string, second: number, track: number | null}} props */
function Second({ id, second, track }) {
  return html`<button class="quiet time" aria-label=${`Play from ${clock(second)}`} onClick=${() => playFrom(id, second, track)}>${clock(second)}</button>`;
}

/** @param {{id: string, track: number | null, heading: string, points: PointJson[]}} props */
function Points({ id, track, heading, points }) {
  if (!points.length) return null;
  return html`<section><h3>${heading}</h3><ul>${points.map((point) => html`<li key=${point.start_s}>
    <${Second} id=${id} second=${point.start_s} track=${track} />
    <div><p dir="auto">${point.quote}</p>
      ${(point.who || point.due) && html`<p class="facts" dir="auto">${[point.who, point.due && `by ${point.due}`].filter(Boolean).join(" · ")}</p>`}</div>
  </li>`)}</ul></section>`;
}

/** A speaker, whose name can be changed. @param {{id: string, speaker: SpeakerJson, changed: (recording: RecordingJson) => void}} props */
function Speaker({ id, speaker, changed }) {
  const [editing, setEditing] = useState(false);
  const [problem, setProblem] = useState("");
  const keep = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const name = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("name") ?? "");
    try {
      changed(await sendJson("POST", `/api/items/${id}/recording/speaker`, { speaker: speaker.speaker, name }));
      setEditing(false);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  if (!editing) return html`<li><button class="quiet" aria-label=${`Name ${speaker.name}`} onClick=${() => setEditing(true)}><bdi>${speaker.name}</bdi></button></li>`;
  return html`<li><form onSubmit=${keep}>
    <input name="name" maxlength="80" aria-label=${`Name of ${speaker.name}`} defaultValue=${speaker.named ? speaker.name : ""} placeholder=${speaker.name} autofocus />
    <button>Keep</button>${problem && html`<p role="alert">${problem}</p>`}
  </form></li>`;
}

/** @param {{id: string, track: number | null, recording: RecordingJson, changed: (recording: RecordingJson) => void}} props */
export function Minutes({ id, track, recording, changed }) {
  const { speakers, sections, decisions, actions, questions } = recording;
  const address = (/** @type {string} */ format) => `/api/items/${id}/recording?format=${format}`;
  return html`<div class="minutes">
    ${recording.minutes === "waiting" && html`<p class="quiet-note">Its speakers, decisions and tasks appear here when it has been gone through.</p>`}
    ${speakers.length > 0 && html`<section><h3>Speakers</h3><ul class="speakers">${speakers.map((speaker) => html`<${Speaker} key=${speaker.speaker} id=${id} speaker=${speaker} changed=${changed} />`)}</ul></section>`}
    <${Points} id=${id} track=${track} heading="Decisions" points=${decisions} />
    <${Points} id=${id} track=${track} heading="Action items" points=${actions} />
    <${Points} id=${id} track=${track} heading="Open questions" points=${questions} />
    ${sections.length > 1 && html`<section><h3>Outline</h3><ul>${sections.map((section) => html`<li key=${section.start_s}><${Second} id=${id} second=${section.start_s} track=${track} /><p dir="auto">${section.title}</p></li>`)}</ul></section>`}
    ${recording.sentences.length > 0 && html`<p class="exports">Save as ${[["md", "minutes"], ["srt", "SRT"], ["vtt", "VTT"]].map(([format, label]) => html`<a class="button quiet" href=${address(format)} download>${label}</a>`)}</p>`}
  </div>`;
}
