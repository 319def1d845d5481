import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { growthOf } from './soak/growth.ts';

const MAIN = fileURLToPath(new URL('./soak/main.ts', import.meta.url));
const MEBIBYTE = 1024 * 1024;
const times = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index));

describe('a soak of a service, two workers and a client', () => {
  it(
    'leaves no runs, handles, timers or listeners behind while calls end in all ways and connections break',
    { timeout: 120_000 },
    async () => {
      const args = ['--import', 'tsx', MAIN, '--minutes', '0.3', '--every-seconds', '3', '--seed', '7'];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const rows = stdout.split('\n').filter((line) => line.startsWith('| '));
      for (const name of ['service', 'worker-1', 'worker-2', 'client'])
        for (const figure of ['handles', 'timers', 'listeners'])
          expect(rows).toContainEqual(expect.stringMatching(`^\\| ${name} \\| ${figure} \\|.* flat \\|$`));
      for (const figure of ['runs', 'waiting', 'placed', 'unacknowledged'])
        expect(rows).toContainEqual(
          expect.stringMatching(`^\\| service \\| table ${figure} \\| 0 \\| 0 \\|.* flat \\|$`),
        );
      expect(stdout).toMatch(/connections cut [1-9]/);
      expect(stdout).toMatch(/nothing grows\n$/);
    },
  );
});

describe('the judge of a soak', () => {
  it('finds what grows a little with every sample', () => {
    const leak = times(40, (n) => 50 * MEBIBYTE + n * 0.2 * MEBIBYTE + (n % 5) * MEBIBYTE);
    expect(growthOf({ name: 'heapUsed', values: leak })).toMatchObject({ isGrowth: true });
    expect(growthOf({ name: 'listeners', values: times(40, (n) => 10 + Math.floor(n / 8)) })).toMatchObject({
      isGrowth: true,
    });
  });

  it('takes no outlier, no noise and no beginning for growth', () => {
    const noise = times(40, (n) => 50 * MEBIBYTE + ((n * 7_919) % 13) * MEBIBYTE);
    const beginning = times(40, (n) => Math.min(n, 15) * 10 * MEBIBYTE);
    const outlier = times(40, (n) => (n === 39 ? 900 : 7));
    expect(growthOf({ name: 'rss', values: noise }).isGrowth).toBe(false);
    expect(growthOf({ name: 'rss', values: beginning }).isGrowth).toBe(false);
    expect(growthOf({ name: 'handles', values: outlier }).isGrowth).toBe(false);
  });

  it('says nothing of memory after a few samples, but counts from the first on', () => {
    const rising = times(8, (n) => n * 100 * MEBIBYTE);
    expect(growthOf({ name: 'rss', values: rising })).toMatchObject({ allowed: undefined, isGrowth: false });
    expect(growthOf({ name: 'timers', values: times(8, (n) => n) })).toMatchObject({ isGrowth: true });
  });
});
