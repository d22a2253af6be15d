package dev.handpick.films;

import dev.handpick.Feature;
import dev.handpick.Model;
import dev.handpick.RecallOptions;
import dev.handpick.Recommended;
import dev.handpick.Rows;
import dev.handpick.Session;
import dev.handpick.Side;
import dev.handpick.UserVector;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the user liked, and the films that follow from it. Knows nothing of Android. One thread at a time. */
public final class FilmRanker implements Closeable {
  private static final Pattern LINE =
      Pattern.compile("\"movie_id\":(\\d+),\"genre\":\"([^\"]*)\".*\"year\":(\\d+)");

  private final Model model;
  private final Session session;
  private final Feature movie;
  private final Feature genre;
  private final Map<Long, Film> catalog = new HashMap<>();
  private final Rows event = new Rows();
  private final RecallOptions recall = new RecallOptions().setUser(UserVector.recent(10)).setK(200);

  /**
   * @param model closed with this object
   * @param catalog lines of JSON: the films' genres and years, to show them
   */
  public FilmRanker(Model model, InputStream catalog) throws IOException {
    this.model = model;
    session = model.newSession();
    movie = model.feature(Side.HISTORY, "movie_id");
    genre = model.feature(Side.HISTORY, "genre");
    BufferedReader lines = new BufferedReader(new InputStreamReader(catalog, "UTF-8"));
    for (String line; (line = lines.readLine()) != null; ) {
      Matcher found = LINE.matcher(line);
      if (!found.find()) continue;
      long id = Long.parseLong(found.group(1));
      this.catalog.put(id, new Film(id, found.group(2), Integer.parseInt(found.group(3)), 0));
    }
  }

  /** The user liked a film. */
  public void like(long id) {
    Film film = catalog.get(id);
    event.clear().set(movie, id).set(genre, film == null ? "" : film.genre);
    session.appendEvents(event);
  }

  /** The best films now, best first; none of those that the user liked. */
  public List<Film> recommend(int count) {
    List<Film> films = new ArrayList<>();
    for (Recommended item : session.recommend(recall, count)) {
      Film film = catalog.get(item.getId());
      films.add(new Film(item.getId(), film == null ? "" : film.genre, film == null ? 0 : film.year, item.getScore()));
    }
    return films;
  }

  @Override
  public void close() {
    session.close();
    model.close();
  }
}
