"""Ten films for somebody who liked four, in Python: ten_films.py movielens.hpk"""

import sys

import handpick

with handpick.Model(sys.argv[1]) as model, model.session() as session:
    session.append_events({"movie_id": [1198, 1240, 541, 260],
                           "genre": ["Adventure", "Sci-Fi", "Sci-Fi", "Sci-Fi"]})
    for film in session.recommend(10, user="recent", half_life=10):
        print(film.id, film.score)
