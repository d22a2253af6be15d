package dev.handpick;

import java.io.File;
import java.nio.charset.Charset;
import java.util.Locale;

/** Text between Java and the library, which speaks UTF-8. */
final class Text {
  static final Charset UTF_8 = Charset.forName("UTF-8");
  private static final byte[] NOTHING = {};
  private static final int[] NO_ENDS = {};

  /** Strings one behind another, and where each ends. */
  static final class Packed {
    byte[] bytes = NOTHING;
    int[] ends = NO_ENDS;
    int size;
    int count;

    void add(String text) {
      byte[] encoded = text.getBytes(UTF_8);
      bytes = Grow.bytes(bytes, size, encoded.length);
      System.arraycopy(encoded, 0, bytes, size, encoded.length);
      size += encoded.length;
      ends = Grow.ints(ends, count, 1);
      ends[count++] = size;
    }

    void clear() {
      size = 0;
      count = 0;
    }
  }

  /** A path as the library takes it: with a zero behind. */
  static byte[] path(String path) {
    if (path.indexOf('\0') >= 0) throw new HandpickException(Status.INVALID_ARGUMENT, "a path with a zero character");
    return (path + '\0').getBytes(UTF_8);
  }

  static byte[] path(File file) {
    return path(file.getPath());
  }

  static String decode(byte[] bytes) {
    return bytes == null ? null : new String(bytes, UTF_8);
  }

  static String required(byte[] bytes) {
    return bytes == null ? "" : new String(bytes, UTF_8);
  }

  static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  /** A count of the library's as an int. */
  static int clamp(long number) {
    return number < 0 || number > Integer.MAX_VALUE ? Integer.MAX_VALUE : (int) number;
  }

  static void expect(Feature feature, String... values) {
    for (String value : values) {
      if (value == null) throw new HandpickException(Status.INVALID_ARGUMENT, feature + ": a string is null");
    }
  }

  private Text() {}
}
