package dev.handpick;

import java.io.Closeable;
import org.jetbrains.annotations.NotNull;

/**
 * Compares a bundle with its hashes, or with its signature, so many bytes at a time: for idle moments.
 * From {@link Model#newCheck} and {@link Model#newSignatureCheck}.
 *
 * <pre>{@code
 * try (Check check = model.newCheck()) {
 *   while (!check.next(1 << 20)) waitUntilIdle();
 * }
 * }</pre>
 *
 * One thread at a time uses one, beside whatever sessions do with the model.
 */
public final class Check implements Closeable {
  private final Handle handle;
  private final Cleaner.Entry net;

  private static final class Handle extends Lease {
    private final ModelHandle model;
    final long address;

    Handle(ModelHandle model, long address) {
      super("check");
      this.model = model;
      this.address = address;
    }

    @Override
    void free() {
      nativeFree(address);
      model.release();
    }
  }

  /** {@code keys}: null for the hashes. */
  Check(@NotNull ModelHandle model, byte[] keys) {
    long address = model.acquire();
    long made = 0;
    try {
      made = nativeNew(address, keys);
    } finally {
      if (made == 0) model.release();
    }
    handle = new Handle(model, made);
    net = Cleaner.register(this, handle);
  }

  /**
   * Compares the next bytes; those behind the end are not missed.
   *
   * @param bytes 0: all that are left
   * @return true: all were compared, and are as they were written; false: go on
   * @throws HandpickException BUNDLE_CORRUPT, NO_HASHES; of a signature WRONG_SIGNATURE, behind the last byte;
   *     also if it is asked again
   */
  public boolean next(long bytes) {
    if (bytes < 0) throw new HandpickException(Status.INVALID_ARGUMENT, "bytes is " + bytes + ", expected 0 or more");
    handle.beginWrite();
    try {
      return nativeNext(handle.address, bytes);
    } finally {
      handle.endWrite();
    }
  }

  public boolean isClosed() {
    return handle.isClosed();
  }

  /** Frees it. */
  @Override
  public void close() {
    handle.run();
    net.forget();
  }

  private static native long nativeNew(long model, byte[] keys);

  private static native void nativeFree(long address);

  private native boolean nativeNext(long address, long bytes);
}
