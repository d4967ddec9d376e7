/** The newest files of each kind. */
import { useEffect, useState } from "../core/dom.js";
import { useStore } from "../core/store.js";
import { baseName } from "../core/wording.js";
import { connection, getJson } from "./http.js";
import { libraryStatus } from "./status.js";

/**
 * @typedef {import("./api.js").FileJson & {id: string}} ReadFile a file that can be opened
 * @typedef {Record<string, ReadFile[]>} FilesByKind
 */

const KINDS = ["document", "photo", "recording"];
const LIMIT = 12; // of each kind

/** The name of a file without its ending, as a title. @param {ReadFile} file */
export const titleOf = (file) => baseName(file.name).replace(/\.[^.]+$/, "").replace(/[-_]+/g, " ").trim();

/**
 * Requested again when the number of read files changes.
 * @returns {FilesByKind | null} the newest first; null until they are known
 */
export function useNewestFiles() {
  const [files, setFiles] = useState(/** @type {FilesByKind | null} */ (null));
  const { epoch } = useStore(connection);
  const read = useStore(libraryStatus)?.coverage.read ?? -1;
  useEffect(() => {
    const controller = new AbortController();
    const requests = KINDS.map((kind) => getJson("/api/files", { kind, limit: LIMIT }, controller.signal));
    Promise.all(requests).then(
      (answers) => setFiles(Object.fromEntries(KINDS.map((kind, index) => [kind, newestFirst(answers[index].files)]))),
      () => {},
    );
    return () => controller.abort();
  }, [read, epoch]);
  return files;
}

/** @param {import("./api.js").FileJson[]} files @returns {ReadFile[]} */
const newestFirst = (files) =>
  /** @type {ReadFile[]} */ (files.filter((file) => file.id)).sort((a, b) => b.modified_at - a.modified_at);
