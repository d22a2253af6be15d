import dev.handpick.Model;
import dev.handpick.RecallOptions;
import dev.handpick.Recommended;
import dev.handpick.Rows;
import dev.handpick.Session;
import dev.handpick.Side;
import dev.handpick.UserVector;
import dev.handpick.films.Film;
import dev.handpick.films.FilmRanker;
import java.io.FileInputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the Android example does at a tap: {@code FilmRankerTest movielens.hpk catalog.jsonl}. */
public final class FilmRankerTest {
  private static final Map<Long, String> GENRES = new HashMap<>();

  public static void main(String[] args) throws Exception {
    List<Long> liked = new ArrayList<>();
    try (FileInputStream catalog = new FileInputStream(args[1]);
        FilmRanker ranker = new FilmRanker(Model.open(args[0]), catalog)) {
      long tap = 260;
      for (int taps = 0; taps < 5; ++taps) {
        ranker.like(tap);
        liked.add(tap);
        List<Film> films = ranker.recommend(30);
        check(films.size() == 30, films.size() + " films");
        for (Film film : films) {
          check(!liked.contains(film.id), film + " is liked already");
          check(film.year > 1900 && !film.genre.isEmpty(), film + " is of the catalog");
          check(film.toString().contains("Film " + film.id + ", " + film.genre), film.toString());
        }
        same(args[0], liked, films);
        tap = films.get(7).id;
      }
    }
    System.out.println("films of " + liked);
  }

  /** The same as all events at once, in another session. */
  private static void same(String bundle, List<Long> liked, List<Film> films) {
    try (Model model = Model.open(bundle); Session session = model.newSession()) {
      Rows events = new Rows();
      for (long id : liked) {
        events.add().set(model.feature(Side.HISTORY, "movie_id"), id).set(model.feature(Side.HISTORY, "genre"), genre(id));
      }
      session.appendEvents(events);
      List<Recommended> expected =
          session.recommend(new RecallOptions().setUser(UserVector.recent(10)).setK(200), films.size());
      for (int i = 0; i < films.size(); ++i) {
        check(expected.get(i).getId() == films.get(i).id, films.get(i) + " is " + expected.get(i));
        check(expected.get(i).getScore() == films.get(i).score, films.get(i) + " is " + expected.get(i));
      }
    }
    for (Film film : films) GENRES.put(film.id, film.genre);
  }

  private static String genre(long id) {
    return id == 260 ? "Sci-Fi" : GENRES.get(id);
  }

  private static void check(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  private FilmRankerTest() {}
}
