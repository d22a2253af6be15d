package dev.handpick;

import java.nio.Buffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/**
 * Values given feature by feature, each for all rows:
 *
 * <pre>{@code
 * List<Ranked> best = session.rank(new Columns(ids.length).set(movie, ids), 10);
 * }</pre>
 *
 * Arrays and direct buffers of integers and numbers are not copied: they are read during each call
 * that gets this batch. Strings and splits are copied by {@code set}. Setting a feature again
 * replaces its values.
 *
 * <p>While a call reads a Java array, the garbage collector may have to wait for it. Calls of several
 * milliseconds (many thousands of candidates) had better read direct buffers, in the processor's byte order:
 * {@code ByteBuffer.allocateDirect(8 * n).order(ByteOrder.nativeOrder()).asLongBuffer()}.
 */
public final class Columns extends Batch {
  private final int rowCount;

  /** Every feature will have so many rows. */
  public Columns(int rowCount) {
    if (rowCount < 0) {
      throw new HandpickException(Status.INVALID_ARGUMENT, "a batch of " + rowCount + " rows");
    }
    this.rowCount = rowCount;
  }

  @Override
  public int getRowCount() {
    return rowCount;
  }

  /** One id a row. */
  public @NotNull Columns set(@NotNull Feature feature, @NotNull long[] values) {
    return add(feature, Feature.INTEGERS, values, 0, values.length, null, null);
  }

  /** Ids of a multi-valued feature: row i has {@code values[splits[i]]} to {@code values[splits[i + 1] - 1]}. */
  public @NotNull Columns set(@NotNull Feature feature, @NotNull long[] values, @NotNull int[] splits) {
    return add(feature, Feature.INTEGERS, values, 0, values.length, null, splits.clone());
  }

  /** One id a row: those between the buffer's position and its limit. */
  public @NotNull Columns set(@NotNull Feature feature, @NotNull LongBuffer values) {
    return set(feature, values, null);
  }

  /** Ids of a multi-valued feature; {@code splits} count from the buffer's position. */
  public @NotNull Columns set(
      @NotNull Feature feature, @NotNull LongBuffer values, @Nullable int[] splits) {
    int[] copied = splits == null ? null : splits.clone();
    if (values.hasArray()) {
      int first = values.arrayOffset() + values.position();
      return add(feature, Feature.INTEGERS, values.array(), first, values.remaining(), null, copied);
    }
    direct(feature, values, values.order());
    return add(feature, Feature.INTEGERS, values, values.position(), values.remaining(), null, copied);
  }

  /** {@link Feature#getDimension} numbers a row, one row behind another. */
  public @NotNull Columns set(@NotNull Feature feature, @NotNull float[] values) {
    return add(feature, Feature.NUMBERS, values, 0, values.length, null, null);
  }

  /** The same, between the buffer's position and its limit. */
  public @NotNull Columns set(@NotNull Feature feature, @NotNull FloatBuffer values) {
    if (values.hasArray()) {
      int first = values.arrayOffset() + values.position();
      return add(feature, Feature.NUMBERS, values.array(), first, values.remaining(), null, null);
    }
    direct(feature, values, values.order());
    return add(feature, Feature.NUMBERS, values, values.position(), values.remaining(), null, null);
  }

  /** One id a row. */
  public @NotNull Columns set(@NotNull Feature feature, @NotNull String[] values) {
    return strings(feature, values, null);
  }

  /** Ids of a multi-valued feature: row i has {@code values[splits[i]]} to {@code values[splits[i + 1] - 1]}. */
  public @NotNull Columns set(@NotNull Feature feature, @NotNull String[] values, @NotNull int[] splits) {
    return strings(feature, values, splits.clone());
  }

  private Columns strings(Feature feature, String[] values, int[] copied) {
    feature.expect(Feature.STRINGS);
    Text.expect(feature, values);
    Text.Packed packed = new Text.Packed();
    for (String value : values) packed.add(value);
    return add(feature, Feature.STRINGS, packed.bytes, 0, values.length, packed.ends, copied);
  }

  private static void direct(Feature feature, Buffer buffer, ByteOrder order) {
    if (!buffer.isDirect()) {
      throw new HandpickException(
          Status.INVALID_ARGUMENT, feature + ": a read-only buffer must be a direct one");
    }
    if (order != ByteOrder.nativeOrder()) {
      throw new HandpickException(
          Status.INVALID_ARGUMENT,
          feature + ": the buffer is " + order + "; use order(ByteOrder.nativeOrder()) before asLongBuffer()");
    }
  }

  private Columns add(
      Feature feature, int type, Object data, int first, int elements, int[] dataEnds, int[] dataSplits) {
    feature.expect(type);
    if (dataSplits == null && feature.isMultiValued()) {
      throw new HandpickException(Status.INVALID_ARGUMENT, feature + " is multi-valued, and needs splits");
    }
    if (dataSplits == null) {
      long each = feature.getType() == FeatureType.NUMERIC ? feature.getDimension() : 1;
      if (elements != rowCount * each) {
        throw new HandpickException(
            Status.INVALID_ARGUMENT,
            feature + " got " + elements + " values for " + rowCount + " rows of " + each);
      }
    } else if (dataSplits.length != rowCount + 1L || dataSplits[rowCount] > elements) {
      throw new HandpickException(
          Status.INVALID_ARGUMENT,
          feature + " got " + elements + " values and " + dataSplits.length + " splits for " + rowCount
              + " rows; there must be " + (rowCount + 1L) + " splits, the last of them at most " + elements);
    }
    put(slot(feature), feature, type, data, first, elements, dataEnds, dataSplits);
    return this;
  }

  @Override
  int finish() {
    return featureCount();
  }
}
