package dev.handpick;

/**
 * An open model's address. It is closed for good when the app has closed it and no session, overlay
 * or call uses it any more.
 */
final class ModelHandle implements Runnable {
  private final long address;
  // A buffer that the model lies in must not be collected before it is closed.
  private Object memory;
  private int uses = 1;
  private boolean closed;

  ModelHandle(long address, Object memory) {
    this.address = address;
    this.memory = memory;
  }

  /** Every call needs its {@link #release}. */
  synchronized long acquire() {
    if (closed) throw new IllegalStateException("the model is closed");
    ++uses;
    return address;
  }

  synchronized void release() {
    if (--uses > 0) return;
    Model.nativeClose(address);
    memory = null;
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /** Closes it; again: nothing. */
  @Override
  public synchronized void run() {
    if (closed) return;
    closed = true;
    release();
  }
}
