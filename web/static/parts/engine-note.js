/** What the model in use cannot do, where it says so: of another program, or the small readers. */
import { html } from "../core/dom.js";
import { useStore } from "../core/store.js";
import { libraryStatus } from "../server/status.js";
import { Icon } from "./icons.js";

export function EngineNote() {
  const status = useStore(libraryStatus);
  const { name, limits } = status?.model ?? {};
  if (!limits?.length) return null;
  return html`<p class="demonstration" role="note"><${Icon} name="circle-alert" size="18" /><span><b>${name}</b>: ${limits.join(" ")}</span></p>`;
}
