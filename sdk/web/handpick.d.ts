/// <reference lib="esnext.disposable" />

/** What a call came to; the same numbers as hp_status of the C API. */
export declare const Status: {
  readonly OK: 0;
  /** A wrong size, option or shape; something that is closed. */
  readonly INVALID_ARGUMENT: 0x10;
  readonly UNKNOWN_FEATURE: 0x11;
  readonly WRONG_TYPE: 0x12;
  /** Left out, has no default, is in no catalog. */
  readonly MISSING_FEATURE: 0x13;
  readonly DUPLICATE_FEATURE: 0x14;
  /** Not in the vocabulary, which has no row for such ids. */
  readonly UNKNOWN_ID: 0x15;
  readonly NOT_FINITE: 0x16;
  readonly TOO_MANY_VALUES: 0x17;
  /** Not in the catalog, the recall index or the overlay. */
  readonly UNKNOWN_ITEM: 0x18;
  readonly CONTEXT_NOT_SET: 0x19;
  readonly DUPLICATE_ITEM: 0x1a;
  readonly UNKNOWN_OUTPUT: 0x1b;
  readonly OUT_OF_MEMORY: 0x20;
  readonly MEMORY_TOO_SMALL: 0x21;
  readonly MISALIGNED: 0x22;
  readonly OVERLAY_FULL: 0x23;
  /** A file did not arrive: HTTP 404, fewer bytes than promised. */
  readonly FILE_ERROR: 0x30;
  readonly NOT_A_BUNDLE: 0x31;
  readonly BUNDLE_TOO_NEW: 0x32;
  readonly BUNDLE_CORRUPT: 0x33;
  readonly GOLDEN_MISMATCH: 0x34;
  readonly BUNDLE_TOO_OLD: 0x35;
  /** The bundle is not signed with one of `publicKeys`, or was changed since. */
  readonly WRONG_SIGNATURE: 0x3a;
  readonly UNSUPPORTED: 0x40;
  readonly NO_MODEL: 0x41;
  readonly NO_RECALL: 0x42;
  readonly NO_HASHES: 0x43;
  readonly NO_GOLDENS: 0x44;
  /** The bundle is not signed, and `publicKeys` asks for it. */
  readonly NO_SIGNATURE: 0x45;
  readonly INTERNAL: 0x50;
};

/** Every failure of Handpick's. The message names the thing, its value and what was expected. */
export declare class HandpickError extends Error {
  constructor(status: number, message: string);
  /** One of `Status`. */
  readonly status: number;
  /** The name of the status: "UNKNOWN_FEATURE". */
  readonly code: keyof typeof Status;
}

/** An item's id. Whole numbers come back as numbers, those beyond 2^53 as BigInt. */
export type ItemId = number | bigint | string;

export type Side = 'context' | 'history' | 'candidate';

export interface Feature {
  readonly index: number;
  readonly name: string;
  readonly side: Side | 'unknown';
  readonly type: 'categorical' | 'multi_categorical' | 'numeric' | 'crossed' | 'length' | 'unknown';
  /** Which values it takes: bits 1 (whole numbers), 2 (numbers), 4 (strings). */
  readonly valueTypes: number;
  /** Multi-valued: ids a row; otherwise 1. */
  readonly maxValues: number;
  /** Numeric: numbers a row; otherwise 1. */
  readonly dimension: number;
  /** It has a default, or the catalog has it. */
  readonly optional: boolean;
  /** Its id names an item of the catalog. */
  readonly isCatalogKey: boolean;
  /** Of the history: the sequence that it belongs to. */
  readonly sequence: string | null;
  readonly maxEvents: number;
}

export interface Output {
  readonly index: number;
  readonly name: string;
  /** binary: the score is sigmoid(logit), a probability. regression, probability: the score is the logit. log_probability: its
   * exponential. */
  readonly task: 'binary' | 'regression' | 'probability' | 'log_probability' | 'unknown';
}

export interface ModelInfo {
  readonly name: string;
  readonly version: string;
  readonly producer: string;
  /** Of the bundle: "2.0". */
  readonly format: string;
  readonly precision: 'f32' | 'int8' | 'f16' | 'unknown';
  /** False: a recall index alone. */
  readonly hasModel: boolean;
  /** Events that a session keeps; 0: none. */
  readonly maxHistory: number;
  /** Candidates that go through the model together. */
  readonly tile: number;
  /** Golden requests for Session.checkGoldens. */
  readonly goldens: number;
  readonly catalogItems: number;
  readonly recallItems: number;
  readonly bundleBytes: number;
  /** Of the bundle: embedding tables. */
  readonly tableBytes: number;
  /** What a session takes. */
  readonly sessionBytes: number;
  /** What the model takes beside the bundle. */
  readonly modelBytes: number;
  /** Of all bytes, as the converter wrote them, in 16 hexadecimal digits: equal for equal files. Null: the bundle has none. */
  readonly contentHash: string | null;
  /** Of the key that the bundle says it is signed with, as `handpick sign` shows it; `publicKeys` alone proves it. Null: it is
   * not signed. */
  readonly keyId: string | null;
}

export interface RecallInfo {
  readonly metric: 'cosine' | 'inner_product' | 'euclidean' | 'unknown';
  /** Numbers of a vector. */
  readonly dimension: number;
  readonly idType: 'integer' | 'string';
  /** The feature that names the item of an event. */
  readonly historyFeature: string | null;
  /** The feature that is an item's id when it is ranked. */
  readonly candidateFeature: string | null;
  /** The model makes a vector of the user: `user: 'model'`. */
  readonly hasUserVector: boolean;
  /** Buckets that a query looks into, per table; 0: all vectors are compared. */
  readonly probes: number;
  readonly items: number;
  /** What the converter measured: the share of the exact best `measuredK` that is found. */
  readonly measuredK: number;
  readonly measuredRecall: number;
}

type Scalar = number | bigint | string;
type Numbers = readonly number[] | Float32Array | Float64Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array;
type List = Numbers | readonly string[] | readonly bigint[] | BigInt64Array;

/** Values of one feature.
 *
 * One row (a context; one event; one candidate): its value, or a list of its numbers or ids.
 * Several rows: a list with an entry for each, which is a list itself where the feature has several values a row. Numbers of
 * `dimension` a row may also come in one flat list, and ids of a multi-valued feature as `values` with `splits`, from 0: row i
 * has values [splits[i], splits[i + 1]).
 *
 * Lists are copied into WebAssembly memory, once; a Batch is in it already. */
export type Values = Scalar | List | readonly List[] | { readonly values: List; readonly splits: readonly number[] | Uint32Array };

/** Values by the name of the feature. Those left out take their defaults, or come from the catalog. When one of them is a
 * single value, all describe one row. */
export type Row = { readonly [feature: string]: Values | undefined };

export interface SignatureOptions {
  /** Keys of Ed25519, each as its 32 bytes or as the 64 hexadecimal digits that `handpick sign` prints. A bundle that is not signed
   * with one of them is refused before anything in it is used. Left out: nobody looks at signatures. */
  publicKeys?: Iterable<Uint8Array | string>;
}

export interface SessionOptions {
  /** Candidates that go through the model together. Fewer take less memory, and give the same scores. */
  tile?: number;
  /** The largest number to recall. Default 256. */
  recallK?: number;
  /** The most interests of a recall. Default 8. */
  recallInterests?: number;
  recallProbes?: number;
}

export interface ScoreOptions {
  /** Before the sigmoid. */
  logits?: boolean;
  /** Rows, where no feature is given and all take their defaults. */
  rows?: number;
}

export interface RankOptions {
  /** The output to rank by. Default: the model's first. */
  output?: string;
  /** Each result has the scores by all outputs. */
  allOutputs?: boolean;
  rows?: number;
}

export interface Ranked {
  /** Row of the candidate. */
  index: number;
  score: number;
  logit: number;
  /** By name; with `allOutputs`. */
  outputs?: { [output: string]: number };
}

/** A condition on a column of the catalog: one of `anyOf`, `noneOf`, and `min` or `max`. */
export interface Filter {
  feature: string;
  anyOf?: readonly ItemId[];
  noneOf?: readonly ItemId[];
  min?: number;
  max?: number;
  /** Of a range: which of the feature's numbers. */
  element?: number;
}

export interface RecallOptions {
  /** What the user's vector is made of: the mean of the vectors of the history's items (`mean`, the default), one in which
   * recent events weigh more (`recent`), several of it (`interests`), `vector`, or what the model says (`model`). */
  user?: 'mean' | 'recent' | 'interests' | 'vector' | 'model';
  /** Of `recent`: events after which one counts half. Default 10. */
  halfLife?: number;
  /** Of `interests`: how many. Default 3. */
  interests?: number;
  vector?: Numbers;
  /** Compare all item vectors. */
  exact?: boolean;
  probes?: number;
  /** Do not leave out the items of the history. */
  keepSeen?: boolean;
  /** All have to hold. */
  filters?: readonly Filter[];
  /** Ids to leave out. */
  exclude?: Iterable<ItemId>;
  /** False: the item is left out. Asked about items that would be among the best. `item` is null for items of the overlay. Must
   * not use Handpick; what it throws is thrown by the call. */
  accepts?: (id: ItemId, item: number | null) => boolean;
  overlay?: Overlay;
}

export interface RecommendOptions extends RecallOptions {
  /** Items to recall, of which the best are returned. Default 200. */
  recall?: number;
  /** The output to rank by. */
  output?: string;
}

export interface Recalled {
  id: ItemId;
  /** Number in the index, ascending by id; null: of the overlay. */
  item: number | null;
  score: number;
}

export interface Recommended {
  id: ItemId;
  item: number | null;
  recallScore: number;
  score: number;
  logit: number;
}

export interface RecallReport {
  /** Why the last recall found what it found. */
  outcome: 'not_done' | 'found' | 'no_events' | 'no_direction' | 'none_left';
  events: number;
  searches: number;
  exact: boolean;
  rowsScanned: number;
  buckets: number;
}

/** What holds WebAssembly memory. close() frees it, and that of what was made from it; using it then throws a HandpickError.
 * What is forgotten is freed some time after it was garbage-collected. */
export interface Closable extends Disposable {
  readonly closed: boolean;
  /** Does nothing the second time. */
  close(): void;
}

/** The WebAssembly module: any number of models, on one thread. A worker loads its own. */
export declare class Handpick {
  private constructor();
  /**
   * Compiles the module.
   * @param source Where handpick.wasm is: default beside handpick.js, in browsers and in Node.
   */
  static load(
    source?: string | URL | Response | Promise<Response> | BufferSource | WebAssembly.Module,
  ): Promise<Handpick>;
  readonly version: string;
  /** All memory of the module. It grows with what is opened, and never shrinks: close what is not needed before you open more. */
  readonly memoryBytes: number;
  /** Opens a bundle. Its bytes are copied into the module's memory, once, and used there in place; the buffer is not needed any
   * more. */
  openModel(bundle: ArrayBuffer | ArrayBufferView, options?: SignatureOptions): Model;
  /** Fetches and opens a bundle. Where the server says how long it is, it is written into the module's memory as it arrives, and
   * never is in memory twice. */
  fetchModel(source: string | URL | Response | Promise<Response>, options?: SignatureOptions): Promise<Model>;
}

export declare class Model implements Closable {
  private constructor();
  readonly info: ModelInfo;
  readonly features: readonly Feature[];
  /** What the model says of a candidate; the first one ranks. */
  readonly outputs: readonly Output[];
  /** Null: the bundle has no recall index. */
  readonly recall: RecallInfo | null;
  feature(side: Side, name: string): Feature;
  output(name: string): Output;
  newSession(options?: SessionOptions): Session;
  /** Room for up to `maxItems` new items, and to hide as many. Needs a recall index. */
  newOverlay(maxItems: number): Overlay;
  /** Room in the module's memory for up to `capacity` rows of these features, to be filled in place. */
  newBatch(features: readonly string[], capacity: number, side?: Side): Batch;
  /** Compares every byte of the bundle with the hashes in it: once after a download. */
  check(): void;
  /** The same so many bytes at a time, for idle moments; with `publicKeys`, of the signature in place of the hashes. */
  newCheck(options?: SignatureOptions): Check;
  readonly closed: boolean;
  close(): void;
  [Symbol.dispose](): void;
}

/** Compares a bundle with its hashes, or with its signature, so many bytes at a time. */
export declare class Check implements Closable {
  private constructor();
  readonly model: Model;
  /** Compares the next bytes; 0 or none: all that are left. True: all were compared, and are as they were written. Throws when they
   * are not: of hashes where the byte is found, of a signature behind the last one. */
  next(bytes?: number): boolean;
  readonly closed: boolean;
  close(): void;
  [Symbol.dispose](): void;
}

/** One user: context, history, and what is computed of them. */
export declare class Session implements Closable {
  private constructor();
  readonly model: Model;
  /** Replaces the whole context: features that are left out take their defaults. */
  setContext(values: Row): void;
  /** Appends events, oldest first. When the history is full, the oldest go. */
  append(events: Row | Batch): void;
  /** Replaces the history. */
  setHistory(events: Row | Batch): void;
  clearHistory(): void;
  /** Scores of all candidates, in their order. */
  score(candidates: Row | Batch, options?: ScoreOptions): Float32Array;
  score(candidates: Row | Batch, options: ScoreOptions & { outputs: readonly string[] }): { [output: string]: Float32Array };
  /** The best `k`, best first. */
  rank(candidates: Row | Batch, k: number, options?: RankOptions): Ranked[];
  /** The `k` items of the index that are nearest to the user. */
  recall(k: number, options?: RecallOptions): Recalled[];
  /** Recalls, ranks, and returns the best `k`. None: recallReport() says why. */
  recommend(k: number, options?: RecommendOptions): Recommended[];
  recallReport(): RecallReport;
  /** Replays the golden requests of the bundle, and throws when this device does not compute what the trainer did. Returns the
   * largest error. Replaces the context and empties the history. */
  checkGoldens(): number;
  readonly closed: boolean;
  close(): void;
  [Symbol.dispose](): void;
}

/** Rows in the module's memory: what is written into its columns is what the model reads, without a copy. */
export declare class Batch implements Closable {
  private constructor();
  readonly model: Model;
  readonly side: Side;
  readonly capacity: number;
  /** How many rows count; the capacity at first. */
  rows: number;
  /** A view of a feature's values: BigInt64Array of ids, [capacity] (multi-valued: up to maxValues a row, where `splits` says);
   * Float32Array of numbers, [capacity * dimension]. Memory moves when it grows, and a view of before is then empty: ask again
   * after you opened or made something. Scoring and ranking a Batch makes no view invalid once a first call has been made. */
  column(feature: string): BigInt64Array | Float32Array;
  /** Of a multi-valued feature: [capacity + 1], from 0; row i has values [splits[i], splits[i + 1]). */
  splits(feature: string): Uint32Array;
  readonly closed: boolean;
  close(): void;
  [Symbol.dispose](): void;
}

/** Items that came after the bundle, and items of it that are to be left out. */
export declare class Overlay implements Closable {
  private constructor();
  readonly model: Model;
  /** @param vector RecallInfo.dimension numbers, in the space of the index. */
  add(id: ItemId, vector: Numbers): void;
  /** Takes an added item away. */
  remove(id: ItemId): void;
  /** An item of the index is not recalled any more. */
  hide(id: ItemId): void;
  show(id: ItemId): void;
  readonly closed: boolean;
  close(): void;
  [Symbol.dispose](): void;
}
