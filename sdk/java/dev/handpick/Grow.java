package dev.handpick;

import java.util.Arrays;

/** Arrays that grow by a half when they are full. */
final class Grow {
  private static int capacity(int length, int used, int more) {
    long needed = (long) used + more;
    if (needed > Integer.MAX_VALUE - 8) throw new OutOfMemoryError(needed + " elements in one column");
    return (int) Math.min(Integer.MAX_VALUE - 8, Math.max(needed, Math.max(8L, length * 3L / 2)));
  }

  static byte[] bytes(byte[] array, int used, int more) {
    return more <= array.length - used ? array : Arrays.copyOf(array, capacity(array.length, used, more));
  }

  static int[] ints(int[] array, int used, int more) {
    return more <= array.length - used ? array : Arrays.copyOf(array, capacity(array.length, used, more));
  }

  static long[] longs(long[] array, int used, int more) {
    return more <= array.length - used ? array : Arrays.copyOf(array, capacity(array.length, used, more));
  }

  static float[] floats(float[] array, int used, int more) {
    return more <= array.length - used ? array : Arrays.copyOf(array, capacity(array.length, used, more));
  }

  private Grow() {}
}
