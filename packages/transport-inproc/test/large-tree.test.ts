import { expect, it } from 'vitest';
import { cluster } from './fixtures/engines.ts';
import { bush } from './fixtures/routines.ts';

it('one worker with one slot finishes a tree of 11,111 runs', async () => {
  await using _ = await cluster(1)();
  expect(await bush(4)).toBe(11_111);
});
