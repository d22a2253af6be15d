package dev.handpick;

/**
 * An open model's address. It is closed for good when the app has closed it and no session, overlay
 * or call uses it any more.
 */
final class ModelHandle extends Handle {
  private final long address;
  // A buffer that the model lies in must not be collected before it is closed.
  private Object memory;
  private int uses = 1;

  ModelHandle(long address, Object memory) {
    this.address = address;
    this.memory = memory;
  }

  /** Every call needs its {@link #release}. */
  synchronized long acquire() {
    if (isClosed()) throw new IllegalStateException("the model is closed");
    ++uses;
    return address;
  }

  synchronized void release() {
    if (--uses > 0) return;
    Model.nativeClose(address);
    memory = null;
  }

  @Override
  void free() {
    release();
  }
}
