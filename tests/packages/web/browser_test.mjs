// The example's page in Chromium, on a phone's screen:
//
//     browser_test.mjs HANDPICK PAGE CATALOG [PICTURES]
//
// HANDPICK: the converter's command. PAGE: the folder that examples/web/build.sh made. CATALOG: catalog.jsonl of the model.
// PICTURES: a folder for pictures of the page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Page } from './chromium.mjs';
import { serve } from './serve.mjs';

const [command, folder, catalogFile, pictures] = process.argv.slice(2);
const { contextOf, historyOf } = await import(pathToFileURL(join(folder, 'context.js')));
const { genres, films } = JSON.parse(readFileSync(join(folder, 'films.json')));
const catalog = new Map(readFileSync(catalogFile, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).map((film) => [film.movie_id, film]));
const shares = Object.fromEntries(genres.map((genre) => [genre, films.filter(([id]) => catalog.get(id).genres.includes(genre)).length / films.length]));
const bundle = join(folder, 'movielens.hpk');

// int8 layers round their input to 15 bits in WebAssembly and to 8 where the processor multiplies 8 bits, so that the
// comparison is with a page of a float32 bundle.
const native = (name, request, ...flags) =>
  JSON.parse(execFileSync(command, [name, '--bundle', bundle, '--requests', '-', '--quiet', ...flags], { input: `${JSON.stringify(request)}\n` }));

const READY = 'document.body !== null && "ready" in document.body.dataset';
const SHOWN = `[...document.querySelectorAll('#films li')].map((item) => ({
  id: Number(item.dataset.id),
  score: Number(/[\\d.]+$/.exec(item.querySelector('.match').title)[0]),
}))`;
const LIKED = `[...document.querySelectorAll('#likes .chip')].map((chip) => Number(chip.dataset.id)).reverse()`;

function requestOf(ids) {
  const likes = ids.map((id) => ({ id, ...catalog.get(id) }));
  return { context: contextOf(likes, genres, shares), history: historyOf(likes) };
}

function same(shown, expected, what) {
  assert.deepEqual(shown.map(({ id }) => id), expected.map(({ id }) => id), what);
  // A page shows three digits.
  shown.forEach(({ score }, i) => assert.ok(Math.abs(score - expected[i].score) <= 0.0005 + 1e-5, `${what}: ${score}, natively ${expected[i].score}`));
}

const recommended = (ids) => native('recommend', requestOf(ids), '--user', 'recent', '--half-life', '10', '--k', '200', '--top-k', '20').recommended;

async function picture(page, name) {
  if (pictures === undefined) return;
  await page.evaluate('scrollTo(0, 0)');
  writeFileSync(join(pictures, `${name}.png`), await page.screenshot());
}

const server = await serve(folder);
const page = await Page.open();
try {
  await page.go(server.url);
  await page.until(READY);

  // Nobody is known yet: all films, by the model.
  const ids = films.map(([id]) => id);
  const { context } = requestOf([]);
  const { scores } = native('score', { context, candidates: { movie_id: ids } });
  const order = ids.map((id, i) => ({ id, score: scores[i], i })).sort((a, b) => b.score - a.score || a.i - b.i);
  const first = await page.evaluate(SHOWN);
  same(first, order.slice(0, 20), 'at first');
  await picture(page, 'first');

  // Taps, each of which changes the list.
  let before = first;
  const liked = [];
  for (const place of [1, 4, 2]) {
    liked.push(before[place - 1].id);
    await page.tap(`#films li:nth-child(${place}) .heart`);
    await page.until(`${LIKED}.length === ${liked.length}`);
    const after = await page.evaluate(SHOWN);
    assert.deepEqual(await page.evaluate(LIKED), liked);
    assert.notDeepEqual(after.map(({ id }) => id), before.map(({ id }) => id));
    same(after, recommended(liked), `after ${liked.length} taps`);
    before = after;
  }
  await picture(page, 'liked');
  assert.match(await page.evaluate('document.getElementById("time").textContent'), /^[\d.]+ ms$/);
  assert.match(await page.evaluate('document.getElementById("memory").textContent'), /^[\d.]+ MB$/);

  // A genre, and back.
  await page.tap('#genres button:nth-child(2)');
  await page.until('document.querySelector("#genres button:nth-child(2)").getAttribute("aria-pressed") === "true"');
  const comedies = await page.evaluate(SHOWN);
  assert.ok(comedies.length === 20 && comedies.every(({ id }) => catalog.get(id).genres.includes('Comedy')));
  await picture(page, 'genre');
  await page.tap('#genres button:nth-child(1)');

  // Every control has a name and is large enough for a finger.
  const controls = await page.evaluate(`[...document.querySelectorAll('button')].filter((b) => b.offsetParent !== null).map((b) => ({
    name: b.getAttribute('aria-label') ?? b.textContent.trim(), width: b.offsetWidth, height: b.offsetHeight }))`);
  for (const { name, width, height } of controls) assert.ok(name !== '' && height >= 40 && width >= 40, `${name}: ${width} x ${height}`);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, 'no sideways scrolling');

  // Without a network: the server is gone, and the page is loaded again.
  await page.until('"offline" in document.body.dataset');
  await server.stop();
  await assert.rejects(fetch(server.url));
  await page.evaluate('delete document.body.dataset.ready');
  await page.send('Page.reload', { ignoreCache: false });
  await page.until(READY);
  assert.deepEqual(await page.evaluate(LIKED), liked, 'likes are kept');
  same(await page.evaluate(SHOWN), recommended(liked), 'offline');
  await page.tap('#likes li:nth-child(1) .chip');
  await page.until(`${LIKED}.length === 2`);
  same(await page.evaluate(SHOWN), recommended(liked.slice(0, 2)), 'offline, one taken back');
  await page.tap('#clear');
  await page.until(`${LIKED}.length === 0`);
  same(await page.evaluate(SHOWN), order.slice(0, 20), 'offline, all taken back');
  assert.deepEqual(page.problems, []);
} finally {
  await page.close();
  await server.stop().catch(() => {});
}

if (pictures !== undefined) {
  const again = await serve(folder);
  const dark = await Page.open({ dark: true });
  await dark.go(again.url);
  await dark.until(READY);
  for (const place of [1, 4, 2]) await dark.tap(`#films li:nth-child(${place}) .heart`);
  await picture(dark, 'dark');
  await dark.close();
  await again.stop();
}
console.log('passed: loads, ranks as the C API does, changes at each tap, works offline');
