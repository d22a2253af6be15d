package dev.handpick;

import java.io.File;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/**
 * A folder that has the bundle in use and the one before.
 *
 * <pre>{@code
 * Store store = new Store(folder);
 * Store.Start start = store.start();          // once at each start of the app
 * Model model = Model.open(start.getFile());  // null: install the bundle that the app came with
 * store.confirm();                            // when all is well
 *
 * // A delta was downloaded: it is used from the next start on.
 * Updates.apply(start.getFile(), delta, newBundle);
 * store.install(newBundle);
 * }</pre>
 *
 * An app that stops anywhere, also inside of these calls, finds the old bundle or the new one, whole. A bundle with
 * which the app did not come as far as {@link #confirm} is left by the next start for the one before. One process at
 * a time uses a store, and of it one object.
 */
public final class Store {
  static {
    NativeLibrary.load();
  }

  /** What a start found. */
  public enum Outcome {
    /** A bundle that was confirmed at an earlier start. */
    CONFIRMED,
    /** The first start with a new bundle: confirm it when all is well. */
    TRIAL,
    /** The last start was a trial and was not confirmed: this is the bundle before it, and the other one is gone. */
    FELL_BACK
  }

  /** The bundle to open, and how it came to be that one. Immutable. */
  public static final class Start {
    private final File file;
    private final long[] numbers;

    private Start(File file, long[] numbers) {
      this.file = file;
      this.numbers = numbers;
    }

    public @NotNull File getFile() {
      return file;
    }

    public @NotNull Outcome getOutcome() {
      return Outcome.values()[(int) numbers[0]];
    }

    /** The XXH3 of the bundle's bytes. */
    public long getCurrent() {
      return numbers[1];
    }

    /** Of the one before; 0: there is none. */
    public long getPrevious() {
      return numbers[2];
    }

    /** Of the last one that was left or rolled back, not to download it again; 0: none. */
    public long getRejected() {
      return numbers[3];
    }
  }

  private final byte[] folder;

  /** @param folder is there, and is the app's alone */
  public Store(@NotNull File folder) {
    this.folder = Text.path(folder);
  }

  /**
   * Says which bundle to open. Called once at each start of the app, before anything else of the store; a second
   * call counts as a second start.
   *
   * @return null: nothing was installed yet
   * @throws HandpickException FILE_ERROR, STORE_CORRUPT
   */
  public synchronized @Nullable Start start() {
    long[] numbers = new long[4];
    byte[] path = nativeStart(folder, numbers);
    return path == null ? null : new Start(new File(Text.required(path)), numbers);
  }

  /**
   * The bundle that the last start named is good: it is what a later trial falls back to.
   *
   * @throws HandpickException NO_BUNDLE, FILE_ERROR, STORE_CORRUPT
   */
  public synchronized void confirm() {
    nativeConfirm(folder);
  }

  /**
   * Takes a file into the store after {@link Updates#verify(File)}: it is moved there, and the next start names it,
   * as a trial. Models that are open are not affected.
   *
   * @param bundle on the file system of the folder; gone afterwards
   * @throws HandpickException what {@link Updates#verify(File)} throws; FILE_ERROR, STORE_CORRUPT
   */
  public synchronized void install(@NotNull File bundle) {
    nativeInstall(folder, Text.path(bundle), null);
  }

  /** The same, of a bundle that has to be signed with one of the keys: see {@link OpenOptions#setPublicKeys}. */
  public synchronized void install(@NotNull File bundle, @NotNull PublicKey... publicKeys) {
    nativeInstall(folder, Text.path(bundle), PublicKey.pack(publicKeys));
  }

  /**
   * Back to the bundle before, from the next start on.
   *
   * @throws HandpickException NO_BUNDLE: there is none before; FILE_ERROR, STORE_CORRUPT
   */
  public synchronized void rollback() {
    nativeRollback(folder);
  }

  private static native byte[] nativeStart(byte[] folder, long[] numbers);

  private static native void nativeConfirm(byte[] folder);

  private static native void nativeInstall(byte[] folder, byte[] bundle, byte[] keys);

  private static native void nativeRollback(byte[] folder);
}
