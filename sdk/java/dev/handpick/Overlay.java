package dev.handpick;

import org.jetbrains.annotations.NotNull;

/**
 * Items that came after the bundle, and items of it that are to be left out. From {@link
 * Model#newOverlay}, for {@link RecallOptions#setOverlay}. Any number of sessions recall with one; it
 * is changed by one thread, while none does.
 */
public final class Overlay extends NativeObject<Lease> {
  final ModelHandle model;
  private final boolean stringIds;

  private static final class OverlayLease extends Lease {
    private final int maxItems;

    OverlayLease(ModelHandle model, int maxItems) {
      super("overlay", model);
      this.maxItems = Session.size("maxItems", maxItems);
    }

    @Override
    long make(long model) {
      return nativeNew(model, maxItems);
    }

    @Override
    void free(long address) {
      nativeFree(address);
    }
  }

  Overlay(ModelHandle model, RecallInfo info, int maxItems) {
    super(new OverlayLease(model, maxItems).begin());
    this.model = model;
    stringIds = info != null && info.hasStringIds();
  }

  /**
   * Adds an item, at once or in place of one that was removed.
   *
   * @param vector {@link RecallInfo#getDimension} numbers. Copied.
   * @throws HandpickException DUPLICATE_ITEM, NOT_FINITE, INVALID_ARGUMENT, OVERLAY_FULL
   */
  public void add(long id, @NotNull float[] vector) {
    change(ADD, id, null, vector);
  }

  /** The same, of an index with string ids. */
  public void add(@NotNull String id, @NotNull float[] vector) {
    change(ADD, 0, id, vector);
  }

  /** Removes an item that was added. @throws HandpickException UNKNOWN_ITEM */
  public void remove(long id) {
    change(REMOVE, id, null, null);
  }

  /** The same, of an index with string ids. */
  public void remove(@NotNull String id) {
    change(REMOVE, 0, id, null);
  }

  /** Hides an item of the bundle: it is not recalled. @throws HandpickException UNKNOWN_ITEM, OVERLAY_FULL */
  public void hide(long id) {
    change(HIDE, id, null, null);
  }

  /** The same, of an index with string ids. */
  public void hide(@NotNull String id) {
    change(HIDE, 0, id, null);
  }

  /** Shows a hidden item again. @throws HandpickException UNKNOWN_ITEM, DUPLICATE_ITEM */
  public void show(long id) {
    change(SHOW, id, null, null);
  }

  /** The same, of an index with string ids. */
  public void show(@NotNull String id) {
    change(SHOW, 0, id, null);
  }

  private static final int ADD = 0;
  private static final int REMOVE = 1;
  private static final int HIDE = 2;
  private static final int SHOW = 3;

  private void change(int what, long id, String stringId, float[] vector) {
    if (stringIds != (stringId != null)) {
      throw new HandpickException(
          Status.INVALID_ARGUMENT,
          stringIds ? "items of this index are named by text, not " + id
                    : "items of this index are named by numbers, not '" + stringId + "'");
    }
    byte[] text = stringId == null ? null : stringId.getBytes(Text.UTF_8);
    long address = handle.beginWrite();
    try {
      nativeChange(address, what, id, text, vector);
    } finally {
      handle.endWrite();
    }
  }

  private static native long nativeNew(long model, int maxItems);

  private static native void nativeFree(long address);

  private native void nativeChange(long address, int what, long id, byte[] stringId, float[] vector);
}
