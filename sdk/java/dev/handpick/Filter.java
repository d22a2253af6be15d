package dev.handpick;

import org.jetbrains.annotations.NotNull;

/**
 * A condition on a feature of the catalog: items that do not meet it are not recalled. What is not in
 * the catalog meets none. Immutable.
 */
public final class Filter {
  final Feature feature;
  final int kind;
  final int element;
  final float low;
  final float high;
  final long[] integers;
  final String[] strings;

  private Filter(
      Feature feature, int kind, int element, float low, float high, long[] integers, String[] strings) {
    this.feature = feature;
    this.kind = kind;
    this.element = element;
    this.low = low;
    this.high = high;
    this.integers = integers;
    this.strings = strings;
    feature.expect(integers != null ? Feature.INTEGERS : strings != null ? Feature.STRINGS : Feature.NUMBERS);
  }

  /** One of the item's ids is among these. */
  public static @NotNull Filter anyOf(@NotNull Feature feature, @NotNull long... ids) {
    return new Filter(feature, 1, 0, 0, 0, ids.clone(), null);
  }

  /** One of the item's ids is among these. */
  public static @NotNull Filter anyOf(@NotNull Feature feature, @NotNull String... ids) {
    return new Filter(feature, 1, 0, 0, 0, null, ids.clone());
  }

  /** None of the item's ids is among these. */
  public static @NotNull Filter noneOf(@NotNull Feature feature, @NotNull long... ids) {
    return new Filter(feature, 2, 0, 0, 0, ids.clone(), null);
  }

  /** None of the item's ids is among these. */
  public static @NotNull Filter noneOf(@NotNull Feature feature, @NotNull String... ids) {
    return new Filter(feature, 2, 0, 0, 0, null, ids.clone());
  }

  /** {@code low <= number <= high}; either may be infinite. */
  public static @NotNull Filter range(@NotNull Feature feature, float low, float high) {
    return range(feature, 0, low, high);
  }

  /** The same, of one of the feature's numbers, from 0. */
  public static @NotNull Filter range(@NotNull Feature feature, int element, float low, float high) {
    return new Filter(feature, 3, element, low, high, null, null);
  }
}
