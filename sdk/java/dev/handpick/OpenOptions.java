package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** How a bundle is opened. */
public final class OpenOptions {
  static final int COPY = 1;

  private boolean copy;
  byte[] keys;

  public boolean isCopy() {
    return copy;
  }

  /**
   * Whether the bundle is copied to memory. Otherwise it is used where it lies: then the file must
   * never be written in place while a model of it is open (write a new one, and rename it).
   */
  public @NotNull OpenOptions setCopy(boolean value) {
    copy = value;
    return this;
  }

  /**
   * The keys whose bundles the app takes: one that is not signed with any of them ({@code handpick sign}) is refused
   * before anything in it is used, which takes the time to read all of it.
   *
   * @throws HandpickException INVALID_ARGUMENT: there is none
   */
  public @NotNull OpenOptions setPublicKeys(@NotNull PublicKey... publicKeys) {
    keys = PublicKey.pack(publicKeys);
    return this;
  }

  int flags() {
    return copy ? COPY : 0;
  }
}
