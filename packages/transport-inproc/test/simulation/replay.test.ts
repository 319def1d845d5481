import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Reference } from './harness/reference.ts';
import { scenarioOf, simulate } from './harness/simulate.ts';

async function traceOf(seed: number, reference: Reference): Promise<{ lines: number; hash: string }> {
  const hash = createHash('sha256');
  let lines = 0;
  await simulate(scenarioOf(seed), reference, (line) => {
    lines += 1;
    hash.update(`${line}\n`);
  });
  return { lines, hash: hash.digest('hex') };
}

describe('a simulation', () => {
  it('does exactly the same again with the same seed', async () => {
    const reference = await Reference.open();
    for (let seed = 1; seed <= 60; seed += 1) {
      const first = await traceOf(seed, reference);
      expect(first.lines).toBeGreaterThan(50);
      expect(await traceOf(seed, reference), `seed ${seed}`).toEqual(first);
    }
    await reference.close();
  });

  it('does something else with another seed', async () => {
    const reference = await Reference.open();
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 20; seed += 1) hashes.add((await traceOf(seed, reference)).hash);
    expect(hashes.size).toBe(20);
    await reference.close();
  });
});
