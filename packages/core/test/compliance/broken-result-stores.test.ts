import { describe, expect, it } from 'vitest';
import { resultStoreCompliance } from '../../src/compliance/result-store.ts';
import { type Breakage, BROKEN, brokenBy } from './broken-result-stores.ts';
import { failuresOf } from './failures-of.ts';

async function brokenPromises(breakage: Breakage): Promise<string[]> {
  const failures = await failuresOf((runner) =>
    resultStoreCompliance(runner, {
      capabilities: { durable: false, shared: false },
      create: async () => ({ open: async () => brokenBy(breakage), destroy: async () => {} }),
    }),
  );
  return [...failures.keys()];
}

describe('the kit for result stores', () => {
  it('finds nothing wrong with a store that keeps its promises', async () => {
    expect(await brokenPromises(() => ({}))).toEqual([]);
  });

  it.each(BROKEN)('catches a store that %s', async (_, promise, breakage) => {
    expect(await brokenPromises(breakage)).toEqual([promise]);
  });
});
