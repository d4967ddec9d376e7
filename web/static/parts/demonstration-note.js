/** The note that stands wherever the demonstration model answers; it cannot be closed. */
import { html } from "../core/dom.js";
import { useStore } from "../core/store.js";
import { libraryStatus } from "../server/status.js";
import { Icon } from "./icons.js";

export function DemonstrationNote() {
  const status = useStore(libraryStatus);
  if (!status?.model.demonstration) return null;
  return html`<p class="demonstration" role="note"><${Icon} name="sparkles" size="18" /><span><b>Demonstration model</b>: it understands the sample library only. Words find every file. A Gemma 4 12B on this machine is used with <code>--model DIRECTORY</code>.</span></p>`;
}
