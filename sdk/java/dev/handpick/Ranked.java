package dev.handpick;

/** A candidate, as the model ranks it. */
public final class Ranked {
  private final int index;
  private final float score;
  private final float logit;

  Ranked(int index, float score, float logit) {
    this.index = index;
    this.score = score;
    this.logit = logit;
  }

  /** Its row in the batch. */
  public int getIndex() {
    return index;
  }

  /** What {@link Output#getTask} says: a probability, for a binary model. */
  public float getScore() {
    return score;
  }

  public float getLogit() {
    return logit;
  }

  @Override
  public String toString() {
    return "row " + index + ": " + score;
  }
}
