package dev.handpick;

/** A native object apart from what the app holds of it: when that has been collected, this can still free it. */
abstract class Handle implements Runnable {
  private boolean closed;

  /** Lets go of the native object. Called once, while the lock is held. */
  abstract void free();

  /** @throws IllegalStateException it is in use, and cannot be closed now */
  void checkUnused() {}

  synchronized boolean isClosed() {
    return closed;
  }

  /** Closes it; again: nothing. */
  @Override
  public synchronized void run() {
    if (closed) return;
    checkUnused();
    closed = true;
    free();
  }
}
