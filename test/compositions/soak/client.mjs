// A client in a process of its own: node client.mjs <port of the service> <directory of the store> <seed>. It makes calls of all kinds,
// at a moderate rate, and checks each answer.
import assert from 'node:assert/strict';
import process from 'node:process';
import { everythingRemote, executionPolicy, Lifecycle } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { wsTransport } from '@routine-engine/transport-ws';
import { seededIntegers } from '../../../examples/spam-sweep/dist/random.js';
import { fails, large, remembered, small, stubborn, sums, waits } from './routines.mjs';
import { sample, serveParent } from './sampled-process.mjs';

const [port, dir = '', seed] = process.argv.slice(2);
/** Between two calls. */
const TICK_MS = 25;
/** More are not made at once, such as while the connection is away. */
const MOST_IN_HAND = 300;
const REMEMBERED_CALLS = 500;
const LARGE_LENGTH = 1024 * 1024;

const below = seededIntegers(Number(seed));
/** @param {string} name */
const open = (name) =>
  Lifecycle.init({
    project: 'soak',
    name,
    plugins: [
      wsTransport({ url: `ws://127.0.0.1:${port}/` }),
      fsStore({ dir, fsync: false }),
      executionPolicy(everythingRemote),
    ],
  });
const lifecycle = await open('client');

/** @param {Promise<unknown>} call @param {string} code */
async function refused(call, code) {
  await assert.rejects(call, (error) => {
    const { code: found, name } = /** @type {Error & { code?: string }} */ (error);
    assert.equal(found ?? name, code);
    return true;
  });
}

/** What a call can be, and how many in a thousand are. @type {readonly (readonly [string, number, () => Promise<unknown>])[]} */
const KINDS = [
  ['large', 20, callLarge],
  ['remembered', 200, callRemembered],
  ['cancelled', 40, callCancelled],
  ['failing', 40, () => refused(fails(below(1_000)), 'RangeError')],
  ['workflow', 30, callWorkflow],
  ['stubborn', 1, callStubborn],
  ['short-lived client', 2, callOfAnother],
  ['small', 667, () => callSmall(below(1_000_000))],
];

/** @param {number} n */
async function callSmall(n) {
  assert.deepEqual(await small(n), { n, text: `number ${n}` });
}

async function callLarge() {
  const n = below(1_000);
  const array = await large(LARGE_LENGTH, n);
  assert.deepEqual([array.length, array[0], array.at(-1)], [LARGE_LENGTH, n, n]);
}

async function callRemembered() {
  const n = below(REMEMBERED_CALLS);
  assert.equal(await remembered(n), n * n);
}

async function callWorkflow() {
  const count = 1 + below(10);
  const squares = Array.from({ length: count }, (_, n) => n * n).reduce((sum, square) => sum + square, 0);
  assert.equal(await sums(count), squares + count);
}

async function callCancelled() {
  await refused(waits.with({ signal: AbortSignal.timeout(10 + below(200)) })(60_000), 'RUN_CANCELLED');
}

async function callStubborn() {
  await refused(stubborn.with({ signal: AbortSignal.timeout(100) })(3_000), 'RUN_CANCELLED');
}

async function callOfAnother() {
  const another = await open('short-lived');
  await another.run(() => callSmall(below(1_000)));
  await another.shutdown();
}

/** @type {Record<string, number>} */
const made = Object.fromEntries(KINDS.map(([kind]) => [kind, 0]));
/** @type {Set<Promise<void>>} */
const inHand = new Set();
/** @type {NodeJS.Timeout | undefined} */
let ticking;

function tick() {
  if (inHand.size >= MOST_IN_HAND) return;
  let left = below(1_000);
  const kind = KINDS.find(([, share]) => (left -= share) < 0);
  if (!kind) throw new RangeError('The shares of the kinds of calls do not add up to 1,000');
  const [name, , act] = kind;
  made[name] = (made[name] ?? 0) + 1;
  const call = lifecycle.run(act).then(
    () => void inHand.delete(call),
    (error) => {
      console.error(`wrong, of a call that is ${name}:`, error);
      process.exit(1);
    },
  );
  inHand.add(call);
}

const resume = () => {
  ticking = setInterval(tick, TICK_MS);
};
const rest = async () => {
  clearInterval(ticking);
  await Promise.all(inHand);
};
resume();
serveParent(lifecycle, {
  rest,
  resume,
  sample: () => sample({ current: lifecycle.engine.current.length }),
  calls: () => ({ ...made }),
});
