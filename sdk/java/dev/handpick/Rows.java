package dev.handpick;

import java.util.Arrays;
import org.jetbrains.annotations.NotNull;

/**
 * Values given row by row:
 *
 * <pre>{@code
 * Rows events = new Rows();
 * events.add().set(movie, 260).set(genre, "Sci-Fi");
 * events.add().set(movie, 1196).set(genre, "Adventure");
 * session.appendEvents(events);
 * }</pre>
 *
 * In Kotlin also {@code row[movie] = 260}. The first {@code set} begins the first row, so that a
 * context needs no {@link #add}. A feature is set in every row, or in none. Values are copied.
 */
public final class Rows extends Batch {
  private static final class Column {
    final int type;
    final boolean multiValued;
    long[] integers = {};
    float[] numbers = {};
    Text.Packed strings;
    int[] splits = {0};
    int rows;
    int elements;

    Column(int type, boolean multiValued) {
      this.type = type;
      this.multiValued = multiValued;
      if (type == Feature.STRINGS) strings = new Text.Packed();
    }

    void clear() {
      rows = 0;
      elements = 0;
      if (strings != null) strings.clear();
    }
  }

  private Column[] columns = new Column[8];
  private int rowCount;

  /** No row yet. */
  public Rows() {}

  @Override
  public int getRowCount() {
    return rowCount;
  }

  /** Begins a row. */
  public @NotNull Rows add() {
    if (rowCount == Integer.MAX_VALUE - 1) {
      throw new HandpickException(Status.INVALID_ARGUMENT, "more than " + rowCount + " rows");
    }
    ++rowCount;
    return this;
  }

  /** Removes all rows. What was allocated is used again. */
  public @NotNull Rows clear() {
    for (int slot = 0; slot < featureCount(); ++slot) {
      if (columns[slot] != null) columns[slot].clear();
    }
    rowCount = 0;
    return this;
  }

  /** Sets an id, or a number, rounded to {@code float}. */
  public @NotNull Rows set(@NotNull Feature feature, long value) {
    if (feature.getType() == FeatureType.NUMERIC) return set(feature, (float) value);
    Column column = next(feature, Feature.INTEGERS, 1);
    column.integers = Grow.longs(column.integers, column.elements, 1);
    column.integers[column.elements] = value;
    return end(column, 1);
  }

  /** Sets an id, or a number, rounded to {@code float}. */
  public @NotNull Rows set(@NotNull Feature feature, int value) {
    return set(feature, (long) value);
  }

  /** Sets a number. */
  public @NotNull Rows set(@NotNull Feature feature, float value) {
    Column column = next(feature, Feature.NUMBERS, 1);
    column.numbers = Grow.floats(column.numbers, column.elements, 1);
    column.numbers[column.elements] = value;
    return end(column, 1);
  }

  /** Sets a number, rounded to {@code float}. */
  public @NotNull Rows set(@NotNull Feature feature, double value) {
    return set(feature, (float) value);
  }

  /** Sets an id that is text. */
  public @NotNull Rows set(@NotNull Feature feature, @NotNull String value) {
    Text.expect(feature, value);
    Column column = next(feature, Feature.STRINGS, 1);
    column.strings.add(value);
    return end(column, 1);
  }

  /** Sets all ids of a multi-valued feature, or all numbers of a numeric one. */
  public @NotNull Rows set(@NotNull Feature feature, @NotNull long[] values) {
    if (feature.getType() == FeatureType.NUMERIC) {
      float[] numbers = new float[values.length];
      for (int i = 0; i < values.length; ++i) numbers[i] = (float) values[i];
      return set(feature, numbers);
    }
    Column column = next(feature, Feature.INTEGERS, values.length);
    column.integers = Grow.longs(column.integers, column.elements, values.length);
    System.arraycopy(values, 0, column.integers, column.elements, values.length);
    return end(column, values.length);
  }

  /** Sets all numbers of a feature: {@link Feature#getDimension}. */
  public @NotNull Rows set(@NotNull Feature feature, @NotNull float[] values) {
    Column column = next(feature, Feature.NUMBERS, values.length);
    column.numbers = Grow.floats(column.numbers, column.elements, values.length);
    System.arraycopy(values, 0, column.numbers, column.elements, values.length);
    return end(column, values.length);
  }

  /** Sets all ids of a multi-valued feature. */
  public @NotNull Rows set(@NotNull Feature feature, @NotNull String[] values) {
    Text.expect(feature, values);
    Column column = next(feature, Feature.STRINGS, values.length);
    for (String value : values) column.strings.add(value);
    return end(column, values.length);
  }

  /** The feature's column, which is to get that many values in the current row. */
  private Column next(Feature feature, int type, int count) {
    feature.expect(type);
    int slot = slot(feature);
    if (slot >= columns.length) columns = Arrays.copyOf(columns, 2 * slot);
    Column column = columns[slot];
    if (column == null || column.rows == 0 && column.type != type) {
      column = columns[slot] = new Column(type, feature.isMultiValued());
    }
    // What fails leaves no trace.
    int row = Math.max(rowCount, 1) - 1;
    if (column.type != type) {
      throw new HandpickException(
          Status.WRONG_TYPE, at(feature, row) + " has a value of another type than the rows before");
    }
    if (column.rows > row) throw new HandpickException(Status.DUPLICATE_FEATURE, at(feature, row) + " is set twice");
    if (column.rows < row) throw unset(feature, column.rows);
    int expected = feature.getType() == FeatureType.NUMERIC ? feature.getDimension() : 1;
    if (!column.multiValued && count != expected) {
      throw new HandpickException(
          Status.INVALID_ARGUMENT, at(feature, row) + " got " + count + " values, and takes " + expected);
    }
    return column;
  }

  private Rows end(Column column, int count) {
    if (rowCount == 0) rowCount = 1;
    column.elements += count;
    ++column.rows;
    if (column.multiValued) {
      column.splits = Grow.ints(column.splits, column.rows, 1);
      column.splits[column.rows] = column.elements;
    }
    return this;
  }

  private HandpickException unset(Feature feature, int row) {
    return new HandpickException(
        Status.MISSING_FEATURE,
        at(feature, row) + " is not set; a feature is set in all of the " + rowCount + " rows, or in none");
  }

  private static String at(Feature feature, int row) {
    return feature + " of row " + row;
  }

  @Override
  int finish() {
    int count = 0;
    for (int slot = 0; slot < featureCount(); ++slot) {
      Column column = columns[slot];
      if (column == null || column.rows == 0) continue;
      if (column.rows < rowCount) throw unset(feature(slot), column.rows);
      Object data;
      int[] dataEnds = null;
      if (column.type == Feature.INTEGERS) {
        data = column.integers;
      } else if (column.type == Feature.NUMBERS) {
        data = column.numbers;
      } else {
        data = column.strings.bytes;
        dataEnds = column.strings.ends;
      }
      put(
          count++,
          feature(slot),
          column.type,
          data,
          0,
          column.elements,
          dataEnds,
          column.multiValued ? column.splits : null);
    }
    return count;
  }
}
