import { expect, it } from 'vitest';
import { Reference } from './reference.ts';
import { scenarioOf, simulate } from './simulate.ts';

/** Files that the seeds are divided among, so that they run beside one another. */
const FILES = 4;
/** How many seeds one test has: enough to cost little, few enough to show where it is. */
const BATCH = 125;

const { SIMULATION_SEEDS = '500', SIMULATION_FIRST_SEED = '1' } = process.env;

/** Defines the tests of one file: every fourth batch of seeds. */
export function testSeeds(file: number): void {
  const first = Number(SIMULATION_FIRST_SEED);
  const end = first + Number(SIMULATION_SEEDS);
  for (let from = first + file * BATCH; from < end; from += FILES * BATCH) {
    const to = Math.min(from + BATCH, end) - 1;
    it(`holds with seeds ${from} to ${to}`, { timeout: 300_000 }, async () => {
      expect(await violationsOf(from, to)).toEqual([]);
    });
  }
}

async function violationsOf(from: number, to: number): Promise<string[]> {
  const { stackTraceLimit } = Error;
  // Stacks are most of what errors cost, and nobody reads them here.
  Error.stackTraceLimit = 0;
  const reference = await Reference.open();
  const found: string[] = [];
  for (let seed = from; seed <= to; seed += 1) {
    const { violations } = await simulate(scenarioOf(seed), reference);
    if (violations.length > 0) found.push(`npm run simulate -- --first ${seed} --trace`, ...violations);
  }
  await reference.close();
  Error.stackTraceLimit = stackTraceLimit;
  return found;
}
