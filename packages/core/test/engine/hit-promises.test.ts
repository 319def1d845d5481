import { createHook } from 'node:async_hooks';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { define, Lifecycle } from '../../src/index.js';

let lifecycle: Lifecycle;
beforeEach(async () => {
  lifecycle = await Lifecycle.init({ project: 'test' });
});
afterEach(() => lifecycle.shutdown());

const double = define.task({ name: 'double', version: '1.0.0' }, (n: number) => 2 * n);

/** How many promises are made until a call has its value. */
async function promisesOf(call: () => Promise<unknown>): Promise<number> {
  let made = 0;
  const counting = createHook({
    init: (_, type) => {
      if (type === 'PROMISE') made += 1;
    },
  });
  counting.enable();
  try {
    await call();
  } finally {
    counting.disable();
  }
  return made;
}

it('a hit makes two promises beside the one of its store', async () => {
  expect(await double(2)).toBe(4);
  const ofStore = await promisesOf(async () => 4);
  expect(await promisesOf(() => double(2))).toBe(ofStore + 2);
  // Counted anew: what is made once only, and no more, was made by now.
  expect(await promisesOf(() => double(2))).toBe(ofStore + 2);
});
