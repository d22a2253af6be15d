import { Handpick, HandpickError } from './handpick.js';
import { contextOf, historyOf } from './context.js';

const SHOWN = 20;
const RECALLED = 200;
const STORE = 'handpick-likes';

const $ = (id) => document.getElementById(id);
const list = $('films');
const chips = $('likes');

let films; // id -> { id, title, year, genre, genres }
let genres;
let shares;
let model;
let session;
let everything; // A batch of all films, in WebAssembly memory, for when nothing is liked yet.
let handpick;
let likes = [];
let genre = null; // Of the filter.

const number = new Intl.NumberFormat('en');
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

async function start() {
  const [library, catalog] = await Promise.all([Handpick.load(), fetch('films.json').then((response) => response.json())]);
  handpick = library;
  model = await handpick.fetchModel('movielens.hpk');
  session = model.newSession();
  genres = catalog.genres;
  films = new Map(
    catalog.films.map(([id, title, year, main, ...all]) => [
      id,
      { id, title: title ?? `Film ${id}`, year, genre: genres[main], genres: all.map((g) => genres[g]) },
    ]),
  );
  shares = Object.fromEntries(genres.map((g) => [g, [...films.values()].filter((film) => film.genres.includes(g)).length / films.size]));
  everything = model.newBatch(['movie_id'], films.size);
  everything.column('movie_id').set([...films.keys()].map(BigInt));

  likes = restore();
  drawGenres();
  $('count').textContent = number.format(films.size);
  $('bundle').textContent = megabytes(model.info.bundleBytes);
  rank();
  document.body.dataset.ready = '';
}

// ---- Ranking ----

function best() {
  if (likes.length > 0) {
    return session.recommend(SHOWN, {
      recall: RECALLED,
      user: 'recent',
      halfLife: 10,
      filters: genre === null ? [] : [{ feature: 'genres', anyOf: [genre] }],
    });
  }
  // Nothing to recall by: all films, by what the model thinks of someone whom it does not know.
  const ids = everything.column('movie_id');
  return session
    .rank(everything, everything.rows)
    .map(({ index, score }) => ({ id: Number(ids[index]), score }))
    .filter(({ id }) => genre === null || films.get(id).genres.includes(genre))
    .slice(0, SHOWN);
}

function rank() {
  const before = performance.now();
  session.setContext(contextOf(likes, genres, shares));
  session.setHistory(historyOf(likes));
  const found = best();
  const took = performance.now() - before;
  draw(found);
  drawLikes();
  $('time').textContent = `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`;
  $('memory').textContent = megabytes(handpick.memoryBytes);
  $('said').textContent = `${found.length} films, ranked in ${took.toFixed(1)} milliseconds`;
}

function like(id) {
  likes.push(films.get(id));
  keep();
  rank();
}

function unlike(id) {
  likes = likes.filter((film) => film.id !== id);
  keep();
  rank();
}

function keep() {
  try {
    localStorage.setItem(STORE, JSON.stringify(likes.map((film) => film.id)));
  } catch {
    // A page that may not store anything forgets.
  }
}

function restore() {
  try {
    return JSON.parse(localStorage.getItem(STORE) ?? '[]').map((id) => films.get(id)).filter(Boolean);
  } catch {
    return [];
  }
}

// ---- Drawing ----

const HUES = {
  Action: 12, Adventure: 28, Animation: 190, Children: 48, Comedy: 42, Crime: 265, Documentary: 150, Drama: 222, Fantasy: 285,
  'Film-Noir': 240, Horror: 350, IMAX: 205, Musical: 320, Mystery: 255, Romance: 336, 'Sci-Fi': 200, Thriller: 172, War: 85,
  Western: 32,
};

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#${name}`);
  svg.append(use);
  return svg;
}

function row(film) {
  const item = element('li', 'film');
  item.dataset.id = film.id;
  const poster = element('span', 'poster', film.title.replace(/^(The|A|An) /, '').slice(0, 1));
  poster.style.setProperty('--hue', HUES[film.genre] ?? 222);
  poster.setAttribute('aria-hidden', 'true');
  const text = element('div', 'text');
  text.append(element('h3', '', film.title), element('p', '', [film.year, ...film.genres.slice(0, 2)].join(' · ')));
  const match = element('span', 'match');
  const button = element('button', 'heart');
  button.type = 'button';
  button.setAttribute('aria-label', `I like ${film.title}`);
  button.append(icon('heart'));
  item.append(poster, text, match, button);
  return item;
}

function draw(found) {
  const rows = new Map([...list.children].map((item) => [Number(item.dataset.id), item]));
  const places = new Map([...rows].map(([id, item]) => [id, item.getBoundingClientRect().top]));
  const next = found.map(({ id, score }) => {
    const item = rows.get(id) ?? row(films.get(id));
    const match = item.querySelector('.match');
    match.replaceChildren(`${Math.round(100 * score)}%`, element('span', 'hidden', ' match'));
    match.title = `The model expects that you like it with a probability of ${score.toFixed(3)}`;
    return item;
  });
  // Whoever works with the keyboard stays in the list: at the film that took the place of the one that went.
  const focused = [...list.children].findIndex((item) => item.contains(document.activeElement));
  list.replaceChildren(...next);
  if (focused >= 0) next[Math.min(focused, next.length - 1)]?.querySelector('button').focus({ preventScroll: true });
  $('none').hidden = next.length > 0;
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  for (const item of next) {
    const from = places.get(Number(item.dataset.id));
    const moved = from === undefined ? 0 : from - item.getBoundingClientRect().top;
    if (from === undefined) {
      if (rows.size > 0) item.animate([{ opacity: 0, transform: 'translateY(8px)' }, {}], { duration: 260, easing: 'ease-out' });
    } else if (moved !== 0) {
      item.animate([{ transform: `translateY(${moved}px)` }, {}], { duration: 320, easing: 'cubic-bezier(.2,.8,.2,1)' });
    }
  }
}

function drawLikes() {
  $('liked').dataset.empty = likes.length === 0;
  chips.replaceChildren(
    ...[...likes].reverse().map((film) => {
      const item = element('li');
      const button = element('button', 'chip');
      button.type = 'button';
      button.dataset.id = film.id;
      button.setAttribute('aria-label', `Remove ${film.title}`);
      button.append(element('span', '', film.title), icon('cross'));
      item.append(button);
      return item;
    }),
  );
}

function drawGenres() {
  const names = [null, 'Comedy', 'Drama', 'Action', 'Crime', 'Romance', 'Sci-Fi', 'Animation', 'Thriller', 'Horror', 'Documentary'];
  $('genres').replaceChildren(
    ...names
      .filter((name) => name === null || genres.includes(name))
      .map((name) => {
        const button = element('button', 'pill', name ?? 'All');
        button.type = 'button';
        button.setAttribute('aria-pressed', name === genre);
        button.addEventListener('click', () => {
          genre = name;
          for (const other of $('genres').children) other.setAttribute('aria-pressed', other === button);
          rank();
        });
        return button;
      }),
  );
}

list.addEventListener('click', (event) => {
  const item = event.target.closest('.film');
  if (item !== null) like(Number(item.dataset.id));
});

chips.addEventListener('click', (event) => {
  const chip = event.target.closest('.chip');
  if (chip !== null) unlike(Number(chip.dataset.id));
});

$('clear').addEventListener('click', () => {
  likes = [];
  keep();
  rank();
});

function fail(error) {
  console.error(error);
  $('failed').hidden = false;
  $('failed').textContent = error instanceof HandpickError ? `${error.code}: ${error.message}` : String(error);
}

start().catch(fail);

if ('serviceWorker' in navigator) {
  navigator.serviceWorker.register('sw.js').catch(console.error);
  navigator.serviceWorker.ready.then(() => {
    document.body.dataset.offline = '';
    $('offline').textContent = 'Ranked on this device. Works offline.';
  });
}
