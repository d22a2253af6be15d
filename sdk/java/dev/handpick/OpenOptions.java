package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** How a bundle is opened. */
public final class OpenOptions {
  static final int COPY = 1;

  private boolean copy;

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

  int flags() {
    return copy ? COPY : 0;
  }
}
