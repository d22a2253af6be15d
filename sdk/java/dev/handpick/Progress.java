package dev.handpick;

/** Hears how far an update is. */
public interface Progress {
  /** Called now and then, on the thread that updates. An exception ends the calls, not the update, which then throws it. */
  void progress(long done, long total);
}
