/** Server-sent events read by `fetch`: EventSource can neither post, nor abort cleanly. */
import { request, retryDelayS, wasAborted } from "./http.js";

/**
 * The events of a stream, however the network divides them.
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
        const event = parseFrame(frame);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} frame */
function parseFrame(frame) {
  let event = "message";
  const data = [];
  for (const line of frame.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}

/**
 * Follow a stream of state as long as the page is visible, and connect again after every break. A
 * hidden page disconnects, because a browser keeps only six connections to one server. Never used
 * for answers: those are not requested twice.
 * @param {string} path
 * @param {(data: any) => void} receive
 */
export async function followEvents(path, receive) {
  for (let failures = 0; ; ) {
    await pageVisible();
    const controller = new AbortController();
    const abortIfHidden = () => document.hidden && controller.abort();
    document.addEventListener("visibilitychange", abortIfHidden);
    try {
      for await (const { data } of eventsOf(await request(path, { signal: controller.signal }))) {
        failures = 0;
        receive(data);
      }
    } catch (error) {
      // Broken off, or refused: the next request tells which, and shows it.
      if (wasAborted(error) && !controller.signal.aborted) throw error;
    } finally {
      document.removeEventListener("visibilitychange", abortIfHidden);
    }
    if (controller.signal.aborted) continue;
    await new Promise((resolve) => setTimeout(resolve, 1000 * retryDelayS(failures)));
    failures += 1;
  }
}

/** Resolves as soon as the page is visible. */
async function pageVisible() {
  while (document.hidden) {
    await new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { once: true });
    });
  }
}
