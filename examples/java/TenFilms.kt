import dev.handpick.Model
import dev.handpick.RecallOptions
import dev.handpick.Rows
import dev.handpick.Side
import dev.handpick.UserVector

/** Ten films for somebody who liked four. */
fun main(args: Array<String>) {
    Model.open(args[0]).use { model ->
        model.newSession().use { session ->
            val movie = model.feature(Side.HISTORY, "movie_id")
            val genre = model.feature(Side.HISTORY, "genre")
            val liked = Rows()
            for ((id, name) in listOf(1198 to "Adventure", 1240 to "Sci-Fi", 541 to "Sci-Fi", 260 to "Sci-Fi")) {
                liked.add()
                liked[movie] = id
                liked[genre] = name
            }
            session.appendEvents(liked)

            val recall = RecallOptions().apply { user = UserVector.recent(10f); k = 200 }
            for (film in session.recommend(recall, 10)) println("${film.id} ${film.score}")
        }
    }
}
