package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** What recall searches with: made of the vectors of the history's items, by the model, or by the app. */
public final class UserVector {
  private static final UserVector MEAN = new UserVector(1, 0, 0, null);
  private static final UserVector MODEL = new UserVector(5, 0, 0, null);

  final int kind;
  final float halfLife;
  final int interests;
  final float[] vector;

  private UserVector(int kind, float halfLife, int interests, float[] vector) {
    this.kind = kind;
    this.halfLife = halfLife;
    this.interests = interests;
    this.vector = vector;
  }

  /** The mean of the vectors of the history's items. */
  public static @NotNull UserVector mean() {
    return MEAN;
  }

  /** The same, where an event of age {@code a} (the newest: 0) has weight {@code 2^(-a / halfLife)}. */
  public static @NotNull UserVector recent(float halfLife) {
    return new UserVector(2, halfLife, 0, null);
  }

  /** Up to {@code count} vectors, by k-means. Each searches; an item counts with its best score. */
  public static @NotNull UserVector interests(int count) {
    return new UserVector(3, 0, count, null);
  }

  /** The app's own: {@link RecallInfo#getDimension} numbers. Copied. */
  public static @NotNull UserVector of(@NotNull float[] vector) {
    return new UserVector(4, 0, 0, vector.clone());
  }

  /** What the model makes of context and history, where {@link RecallInfo#hasUserVector}. */
  public static @NotNull UserVector model() {
    return MODEL;
  }
}
