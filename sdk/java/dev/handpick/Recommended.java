package dev.handpick;

/** An item that was recalled, and ranked by the model. */
public final class Recommended extends Item {
  private final float recallScore;
  private final float score;
  private final float logit;

  Recommended(int number, long id, byte[] stringId, float recallScore, float score, float logit) {
    super(number, id, stringId);
    this.recallScore = recallScore;
    this.score = score;
    this.logit = logit;
  }

  /** By {@link RecallInfo#getMetric}. */
  public float getRecallScore() {
    return recallScore;
  }

  /** The model's: what {@link Output#getTask} says. */
  public float getScore() {
    return score;
  }

  public float getLogit() {
    return logit;
  }

  @Override
  public String toString() {
    return super.toString() + ": " + score;
  }
}
