/** The pill in the header that says what the library is doing, and the bars below for what is wrong. */
import { html } from "../core/dom.js";
import { useStore } from "../core/store.js";
import { count, counted, remaining } from "../core/wording.js";
import { Icon } from "../parts/icons.js";
import { connection } from "../server/http.js";
import { isWorking, libraryStatus } from "../server/status.js";

/** @param {import("../server/api.js").StatusJson} status */
function pillText(status) {
  const { files, read, understood, failed } = status.coverage;
  if (!files) return "No files yet";
  const time = remaining(status.eta_s);
  if (read + failed < files) return `Reading · ${time || `${count(read)} of ${count(files)}`}`;
  if (understood + failed < files && status.waiting) return status.waiting.replace(/\.$/, "");
  if (understood + failed < files) return `Understanding · ${time || `${count(understood)} of ${count(files)}`}`;
  return `${counted(files - failed, "file")}, all understood`;
}

/** A link to the library page. */
export function StatusPill() {
  const status = useStore(libraryStatus);
  const { lost } = useStore(connection);
  if (lost) return html`<a class="pill bad" href="/library"><span class="dot" />Not running</a>`;
  if (!status) return html`<a class="pill" href="/library"><span class="dot" />Connecting</a>`;
  const working = isWorking(status);
  return html`<a class=${`pill ${working ? "working" : "good"}`} href="/library"><span class="dot" />${pillText(status)}</a>`;
}

/** The server does not answer, or does not know this browser any more. */
export function ConnectionBar() {
  const { lost, refused } = useStore(connection);
  const sentence = lost ? "Recollect is not running. Start it again and this page carries on." : refused;
  return (
    sentence &&
    html`<p class="bar bad" role="status"><${Icon} name="unplug" size="18" /><span>${sentence}</span></p>`
  );
}

/** The model cannot be used; searching by words still works. */
export function ModelBar() {
  const problem = useStore(libraryStatus)?.model.problem;
  return (
    problem &&
    html`<p class="bar bad" role="status"><${Icon} name="triangle-alert" size="18" /><span>${problem} Words are found without it.</span></p>`
  );
}

/** Where questions leave this machine, for as long as they do. */
export function HostBar() {
  const hosts = useStore(libraryStatus)?.model.remote_hosts;
  if (!hosts?.length) return null;
  return html`<p class="bar" role="note"><${Icon} name="arrow-right" size="18" /><span>Questions, and the files they are about, go to <b>${hosts.join(" and ")}</b>.</span></p>`;
}
