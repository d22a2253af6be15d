import dev.handpick.Feature;
import dev.handpick.Model;
import dev.handpick.RecallOptions;
import dev.handpick.Recommended;
import dev.handpick.Rows;
import dev.handpick.Session;
import dev.handpick.Side;
import dev.handpick.UserVector;

/** Ten films for somebody who liked four: {@code java -cp handpick.jar TenFilms.java movielens.f32.hpk}. */
public final class TenFilms {
  public static void main(String[] args) {
    try (Model model = Model.open(args[0]); Session session = model.newSession()) {
      Feature movie = model.feature(Side.HISTORY, "movie_id");
      Feature genre = model.feature(Side.HISTORY, "genre");
      Rows liked = new Rows();
      liked.add().set(movie, 1198).set(genre, "Adventure"); // Raiders of the Lost Ark
      liked.add().set(movie, 1240).set(genre, "Sci-Fi"); // The Terminator
      liked.add().set(movie, 541).set(genre, "Sci-Fi"); // Blade Runner
      liked.add().set(movie, 260).set(genre, "Sci-Fi"); // Star Wars
      session.appendEvents(liked);

      RecallOptions recall = new RecallOptions().setUser(UserVector.recent(10)).setK(200);
      for (Recommended film : session.recommend(recall, 10)) {
        System.out.println(film.getId() + " " + film.getScore());
      }
    }
  }
}
