package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** Why the last recall of a session found what it found. */
public final class RecallReport {
  /** What came of it. */
  public enum Outcome {
    /** There was none yet, or it failed. */
    NOT_DONE,
    FOUND,
    /** No event of the history names an item that has a vector. */
    NO_EVENTS,
    /** The user's vector is zero, and the metric needs a direction. */
    NO_DIRECTION,
    /** No item is left, after all that was left out; or k was 0. */
    NONE_LEFT,
    UNKNOWN
  }

  static final int NUMBERS = 6;

  private final long[] numbers;

  RecallReport(long[] numbers) {
    this.numbers = numbers;
  }

  public @NotNull Outcome getOutcome() {
    long code = numbers[0];
    return code < 0 || code >= Outcome.values().length ? Outcome.UNKNOWN : Outcome.values()[(int) code];
  }

  /** Events whose items have a vector. */
  public int getEvents() {
    return Text.clamp(numbers[1]);
  }

  /** 1, or the number of interests. */
  public int getSearches() {
    return Text.clamp(numbers[2]);
  }

  /** Whether a search compared all items. */
  public boolean isExact() {
    return numbers[3] != 0;
  }

  /** Item vectors that were compared, the overlay's included. */
  public long getRowsScanned() {
    return numbers[4];
  }

  /** Buckets that were looked into, of all tables. */
  public long getBuckets() {
    return numbers[5];
  }
}
