package dev.handpick;

import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/** What a bundle's recall index is. Immutable. */
public final class RecallInfo {
  /** What recall ranks by; a larger score is better. */
  public enum Metric {
    UNKNOWN,
    COSINE,
    INNER_PRODUCT,
    /** {@code -|user - item|^2} */
    EUCLIDEAN
  }

  static final int NUMBERS = 9;

  private final long[] numbers;
  private final float measuredRecall;
  private final Feature historyFeature;
  private final Feature candidateFeature;

  RecallInfo(long[] numbers, float measuredRecall, Feature historyFeature, Feature candidateFeature) {
    this.numbers = numbers;
    this.measuredRecall = measuredRecall;
    this.historyFeature = historyFeature;
    this.candidateFeature = candidateFeature;
  }

  public @NotNull Metric getMetric() {
    long code = numbers[0];
    return code < 0 || code >= Metric.values().length ? Metric.UNKNOWN : Metric.values()[(int) code];
  }

  /** Numbers of an item's vector. */
  public int getDimension() {
    return Text.clamp(numbers[1]);
  }

  /** Whether items are named by text: {@link Item#getStringId} instead of {@link Item#getId}. */
  public boolean hasStringIds() {
    return numbers[2] == Feature.STRINGS;
  }

  /** Names the item of an event. */
  public @Nullable Feature getHistoryFeature() {
    return historyFeature;
  }

  /** Names an item when it is ranked. */
  public @Nullable Feature getCandidateFeature() {
    return candidateFeature;
  }

  /** Whether the model makes a vector of the user: {@link UserVector#model}. */
  public boolean hasUserVector() {
    return numbers[5] != 0;
  }

  /** Buckets that a search looks into, per table; 0: it compares all items. */
  public int getProbes() {
    return Text.clamp(numbers[6]);
  }

  /** The k that the converter measured {@link #getMeasuredRecall} for; 0: nothing was measured. */
  public int getMeasuredK() {
    return Text.clamp(numbers[7]);
  }

  public float getMeasuredRecall() {
    return measuredRecall;
  }

  public long getItemCount() {
    return numbers[8];
  }
}
