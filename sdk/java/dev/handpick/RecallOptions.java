package dev.handpick;

import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/** How items are recalled. Each setter returns this; in Kotlin: {@code RecallOptions().apply { k = 100 }}. */
public final class RecallOptions {
  private static final Filter[] NO_FILTERS = {};
  private static final long[] NO_IDS = {};
  private static final String[] NO_STRINGS = {};

  private UserVector user = UserVector.mean();
  private int k = 100;
  private int probes;
  private boolean exact;
  private boolean keepSeen;
  private Filter[] filters = NO_FILTERS;
  private long[] excludedIds = NO_IDS;
  private String[] excludedStringIds = NO_STRINGS;
  private ItemPredicate accepts;
  private Overlay overlay;
  private Output rankOutput;

  public @NotNull UserVector getUser() {
    return user;
  }

  /** What to search with. Unless set: {@link UserVector#mean}. */
  public @NotNull RecallOptions setUser(@NotNull UserVector value) {
    user = value;
    return this;
  }

  public int getK() {
    return k;
  }

  /** Items to recall, at most {@link SessionOptions#getRecallK}. Unless set: 100. */
  public @NotNull RecallOptions setK(int value) {
    k = value;
    return this;
  }

  public int getProbes() {
    return probes;
  }

  /** Buckets to look into, per table. Unless set: as many as the index says. */
  public @NotNull RecallOptions setProbes(int value) {
    probes = value;
    return this;
  }

  public boolean isExact() {
    return exact;
  }

  /** Whether all item vectors are compared. */
  public @NotNull RecallOptions setExact(boolean value) {
    exact = value;
    return this;
  }

  public boolean isKeepSeen() {
    return keepSeen;
  }

  /** Whether items of the history may be recalled. */
  public @NotNull RecallOptions setKeepSeen(boolean value) {
    keepSeen = value;
    return this;
  }

  public @NotNull Filter[] getFilters() {
    return filters.clone();
  }

  /** Conditions that an item has to meet, all of them. */
  public @NotNull RecallOptions setFilters(@NotNull Filter... values) {
    filters = values.clone();
    return this;
  }

  public @NotNull long[] getExcludedIds() {
    return excludedIds.clone();
  }

  /** Items to leave out. */
  public @NotNull RecallOptions setExcludedIds(@NotNull long... values) {
    excludedIds = values.clone();
    return this;
  }

  public @NotNull String[] getExcludedStringIds() {
    return excludedStringIds.clone();
  }

  /** Items to leave out, of an index with string ids. */
  public @NotNull RecallOptions setExcludedStringIds(@NotNull String... values) {
    excludedStringIds = values.clone();
    return this;
  }

  public @Nullable ItemPredicate getAccepts() {
    return accepts;
  }

  /** Which items may be recalled; null: all. */
  public @NotNull RecallOptions setAccepts(@Nullable ItemPredicate value) {
    accepts = value;
    return this;
  }

  public @Nullable Overlay getOverlay() {
    return overlay;
  }

  /** Items that came after the bundle; null: none. */
  public @NotNull RecallOptions setOverlay(@Nullable Overlay value) {
    overlay = value;
    return this;
  }

  public @Nullable Output getRankOutput() {
    return rankOutput;
  }

  /** {@link Session#recommend}: the output to rank by; null: the model's first. */
  public @NotNull RecallOptions setRankOutput(@Nullable Output value) {
    rankOutput = value;
    return this;
  }

  Filter[] filters() {
    return filters;
  }

  long[] excludedIds() {
    return excludedIds;
  }

  String[] excludedStringIds() {
    return excludedStringIds;
  }
}
