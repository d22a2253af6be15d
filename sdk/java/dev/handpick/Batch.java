package dev.handpick;

import java.util.Arrays;

/**
 * Values of features for a number of rows: one row for a context, one for each event of a history,
 * one for each candidate. {@link Rows} are filled row by row, {@link Columns} feature by feature from
 * arrays that the app has already. Reusable; used by one thread at a time.
 */
public abstract class Batch {
  /** Numbers of a column in {@link #header}: feature, type, first element, elements. */
  static final int HEADER = 4;

  int[] header = new int[HEADER * 8];
  /** Of each column: long[], float[], direct LongBuffer or FloatBuffer, or byte[] of strings. */
  Object[] values = new Object[8];
  /** Of strings: int[], where each ends. */
  Object[] ends = new Object[8];
  /** Of multi-valued features: int[] of rows + 1. */
  Object[] splits = new Object[8];

  private Feature[] features = new Feature[8];
  private int featureCount;
  private int[] slots = {};

  Batch() {}

  /** How many rows it has. */
  public abstract int getRowCount();

  /** Makes the arrays above ready; how many columns there are. */
  abstract int finish();

  /** The column of a feature, the next one if it is new. */
  final int slot(Feature feature) {
    if (feature.number < slots.length && slots[feature.number] > 0) {
      int slot = slots[feature.number] - 1;
      if (features[slot] == feature) return slot;
    }
    if (featureCount > 0) {
      Feature other = features[0];
      if (other.model != feature.model) {
        throw new HandpickException(
            Status.UNKNOWN_FEATURE, feature + " and " + other + " are of two models");
      }
      if (other.getSide() != feature.getSide()) {
        throw new HandpickException(
            Status.UNKNOWN_FEATURE, feature + " and " + other + " cannot be in one batch");
      }
    }
    if (featureCount == features.length) {
      int size = 2 * featureCount;
      features = Arrays.copyOf(features, size);
      header = Arrays.copyOf(header, HEADER * size);
      values = Arrays.copyOf(values, size);
      ends = Arrays.copyOf(ends, size);
      splits = Arrays.copyOf(splits, size);
    }
    if (feature.number >= slots.length) slots = Arrays.copyOf(slots, feature.number + 16);
    features[featureCount] = feature;
    slots[feature.number] = ++featureCount;
    return featureCount - 1;
  }

  final int featureCount() {
    return featureCount;
  }

  final Feature feature(int slot) {
    return features[slot];
  }

  final void put(
      int column, Feature feature, int type, Object data, int first, int elements, int[] dataEnds, int[] dataSplits) {
    header[HEADER * column] = feature.number;
    header[HEADER * column + 1] = type;
    header[HEADER * column + 2] = first;
    header[HEADER * column + 3] = elements;
    values[column] = data;
    ends[column] = dataEnds;
    splits[column] = dataSplits;
  }

  final void expect(ModelHandle model, Side side) {
    if (featureCount == 0) return;
    if (features[0].model != model) {
      throw new HandpickException(Status.UNKNOWN_FEATURE, features[0] + " is of another model");
    }
    if (features[0].getSide() != side) {
      throw new HandpickException(
          Status.UNKNOWN_FEATURE,
          features[0] + " was given with the " + Text.lower(side.name()) + "'s features");
    }
  }
}
