package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** What went wrong: one cause each. The exception's message has the details. */
public enum Status {
  /** A status that this version of the library does not know. */
  UNKNOWN(-1),
  /** A wrong size, option, length, {@code splits} or row count. */
  INVALID_ARGUMENT(0x10),
  /** No such feature on that side, or of another model. */
  UNKNOWN_FEATURE(0x11),
  /** The feature does not take values of that type. */
  WRONG_TYPE(0x12),
  /** A feature without default, and in no catalog, was left out. */
  MISSING_FEATURE(0x13),
  /** A feature was given twice. */
  DUPLICATE_FEATURE(0x14),
  /** Not in the vocabulary, which has no row for such ids. */
  UNKNOWN_ID(0x15),
  /** A number is NaN or infinite, or becomes so in the model. */
  NOT_FINITE(0x16),
  /** A row has more values than the model keeps. */
  TOO_MANY_VALUES(0x17),
  /** Not in the catalog, the recall index or the overlay. */
  UNKNOWN_ITEM(0x18),
  /** The context has features without defaults: {@link Session#setContext} first. */
  CONTEXT_NOT_SET(0x19),
  /** The overlay has the item, or the index has and it is not hidden. */
  DUPLICATE_ITEM(0x1A),
  /** The model has no output of that name or number. */
  UNKNOWN_OUTPUT(0x1B),
  /** There is no memory. */
  OUT_OF_MEMORY(0x20),
  /** Never seen in Java: sessions get the memory that they need. */
  MEMORY_TOO_SMALL(0x21),
  /** The buffer does not begin at a multiple of 64 bytes. */
  MISALIGNED(0x22),
  /** The overlay holds, or hides, as many items as it was made for. */
  OVERLAY_FULL(0x23),
  /** The file cannot be opened, read or mapped. */
  FILE_ERROR(0x30),
  /** The bytes are no Handpick bundle. */
  NOT_A_BUNDLE(0x31),
  /** Written for a newer SDK: update the app's. */
  BUNDLE_TOO_NEW(0x32),
  /** Damaged, or it contradicts itself: download it again. */
  BUNDLE_CORRUPT(0x33),
  /** This device does not compute what the trainer did. */
  GOLDEN_MISMATCH(0x34),
  /** Of a format that this SDK no longer reads: convert the model again. */
  BUNDLE_TOO_OLD(0x35),
  /** The bytes are no delta, or are damaged: download the whole bundle. */
  NOT_A_DELTA(0x36),
  /** The delta was made for another bundle: download the whole one. */
  WRONG_OLD_BUNDLE(0x37),
  /** The store has none, or none to go back to: install one. */
  NO_BUNDLE(0x38),
  /** The store's state is not what was written: empty the folder. */
  STORE_CORRUPT(0x39),
  /** The bundle is not signed with a key of the app's, or was changed since. */
  WRONG_SIGNATURE(0x3A),
  /** The library does not run on this processor, or was built without what the call or the bundle needs. */
  UNSUPPORTED(0x40),
  /** The bundle holds a recall index alone. */
  NO_MODEL(0x41),
  /** The bundle has no recall index. */
  NO_RECALL(0x42),
  /** The bundle has no hashes to compare with. */
  NO_HASHES(0x43),
  /** The bundle has no golden requests to replay. */
  NO_GOLDENS(0x44),
  /** The bundle is not signed, and a signature was asked for. */
  NO_SIGNATURE(0x45),
  /** A fault of ours: please report it, with the message. */
  INTERNAL(0x50);

  private final int code;

  Status(int code) {
    this.code = code;
  }

  /** The C API's {@code hp_status}. */
  public int getCode() {
    return code;
  }

  static @NotNull Status of(int code) {
    for (Status status : values()) if (status.code == code) return status;
    return UNKNOWN;
  }
}
