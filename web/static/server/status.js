/** What the library is doing: one stream of its status for all pages. */
import { Store } from "../core/store.js";
import { followEvents } from "./events.js";

/** @typedef {import("./api.js").StatusJson} StatusJson */

/** Null until the first event of the stream. */
export const libraryStatus = new Store(/** @type {StatusJson | null} */ (null));

/** Called once. */
export function startStatus() {
  followEvents("/api/status?stream=1", (data) => libraryStatus.set(data));
}

/** Is there reading or understanding left to do? @param {StatusJson} status */
export const isWorking = ({ coverage: { files, read, understood, failed } }) =>
  read + failed < files || understood + failed < files;
