package dev.handpick;

import java.io.File;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/** New versions of a bundle: made of the old one and a delta, and tried. {@link Store} brings them into use. */
public final class Updates {
  static {
    NativeLibrary.load();
  }

  /**
   * Writes the bundle that a delta and the old bundle make: first into a file beside it, which takes its name when
   * it is whole, is what the delta says byte for byte, and is on the disk.
   *
   * @param oldBundle that the delta was made for; may be open as a model
   * @param delta what {@code handpick delta} wrote
   * @param newBundle may be {@code oldBundle}
   * @throws HandpickException NOT_A_DELTA, WRONG_OLD_BUNDLE (download the whole bundle), FILE_ERROR, OUT_OF_MEMORY
   */
  public static void apply(@NotNull File oldBundle, @NotNull File delta, @NotNull File newBundle) {
    apply(oldBundle, delta, newBundle, null);
  }

  /** The same, and tells how far it is. */
  public static void apply(
      @NotNull File oldBundle, @NotNull File delta, @NotNull File newBundle, @Nullable Progress progress) {
    nativeApply(Text.path(oldBundle), Text.path(delta), Text.path(newBundle), progress);
  }

  /**
   * Whether a file is a bundle that this app can use: opens it, compares all bytes with its hashes, and replays its
   * golden requests if it has some.
   *
   * @throws HandpickException what {@link Model#open(File)}, {@link Model#check} and {@link Session#checkGoldens}
   *     throw
   */
  public static void verify(@NotNull File bundle) {
    nativeVerify(Text.path(bundle), null);
  }

  /** The same, of a bundle that has to be signed with one of the keys: see {@link OpenOptions#setPublicKeys}. */
  public static void verify(@NotNull File bundle, @NotNull PublicKey... publicKeys) {
    nativeVerify(Text.path(bundle), PublicKey.pack(publicKeys));
  }

  /** Called by the library, while it updates. */
  private static void progress(Progress progress, long done, long total) {
    progress.progress(done, total);
  }

  private static native void nativeApply(byte[] oldBundle, byte[] delta, byte[] newBundle, Progress progress);

  private static native void nativeVerify(byte[] bundle, byte[] keys);

  private Updates() {}
}
