package dev.handpick;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/**
 * One user's context and history, and the memory to rank with. From {@link Model#newSession}.
 *
 * <p>It serves one thread at a time: a second one, and every call after {@link #close}, gets an {@link
 * IllegalStateException}. Different sessions of one model run at the same time. A call that throws
 * leaves the session as it was.
 */
public final class Session extends NativeObject<Lease> {
  private final ModelHandle model;

  private static final class SessionLease extends Lease {
    private final int[] options;

    SessionLease(ModelHandle model, SessionOptions options) {
      super("session", model);
      size("tile", options.getTile());
      size("recallK", options.getRecallK());
      size("recallInterests", options.getRecallInterests());
      size("recallProbes", options.getRecallProbes());
      this.options = options.pack();
    }

    @Override
    long make(long model) {
      return nativeNew(model, options);
    }

    @Override
    void free(long address) {
      nativeFree(address);
    }
  }

  Session(ModelHandle model, SessionOptions options) {
    super(new SessionLease(model, options).begin());
    this.model = model;
  }

  static int size(String name, int value) {
    if (value < 0) throw new HandpickException(Status.INVALID_ARGUMENT, name + " is " + value);
    return value;
  }

  /**
   * Sets the whole context: a batch of one row. Features that are left out take their defaults.
   *
   * @throws HandpickException INVALID_ARGUMENT, UNKNOWN_FEATURE, WRONG_TYPE, MISSING_FEATURE,
   *     DUPLICATE_FEATURE, UNKNOWN_ID, NOT_FINITE, TOO_MANY_VALUES: with every batch. The message names
   *     feature and row.
   */
  public void setContext(@NotNull Batch context) {
    give(SET_CONTEXT, context, Side.CONTEXT);
  }

  /** Appends events, oldest first. When the history is full, the oldest ones go. */
  public void appendEvents(@NotNull Batch events) {
    give(APPEND_EVENTS, events, Side.HISTORY);
  }

  /** Replaces the history. */
  public void setHistory(@NotNull Batch events) {
    give(SET_HISTORY, events, Side.HISTORY);
  }

  /** Empties all histories. */
  public void clearHistory() {
    setHistory(new Columns(0));
  }

  private static final int SET_CONTEXT = 0;
  private static final int APPEND_EVENTS = 1;
  private static final int SET_HISTORY = 2;

  private void give(int what, Batch batch, Side side) {
    long address = handle.beginWrite();
    try {
      int columns = finish(batch, side);
      nativeGive(
          address, what, columns, batch.getRowCount(), batch.header, batch.values, batch.ends, batch.splits);
    } finally {
      handle.endWrite();
    }
  }

  private int finish(Batch batch, Side side) {
    batch.expect(model, side);
    return batch.finish();
  }

  /** The best {@code k} candidates, best first; equal ones in the order of their rows. */
  public @NotNull List<Ranked> rank(@NotNull Batch candidates, int k) {
    return rank(candidates, k, null);
  }

  /** The same, by one of the model's outputs; null: its first. */
  public @NotNull List<Ranked> rank(@NotNull Batch candidates, int k, @Nullable Output output) {
    if (output != null) output.expect(model);
    int size = Math.min(size("k", k), candidates.getRowCount());
    int[] rows = new int[size];
    float[] scores = new float[size];
    float[] logits = new float[size];
    int count;
    long address = handle.beginWrite();
    try {
      int columns = finish(candidates, Side.CANDIDATE);
      count =
          nativeRank(
              address, columns, candidates.getRowCount(), candidates.header, candidates.values,
              candidates.ends, candidates.splits, output == null ? 0 : output.number, rows, scores, logits);
    } finally {
      handle.endWrite();
    }
    List<Ranked> ranked = new ArrayList<>(count);
    for (int i = 0; i < count; ++i) ranked.add(new Ranked(rows[i], scores[i], logits[i]));
    return ranked;
  }

  /** Every candidate's score, by the model's first output. */
  public @NotNull float[] score(@NotNull Batch candidates) {
    float[] scores = new float[candidates.getRowCount()];
    score(candidates, FloatBuffer.wrap(scores), null);
    return scores;
  }

  /**
   * Every candidate's score and logit, into the app's memory: arrays, or direct buffers in the
   * processor's byte order. Written from each buffer's position on; positions do not move.
   */
  public void score(@NotNull Batch candidates, @Nullable FloatBuffer scores, @Nullable FloatBuffer logits) {
    score(candidates, null, 1, scores, logits);
  }

  /** Every candidate's scores by several outputs: one row of them for each candidate. */
  public @NotNull float[] score(@NotNull Batch candidates, @NotNull Output... outputs) {
    long size = (long) candidates.getRowCount() * outputs.length;
    if (size > Integer.MAX_VALUE) {
      throw new HandpickException(Status.INVALID_ARGUMENT, size + " scores do not fit in an array");
    }
    int[] numbers = new int[outputs.length];
    for (int i = 0; i < outputs.length; ++i) {
      outputs[i].expect(model);
      numbers[i] = outputs[i].number;
    }
    float[] scores = new float[(int) size];
    score(candidates, numbers, numbers.length, FloatBuffer.wrap(scores), null);
    return scores;
  }

  private void score(
      Batch candidates, int[] outputs, int width, FloatBuffer scores, FloatBuffer logits) {
    long size = (long) candidates.getRowCount() * width;
    long address = handle.beginWrite();
    try {
      int columns = finish(candidates, Side.CANDIDATE);
      nativeScore(
          address, columns, candidates.getRowCount(), candidates.header, candidates.values,
          candidates.ends, candidates.splits, outputs, memory("scores", scores, size), first(scores),
          memory("logits", logits, size), first(logits));
    } finally {
      handle.endWrite();
    }
  }

  /** A buffer's array, or the buffer itself if it is a direct one. */
  private static Object memory(String name, FloatBuffer buffer, long size) {
    if (buffer == null) return null;
    if (buffer.remaining() < size) {
      throw new HandpickException(
          Status.INVALID_ARGUMENT, name + " has room for " + buffer.remaining() + ", and " + size + " are to come");
    }
    if (buffer.hasArray()) return buffer.array();
    if (buffer.isReadOnly() || !buffer.isDirect() || buffer.order() != ByteOrder.nativeOrder()) {
      throw new HandpickException(
          Status.INVALID_ARGUMENT, name + ": a direct buffer, in native order, that can be written is needed");
    }
    return buffer;
  }

  private static int first(FloatBuffer buffer) {
    if (buffer == null) return 0;
    return buffer.hasArray() ? buffer.arrayOffset() + buffer.position() : buffer.position();
  }

  /**
   * Recalls the best {@link RecallOptions#getK} items for the user, best first. Fewer only when fewer are
   * left; none, and no exception, when the history says nothing: see {@link #getRecallReport}.
   */
  public @NotNull List<Recalled> recall(@NotNull RecallOptions options) {
    Object[] found = search(options, false, options.getK());
    long[] ids = (long[]) found[0];
    int[] numbers = (int[]) found[1];
    float[] scores = (float[]) found[2];
    List<Recalled> items = new ArrayList<>(ids.length);
    for (int i = 0; i < ids.length; ++i) {
      items.add(new Recalled(numbers[i], ids[i], string(found, i), scores[i]));
    }
    return items;
  }

  /** Recalls items, ranks them with the model, and returns the best {@code k}, best first. */
  public @NotNull List<Recommended> recommend(@NotNull RecallOptions options, int k) {
    Object[] found = search(options, true, size("k", k));
    long[] ids = (long[]) found[0];
    int[] numbers = (int[]) found[1];
    float[] scores = (float[]) found[2];
    List<Recommended> items = new ArrayList<>(ids.length);
    for (int i = 0; i < ids.length; ++i) {
      items.add(
          new Recommended(
              numbers[i], ids[i], string(found, i), scores[3 * i], scores[3 * i + 1], scores[3 * i + 2]));
    }
    return items;
  }

  private static byte[] string(Object[] found, int i) {
    return found[3] == null ? null : ((byte[][]) found[3])[i];
  }

  private Object[] search(RecallOptions options, boolean rank, int k) {
    UserVector user = options.getUser();
    Output output = options.getRankOutput();
    if (output != null) output.expect(model);
    int[] numbers = {
      user.kind,
      size("k", options.getK()),
      size("interests", user.interests),
      size("probes", options.getProbes()),
      options.isExact() ? 1 : 0,
      options.isKeepSeen() ? 1 : 0,
      output == null ? 0 : output.number
    };
    Filter[] filters = options.filters();
    int[] filterNumbers = new int[5 * filters.length];
    float[] filterBounds = new float[2 * filters.length];
    long[] filterIds = {};
    int filterIdCount = 0;
    Text.Packed filterStrings = new Text.Packed();
    for (int i = 0; i < filters.length; ++i) {
      Filter filter = filters[i];
      if (filter.feature.model != model) {
        throw new HandpickException(Status.UNKNOWN_FEATURE, filter.feature + " is of another model");
      }
      filterNumbers[5 * i] = filter.kind;
      filterNumbers[5 * i + 1] = filter.feature.number;
      filterNumbers[5 * i + 2] = filter.strings != null ? Feature.STRINGS : Feature.INTEGERS;
      filterNumbers[5 * i + 3] = size("element", filter.element);
      filterBounds[2 * i] = filter.low;
      filterBounds[2 * i + 1] = filter.high;
      if (filter.strings != null) {
        filterNumbers[5 * i + 4] = filter.strings.length;
        for (String id : filter.strings) filterStrings.add(id);
      } else if (filter.integers != null) {
        int count = filter.integers.length;
        filterNumbers[5 * i + 4] = count;
        filterIds = Grow.longs(filterIds, filterIdCount, count);
        System.arraycopy(filter.integers, 0, filterIds, filterIdCount, count);
        filterIdCount += count;
      }
    }
    Text.Packed excluded = new Text.Packed();
    for (String id : options.excludedStringIds()) excluded.add(id);

    Overlay overlay = options.getOverlay();
    if (overlay != null && overlay.model != model) {
      throw new HandpickException(Status.INVALID_ARGUMENT, "the overlay is of another model");
    }
    long address = handle.beginWrite();
    try {
      long overlayAddress = overlay == null ? 0 : overlay.handle.beginRead();
      try {
        return nativeSearch(
            address, rank, k, numbers, user.halfLife, user.vector, filterNumbers, filterBounds, filterIds,
            filterStrings.bytes, filterStrings.ends, filterStrings.count, options.excludedIds(), excluded.bytes,
            excluded.ends, excluded.count, options.getAccepts(), overlayAddress);
      } finally {
        if (overlay != null) overlay.handle.endRead();
      }
    } finally {
      handle.endWrite();
    }
  }

  /** Called by the library, while it recalls. */
  private static boolean accepts(ItemPredicate predicate, int number, long id, byte[] stringId) {
    return predicate.accepts(new Item(number, id, stringId));
  }

  /** Why the last recall found what it found. */
  public @NotNull RecallReport getRecallReport() {
    long[] numbers = new long[RecallReport.NUMBERS];
    long address = handle.beginWrite();
    try {
      nativeReport(address, numbers);
    } finally {
      handle.endWrite();
    }
    return new RecallReport(numbers);
  }

  /**
   * Replays the golden requests of the bundle, and compares with what the trainer computed. Replaces
   * the context, and empties the history.
   *
   * @return the largest {@code |logit - golden| / max(1, |golden|)}
   * @throws HandpickException GOLDEN_MISMATCH: this device does not compute what the trainer did
   */
  public float checkGoldens() {
    long address = handle.beginWrite();
    try {
      return nativeGoldens(address);
    } finally {
      handle.endWrite();
    }
  }

  private static native long nativeNew(long model, int[] options);

  private static native void nativeFree(long address);

  private native void nativeGive(
      long address, int what, int columns, int rows, int[] header, Object[] values, Object[] ends, Object[] splits);

  private native int nativeRank(
      long address, int columns, int rows, int[] header, Object[] values, Object[] ends, Object[] splits,
      int output, int[] indices, float[] scores, float[] logits);

  private native void nativeScore(
      long address, int columns, int rows, int[] header, Object[] values, Object[] ends, Object[] splits,
      int[] outputs, Object scores, int firstScore, Object logits, int firstLogit);

  private native Object[] nativeSearch(
      long address, boolean rank, int k, int[] numbers, float halfLife, float[] vector, int[] filterNumbers,
      float[] filterBounds, long[] filterIds, byte[] filterText, int[] filterEnds, int filterStrings,
      long[] excludedIds, byte[] excludedText, int[] excludedEnds, int excludedStrings, ItemPredicate accepts,
      long overlay);

  private native void nativeReport(long address, long[] numbers);

  private native float nativeGoldens(long address);
}
