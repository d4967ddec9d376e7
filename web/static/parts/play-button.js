/** The button that plays one passage where it is listed, without opening anything. */
import { html } from "../core/dom.js";
import { useStore } from "../core/store.js";
import { clock } from "../core/wording.js";
import { Icon } from "./icons.js";
import { pause, play, playFrom, playback } from "./sound.js";

/** @param {{id: string, second: number, end?: number, track?: number, title: string}} props */
export function PlayButton({ id, second, end, track, title }) {
  const current = useStore(playback);
  const loaded = current.id === id && current.track === (track ?? null) && current.from === second;
  const playing = loaded && current.playing;
  const share = loaded && end && end > second ? Math.min(1, Math.max(0, (current.second - second) / (end - second))) : 0;
  const label = `${playing ? "Pause" : "Play"} ${title} from ${clock(second)}`;
  const press = () => {
    if (playing) pause();
    else if (loaded && current.second > second) play();
    else playFrom(id, second, track ?? null);
  };
  return html`<button class=${`play ${playing ? "playing" : ""}`} aria-label=${label} style=${{ "--share": String(share) }} onClick=${press}>
    <${Icon} name=${loaded && current.broken ? "circle-alert" : playing ? "pause" : "play"} size="20" />
    <span class="position" aria-hidden="true">${clock(loaded && current.second > second ? current.second : second)}</span>
  </button>`;
}
