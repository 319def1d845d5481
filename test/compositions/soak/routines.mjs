import { setTimeout as delay } from 'node:timers/promises';
import { currentRun, define } from '@routine-engine/core';

const version = '1.0.0';
const notRemembered = { version, cache: false };

export const small = define.task({ name: 'small', ...notRemembered }, (/** @type {number} */ n) => ({
  n,
  text: `number ${n}`,
}));

export const large = define.task(
  { name: 'large', ...notRemembered },
  (/** @type {number} */ length, /** @type {number} */ seed) => new Float32Array(length).fill(seed),
);

/** Is remembered. */
export const remembered = define.task({ name: 'remembered', version }, (/** @type {number} */ n) => n * n);

/** Goes on until it is cancelled. */
export const waits = define.task(
  { name: 'waits', ...notRemembered },
  async (/** @type {number} */ milliseconds) => {
    await delay(milliseconds, undefined, { signal: currentRun().signal });
    return milliseconds;
  },
);

/** Computes without a pause, and so hears of no cancellation: its thread is ended. */
export const stubborn = define.task(
  { name: 'stubborn', ...notRemembered },
  (/** @type {number} */ milliseconds) => {
    const until = performance.now() + milliseconds;
    while (performance.now() < until);
    return milliseconds;
  },
);

export const fails = define.task({ name: 'fails', ...notRemembered }, (/** @type {number} */ n) => {
  throw new RangeError(`${n} is no good`);
});

/** Hangs while its sub-runs go on. */
export const sums = define.workflow({ name: 'sums' }, async (/** @type {number} */ count) => {
  const squares = await Promise.all(Array.from({ length: count }, (_, n) => remembered(n)));
  const { n } = await small(count);
  return squares.reduce((sum, square) => sum + square, n);
});
