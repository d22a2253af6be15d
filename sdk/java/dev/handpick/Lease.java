package dev.handpick;

/** Who uses a native object: one thread that changes it, or several that read it, or nobody any more. */
abstract class Lease implements Runnable {
  private final String name;
  private Thread writer;
  private int readers;
  private boolean closed;

  Lease(String name) {
    this.name = name;
  }

  /** Frees it. Called once, while nobody uses it. */
  abstract void free();

  synchronized void beginWrite() {
    check(true);
    writer = Thread.currentThread();
  }

  synchronized void endWrite() {
    writer = null;
  }

  synchronized void beginRead() {
    check(false);
    ++readers;
  }

  synchronized void endRead() {
    --readers;
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /** Frees it; again: nothing. */
  @Override
  public synchronized void run() {
    if (closed) return;
    check(true);
    closed = true;
    free();
  }

  private void check(boolean alone) {
    if (closed) throw new IllegalStateException("the " + name + " is closed");
    if (writer == Thread.currentThread()) {
      throw new IllegalStateException("the " + name + " is used by a call that has not returned");
    }
    if (writer != null) {
      throw new IllegalStateException(
          "the " + name + " is used by thread '" + writer.getName() + "'; it serves one at a time");
    }
    if (alone && readers > 0) {
      throw new IllegalStateException("the " + name + " is being recalled with");
    }
  }
}
