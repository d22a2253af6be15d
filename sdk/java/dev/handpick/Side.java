package dev.handpick;

/** Where a feature's values come from. */
public enum Side {
  /** The user and the moment: one row. */
  CONTEXT(1),
  /** What the user did: one row for each event, oldest first. */
  HISTORY(2),
  /** What can be shown: one row for each item. */
  CANDIDATE(3);

  final int code;

  Side(int code) {
    this.code = code;
  }

  static Side of(int code) {
    for (Side side : values()) if (side.code == code) return side;
    throw new HandpickException(Status.INTERNAL, "side " + code);
  }
}
