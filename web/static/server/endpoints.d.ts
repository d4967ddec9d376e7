import type {
  ConversationJson,
  ConversationsJson,
  ExcludesJson,
  FilesJson,
  FoldersJson,
  ItemJson,
  PageWordsJson,
  PeaksJson,
  RecordingJson,
  SearchJson,
  StorageJson,
  TextJson,
} from "./api.js";

/** The JSON that a GET of `Path` answers. */
export type AnswerTo<Path extends string> = Path extends "/api/search"
  ? SearchJson
  : Path extends "/api/files"
    ? FilesJson
    : Path extends "/api/excludes"
      ? ExcludesJson
      : Path extends "/api/storage"
        ? StorageJson
      : Path extends "/api/folders"
        ? FoldersJson
      : Path extends "/api/conversations"
        ? ConversationsJson
      : Path extends `/api/conversations/${string}`
        ? ConversationJson
      : Path extends `/api/items/${string}/page/${string}/words`
        ? PageWordsJson
        : Path extends `/api/items/${string}/recording`
          ? RecordingJson
        : Path extends `/api/items/${string}/text`
          ? TextJson
          : Path extends `/api/items/${string}/peaks${string}`
            ? PeaksJson
            : Path extends `/api/items/${string}`
              ? ItemJson
              : never;
