package dev.handpick;

import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/**
 * A feature of a model: what {@link Rows} and {@link Columns} set values of. Look it up once by
 * {@link Model#feature} and keep it. Immutable.
 */
public final class Feature {
  static final int INTEGERS = 1;
  static final int NUMBERS = 2;
  static final int STRINGS = 4;

  final ModelHandle model;
  final int number;
  final int valueTypes;
  private final Side side;
  private final FeatureType type;
  private final int maxValues;
  private final int dimension;
  private final boolean optional;
  private final boolean catalogKey;
  private final long maxEvents;
  private final String name;
  private final String sequence;

  Feature(ModelHandle model, int number, long[] numbers, byte[][] strings) {
    this.model = model;
    this.number = number;
    side = Side.of((int) numbers[0]);
    type = FeatureType.of((int) numbers[1]);
    valueTypes = (int) numbers[2];
    maxValues = Text.clamp(numbers[3]);
    dimension = Text.clamp(numbers[4]);
    optional = numbers[5] != 0;
    catalogKey = numbers[6] != 0;
    maxEvents = numbers[7];
    name = Text.required(strings[0]);
    sequence = Text.decode(strings[1]);
  }

  public @NotNull String getName() {
    return name;
  }

  public @NotNull Side getSide() {
    return side;
  }

  public @NotNull FeatureType getType() {
    return type;
  }

  /** Multi-valued: ids that a row may have; otherwise 1. */
  public int getMaxValues() {
    return maxValues;
  }

  /** Numeric: numbers of a row; otherwise 1. */
  public int getDimension() {
    return dimension;
  }

  /** Whether it may be left out: it has a default, or the catalog has it. */
  public boolean isOptional() {
    return optional;
  }

  /** Whether its id names an item of the catalog, which then has the item's other features. */
  public boolean isCatalogKey() {
    return catalogKey;
  }

  /** Of the history: the sequence of events that it belongs to; otherwise null. */
  public @Nullable String getSequence() {
    return sequence;
  }

  /** Of the history: events of its sequence that a session keeps; otherwise 0. */
  public long getMaxEvents() {
    return maxEvents;
  }

  public boolean takesIntegers() {
    return (valueTypes & INTEGERS) != 0;
  }

  public boolean takesNumbers() {
    return (valueTypes & NUMBERS) != 0;
  }

  public boolean takesStrings() {
    return (valueTypes & STRINGS) != 0;
  }

  /** For example {@code history feature 'movie_id'}. */
  @Override
  public String toString() {
    return Text.lower(side.name()) + " feature '" + name + "'";
  }

  boolean isMultiValued() {
    return type == FeatureType.MULTI_CATEGORICAL;
  }

  void expect(int valueType) {
    if ((valueTypes & valueType) != 0) return;
    throw new HandpickException(
        Status.WRONG_TYPE, this + " takes " + list(valueTypes) + ", not " + list(valueType));
  }

  private static String list(int types) {
    StringBuilder text = new StringBuilder();
    if ((types & INTEGERS) != 0) text.append("integers");
    if ((types & NUMBERS) != 0) text.append(text.length() == 0 ? "" : " or ").append("numbers");
    if ((types & STRINGS) != 0) text.append(text.length() == 0 ? "" : " or ").append("strings");
    return text.length() == 0 ? "no values (it is made from other features)" : text.toString();
  }
}
