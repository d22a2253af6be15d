package dev.handpick;

/** An item that was recalled for the user. */
public final class Recalled extends Item {
  private final float score;

  Recalled(int number, long id, byte[] stringId, float score) {
    super(number, id, stringId);
    this.score = score;
  }

  /** By {@link RecallInfo#getMetric}. */
  public float getScore() {
    return score;
  }

  @Override
  public String toString() {
    return super.toString() + ": " + score;
  }
}
