package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** An item of the recall index, or of an overlay. */
public class Item {
  private final int number;
  private final long id;
  private final String stringId;

  Item(int number, long id, byte[] stringId) {
    this.number = number;
    this.id = id;
    this.stringId = Text.decode(stringId);
  }

  /**
   * Its id.
   *
   * @throws IllegalStateException items of this index are named by text
   */
  public long getId() {
    if (stringId != null) throw new IllegalStateException("item '" + stringId + "' is named by text: getStringId()");
    return id;
  }

  /** Its id, as text where it is a number. */
  public @NotNull String getStringId() {
    return stringId != null ? stringId : Long.toString(id);
  }

  /** Whether an overlay has it, and not the bundle. */
  public boolean isInOverlay() {
    return number == -1;
  }

  /** Its number in the index, ascending by id; -1: it is in an overlay. */
  public int getNumber() {
    return number;
  }

  @Override
  public String toString() {
    return "item " + getStringId();
  }
}
