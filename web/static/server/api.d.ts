// The JSON of the API, written from web/library/schemas by: python -m tests.api_types

export interface Coverage {
  files: number;
  read: number;
  understood: number;
  failed: number;
}

export interface PlaceJson {
  page?: number;
  label?: string;
  start_s?: number;
  end_s?: number;
  track?: number;
}

export interface MailJson {
  id: string;
  title: string;
}

export interface ThumbJson {
  w: number;
  h: number;
  colour: string;
}

export interface ConversationNameJson {
  id: string;
  title: string; // the first question, until a person gives another
}

export interface CitationJson {
  n: number;
  id: string;
  path: string;
  kind: string;
  title: string;
  attached_to: MailJson | null;
  place: PlaceJson | null;
  quote: string;
  verified: boolean; // it stands in the words of its source
  source: string; // what these are: "text" of the page, "transcript", or "caption" by the model
  supports: boolean; // it can prove what it is cited for; else it only mentions it
}

export interface SpeedJson {
  first_token_ms: number;
  prompt_tokens: number; // of the question with its sources; 0 where that is not known
  tokens: number;
  tokens_per_s: number;
  draft_acceptance: number | null;
}

export interface AskJson {
  question: string;
  answer: string;
  citations: CitationJson[];
  coverage: Coverage;
  speed: SpeedJson;
}

export interface SourceJson {
  n: number;
  id: string;
  path: string;
  kind: string;
  title: string;
  attached_to: MailJson | null;
  place: PlaceJson | null;
  snippet: string;
  thumb: ThumbJson | null;
}

export interface TokenJson {
  text: string;
}

export interface DoneJson {
  question: string;
  answer: string;
  citations: CitationJson[];
  coverage: Coverage;
  speed: SpeedJson;
  reason: string;
  left_out: number; // quotes dropped because they could not be confirmed
  unfounded: string[]; // figures of the answer that stand in none of its sources
}

export interface AnswerJson {
  question: string;
  answer: string;
  citations: CitationJson[];
  coverage: Coverage;
  speed: SpeedJson;
  reason: string;
  left_out: number;
  unfounded: string[];
  sources: SourceJson[];
  conversation?: ConversationNameJson; // that it is kept in
}

export interface ProblemJson {
  code: string;
  sentence: string;
  status?: number; // what HTTP answers with where nothing was sent before
}

export interface AskEvent {
  event: "conversation" | "source" | "token" | "citation" | "done" | "error";
  data: ConversationNameJson | SourceJson | TokenJson | CitationJson | DoneJson | ProblemJson;
}

export interface SubjectJson {
  id: string;
  title: string;
}

export interface OutcomeJson {
  coverage: Coverage;
  reason: string;
  left_out: number;
  unfounded: string[];
}

export interface TurnJson {
  question: string;
  about: SubjectJson[]; // the only items that may answer; empty for all
  asked_at: number; // unix seconds
  text: string;
  sources: SourceJson[];
  citations: CitationJson[];
  state: "done" | "stopped" | "failed";
  done: OutcomeJson | null;
  problem: ProblemJson | null;
}

export interface ConversationSummaryJson {
  id: string;
  title: string;
  questions: number;
  began_at: number; // unix seconds
  changed_at: number;
}

export interface ConversationsJson {
  count: number; // of all that match, on every page
  conversations: ConversationSummaryJson[];
}

export interface ConversationJson {
  id: string;
  title: string;
  questions: number;
  began_at: number;
  changed_at: number;
  turns: TurnJson[];
}

export interface NoteJson {
  code: string;
  sentence: string;
}

export interface FileJson {
  id: string | null;
  path: string;
  name: string;
  kind: string | null;
  state: string;
  reason: string | null;
  sentence: string | null;
  notes: NoteJson[]; // what of it was left out or could not be understood
  attempts: number;
  size_bytes: number;
  modified_at: number;
}

export interface FilesJson {
  count: number;
  files: FileJson[];
}

export interface ExcludesJson {
  folders: string[];
  files: string[];
}

export interface IndexJson {
  added: number;
  changed: number;
  moved: number;
  gone: number;
  coverage: Coverage;
  model_calls: number;
  took_s: number;
}

export interface ForgottenJson {
  forgotten: string[]; // paths, and what was attached where
  erased: boolean; // no byte is left; else that is so within the hour
}

export interface FolderJson {
  name: string;
  path: string;
  watched: boolean; // it is a watched folder, or lies in one
}

export interface FoldersJson {
  path: string;
  parent: string | null; // None at the home folder
  watched: boolean;
  folders: FolderJson[];
  left_out: number; // beyond those that are listed
}

export interface StorageJson {
  path: string;
  size_bytes: number;
  conversations_bytes: number; // of these
}

export interface FaultJson {
  code: string;
  sentence: string;
  mended: boolean;
}

export interface VerdictJson {
  sound: boolean;
  faults: FaultJson[];
  passages: number;
  vectors: number;
  files: number; // of a person's, read again and compared
  again: number; // to be read or understood once more
  took_s: number;
}

export interface AttachmentJson {
  id: string;
  title: string;
  kind: string;
}

export interface SoundTrackJson {
  track: number; // its number in the file, from 1
  label: string; // its language or title; empty where it has neither
}

export interface ItemJson {
  id: string;
  path: string;
  paths: string[];
  kind: string;
  title: string;
  attached_to: MailJson | null;
  attachments: AttachmentJson[];
  state: string;
  pages: number | null;
  w: number | null;
  h: number | null;
  colour: string | null;
  duration_s: number | null;
  modified_at: number;
  made_at: number | null;
  made_offset_s: number | null;
  size_bytes: number;
  tracks: SoundTrackJson[]; // of a recording of several, the default one first
  notes: NoteJson[]; // what of it was left out or could not be understood
  caption: string | null;
  read_by: string | null; // who saw or heard its words: "read by PP-OCRv6", "heard by Whisper tiny"
}

export interface SentenceJson {
  start: number;
  end: number;
  start_s: number;
  end_s: number;
}

export interface PassageJson {
  ordinal: number;
  text: string;
  place: PlaceJson | null;
  source: string;
  marks: [number, number][]; // ranges of `text` that match the query, in characters
  sentences: SentenceJson[]; // of a transcript, where their seconds are known
}

export interface TextJson {
  id: string;
  count: number; // of all passages, of which this may be one page
  passages: PassageJson[];
}

export interface PageWordsJson {
  width: number;
  height: number;
  words: [number, number, number, number, string, number][];
  marks: number[]; // indices of the words that match the query
  label: string | null; // what the page is called besides its number
}

export interface PeaksJson {
  duration_s: number;
  peaks: number[];
}

export interface SpeakerJson {
  speaker: number;
  name: string; // "Speaker 1" where nobody has said
  named: boolean;
}

export interface SpokenJson {
  text: string;
  start_s: number;
  end_s: number;
  speaker: number | null;
}

export interface SectionJson {
  title: string;
  start_s: number;
}

export interface PointJson {
  quote: string;
  start_s: number;
  end_s: number;
  who: string | null;
  what: string | null;
  due: string | null;
}

export interface RecordingJson {
  id: string;
  title: string;
  made_at: number | null;
  duration_s: number;
  minutes: string; // "ready", "waiting" to be made, or "short": none are made of a minute or less
  speakers: SpeakerJson[];
  sentences: SpokenJson[];
  sections: SectionJson[];
  decisions: PointJson[];
  actions: PointJson[];
  questions: PointJson[];
}

export interface ItemIdJson {
  id: string;
}

export interface ForgottenCountJson {
  forgotten: number; // files
}

export interface AcceptedJson {
  accepted: number; // files
}

export interface RetriedJson {
  retried: number; // files
}

export interface RememberedJson {
  remembered: number; // files
}

export interface DeletedJson {
  deleted: string; // the id of a conversation
}

export interface LaunchJson {
  url: string; // opens one browser, once
}

export interface ErrorDetailJson {
  code: string; // stable, for programs
  sentence: string; // for people; names the cure
}

export interface ErrorJson {
  error: ErrorDetailJson;
}

export interface OpenAIErrorDetailJson {
  message: string; // the sentence
  type: string;
  param: string | null;
  code: string;
}

export interface OpenAIErrorJson {
  error: OpenAIErrorDetailJson;
}

export interface CopyJson {
  id: string;
  path: string;
  title: string;
}

export interface HitCoreJson {
  rank: number;
  id: string;
  path: string;
  kind: string;
  title: string;
  attached_to: MailJson | null;
  place: PlaceJson | null;
  snippet: string;
  source: string;
  score: number; // 0 to 1: how much of what can speak for it does; compares hits of one query
  also_in: CopyJson[];
}

export interface OtherPlaceJson {
  place: PlaceJson | null;
  snippet: string;
}

export interface HitJson {
  rank: number;
  id: string;
  path: string;
  kind: string;
  title: string;
  attached_to: MailJson | null;
  place: PlaceJson | null;
  snippet: string;
  source: string;
  score: number;
  also_in: CopyJson[];
  marks: [number, number][]; // ranges of `snippet` to mark, in characters
  found_by: string[]; // "words", "meaning", "name"
  thumb: ThumbJson | null;
  more: OtherPlaceJson[];
  made_at: number | null; // when a photo was taken, a mail was sent
  made_offset_s: number | null; // how far the clock there was ahead of UTC; None where unknown
  modified_at: number;
  duration_s: number | null;
  pages: number | null;
}

export interface FilterJson {
  text: string; // as it stands in the query
  label: string;
  literal: string | null; // what searches for it as words, where it was guessed
  problem: string | null; // why it was not understood, and left out
}

export interface SearchJson {
  query: string;
  understood: FilterJson[];
  hits: HitJson[];
  coverage: Coverage;
  took_ms: number;
  next_offset?: number; // of the hits that follow, where others do
  problem?: string; // why the model had no part in it
  loading?: boolean; // it is being loaded: the same search has its part in a moment
}

export interface RootJson {
  path: string;
  files: number;
  offline: boolean;
  missing: number; // of its files, hidden and kept since they vanished at once
  acceptable: boolean; // a person may say that what is missing is gone
  network: string | null; // the type of the network file system it lies on
  sentence: string | null;
}

export interface FailureJson {
  path: string;
  reason: string;
  sentence: string;
  attempts: number;
}

export interface ModelJson {
  name: string;
  device: string;
  dtype: string;
  resident_bytes: number;
  calls: number;
  demonstration?: boolean;
  reason?: string;
  drafter?: boolean;
  loaded?: boolean;
  problem?: string; // why it could not be loaded
  engine?: string; // the address of the program that serves it
  remote_hosts?: string[]; // the other machines that questions go to
  limits?: string[]; // what it cannot do, in sentences
}

export interface UnwatchedJson {
  path: string;
  sentence: string;
}

export interface WatchingJson {
  rescanned_at: number | null; // when everything was looked at last
  unwatched: UnwatchedJson[]; // looked at every minute, with all that is below
  restarts: number; // of a watcher that had died or fallen silent
}

export interface StatusJson {
  roots: RootJson[];
  coverage: Coverage;
  states: Record<string, number>;
  failed: FailureJson[];
  partial: number; // files with notes; `/api/files?state=partial` lists them
  queue: number;
  model: ModelJson;
  progress?: Record<string, Coverage>; // by kind
  eta_s?: number | null;
  waiting?: string | null; // what the second stage waits for
  problem?: string | null; // what holds the work up at the moment
  watching?: WatchingJson;
}
