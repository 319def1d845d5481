// Runs a small sweep on the cluster at an address, with results in a database: client.mjs ADDRESS DATABASE. Says what came of it.
import { createHash } from 'node:crypto';
import process from 'node:process';
import { Lifecycle } from '@routine-engine/core';
import { sqliteStore } from 'routine-engine-store-sqlite';
import { unixSocketTransport } from 'routine-engine-transport-unix-socket';
import { sweep } from 'spam-sweep/routines';

const PLAN = {
  corpus: { every: 40, maxMailBytes: 4096 },
  ngrams: { minLength: 3, maxLength: 3, bucketBits: 12 },
  folds: 3,
  grid: [
    { learningRate: 2, l2: 0, epochs: 5 },
    { learningRate: 5, l2: 1e-6, epochs: 5 },
  ],
  seed: 1,
};

const [address, file] = process.argv.slice(2);
const plugins = address === 'here' ? [] : [unixSocketTransport(address)];
const lifecycle = await Lifecycle.init({
  project: 'spam-sweep',
  plugins: [...plugins, sqliteStore({ file })],
});
const executed = new Set();
const workers = new Set();
lifecycle.events$.subscribe((event) => {
  if (event.type !== 'run.starting' || !event.routineId.startsWith('tname:')) return;
  executed.add(event.runId);
  workers.add(event.worker);
});
const { best, mails, model } = await sweep(PLAN);
const digest = createHash('sha256').update(model.weights).digest('hex');
console.log(
  JSON.stringify({
    best,
    mails,
    digest,
    executed: executed.size,
    workers: [...workers].toSorted((a, b) => a.localeCompare(b)),
  }),
);
await lifecycle.shutdown();
