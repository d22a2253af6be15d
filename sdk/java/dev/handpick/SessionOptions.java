package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** How large a session is. 0 everywhere: the defaults. */
public final class SessionOptions {
  private int tile;
  private int recallK;
  private int recallInterests;
  private int recallProbes;

  public int getTile() {
    return tile;
  }

  /** Candidates that go through the model together; 0: the bundle's. Fewer take less memory. */
  public @NotNull SessionOptions setTile(int value) {
    tile = value;
    return this;
  }

  public int getRecallK() {
    return recallK;
  }

  /** The largest {@link RecallOptions#setK}; 0: 256. */
  public @NotNull SessionOptions setRecallK(int value) {
    recallK = value;
    return this;
  }

  public int getRecallInterests() {
    return recallInterests;
  }

  /** The most {@link UserVector#interests}; 0: 8. */
  public @NotNull SessionOptions setRecallInterests(int value) {
    recallInterests = value;
    return this;
  }

  public int getRecallProbes() {
    return recallProbes;
  }

  /** The most {@link RecallOptions#setProbes}; 0: as many as the index says. */
  public @NotNull SessionOptions setRecallProbes(int value) {
    recallProbes = value;
    return this;
  }

  int[] pack() {
    return new int[] {tile, recallK, recallInterests, recallProbes};
  }
}
