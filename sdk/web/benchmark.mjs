// What a request takes in WebAssembly, beside the same request natively (README.md has the table):
//
//     sdk/web/benchmark.mjs QUICKSTART F32.hpk INT8.hpk PACKAGE [ROUNDS]
//
// QUICKSTART: bazel-bin/examples/quickstart/quickstart. F32.hpk, INT8.hpk: the two bundles that examples/quickstart/run.sh
// leaves (--out). PACKAGE: what `platforms/package.sh web` made. The three take turns, ROUNDS times (default 3), and the
// least of each one's medians counts, that of the round in which the machine did least else: medians of 1,001 runs natively,
// of 101 in Node and in Chromium ($CHROMIUM, or chromium).
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const RUNS = 101;

// The quickstart's request, from the file that it has it from.
const request = JSON.parse(readFileSync(join(root, 'examples/din/model/ranking.jsonl'), 'utf8').split('\n')[0]);

// The same in Node and in a page: what the quickstart calls start, tap, again and recall.
async function measure(Handpick, wasm, bundle, request, runs) {
  const handpick = await Handpick.load(wasm);
  const model = handpick.openModel(bundle);
  const session = model.newSession();
  const options = { recall: 200, user: 'recent', halfLife: 10 };
  const events = (from, to) => Object.fromEntries(Object.entries(request.history).map(([name, values]) => [name, values.slice(from, to)]));
  const count = request.history.movie_id.length;
  const [before, last] = [events(0, count - 1), events(count - 1, count)];
  const start = () => {
    session.setContext(request.context);
    session.append(before);
    session.recommend(10, options);
  };
  const median = (prepare, run) => {
    const times = [];
    for (let i = 0; i < runs; ++i) {
      prepare();
      // A browser's clock is too coarse for one run of what is short: but a request takes longer than its steps.
      const from = performance.now();
      run();
      times.push(performance.now() - from);
    }
    return 1000 * times.sort((a, b) => a - b)[runs >> 1];
  };
  const clear = () => session.clearHistory();
  for (let i = 0; i < 50; ++i) { clear(); start(); }
  const results = {
    start: median(clear, start),
    tap: median(() => { clear(); start(); }, () => { session.append(last); session.recommend(10, options); }),
    again: median(() => {}, () => session.recommend(10, options)),
  };
  // Many at a time, for the clock's sake.
  results.recall = median(() => {}, () => { for (let i = 0; i < 20; ++i) session.recall(200, options); }) / 20;
  model.close();
  return results;
}

const [quickstart, f32, int8, packageFolder, rounds = '3'] = process.argv.slice(2);
const { Handpick } = await import(pathToFileURL(resolve(packageFolder, 'handpick.js')));
const { Page } = await import(pathToFileURL(join(root, 'tests/packages/web/chromium.mjs')));
const { serve } = await import(pathToFileURL(join(root, 'tests/packages/web/serve.mjs')));

function natively() {
  const text = execFileSync(quickstart, [f32, int8]).toString();
  const row = (label) => new RegExp(`^ *${label}.*?([\\d.]+) +([\\d.]+) +us$`, 'm').exec(text).slice(1).map(Number);
  const rows = { start: row('start:'), tap: row('tap:'), again: row('again:'), recall: row('of it recall of 200') };
  return [0, 1].map((i) => Object.fromEntries(Object.entries(rows).map(([name, both]) => [name, both[i]])));
}

const site = mkdtempSync(join(tmpdir(), 'handpick-'));
const server = await serve(site);
try {
  for (const file of ['handpick.js', 'handpick.wasm']) cpSync(join(packageFolder, file), join(site, file));
  cpSync(f32, join(site, 'f32.hpk'));
  cpSync(int8, join(site, 'int8.hpk'));
  writeFileSync(join(site, 'index.html'), '<!doctype html><title>Benchmark</title>');
  const page = await Page.open();
  await page.go(server.url);
  await page.until('document.readyState === "complete"');
  const inChromium = (name) => page.evaluate(`(async () => {
    const { Handpick } = await import('./handpick.js');
    const bundle = await (await fetch('${name}.hpk')).arrayBuffer();
    return (${measure})(Handpick, 'handpick.wasm', bundle, ${JSON.stringify(request)}, ${RUNS});
  })()`);
  const wasm = readFileSync(join(packageFolder, 'handpick.wasm'));
  const inNode = (file) => measure(Handpick, wasm, readFileSync(file), request, RUNS);

  const all = { native: [], node: [], chromium: [] };
  for (let round = 0; round < Number(rounds); ++round) {
    all.native.push(natively());
    all.node.push([await inNode(f32), await inNode(int8)]);
    all.chromium.push([await inChromium('f32'), await inChromium('int8')]);
  }
  const version = (await page.send('Browser.getVersion')).product;
  await page.close();

  console.log(`${cpus()[0].model}; Node ${process.versions.node}, ${version}; microseconds\n`);
  console.log('| | native, float | Node | Chromium | native, int8 | Node | Chromium |\n|---|---|---|---|---|---|---|');
  for (const step of ['start', 'tap', 'again', 'recall']) {
    const cells = [0, 1].flatMap((i) => ['native', 'node', 'chromium'].map((where) => Math.min(...all[where].map((run) => run[i][step])).toFixed(0)));
    console.log(`| ${step} | ${cells.join(' | ')} |`);
  }
} finally {
  await server.stop();
  rmSync(site, { recursive: true });
}
