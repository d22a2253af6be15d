package dev.handpick.films;

/** A film in the list. */
public final class Film {
  public final long id;
  public final String genre;
  public final int year;

  /** How likely the user is to like it. */
  public final float score;

  Film(long id, String genre, int year, float score) {
    this.id = id;
    this.genre = genre;
    this.year = year;
    this.score = score;
  }

  @Override
  public String toString() {
    return "Film " + id + ", " + genre + ", " + year + "  " + Math.round(100 * score) + " %";
  }
}
