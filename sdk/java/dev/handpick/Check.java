package dev.handpick;

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
public final class Check extends NativeObject<Lease> {
  private static final class CheckLease extends Lease {
    private final byte[] keys;

    CheckLease(ModelHandle model, byte[] keys) {
      super("check", model);
      this.keys = keys;
    }

    @Override
    long make(long model) {
      return nativeNew(model, keys);
    }

    @Override
    void free(long address) {
      nativeFree(address);
    }
  }

  /** {@code keys}: null for the hashes. */
  Check(@NotNull ModelHandle model, byte[] keys) {
    super(new CheckLease(model, keys).begin());
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
    long address = handle.beginWrite();
    try {
      return nativeNext(address, bytes);
    } finally {
      handle.endWrite();
    }
  }

  private static native long nativeNew(long model, byte[] keys);

  private static native void nativeFree(long address);

  private native boolean nativeNext(long address, long bytes);
}
