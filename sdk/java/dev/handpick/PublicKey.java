package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** A key whose bundles an app takes, of Ed25519. Immutable. */
public final class PublicKey {
  /** Bytes of a key. */
  public static final int SIZE = 32;

  private final byte[] bytes;

  private PublicKey(byte[] bytes) {
    this.bytes = bytes;
  }

  /** @param bytes 32; copied. @throws HandpickException INVALID_ARGUMENT */
  public static @NotNull PublicKey of(@NotNull byte[] bytes) {
    if (bytes.length != SIZE) throw wrong("has " + bytes.length + " bytes, expected " + SIZE);
    return new PublicKey(bytes.clone());
  }

  /** @param digits 64 hexadecimal ones, as {@code handpick sign} prints them. @throws HandpickException INVALID_ARGUMENT */
  public static @NotNull PublicKey parse(@NotNull String digits) {
    byte[] bytes = new byte[SIZE];
    boolean good = digits.length() == 2 * SIZE;
    for (int i = 0; good && i < digits.length(); ++i) {
      char digit = digits.charAt(i);
      int value = digit < 128 ? Character.digit(digit, 16) : -1;
      good = value >= 0;
      bytes[i / 2] = (byte) (bytes[i / 2] << 4 | value);
    }
    if (!good) throw wrong("is '" + digits + "', expected " + 2 * SIZE + " hexadecimal digits");
    return new PublicKey(bytes);
  }

  /** Keys as the library takes them: one behind the other. No key is a mistake: it would pass for no wish to see a signature. */
  static byte[] pack(PublicKey... keys) {
    if (keys.length == 0) throw new HandpickException(Status.INVALID_ARGUMENT, "there is no public key");
    byte[] packed = new byte[keys.length * SIZE];
    for (int i = 0; i < keys.length; ++i) System.arraycopy(keys[i].bytes, 0, packed, i * SIZE, SIZE);
    return packed;
  }

  private static HandpickException wrong(String what) {
    return new HandpickException(Status.INVALID_ARGUMENT, "a public key " + what);
  }
}
