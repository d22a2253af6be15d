// Keeps all of the page, so that it works without a network once it was loaded. build.sh puts a hash of all files in the
// place of the version: other files are another worker.
const CACHE = 'handpick-@VERSION@';
const FILES = [
  './', 'app.js', 'context.js', 'films.json', 'handpick.js', 'handpick.wasm', 'icon.svg', 'manifest.webmanifest', 'movielens.hpk', 'style.css',
];

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith('handpick-') && name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET') return;
  event.respondWith(
    caches.open(CACHE).then(async (cache) => (await cache.match(event.request, { ignoreSearch: true })) ?? fetch(event.request)),
  );
});
