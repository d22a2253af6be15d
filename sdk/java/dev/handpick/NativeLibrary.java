package dev.handpick;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * Loads the C library, once: the file that the system property {@code dev.handpick.library} names; or
 * Android's; or that in the jar, from a temporary file; or the one on {@code java.library.path}.
 */
final class NativeLibrary {
  static {
    String path = System.getProperty("dev.handpick.library");
    if (path != null) {
      System.load(new File(path).getAbsolutePath());
    } else if ("The Android Project".equals(System.getProperty("java.vendor"))) {
      System.loadLibrary("handpick");
    } else {
      try (InputStream library = NativeLibrary.class.getResourceAsStream("/dev/handpick/native/" + inJar())) {
        if (library == null) {
          System.loadLibrary("handpick_jni");
        } else {
          load(library);
        }
      } catch (IOException e) {
        throw (Error) new UnsatisfiedLinkError("handpick: " + e.getMessage()).initCause(e);
      }
    }
  }

  /** Returns when it is loaded. */
  static void load() {}

  private static String inJar() {
    String system = Text.lower(System.getProperty("os.name"));
    String processor = Text.lower(System.getProperty("os.arch"));
    if (processor.equals("amd64") || processor.equals("x64")) processor = "x86_64";
    if (processor.equals("aarch64")) processor = "arm64";
    return system + "-" + processor + "/libhandpick_jni.so";
  }

  private static void load(InputStream library) throws IOException {
    File file = File.createTempFile("handpick", ".so");
    try {
      try (OutputStream copy = new FileOutputStream(file)) {
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = library.read(buffer)) >= 0; ) copy.write(buffer, 0, count);
      }
      System.load(file.getAbsolutePath());
    } finally {
      // Loaded, its name is not needed any more.
      if (!file.delete()) file.deleteOnExit();
    }
  }

  private NativeLibrary() {}
}
