// Handpick in JavaScript: opens bundles, recalls and ranks, in browsers, workers and Node. The types and what each function
// does are in handpick.d.ts; this file turns values into the memory of the WebAssembly module and back. web.c is its
// other half.

export const Status = Object.freeze({
  OK: 0,
  INVALID_ARGUMENT: 0x10,
  UNKNOWN_FEATURE: 0x11,
  WRONG_TYPE: 0x12,
  MISSING_FEATURE: 0x13,
  DUPLICATE_FEATURE: 0x14,
  UNKNOWN_ID: 0x15,
  NOT_FINITE: 0x16,
  TOO_MANY_VALUES: 0x17,
  UNKNOWN_ITEM: 0x18,
  CONTEXT_NOT_SET: 0x19,
  DUPLICATE_ITEM: 0x1a,
  UNKNOWN_OUTPUT: 0x1b,
  OUT_OF_MEMORY: 0x20,
  MEMORY_TOO_SMALL: 0x21,
  MISALIGNED: 0x22,
  OVERLAY_FULL: 0x23,
  FILE_ERROR: 0x30,
  NOT_A_BUNDLE: 0x31,
  BUNDLE_TOO_NEW: 0x32,
  BUNDLE_CORRUPT: 0x33,
  GOLDEN_MISMATCH: 0x34,
  BUNDLE_TOO_OLD: 0x35,
  WRONG_SIGNATURE: 0x3a,
  UNSUPPORTED: 0x40,
  NO_MODEL: 0x41,
  NO_RECALL: 0x42,
  NO_HASHES: 0x43,
  NO_GOLDENS: 0x44,
  NO_SIGNATURE: 0x45,
  INTERNAL: 0x50,
});

const STATUS_NAMES = new Map(Object.entries(Status).map(([name, value]) => [value, name]));

export class HandpickError extends Error {
  constructor(status, message) {
    super(message);
    this.name = 'HandpickError';
    this.status = status;
    this.code = STATUS_NAMES.get(status) ?? 'INTERNAL';
  }
}

const invalid = (message) => new HandpickError(Status.INVALID_ARGUMENT, message);

// ---- Names of the C API's numbers ----

const SIDES = ['unknown', 'context', 'history', 'candidate'];
const FEATURE_TYPES = ['unknown', 'categorical', 'multi_categorical', 'numeric', 'crossed', 'length'];
const TASKS = ['unknown', 'binary', 'regression', 'probability', 'log_probability'];
const METRICS = ['unknown', 'cosine', 'inner_product', 'euclidean'];
const PRECISIONS = ['unknown', 'f32', 'int8', 'f16'];
const OUTCOMES = ['not_done', 'found', 'no_events', 'no_direction', 'none_left'];
const USERS = ['unknown', 'mean', 'recent', 'interests', 'vector', 'model'];
const INT64 = 1;
const FLOAT32 = 2;
const STRING = 4;
const NO_FEATURE = 0xffffffff;
const OVERLAY_ITEM = 0xffffffff;

// ---- The module's memory ----

const COLUMN_BYTES = 24; // {feature, type, integers, numbers, strings, row_splits}
const FILTER_BYTES = 36; // {kind, feature, type, element, low, high, integers, strings, count}
const RANKED_BYTES = 12; // {index, score, logit}
const RECALLED_BYTES = 24; // {id, item, score}; an id is {int64, {data, size}}
const RECOMMENDED_BYTES = 32; // {id, item, recall_score, score, logit}
const RECALL_OPTIONS_BYTES = 17 * 4;
const ITEM_ID_BYTES = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// What is to be freed, apart from the object that the app holds: so that it can be freed after that one is gone. Children
// (a model's sessions, overlays and batches) are freed first.
class Owned {
  constructor(parent, free) {
    this.parent = parent;
    this.free = free;
    this.children = new Set();
    parent?.children.add(this);
  }

  release() {
    if (this.free === null) return;
    for (const child of this.children) child.release();
    this.free();
    this.free = null;
    this.parent?.children.delete(this);
  }
}

// A net for what an app forgets to close.
const forgotten = typeof FinalizationRegistry === 'undefined' ? null : new FinalizationRegistry((owned) => owned.release());

const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');

class Closable {
  #owned;
  #what;

  constructor(what, owned) {
    this.#what = what;
    this.#owned = owned;
    forgotten?.register(this, owned, this);
  }

  get closed() {
    return this.#owned.free === null;
  }

  close() {
    forgotten?.unregister(this);
    this.#owned.release();
  }

  [DISPOSE]() {
    this.close();
  }

  /** @internal */
  _owned() {
    if (this.#owned.free === null) throw invalid(`this ${this.#what} is closed`);
    return this.#owned;
  }
}

// One instance of the WebAssembly module.
class Library {
  #memory;
  #buffer = null;
  // Memory for one call: blocks of which the last is taken from. More than one become one at the next call.
  #blocks = [];
  #used = 0;
  #busy = false;
  #accepts = null;
  #thrown = null;

  static async instantiate(module) {
    const library = new Library();
    const imports = {
      handpick: { accepts: (item, id) => library.#ask(item >>> 0, id >>> 0) },
      env: { emscripten_notify_memory_growth() {} },
    };
    const result = await (typeof module === 'function' ? module(imports) : WebAssembly.instantiate(module, imports));
    const { exports } = result.instance ?? result;
    library.calls = exports;
    library.#memory = exports.memory;
    exports._initialize();
    return library;
  }

  // Memory that grows is a new buffer: views of the old one are empty.
  #refresh() {
    if (this.#buffer === this.#memory.buffer) return;
    const buffer = this.#memory.buffer;
    this.#buffer = buffer;
    this.u8View = new Uint8Array(buffer);
    this.i32View = new Int32Array(buffer);
    this.u32View = new Uint32Array(buffer);
    this.f32View = new Float32Array(buffer);
    this.f64View = new Float64Array(buffer);
    this.i64View = new BigInt64Array(buffer);
  }
  get u8() { this.#refresh(); return this.u8View; }
  get i32() { this.#refresh(); return this.i32View; }
  get u32() { this.#refresh(); return this.u32View; }
  get f32() { this.#refresh(); return this.f32View; }
  get f64() { this.#refresh(); return this.f64View; }
  get i64() { this.#refresh(); return this.i64View; }

  get bytes() {
    return this.#memory.buffer.byteLength;
  }

  allocate(bytes, what) {
    const pointer = this.calls.hpw_allocate(bytes) >>> 0;
    if (pointer === 0) throw new HandpickError(Status.OUT_OF_MEMORY, `no ${bytes} bytes of memory for ${what}`);
    return pointer;
  }

  release(pointer) {
    this.calls.hpw_release(pointer);
  }

  // Memory of one call, from begin() to the next.
  begin() {
    if (this.#busy) throw invalid('`accepts` must not use Handpick');
    if (this.#blocks.length > 1) {
      let bytes = 0;
      for (const block of this.#blocks) {
        bytes += block.bytes;
        this.release(block.pointer);
      }
      this.#blocks = [];
      this.#blocks = [{ pointer: this.allocate(bytes, 'the values of a call'), bytes }];
    }
    this.#used = 0;
  }

  take(bytes) {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#used + bytes <= last.bytes) {
      const pointer = last.pointer + this.#used;
      this.#used += (bytes + 15) & ~15;
      return pointer;
    }
    const size = Math.max(4096, bytes + 16, 2 * (last?.bytes ?? 0));
    this.#blocks.push({ pointer: this.allocate(size, 'the values of a call'), bytes: size });
    this.#used = (bytes + 15) & ~15;
    return this.#blocks.at(-1).pointer;
  }

  text(pointer) {
    if (pointer === 0) return '';
    const { u8 } = this;
    return decoder.decode(u8.subarray(pointer, u8.indexOf(0, pointer)));
  }

  string(at) {
    const data = this.u32[at >> 2];
    return decoder.decode(this.u8.subarray(data, data + this.u32[(at >> 2) + 1]));
  }

  // Strings as {data, size} pairs.
  writeStrings(values) {
    let most = 0;
    for (const value of values) most += 3 * value.length;
    const pairs = this.take(8 * values.length);
    let at = this.take(most);
    const { u8, u32 } = this;
    let pair = pairs >> 2;
    for (const value of values) {
      const { written } = encoder.encodeInto(value, u8.subarray(at, at + 3 * value.length));
      u32[pair++] = at;
      u32[pair++] = written;
      at += written;
    }
    return pairs;
  }

  writeIntegers(values, what) {
    const pointer = this.take(8 * values.length);
    if (values instanceof BigInt64Array) {
      this.i64.set(values, pointer >> 3);
      return pointer;
    }
    const { i32, i64 } = this;
    let at = pointer >> 2;
    for (let i = 0; i < values.length; ++i, at += 2) {
      const value = values[i];
      if (typeof value === 'number' && (value | 0) === value) {
        i32[at] = value;
        i32[at + 1] = value >> 31;
      } else {
        i64[at >> 1] = wholeNumber(value, what);
      }
    }
    return pointer;
  }

  // null and undefined become NaN: missing, for features that may be.
  writeNumbers(values, what) {
    if (!ArrayBuffer.isView(values)) {
      for (const value of values) {
        if (typeof value !== 'number' && value !== null && value !== undefined) throw invalid(`${what}: ${String(value)} is no number`);
      }
      values = Float32Array.from(values, (value) => value ?? NaN);
    } else if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
      throw invalid(`${what}: BigInts are no numbers of 32 bits`);
    }
    const pointer = this.take(4 * values.length);
    this.f32.set(values, pointer >> 2);
    return pointer;
  }

  readId(at, isString) {
    if (isString) return this.string(at + 8);
    const id = this.i64[at >> 3];
    const number = Number(id);
    return Number.isSafeInteger(number) ? number : id;
  }

  error() {
    const at = this.calls.hpw_error() >>> 0;
    const status = this.i32[at >> 2];
    return new HandpickError(status, this.text(at + 4) || this.text(this.calls.hpw_status_text(status) >>> 0));
  }

  // What a function of web.c answers: null, or a number below 0, is a failure.
  made(pointer) {
    if (pointer === 0) throw this.error();
    return pointer >>> 0;
  }

  done(answer) {
    if (answer < 0) throw this.error();
    return answer;
  }

  #ask(item, id) {
    if (this.#thrown !== null) return 0;
    try {
      return this.#accepts(item, id) ? 1 : 0;
    } catch (error) {
      // Nothing may be thrown through the module's own frames.
      this.#thrown = { error };
      return 0;
    }
  }

  whileAsking(accepts, call) {
    if (accepts === null) return call();
    this.#accepts = accepts;
    this.#busy = true;
    try {
      return call();
    } finally {
      const thrown = this.#thrown;
      this.#busy = false;
      this.#accepts = null;
      this.#thrown = null;
      if (thrown !== null) throw thrown.error;
    }
  }
}

function wholeNumber(value, what) {
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) throw invalid(`${what}: ${value} has more than 64 bits`);
    return value;
  }
  if (typeof value !== 'number') throw invalid(`${what}: ${String(value)} is no whole number, while others of its column are`);
  if (!Number.isSafeInteger(value)) throw invalid(`${what}: ${value} is no whole number below 2^53; larger ones are BigInt`);
  return BigInt(value);
}

const isList = (value) => Array.isArray(value) || ArrayBuffer.isView(value);

// ---- Batches ----

const isMulti = (feature) => feature.type === 'multi_categorical';

// Values of one feature for all rows, as a flat list of values, and where each row begins where rows have several.
// `rows`: 1 when the whole of `data` is one row's; otherwise undefined, and each entry is a row.
function flatten(feature, data, oneRow) {
  const what = `${feature.side} feature '${feature.name}'`;
  if (data === null || data === undefined) throw invalid(`${what} is ${data}: leave it out, and it has its default`);
  if (isMulti(feature)) {
    if (!isList(data) && typeof data === 'object') return { values: data.values, splits: data.splits, rows: data.splits.length - 1 };
    if (!isList(data)) return { values: [data], splits: [0, 1], rows: 1 };
    if (oneRow && !isList(data[0])) return { values: data, splits: [0, data.length], rows: 1 };
    const values = [];
    const splits = [0];
    for (const row of data) {
      if (isList(row)) values.push(...row);
      else values.push(row);
      splits.push(values.length);
    }
    return { values, splits, rows: data.length };
  }
  if (!isList(data)) return { values: [data], rows: 1 };
  if (isList(data[0])) {
    const values = [];
    for (const row of data) {
      if (!isList(row) || row.length !== feature.dimension) {
        throw invalid(`${what}: a row has ${row?.length ?? 1} numbers, and not ${feature.dimension}`);
      }
      values.push(...row);
    }
    return { values, rows: data.length };
  }
  if (data.length % feature.dimension !== 0) {
    throw invalid(`${what}: ${data.length} numbers are no rows of ${feature.dimension}`);
  }
  return { values: data, rows: data.length / feature.dimension };
}

function typeOf(feature, values) {
  if (ArrayBuffer.isView(values) && (feature.type === 'numeric' || values instanceof Float32Array)) return FLOAT32;
  const first = values[0];
  if (typeof first === 'string') return STRING;
  if (typeof first === 'bigint') return INT64;
  // Nothing given, or numbers: as what the feature takes.
  if (feature.type === 'numeric') return FLOAT32;
  if (first === undefined && (feature.valueTypes & INT64) === 0) return STRING;
  return INT64;
}

class Columns {
  constructor(pointer, count, rows) {
    this.pointer = pointer;
    this.count = count;
    this.rows = rows;
  }
}

// Memory for candidates that the app fills in place.
export class Batch extends Closable {
  #library;
  #columns;
  #features;
  #rows;

  /** @internal */
  constructor(library, model, side, names, capacity) {
    if (!Number.isSafeInteger(capacity) || capacity < 0) throw invalid(`a capacity of ${capacity} rows`);
    const features = new Map();
    let bytes = COLUMN_BYTES * names.length;
    const place = (size) => {
      bytes = (bytes + 15) & ~15;
      const at = bytes;
      bytes += size;
      return at;
    };
    for (const name of names) {
      const feature = model.feature(side, name);
      if (features.has(name)) throw new HandpickError(Status.DUPLICATE_FEATURE, `feature '${name}' is named twice`);
      if ((feature.valueTypes & (INT64 | FLOAT32)) === 0) {
        throw new HandpickError(Status.WRONG_TYPE, `feature '${name}' takes strings, which have no fixed place: hand them over as an array`);
      }
      const integers = feature.type !== 'numeric';
      const values = capacity * (isMulti(feature) ? feature.maxValues : feature.dimension);
      features.set(name, {
        feature,
        integers,
        values,
        data: place(values * (integers ? 8 : 4)),
        splits: isMulti(feature) ? place(4 * (capacity + 1)) : 0,
      });
    }
    const pointer = library.allocate(bytes, `a batch of ${capacity} rows`);
    super('batch', new Owned(model._owned(), () => library.release(pointer)));
    this.#library = library;
    this.#columns = new Columns(pointer, names.length, 0);
    this.#features = features;
    this.#rows = capacity;
    library.u8.fill(0, pointer, pointer + bytes);
    let at = pointer >> 2;
    for (const entry of features.values()) {
      entry.data += pointer;
      if (entry.splits !== 0) entry.splits += pointer;
      library.u32.set(
        [entry.feature.index, entry.integers ? INT64 : FLOAT32, entry.integers ? entry.data : 0, entry.integers ? 0 : entry.data, 0, entry.splits],
        at,
      );
      at += COLUMN_BYTES >> 2;
    }
    this.capacity = capacity;
    this.model = model;
    this.side = side;
  }

  get rows() {
    return this.#rows;
  }

  set rows(rows) {
    if (!Number.isSafeInteger(rows) || rows < 0 || rows > this.capacity) {
      throw invalid(`${rows} rows of a batch of ${this.capacity}`);
    }
    this.#rows = rows;
  }

  column(name) {
    this._owned();
    const entry = this.#entry(name);
    const { integers, data, values } = entry;
    return integers
      ? this.#library.i64.subarray(data >> 3, (data >> 3) + values)
      : this.#library.f32.subarray(data >> 2, (data >> 2) + values);
  }

  splits(name) {
    this._owned();
    const { splits } = this.#entry(name);
    if (splits === 0) throw invalid(`feature '${name}' has one value a row: it has no splits`);
    return this.#library.u32.subarray(splits >> 2, (splits >> 2) + this.capacity + 1);
  }

  #entry(name) {
    const entry = this.#features.get(name);
    if (entry === undefined) throw new HandpickError(Status.UNKNOWN_FEATURE, `this batch has no feature '${name}'`);
    return entry;
  }

  /** @internal */
  _columns() {
    this._owned();
    this.#columns.rows = this.#rows;
    return this.#columns;
  }
}

// ---- Signatures ----

const PUBLIC_KEY_BYTES = 32;

// Keys as the C API takes them, one behind the other, in the memory of a call: their bytes, or hexadecimal digits. undefined:
// there are none, which an empty list does not mean.
function writeKeys(library, keys) {
  if (keys === undefined) return [0, 0];
  const list = [...keys];
  if (list.length === 0) throw invalid('publicKeys: there is no key');
  const pointer = library.take(list.length * PUBLIC_KEY_BYTES);
  list.forEach((key, i) => {
    const bytes = typeof key === 'string' && /^[0-9a-f]{64}$/i.test(key) ? Uint8Array.from(key.match(/../g), (digits) => parseInt(digits, 16)) : key;
    if (!(bytes instanceof Uint8Array) || bytes.length !== PUBLIC_KEY_BYTES) {
      throw invalid(`publicKeys: ${String(key)} is neither ${PUBLIC_KEY_BYTES} bytes nor ${2 * PUBLIC_KEY_BYTES} hexadecimal digits`);
    }
    library.u8.set(bytes, pointer + i * PUBLIC_KEY_BYTES);
  });
  return [pointer, list.length * PUBLIC_KEY_BYTES];
}

// 16 hexadecimal digits; null: 0.
const digits = (id) => (id === 0n ? null : BigInt.asUintN(64, id).toString(16).padStart(16, '0'));

export class Check extends Closable {
  #library;
  #pointer;

  /** @internal */
  constructor(library, model, { publicKeys } = {}) {
    const of = model._pointer();
    library.begin();
    const pointer = library.made(library.calls.hpw_check_new(of, ...writeKeys(library, publicKeys)));
    super('check', new Owned(model._owned(), () => library.calls.hpw_check_free(pointer)));
    this.#library = library;
    this.#pointer = pointer;
    this.model = model;
  }

  next(bytes = 0) {
    this._owned();
    if (!(Number.isInteger(bytes) && bytes >= 0)) throw invalid(`bytes is ${String(bytes)}, expected a whole number`);
    // No memory has more.
    return this.#library.done(this.#library.calls.hpw_check_next(this.#pointer, Math.min(bytes, 0xffffffff))) === 1;
  }
}

// ---- Overlays ----

export class Overlay extends Closable {
  #library;
  #pointer;

  /** @internal */
  constructor(library, model, maxItems) {
    const pointer = library.made(library.calls.hpw_overlay_new(model._pointer(), maxItems));
    super('overlay', new Owned(model._owned(), () => library.release(pointer)));
    this.#library = library;
    this.#pointer = pointer;
    this.model = model;
  }

  add(id, vector) {
    const at = this.#id(id);
    const library = this.#library;
    const numbers = library.writeNumbers(vector, 'vector');
    library.done(library.calls.hpw_overlay_add(this.#pointer, at, numbers, vector.length));
  }

  remove(id) {
    this.#library.done(this.#library.calls.hpw_overlay_remove(this.#pointer, this.#id(id)));
  }

  hide(id) {
    this.#library.done(this.#library.calls.hpw_overlay_hide(this.#pointer, this.#id(id)));
  }

  show(id) {
    this.#library.done(this.#library.calls.hpw_overlay_show(this.#pointer, this.#id(id)));
  }

  #id(id) {
    this._owned();
    const library = this.#library;
    library.begin();
    const at = library.take(ITEM_ID_BYTES);
    const isString = this.model.recall.idType === 'string';
    if ((typeof id === 'string') !== isString) {
      throw new HandpickError(Status.WRONG_TYPE, `item ${String(id)}: ids of this index are ${isString ? 'strings' : 'whole numbers'}`);
    }
    const pair = isString ? library.writeStrings([id]) : 0;
    const { u32, i64 } = library;
    i64[at >> 3] = isString ? 0n : wholeNumber(id, 'item');
    u32[(at >> 2) + 2] = isString ? u32[pair >> 2] : 0;
    u32[(at >> 2) + 3] = isString ? u32[(pair >> 2) + 1] : 0;
    return at;
  }

  /** @internal */
  _pointer() {
    this._owned();
    return this.#pointer;
  }
}

// ---- Sessions ----

export class Session extends Closable {
  #library;
  #pointer;

  /** @internal */
  constructor(library, model, options) {
    const pointer = library.made(
      library.calls.hpw_session_new(
        model._pointer(),
        options.tile ?? 0,
        options.recallK ?? 0,
        options.recallInterests ?? 0,
        options.recallProbes ?? 0,
      ),
    );
    super('session', new Owned(model._owned(), () => library.calls.hpw_session_free(pointer)));
    this.#library = library;
    this.#pointer = pointer;
    this.model = model;
  }

  setContext(values) {
    this.#batch('context', values, this.#library.calls.hpw_set_context);
  }

  append(events) {
    this.#batch('history', events, this.#library.calls.hpw_append_events);
  }

  setHistory(events) {
    this.#batch('history', events, this.#library.calls.hpw_set_history);
  }

  clearHistory() {
    this.setHistory({});
  }

  score(candidates, options = {}) {
    const library = this.#begin();
    const columns = this.#columns('candidate', candidates, options.rows);
    const outputs = options.outputs?.map((name) => this.model.output(name).index);
    const count = columns.rows * (outputs?.length ?? 1);
    const numbers = library.take(4 * count);
    let chosen = 0;
    if (outputs !== undefined) {
      chosen = library.take(4 * outputs.length);
      library.u32.set(outputs, chosen >> 2);
    }
    const logits = options.logits === true;
    library.done(
      library.calls.hpw_score(
        this.#pointer,
        columns.pointer,
        columns.count,
        columns.rows,
        chosen,
        outputs?.length ?? 0,
        logits ? 0 : numbers,
        logits ? numbers : 0,
      ),
    );
    const all = library.f32.slice(numbers >> 2, (numbers >> 2) + count);
    if (outputs === undefined) return all;
    return Object.fromEntries(
      options.outputs.map((name, o) => {
        const of = new Float32Array(columns.rows);
        for (let row = 0; row < columns.rows; ++row) of[row] = all[row * outputs.length + o];
        return [name, of];
      }),
    );
  }

  rank(candidates, k, options = {}) {
    const library = this.#begin();
    const columns = this.#columns('candidate', candidates, options.rows);
    const output = options.output === undefined ? 0 : this.model.output(options.output).index;
    const most = Math.min(wanted(k), columns.rows);
    const ranked = library.take(RANKED_BYTES * most);
    const { outputs } = this.model;
    const scores = options.allOutputs ? library.take(4 * columns.rows * outputs.length) : 0;
    const found = library.done(
      library.calls.hpw_rank(this.#pointer, columns.pointer, columns.count, columns.rows, output, scores, 0, most, ranked),
    );
    const { u32, f32 } = library;
    return Array.from({ length: found }, (_, i) => {
      const at = (ranked + RANKED_BYTES * i) >> 2;
      const one = { index: u32[at], score: f32[at + 1], logit: f32[at + 2] };
      if (scores !== 0) {
        const row = (scores >> 2) + one.index * outputs.length;
        one.outputs = Object.fromEntries(outputs.map((of, o) => [of.name, f32[row + o]]));
      }
      return one;
    });
  }

  recall(k, options = {}) {
    const library = this.#begin();
    const { pointer, accepts, isString } = this.#recallOptions(wanted(k), options);
    const items = library.take(RECALLED_BYTES * k);
    const found = library.done(
      library.whileAsking(accepts, () => library.calls.hpw_recall(this.#pointer, pointer, items)),
    );
    return Array.from({ length: found }, (_, i) => {
      const at = items + RECALLED_BYTES * i;
      const item = library.u32[(at >> 2) + 4];
      return {
        id: library.readId(at, isString),
        item: item === OVERLAY_ITEM ? null : item,
        score: library.f32[(at >> 2) + 5],
      };
    });
  }

  recommend(k, options = {}) {
    const library = this.#begin();
    const { pointer, accepts, isString } = this.#recallOptions(wanted(options.recall ?? 200), options);
    const items = library.take(RECOMMENDED_BYTES * wanted(k));
    const found = library.done(
      library.whileAsking(accepts, () => library.calls.hpw_recommend(this.#pointer, pointer, k, items)),
    );
    return Array.from({ length: found }, (_, i) => {
      const at = items + RECOMMENDED_BYTES * i;
      const word = at >> 2;
      const item = library.u32[word + 4];
      return {
        id: library.readId(at, isString),
        item: item === OVERLAY_ITEM ? null : item,
        recallScore: library.f32[word + 5],
        score: library.f32[word + 6],
        logit: library.f32[word + 7],
      };
    });
  }

  recallReport() {
    const library = this.#begin();
    const at = library.take(32);
    library.done(library.calls.hpw_recall_report(this.#pointer, at));
    const [outcome, events, searches, exact] = library.u32.subarray(at >> 2);
    const [rowsScanned, buckets] = library.f64.subarray((at >> 3) + 2);
    return { outcome: OUTCOMES[outcome] ?? 'not_done', events, searches, exact: exact === 1, rowsScanned, buckets };
  }

  checkGoldens() {
    const library = this.#begin();
    const at = library.take(4);
    library.done(library.calls.hpw_session_check_goldens(this.#pointer, at));
    return library.f32[at >> 2];
  }

  #begin() {
    this._owned();
    this.#library.begin();
    return this.#library;
  }

  #batch(side, values, call) {
    const library = this.#begin();
    const columns = this.#columns(side, values);
    library.done(call(this.#pointer, columns.pointer, columns.count, columns.rows));
  }

  // Columns in the memory of this call; those of a Batch are in the module already.
  #columns(side, values, given) {
    if (values instanceof Batch) {
      if (values.model !== this.model || values.side !== side) throw invalid(`a batch of ${values.side} features of another model or side`);
      return values._columns();
    }
    if (values === null || typeof values !== 'object' || isList(values)) throw invalid('values are an object: { feature: values }');
    const library = this.#library;
    const entries = Object.entries(values).filter(([, data]) => data !== undefined);
    const oneRow =
      side === 'context' ||
      entries.some(([, data]) => !isList(data) && (typeof data !== 'object' || data === null));
    const pointer = library.take(COLUMN_BYTES * entries.length);
    let rows = side === 'context' ? 1 : given;
    let first = null;
    entries.forEach(([name, data], i) => {
      const feature = this.model.feature(side, name);
      const flat = flatten(feature, data, oneRow);
      if (rows === undefined) rows = flat.rows;
      first ??= name;
      if (flat.rows !== rows) {
        throw invalid(`feature '${name}' has ${flat.rows} rows, and ${first === name ? 'the batch' : `'${first}'`} ${rows}`);
      }
      const type = typeOf(feature, flat.values);
      const what = `${side} feature '${name}'`;
      let integers = 0;
      let numbers = 0;
      let strings = 0;
      let splits = 0;
      if (type === STRING) {
        const wrong = flat.values.find((value) => typeof value !== 'string');
        if (wrong !== undefined) throw invalid(`${what}: ${String(wrong)} is no string, while others of its column are`);
        strings = library.writeStrings(flat.values);
      } else if (type === FLOAT32) {
        numbers = library.writeNumbers(flat.values, what);
      } else {
        integers = library.writeIntegers(flat.values, what);
      }
      if (flat.splits !== undefined) {
        splits = library.take(4 * flat.splits.length);
        library.u32.set(flat.splits, splits >> 2);
      }
      library.u32.set([feature.index, type, integers, numbers, strings, splits], (pointer + COLUMN_BYTES * i) >> 2);
    });
    return new Columns(pointer, entries.length, rows ?? 0);
  }

  #recallOptions(k, options) {
    const library = this.#library;
    const { model } = this;
    const isString = model.recall?.idType === 'string';
    const user = USERS.indexOf(options.user ?? (options.vector === undefined ? 'mean' : 'vector'));
    if (user < 1) throw invalid(`no user vector '${options.user}'; there are: ${USERS.slice(1).join(', ')}`);
    const filters = options.filters ?? [];
    const filtersAt = library.take(FILTER_BYTES * filters.length);
    filters.forEach((filter, i) => this.#filter(filter, filtersAt + FILTER_BYTES * i));
    const vector = options.vector === undefined ? 0 : library.writeNumbers(options.vector, 'vector');
    const excluded = options.exclude === undefined ? [] : isList(options.exclude) ? options.exclude : [...options.exclude];
    if (isString) {
      const wrong = excluded.find((id) => typeof id !== 'string');
      if (wrong !== undefined) throw invalid(`exclude: ids of this index are strings, and ${String(wrong)} is none`);
    }
    const ids = excluded.length === 0 ? 0 : isString ? library.writeStrings(excluded) : library.writeIntegers(excluded, 'exclude');
    if (options.overlay !== undefined && options.overlay.model !== model) throw invalid('an overlay of another model');
    const pointer = library.take(RECALL_OPTIONS_BYTES);
    const at = pointer >> 2;
    library.u32.set(
      [
        user, k, 0, options.interests ?? 3, options.probes ?? 0, options.exact ? 1 : 0, options.keepSeen ? 1 : 0,
        filtersAt, filters.length,
        vector, options.vector?.length ?? 0,
        isString ? 0 : ids, isString ? ids : 0, excluded.length,
        options.accepts === undefined ? 0 : 1,
        options.overlay?._pointer() ?? 0,
        options.output === undefined ? 0 : model.output(options.output).index,
      ],
      at,
    );
    library.f32[at + 2] = options.halfLife ?? 10;
    const accepts =
      options.accepts === undefined ? null : (item, id) => options.accepts(library.readId(id, isString), item === OVERLAY_ITEM ? null : item);
    return { pointer, accepts, isString };
  }

  #filter(filter, pointer) {
    const library = this.#library;
    const feature = this.model.feature('candidate', filter.feature);
    const ids = filter.anyOf ?? filter.noneOf;
    const what = `filter of '${feature.name}'`;
    if ((filter.anyOf !== undefined) + (filter.noneOf !== undefined) + (filter.min !== undefined || filter.max !== undefined) !== 1) {
      throw invalid(`${what}: it has one of anyOf, noneOf, and min or max`);
    }
    let kind = 3;
    let type = INT64;
    let at = 0;
    if (ids !== undefined) {
      kind = filter.anyOf !== undefined ? 1 : 2;
      type = typeof ids[0] === 'string' ? STRING : INT64;
      if (type === STRING && ids.some((id) => typeof id !== 'string')) throw invalid(`${what}: not all ids are strings`);
      at = type === STRING ? library.writeStrings(ids) : library.writeIntegers(ids, what);
    }
    library.u32.set(
      [kind, feature.index, type, filter.element ?? 0, 0, 0, type === STRING ? 0 : at, type === STRING ? at : 0, ids?.length ?? 0],
      pointer >> 2,
    );
    library.f32[(pointer >> 2) + 4] = filter.min ?? -Infinity;
    library.f32[(pointer >> 2) + 5] = filter.max ?? Infinity;
  }
}

function wanted(k) {
  if (!Number.isSafeInteger(k) || k < 0 || k > 0x7fffffff) throw invalid(`k is ${String(k)}, and no whole number`);
  return k;
}

// ---- Models ----

export class Model extends Closable {
  #library;
  #pointer;
  #features = new Map();
  #outputs = new Map();

  /** @internal Takes the memory at `data`, which has the whole bundle. */
  constructor(library, data, size, { publicKeys } = {}) {
    let pointer;
    try {
      library.begin();
      pointer = library.made(library.calls.hpw_model_open(data, size, ...writeKeys(library, publicKeys)));
    } catch (error) {
      library.release(data);
      throw error;
    }
    super(
      'model',
      new Owned(null, () => {
        library.calls.hpw_model_close(pointer);
        library.release(data);
      }),
    );
    this.#library = library;
    this.#pointer = pointer;
    library.begin();
    const at = library.take(160);
    library.done(library.calls.hpw_model_info(pointer, at));
    const n = library.f64.slice(at >> 3, (at >> 3) + 16);
    const texts = [...library.u32.subarray((at >> 2) + 36, (at >> 2) + 39)].map((text) => library.text(text));
    this.info = Object.freeze({
      name: texts[0],
      version: texts[1],
      producer: texts[2],
      format: `${n[0]}.${n[1]}`,
      precision: PRECISIONS[n[2]] ?? 'unknown',
      hasModel: n[7] === 1,
      maxHistory: n[4],
      tile: n[5],
      goldens: n[6],
      catalogItems: n[8],
      recallItems: n[9],
      bundleBytes: n[10],
      tableBytes: n[11],
      sessionBytes: n[12],
      modelBytes: n[13] + n[14],
      contentHash: digits(library.i64[(at >> 3) + 16]),
      keyId: digits(library.i64[(at >> 3) + 17]),
    });
    this.features = Object.freeze(Array.from({ length: n[3] }, (_, i) => this.#readFeature(i, at)));
    this.outputs = Object.freeze(Array.from({ length: n[15] }, (_, i) => this.#readOutput(i, at)));
    this.recall = n[9] > 0 ? this.#readRecall(at) : null;
  }

  feature(side, name) {
    const feature = this.#features.get(side)?.get(name);
    if (feature !== undefined) return feature;
    const names = [...(this.#features.get(side)?.keys() ?? [])].join(', ');
    throw new HandpickError(Status.UNKNOWN_FEATURE, `the model has no ${side} feature '${name}'; it has: ${names || 'none'}`);
  }

  output(name) {
    const output = this.#outputs.get(name);
    if (output !== undefined) return output;
    throw new HandpickError(Status.UNKNOWN_OUTPUT, `the model has no output '${name}'; it has: ${[...this.#outputs.keys()].join(', ')}`);
  }

  newSession(options = {}) {
    return new Session(this.#library, this, options);
  }

  newOverlay(maxItems) {
    return new Overlay(this.#library, this, maxItems);
  }

  newBatch(names, capacity, side = 'candidate') {
    return new Batch(this.#library, this, side, names, capacity);
  }

  check() {
    this.#library.done(this.#library.calls.hpw_model_check(this._pointer()));
  }

  newCheck(options = {}) {
    return new Check(this.#library, this, options);
  }

  /** @internal */
  _pointer() {
    this._owned();
    return this.#pointer;
  }

  #readFeature(index, at) {
    const library = this.#library;
    library.done(library.calls.hpw_feature(this.#pointer, index, at));
    const [side, type, valueTypes, maxValues, dimension, optional, key, name, sequence, maxEvents] = library.u32.subarray(at >> 2);
    const feature = Object.freeze({
      index,
      name: library.text(name),
      side: SIDES[side] ?? 'unknown',
      type: FEATURE_TYPES[type] ?? 'unknown',
      valueTypes,
      maxValues,
      dimension,
      optional: optional === 1,
      isCatalogKey: key === 1,
      sequence: sequence === 0 ? null : library.text(sequence),
      maxEvents,
    });
    if (!this.#features.has(feature.side)) this.#features.set(feature.side, new Map());
    this.#features.get(feature.side).set(feature.name, feature);
    return feature;
  }

  #readOutput(index, at) {
    const library = this.#library;
    library.done(library.calls.hpw_output(this.#pointer, index, at));
    const [task, name] = library.u32.subarray(at >> 2);
    const output = Object.freeze({ index, name: library.text(name), task: TASKS[task] ?? 'unknown' });
    this.#outputs.set(output.name, output);
    return output;
  }

  #readRecall(at) {
    const library = this.#library;
    library.done(library.calls.hpw_recall_info(this.#pointer, at));
    const [metric, dimension, idType, history, candidate, userVector, probes, measuredK, items] = library.u32.subarray(at >> 2);
    const name = (feature) => (feature === NO_FEATURE ? null : this.features[feature].name);
    return Object.freeze({
      metric: METRICS[metric] ?? 'unknown',
      dimension,
      idType: idType === STRING ? 'string' : 'integer',
      historyFeature: name(history),
      candidateFeature: name(candidate),
      hasUserVector: userVector === 1,
      probes,
      items,
      measuredK,
      measuredRecall: library.f32[(at >> 2) + 9],
    });
  }
}

// ---- Loading ----

const isNode = typeof process !== 'undefined' && process.versions?.node !== undefined;

async function readModule(source) {
  if (source instanceof WebAssembly.Module || source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return source;
  source = await source;
  if (typeof source === 'string' || source instanceof URL) {
    const url = new URL(source, typeof location === 'undefined' ? import.meta.url : location.href);
    if (isNode && url.protocol === 'file:') {
      // Not for bundlers to look into.
      const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises');
      return readFile(url);
    }
    source = await fetch(url);
  }
  if (!source.ok) throw new HandpickError(Status.FILE_ERROR, `${source.url}: HTTP ${source.status}`);
  // Compiled while it arrives, where the server says what it is.
  if (source.headers.get('content-type')?.startsWith('application/wasm')) {
    return (imports) => WebAssembly.instantiateStreaming(source, imports);
  }
  return source.arrayBuffer();
}

export class Handpick {
  #library;

  /** @internal Use Handpick.load. */
  constructor(library) {
    this.#library = library;
    this.version = library.text(library.calls.hpw_version() >>> 0);
  }

  static async load(source = new URL('./handpick.wasm', import.meta.url)) {
    return new Handpick(await Library.instantiate(await readModule(source)));
  }

  get memoryBytes() {
    return this.#library.bytes;
  }

  openModel(bundle, options = {}) {
    const bytes = ArrayBuffer.isView(bundle)
      ? new Uint8Array(bundle.buffer, bundle.byteOffset, bundle.byteLength)
      : new Uint8Array(bundle);
    const data = this.#library.allocate(bytes.length, 'the bundle');
    this.#library.u8.set(bytes, data);
    return new Model(this.#library, data, bytes.length, options);
  }

  async fetchModel(source, options = {}) {
    const awaited = await source;
    const response = typeof awaited === 'string' || awaited instanceof URL ? await fetch(awaited) : awaited;
    if (!response.ok) throw new HandpickError(Status.FILE_ERROR, `${response.url}: HTTP ${response.status}`);
    const size = Number(response.headers.get('content-length'));
    // The length of what was packed for the way says nothing about what arrives.
    if (!(size > 0) || response.body === null || response.headers.get('content-encoding')) {
      return this.openModel(await response.arrayBuffer(), options);
    }
    const library = this.#library;
    const data = library.allocate(size, 'the bundle');
    let at = 0;
    try {
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        if (at + value.length > size) throw new HandpickError(Status.FILE_ERROR, `${response.url}: more than the ${size} bytes that it promised`);
        library.u8.set(value, data + at);
        at += value.length;
      }
      if (at !== size) throw new HandpickError(Status.FILE_ERROR, `${response.url}: ${at} of ${size} bytes`);
    } catch (error) {
      library.release(data);
      throw error;
    }
    return new Model(library, data, size, options);
  }
}
