/** Server-sent events read by `fetch`: EventSource can neither post, nor abort cleanly. */
import { ask, waitS, wasAborted } from "./http.js";

/**
 * The events of a stream, one by one, however the network cut them.
 * @param {Response} response
 * @returns {AsyncGenerator<{event: string, data: any}>}
 */
export async function* eventsOf(response) {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const frames = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) {
        const event = read(frame);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} frame */
function read(frame) {
  let event = "message";
  const data = [];
  for (const line of frame.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}

/**
 * Follow a stream of state for as long as the page is seen, coming back after every break. A hidden
 * page lets go, because a browser keeps only six connections to one server. Never used for answers:
 * those are not asked twice.
 * @param {string} path
 * @param {(data: any) => void} tell
 */
export async function follow(path, tell) {
  for (let failures = 0; ; ) {
    await seen();
    const stop = new AbortController();
    const hide = () => document.hidden && stop.abort();
    document.addEventListener("visibilitychange", hide);
    try {
      for await (const { data } of eventsOf(await ask(path, { signal: stop.signal }))) {
        failures = 0;
        tell(data);
      }
    } catch (error) {
      // Lost in the middle, or refused: asking again tells which, and says so.
      if (wasAborted(error) && !stop.signal.aborted) throw error;
    } finally {
      document.removeEventListener("visibilitychange", hide);
    }
    if (stop.signal.aborted) continue;
    await new Promise((wake) => setTimeout(wake, 1000 * waitS(failures)));
    failures += 1;
  }
}

/** Resolves as soon as the page can be seen. */
async function seen() {
  while (document.hidden) {
    await new Promise((wake) => {
      document.addEventListener("visibilitychange", wake, { once: true });
    });
  }
}
