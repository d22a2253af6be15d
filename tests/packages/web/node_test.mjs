// The npm package in Node, against what the C API computes here:
//
//     node_test.mjs HANDPICK FOLDER GOLDENS BUNDLES
//
// HANDPICK: the converter's command. FOLDER: has din.hpk (float32, with catalog and recall index) and requests.jsonl. GOLDENS:
// tests/goldens, with requests. BUNDLES: the bundles made of them, and the logits that the runtime computes natively.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import * as api from 'handpick';
import { Handpick, HandpickError, Status } from 'handpick';

const [command, folder, goldens, bundles] = process.argv.slice(2);
const TOLERANCE = 1e-5;

const din = join(folder, 'din.hpk');
const dinBytes = readFileSync(din);
const requestLines = readFileSync(join(folder, 'requests.jsonl'), 'utf8').trim().split('\n');
const requests = requestLines.map((line) => JSON.parse(line));
const catalog = new Map(
  readFileSync(join(folder, 'catalog.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line)).map((film) => [film.movie_id, film]),
);

// Whole numbers beyond 2^53 as BigInt.
const parse = (line) =>
  JSON.parse(line.replace(/([[,:])(-?\d{16,})(?=[,\]}])/g, '$1"@$2"'), (_, value) =>
    typeof value === 'string' && value[0] === '@' ? BigInt(value.slice(1)) : value,
  );

const native = (name, lines, ...flags) =>
  execFileSync(command, [name, '--bundle', din, '--requests', '-', '--quiet', ...flags], { input: `${lines.join('\n')}\n` })
    .toString().trim().split('\n').map((line) => JSON.parse(line));

function near(actual, expected, what) {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; ++i) {
    assert.ok(Math.abs(actual[i] - expected[i]) <= TOLERANCE * Math.max(1, Math.abs(expected[i])), `${what}, ${i}: ${actual[i]}, natively ${expected[i]}`);
  }
}

function refused(call, status, pattern) {
  assert.throws(call, (error) => {
    assert.ok(error instanceof HandpickError, String(error.stack));
    assert.equal(error.status, status, error.message);
    assert.match(error.message, pattern);
    return true;
  });
}

function takeUser(session, request) {
  session.setContext(request.context ?? {});
  session.clearHistory();
  // One sequence of events at a time.
  const sequences = Map.groupBy?.(Object.keys(request.history ?? {}), (name) => session.model.feature('history', name).sequence) ?? new Map();
  if (Map.groupBy === undefined) {
    for (const name of Object.keys(request.history ?? {})) {
      const { sequence } = session.model.feature('history', name);
      sequences.set(sequence, [...(sequences.get(sequence) ?? []), name]);
    }
  }
  for (const names of sequences.values()) {
    if (names.every((name) => request.history[name].length === 0)) continue;
    session.setHistory(Object.fromEntries(names.map((name) => [name, request.history[name]])));
  }
}

const handpick = await Handpick.load();
const model = handpick.openModel(dinBytes);
const session = model.newSession();
const tests = {
  'scores and order are the C API\'s'() {
    const scored = native('score', requestLines);
    requests.forEach((request, i) => {
      takeUser(session, request);
      near(session.score(request.candidates), scored[i].scores, `request ${i}`);
      near(session.score(request.candidates, { logits: true }), scored[i].logits, `request ${i}, logits`);
      const order = scored[i].logits.map((logit, index) => ({ logit, index })).sort((a, b) => b.logit - a.logit || a.index - b.index);
      assert.deepEqual(session.rank(request.candidates, 10).map(({ index }) => index), order.slice(0, 10).map(({ index }) => index));
    });
  },

  'what is recommended is what the C API recommends'() {
    const some = requestLines.slice(0, 10);
    for (const [user, options] of [['mean', {}], ['recent', { halfLife: 7 }], ['interests', { interests: 2 }]]) {
      const flags = ['--user', user, '--k', '150', '--top-k', '12'];
      if (options.halfLife) flags.push('--half-life', options.halfLife);
      if (options.interests) flags.push('--interests', options.interests);
      const expected = native('recommend', some, ...flags);
      expected.forEach(({ recommended, outcome }, i) => {
        takeUser(session, requests[i]);
        const found = session.recommend(12, { recall: 150, user, ...options });
        assert.deepEqual(found.map(({ id }) => id), recommended.map(({ id }) => id), `${user}, request ${i}`);
        near(found.map(({ score }) => score), recommended.map(({ score }) => score), user);
        near(found.map(({ recallScore }) => recallScore), recommended.map((item) => item.recall_score), user);
        assert.equal(session.recallReport().outcome, outcome);
      });
    }
  },

  'values of every kind reach models of every kind'() {
    let models = 0;
    let outputs = 0;
    for (const kind of readdirSync(goldens)) {
      const folder = join(goldens, kind);
      if (!existsSync(join(folder, 'make_goldens.py'))) continue;
      for (const file of readdirSync(folder).filter((name) => name.endsWith('.requests.jsonl'))) {
        const stem = join(bundles, `${kind}_${basename(file, '.requests.jsonl')}.f32`);
        if (!existsSync(`${stem}.hpk`)) continue;
        ++models;
        const opened = handpick.openModel(readFileSync(`${stem}.hpk`));
        const of = opened.newSession();
        const expected = readFileSync(`${stem}.logits.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
        readFileSync(join(folder, file), 'utf8').trim().split('\n').forEach((line, i) => {
          const request = parse(line);
          takeUser(of, request);
          const rows = expected[i].logits?.length ?? Object.values(expected[i].outputs)[0].length;
          if (expected[i].outputs === undefined) {
            near(of.score(request.candidates ?? {}, { logits: true, rows }), expected[i].logits, `${stem}, request ${i}`);
            return;
          }
          ++outputs;
          const names = opened.outputs.map(({ name }) => name);
          const logits = of.score(request.candidates, { logits: true, outputs: names, rows });
          const scores = of.score(request.candidates, { outputs: [...names].reverse(), rows });
          const ranked = of.rank(request.candidates, rows, { output: names.at(-1), allOutputs: true, rows });
          for (const name of names) {
            near(logits[name], expected[i].outputs[name], `${stem}, ${name}`);
            near(scores[name], expected[i].scores[name], `${stem}, ${name}`);
            near(ranked.map((one) => one.outputs[name]), ranked.map(({ index }) => scores[name][index]), name);
          }
          const by = ranked.map(({ score }) => score);
          assert.deepEqual(by, [...by].sort((a, b) => b - a));
        });
        opened.close();
      }
    }
    assert.ok(models >= 300 && outputs > 0, `${models} models, ${outputs} requests with several outputs`);
  },

  'golden requests of all bundles hold, and all bytes are what was written'() {
    let count = 0;
    for (const file of readdirSync(bundles).filter((name) => name.endsWith('.hpk'))) {
      const opened = handpick.openModel(readFileSync(join(bundles, file)));
      const of = opened.newSession();
      try {
        of.checkGoldens();
        opened.check();
      } catch (error) {
        throw new Error(`${file}: ${error.message}`);
      }
      opened.close();
      ++count;
    }
    assert.ok(count > 1000, `${count} bundles`);
  },

  'a batch is filled in place and scores as arrays do'() {
    takeUser(session, requests[0]);
    const ids = requests[0].candidates.movie_id;
    const expected = session.score({ movie_id: ids });
    const batch = model.newBatch(['movie_id', 'year'], ids.length);
    batch.column('movie_id').set(ids.map(BigInt));
    batch.column('year').set(ids.map((id) => catalog.get(id).year));
    assert.deepEqual(session.score(batch), expected);
    assert.deepEqual(session.rank(batch, 3), session.rank({ movie_id: ids }, 3));
    batch.rows = 2;
    assert.deepEqual(session.score(batch), expected.slice(0, 2));
    assert.deepEqual(session.score({ movie_id: BigInt64Array.from(ids.map(BigInt)) }), expected);
    assert.deepEqual(session.score({ movie_id: Int32Array.from(ids) }), expected);
    refused(() => { batch.rows = ids.length + 1; }, Status.INVALID_ARGUMENT, /rows of a batch/);
    refused(() => batch.column('genre'), Status.UNKNOWN_FEATURE, /no feature 'genre'/);
    refused(() => model.newBatch(['genres'], 4), Status.WRONG_TYPE, /strings/);
    refused(() => session.append(batch), Status.INVALID_ARGUMENT, /batch/);
    batch.close();
    refused(() => session.score(batch), Status.INVALID_ARGUMENT, /batch is closed/);
    refused(() => batch.column('movie_id'), Status.INVALID_ARGUMENT, /closed/);
  },

  async 'memory grows, what was there stays, and closing gives it back'() {
    const handpick = await Handpick.load();
    const model = handpick.openModel(dinBytes);
    const session = model.newSession();
    takeUser(session, requests[1]);
    const candidates = requests[1].candidates;
    const before = session.score(candidates);
    const batch = model.newBatch(['movie_id'], 3);
    const old = batch.column('movie_id');
    old.set([1n, 2n, 3n]);
    const bytes = handpick.memoryBytes;
    const others = Array.from({ length: 10 }, () => handpick.openModel(dinBytes));
    assert.ok(handpick.memoryBytes > bytes + 9 * dinBytes.length);
    assert.equal(old.length, 0, 'a view of before is empty');
    assert.deepEqual([...batch.column('movie_id')], [1n, 2n, 3n]);
    assert.deepEqual(session.score(candidates), before);
    for (const other of others) {
      const of = other.newSession();
      takeUser(of, requests[1]);
      assert.deepEqual(of.score(candidates), before);
      other.close();
      assert.ok(of.closed);
    }
    const grown = handpick.memoryBytes;
    for (let i = 0; i < 50; ++i) {
      const other = handpick.openModel(dinBytes);
      other.newSession();
      other.newOverlay(10);
      other.newBatch(['movie_id'], 1000);
      other.close();
    }
    assert.equal(handpick.memoryBytes, grown);
    // Values of one call that need more than a call ever did.
    const many = Array.from({ length: 20000 }, (_, i) => candidates.movie_id[i % candidates.movie_id.length]);
    const scores = session.score({ movie_id: many });
    many.forEach((_, i) => assert.equal(scores[i], before[i % before.length]));
    assert.deepEqual(session.score(candidates), before);
    batch.close();
  },

  'filters, exclusions and the app\'s own question'() {
    takeUser(session, requests[0]);
    const all = session.recommend(20);
    assert.equal(all.length, 20);
    const comedies = session.recommend(20, { filters: [{ feature: 'genres', anyOf: ['Comedy'] }, { feature: 'year', min: 1990, max: 1999 }] });
    assert.ok(comedies.length > 0);
    for (const { id } of comedies) {
      const { genres, year } = catalog.get(id);
      assert.ok(genres.includes('Comedy') && year >= 1990 && year <= 1999, `${id}`);
    }
    for (const { id } of session.recommend(20, { filters: [{ feature: 'genres', noneOf: ['Drama', 'Comedy'] }] })) {
      assert.ok(!catalog.get(id).genres.some((genre) => genre === 'Drama' || genre === 'Comedy'));
    }
    const excluded = new Set(all.slice(0, 5).map(({ id }) => id));
    const without = session.recommend(20, { exclude: excluded });
    assert.ok(without.every(({ id }) => !excluded.has(id)));
    assert.deepEqual(session.recommend(20, { accepts: (id) => !excluded.has(id) }), without);
    assert.throws(() => session.recommend(5, { accepts() { throw new RangeError('of the app'); } }), /RangeError|of the app/);
    refused(() => session.recommend(5, { accepts: () => session.score({ movie_id: [1] }) }), Status.INVALID_ARGUMENT, /accepts/);
    assert.deepEqual(session.recommend(20), all);
    refused(() => session.recommend(5, { filters: [{ feature: 'genres', anyOf: ['Drama'], min: 3 }] }), Status.INVALID_ARGUMENT, /one of/);
    refused(() => session.recommend(5, { user: 'nobody' }), Status.INVALID_ARGUMENT, /nobody.*mean/);
    refused(() => session.recall(100000), Status.INVALID_ARGUMENT, /./);
    session.clearHistory();
    assert.deepEqual(session.recommend(5), []);
    assert.equal(session.recallReport().outcome, 'no_events');
  },

  'an overlay adds and hides items'() {
    takeUser(session, requests[0]);
    const [first] = session.recall(1);
    const overlay = model.newOverlay(4);
    overlay.hide(first.id);
    const [second] = session.recall(1, { overlay });
    assert.notEqual(second.id, first.id);
    const vector = Float32Array.from({ length: model.recall.dimension }, (_, i) => Math.cos(i));
    overlay.add(2 ** 40, vector);
    const [found] = session.recall(1, { overlay, vector });
    assert.deepEqual([found.id, found.item], [2 ** 40, null]);
    assert.ok(Math.abs(found.score - 1) < 1e-5);
    refused(() => overlay.add(2 ** 40, vector), Status.DUPLICATE_ITEM, /./);
    refused(() => overlay.add('x', vector), Status.WRONG_TYPE, /whole numbers/);
    refused(() => overlay.add(7777777, vector.slice(1)), Status.INVALID_ARGUMENT, /./);
    overlay.add(2n ** 60n, vector.map((x) => -x));
    assert.equal(session.recall(1, { overlay, vector: vector.map((x) => -x) })[0].id, 2n ** 60n);
    overlay.remove(2 ** 40);
    refused(() => overlay.remove(2 ** 40), Status.UNKNOWN_ITEM, /./);
    overlay.show(first.id);
    assert.equal(session.recall(1, { overlay })[0].id, first.id);
    overlay.close();
    refused(() => session.recall(1, { overlay }), Status.INVALID_ARGUMENT, /overlay is closed/);
  },

  'a wrong value is refused by name, and changes nothing'() {
    takeUser(session, requests[0]);
    const candidates = requests[0].candidates;
    const before = session.score(candidates);
    refused(() => session.score({ film: [1] }), Status.UNKNOWN_FEATURE, /'film'.*movie_id/);
    refused(() => session.score({ movie_id: ['a'] }), Status.WRONG_TYPE, /movie_id/);
    refused(() => session.score({ movie_id: [1, 'a'] }), Status.INVALID_ARGUMENT, /movie_id.*a/);
    refused(() => session.score({ movie_id: [1.5] }), Status.INVALID_ARGUMENT, /movie_id.*1\.5/);
    refused(() => session.score({ movie_id: [2n ** 63n] }), Status.INVALID_ARGUMENT, /64 bits/);
    refused(() => session.score({ movie_id: [-5] }), Status.UNKNOWN_ITEM, /-5/);
    refused(() => session.score({ movie_id: [1, 2], year: [1990] }), Status.INVALID_ARGUMENT, /'year' has 1 rows.*'movie_id' 2/);
    refused(() => session.score({ movie_id: [1], year: ['new'] }), Status.WRONG_TYPE, /year/);
    refused(() => session.score({ movie_id: [1], year: [NaN] }), Status.NOT_FINITE, /year/);
    refused(() => session.score({ movie_id: [1], genre: [null] }), Status.INVALID_ARGUMENT, /genre/);
    refused(() => session.score({}, { outputs: ['ctr'] }), Status.UNKNOWN_OUTPUT, /ctr/);
    refused(() => session.rank(candidates, -1), Status.INVALID_ARGUMENT, /k is -1/);
    refused(() => session.rank([candidates], 1), Status.INVALID_ARGUMENT, /object/);
    refused(() => session.setContext({ genre_taste: [1, 2] }), Status.INVALID_ARGUMENT, /genre_taste/);
    refused(() => session.append({ movie_id: 1 }), Status.MISSING_FEATURE, /genre/);
    refused(() => model.newSession({ tile: 1e6 }), Status.INVALID_ARGUMENT, /tile/);
    assert.deepEqual(session.score(candidates), before);
    assert.equal(session.score({}).length, 0);
    const fresh = model.newSession();
    assert.equal(fresh.score({ movie_id: 50 }).length, 1);
    fresh.close();
  },

  'events one by one are events at once'() {
    takeUser(session, requests[0]);
    const { candidates, history } = requests[0];
    const before = session.score(candidates);
    session.clearHistory();
    assert.notDeepEqual(session.score(candidates), before);
    history.movie_id.forEach((movie_id, i) => session.append({ movie_id, genre: history.genre[i] }));
    assert.deepEqual(session.score(candidates), before);
  },

  'other bytes are no bundle'() {
    refused(() => handpick.openModel(new ArrayBuffer(0)), Status.NOT_A_BUNDLE, /./);
    refused(() => handpick.openModel(new TextEncoder().encode('<!doctype html>'.repeat(100))), Status.NOT_A_BUNDLE, /./);
    assert.throws(() => handpick.openModel(dinBytes.subarray(0, dinBytes.length >> 1)), HandpickError);
    const damaged = new Uint8Array(dinBytes);
    damaged[damaged.length - 5000] ^= 1;
    const other = handpick.openModel(damaged);
    refused(() => other.check(), Status.BUNDLE_CORRUPT, /./);
    other.close();
  },

  'bytes are checked so many at a time'() {
    const check = model.newCheck();
    let calls = 1;
    while (!check.next(100_000)) ++calls;
    assert.equal(calls, Math.ceil(dinBytes.length / 100_000));
    assert.equal(check.next(1), true);
    refused(() => check.next(-1), Status.INVALID_ARGUMENT, /bytes is -1/);
    check.close();
    refused(() => check.next(1), Status.INVALID_ARGUMENT, /check is closed/);
    const damaged = new Uint8Array(dinBytes);
    damaged[damaged.length - 5000] ^= 1;
    const other = handpick.openModel(damaged);
    const of = other.newCheck();
    refused(() => { while (!of.next(100_000)); }, Status.BUNDLE_CORRUPT, /damaged/);
    refused(() => of.next(100_000), Status.BUNDLE_CORRUPT, /damaged/);
    other.close();
    assert.ok(of.closed);
    refused(() => other.newCheck(), Status.INVALID_ARGUMENT, /model is closed/);
  },

  'signatures are those of the command'() {
    const secret = join(folder, 'secret.pem');
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', secret]);
    const said = execFileSync(command, ['sign', '--bundle', din, '--key', secret, '--out', join(folder, 'signed.hpk')]).toString();
    const [, id, key] = said.match(/key ([0-9a-f]{16}); its public key: ([0-9a-f]{64})/);
    const signed = readFileSync(join(folder, 'signed.hpk'));
    const other = 'ab'.repeat(32);
    const opened = handpick.openModel(signed, { publicKeys: [other, Buffer.from(key, 'hex')] });
    assert.equal(opened.info.keyId, id);
    assert.match(opened.info.contentHash, /^[0-9a-f]{16}$/);
    assert.equal(model.info.keyId, null);
    const check = opened.newCheck({ publicKeys: [key] });
    while (!check.next(1 << 18));
    refused(() => opened.newCheck({ publicKeys: [other] }), Status.WRONG_SIGNATURE, new RegExp(id));
    refused(() => model.newCheck({ publicKeys: [key] }), Status.NO_SIGNATURE, /not signed/);
    opened.close();
    refused(() => handpick.openModel(signed, { publicKeys: [other] }), Status.WRONG_SIGNATURE, new RegExp(id));
    refused(() => handpick.openModel(dinBytes, { publicKeys: [key] }), Status.NO_SIGNATURE, /not signed/);
    const changed = new Uint8Array(signed);
    changed[changed.length - 5000] ^= 1;
    refused(() => handpick.openModel(changed, { publicKeys: [key] }), Status.WRONG_SIGNATURE, /not as it was signed/);
    const late = handpick.openModel(changed);
    refused(() => late.newCheck({ publicKeys: [key] }).next(), Status.WRONG_SIGNATURE, /not as it was signed/);
    late.close();
    refused(() => handpick.openModel(signed, { publicKeys: [] }), Status.INVALID_ARGUMENT, /no key/);
    for (const bad of ['12', key.slice(2), new Uint8Array(31), 7]) {
      refused(() => handpick.openModel(signed, { publicKeys: [bad] }), Status.INVALID_ARGUMENT, /neither 32 bytes nor 64/);
    }
  },

  'what is closed is closed'() {
    const other = handpick.openModel(dinBytes.buffer.slice(dinBytes.byteOffset, dinBytes.byteOffset + dinBytes.length));
    const of = other.newSession();
    const alone = other.newSession();
    alone[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
    refused(() => alone.score({ movie_id: [1] }), Status.INVALID_ARGUMENT, /session is closed/);
    other.close();
    other.close();
    assert.ok(other.closed && of.closed);
    refused(() => of.score({ movie_id: [1] }), Status.INVALID_ARGUMENT, /session is closed/);
    refused(() => other.newSession(), Status.INVALID_ARGUMENT, /model is closed/);
    refused(() => other.newBatch(['movie_id'], 1), Status.INVALID_ARGUMENT, /model is closed/);
    refused(() => other.newOverlay(1), Status.INVALID_ARGUMENT, /model is closed/);
    refused(() => other.check(), Status.INVALID_ARGUMENT, /model is closed/);
    of.close();
  },

  async 'a bundle is fetched into the module'() {
    const server = createServer((request, response) => {
      if (request.url === '/din.hpk') {
        response.writeHead(200, { 'Content-Length': dinBytes.length }).end(dinBytes);
      } else if (request.url === '/unknown') {
        response.writeHead(200).end(dinBytes); // In chunks, of unknown length.
      } else {
        response.writeHead(404).end();
      }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${server.address().port}/`;
    try {
      for (const name of ['din.hpk', 'unknown']) {
        const fetched = await handpick.fetchModel(url + name, {});
        await assert.rejects(handpick.fetchModel(url + name, { publicKeys: ['ab'.repeat(32)] }), (error) => error.code === 'NO_SIGNATURE');
        assert.equal(fetched.info.bundleBytes, dinBytes.length);
        fetched.check();
        fetched.close();
      }
      await assert.rejects(handpick.fetchModel(fetch(`${url}none`)), (error) => error.code === 'FILE_ERROR' && /404/.test(error.message));
    } finally {
      server.closeAllConnections?.();
      server.close();
    }
  },

  async 'the module is loaded from bytes, and asks for nothing else than its memory\'s growth and `accepts`'() {
    const bytes = readFileSync(createRequire(import.meta.url).resolve('handpick/handpick.wasm'));
    const module = new WebAssembly.Module(bytes);
    assert.deepEqual(
      WebAssembly.Module.imports(module).map((of) => `${of.module}.${of.name}`).sort(),
      ['env.emscripten_notify_memory_growth', 'handpick.accepts'],
    );
    for (const source of [bytes, module]) assert.equal((await Handpick.load(source)).version, handpick.version);
  },

  'the types name what there is'() {
    const types = readFileSync(join(dirname(createRequire(import.meta.url).resolve('handpick/package.json')), 'handpick.d.ts'), 'utf8');
    let members = 0;
    for (const [, name, body] of types.matchAll(/export declare class (\w+)[^{]*\{\n([^]*?)\n\}/g)) {
      const made = { Handpick: handpick, Model: model, Session: session, Batch: model.newBatch([], 0), Overlay: model.newOverlay(1), Check: model.newCheck() }[name];
      if (made === undefined) continue;
      for (const [, member] of body.matchAll(/^ {2}(?:static |readonly )*(\w+)[(:?]/gm)) {
        if (member === 'constructor' || member === 'private') continue;
        assert.ok(member in made || member in api[name], `${name}.${member}`);
        ++members;
      }
    }
    assert.ok(members > 40, `${members}`);
    for (const [name, value] of Object.entries(Status)) assert.match(types, new RegExp(`readonly ${name}: ${value === 0 ? 0 : `0x${value.toString(16).padStart(2, '0')}`};`));
  },
};

for (const [name, test] of Object.entries(tests)) {
  await test();
  console.log(`passed: ${name}`);
}
