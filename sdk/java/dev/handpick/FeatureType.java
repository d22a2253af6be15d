package dev.handpick;

/** What kind of values a feature has. */
public enum FeatureType {
  /** A type that this version of the library does not know. */
  UNKNOWN(0),
  /** One id a row. */
  CATEGORICAL(1),
  /** Up to {@link Feature#getMaxValues} ids a row. */
  MULTI_CATEGORICAL(2),
  /** {@link Feature#getDimension} numbers a row. */
  NUMERIC(3),
  /** Made from other features; never given. */
  CROSSED(4),
  /** One integer a row: how many positions of a multi-valued feature count. */
  LENGTH(5);

  final int code;

  FeatureType(int code) {
    this.code = code;
  }

  static FeatureType of(int code) {
    for (FeatureType type : values()) if (type.code == code) return type;
    return UNKNOWN;
  }
}
