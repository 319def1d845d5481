import { expect, it } from 'vitest';
import { FEATURES } from './harness/journal.ts';
import { Reference } from './harness/reference.ts';
import { scenarioOf, simulate } from './harness/simulate.ts';

it('simulations come to everything that has a rule of its own', { timeout: 300_000 }, async () => {
  const reference = await Reference.open();
  const seen = new Set<string>();
  for (let seed = 1; seed <= 500 && seen.size < FEATURES.length; seed += 1)
    for (const feature of (await simulate(scenarioOf(seed), reference)).seen) seen.add(feature);
  await reference.close();
  expect([...seen].toSorted()).toEqual(FEATURES.toSorted());
});
