package dev.handpick;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * Frees what was not closed, some time after the garbage collector has found it. What {@code
 * java.lang.ref.Cleaner} does, which Android has from API 33 on and Java from 9.
 */
final class Cleaner {
  private static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();
  private static final Set<Entry> ENTRIES = Collections.synchronizedSet(new HashSet<Entry>());

  static {
    Thread thread = new Thread(new Loop(), "handpick-cleaner");
    thread.setDaemon(true);
    thread.start();
  }

  /** {@code release} must not lead to {@code owner}, or it is never run. */
  static Entry register(Object owner, Runnable release) {
    Entry entry = new Entry(owner, release);
    ENTRIES.add(entry);
    return entry;
  }

  static final class Entry extends PhantomReference<Object> {
    private final Runnable release;

    Entry(Object owner, Runnable release) {
      super(owner, QUEUE);
      this.release = release;
    }

    /** The owner has been closed: nothing is left to do. */
    void forget() {
      ENTRIES.remove(this);
      clear();
    }
  }

  private static final class Loop implements Runnable {
    @Override
    public void run() {
      while (true) {
        try {
          Entry entry = (Entry) QUEUE.remove();
          if (ENTRIES.remove(entry)) entry.release.run();
        } catch (InterruptedException e) {
          // Nobody has a reason to end this thread.
        } catch (RuntimeException e) {
          // The next one is freed all the same.
        }
      }
    }
  }

  private Cleaner() {}
}
