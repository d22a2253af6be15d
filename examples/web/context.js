// What the model is told of a user, made of the films that the user likes: as examples/common/movielens.py makes it of
// ratings, each like being one of 4.5 stars.

const LIKE = 4.5;
const PRIOR_MEAN = 3.5;
const PRIOR_WEIGHT = 3;
const GENRE_WEIGHT = 5;
export const MAX_EVENTS = 50;

/** likes: [{ id, genre, genres }], oldest first. genres: all of them, sorted. shares: genre -> share of films that have it. */
export function contextOf(likes, genres, shares) {
  const mean = (LIKE * likes.length + PRIOR_MEAN * PRIOR_WEIGHT) / (likes.length + PRIOR_WEIGHT);
  const recent = Math.min(likes.length, 10);
  const count = (genre) => likes.filter((film) => film.genres.includes(genre)).length;
  const context = {
    rating_count: likes.length,
    mean_rating: mean,
    recent_mean: (LIKE * recent + mean * PRIOR_WEIGHT) / (recent + PRIOR_WEIGHT),
    genre_taste: genres.map((genre) => ((LIKE - mean) * count(genre)) / (count(genre) + GENRE_WEIGHT)),
  };
  // The genre that is liked more often than films have it.
  let most = 0;
  for (const genre of genres) {
    const excess = count(genre) - likes.length * (shares[genre] ?? 0);
    if (excess > most) {
      most = excess;
      context.favourite_genre = genre;
    }
  }
  return context;
}

/** The films as events. */
export function historyOf(likes) {
  const last = likes.slice(-MAX_EVENTS);
  return { movie_id: last.map((film) => film.id), genre: last.map((film) => film.genre) };
}
