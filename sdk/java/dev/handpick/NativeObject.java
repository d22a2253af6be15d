package dev.handpick;

import java.io.Closeable;

/** What an app holds of a native object. It is freed when the app closes this, or after this has been collected. */
abstract class NativeObject<H extends Handle> implements Closeable {
  final H handle;
  private final Cleaner.Entry net;

  NativeObject(H handle) {
    this.handle = handle;
    net = Cleaner.register(this, handle);
  }

  public boolean isClosed() {
    return handle.isClosed();
  }

  /**
   * Closes it; again: nothing. A model's memory goes with the last session, overlay or check made of it.
   *
   * @throws IllegalStateException a call is using it: of all but models
   */
  @Override
  public void close() {
    handle.run();
    net.forget();
  }
}
