import { appendFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { define } from '@routine-engine/core';

/** Leaves a line for each execution. */
const step = define.task(
  { name: 'step', version: '1.0.0', cache: false },
  async (/** @type {string} */ file, /** @type {string} */ name, /** @type {number} */ milliseconds) => {
    await appendFile(file, `${name}\n`);
    await delay(milliseconds);
    return `${name} done`;
  },
);

/** Some steps one after the other, which hangs in between. */
const branch = define.workflow(
  { name: 'branch' },
  async (/** @type {string} */ file, /** @type {string} */ name, /** @type {number} */ count) => {
    await appendFile(file, `${name}\n`);
    return stepsOf(file, name, count);
  },
);

/**
 * @param {string} file
 * @param {string} name
 * @param {number} count
 */
async function stepsOf(file, name, count) {
  const done = [];
  for (let index = 0; index < count; index += 1) done.push(await step(file, `${name} step ${index}`, 100));
  return done;
}

/** Branches beside each other, half of them as runs of their own, and half in the run that calls them. */
export const whole = define.workflow(
  { name: 'whole' },
  (/** @type {string} */ file, /** @type {number} */ branches, /** @type {number} */ steps) =>
    Promise.all(
      Array.from({ length: branches }, async (_, index) => {
        const name = `branch ${index}`;
        return index % 2 === 0 ? branch(file, name, steps) : stepsOf(file, name, steps);
      }),
    ),
);
