package dev.handpick;

/** Who uses a native object made of a model: one thread that changes it, or several that read it, or nobody any more. */
abstract class Lease extends Handle {
  private final String name;
  private final ModelHandle model;
  private long address;
  private Thread writer;
  private int readers;

  Lease(String name, ModelHandle model) {
    this.name = name;
    this.model = model;
  }

  /** Makes the native object; returns its address. */
  abstract long make(long model);

  abstract void free(long address);

  /** {@link #make}s it, once; it keeps the model until it is freed. */
  final synchronized Lease begin() {
    long of = model.acquire();
    try {
      address = make(of);
    } finally {
      if (address == 0) model.release();
    }
    return this;
  }

  @Override
  final void free() {
    free(address);
    model.release();
  }

  /** The object's address, until {@link #endWrite}. */
  synchronized long beginWrite() {
    check(true);
    writer = Thread.currentThread();
    return address;
  }

  synchronized void endWrite() {
    writer = null;
  }

  /** The object's address, until {@link #endRead}. */
  synchronized long beginRead() {
    check(false);
    ++readers;
    return address;
  }

  synchronized void endRead() {
    --readers;
  }

  @Override
  void checkUnused() {
    check(true);
  }

  private void check(boolean alone) {
    if (isClosed()) throw new IllegalStateException("the " + name + " is closed");
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
