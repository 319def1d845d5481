import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Ended } from './support/command-process.js';
import { emptyDir, routine, ROUTINES } from './support/command.js';

interface Kept {
  readonly dir: string;
  readonly cache: (...args: string[]) => Promise<Ended>;
}

/** A store with the results of `scaled(1, 2)` and so on. */
async function kept(...firsts: number[]): Promise<Kept> {
  const dir = await emptyDir();
  const env = { ROUTINE_STORE: dir };
  for (const first of firsts) {
    const args = ['run', ROUTINES, '--routine', 'scaled', '--args', `[${first}, 2]`];
    expect(await routine(args, { env })).toMatchObject({ code: 0 });
  }
  return { dir, cache: (...args) => routine(['cache', ...args], { env }) };
}

const keysOf = ({ stdout }: Ended): string[] =>
  (JSON.parse(stdout) as { readonly key: string }[]).map(({ key }) => key);

describe('routine cache', () => {
  it('lists results, the newest first, and forgets them by key', async () => {
    const { cache } = await kept(1, 2);
    const listed = await cache('ls', '--json');
    const [newest, oldest] = keysOf(listed);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      {
        routineId: 'tname:local:scaled:1.0.0',
        byteLength: expect.any(Number),
        pinned: false,
        worker: 'client',
      },
      { key: oldest },
    ]);
    expect((await cache('ls', '--limit', '1')).stdout).toMatch(new RegExp(`^KEY .*\\n${newest} .*\\n$`));
    expect(keysOf(await cache('ls', '--routine', 'tname:other', '--json'))).toEqual([]);
    const unknown = '0'.repeat(64);
    expect(await cache('rm', String(oldest), unknown)).toMatchObject({
      ...{ code: 4, stdout: `${oldest}\n`, stderr: `There is no result ${unknown}\n` },
    });
    expect(keysOf(await cache('ls', '--json'))).toEqual([newest]);
  });

  it('says why a call would run again', async () => {
    const { cache } = await kept(1);
    const why = (args: string, ...more: string[]) =>
      cache('why', ROUTINES, '--routine', 'scaled', '--args', args, ...more);
    expect((await why('[1, 2]')).stdout).toMatch(
      /^hit: [0-9a-f]{64}\ntname:local:scaled:1\.0\.0, computed .* by client/,
    );
    expect((await why('[3, 2]')).stdout).toMatch(/^miss: the nearest result differs in args\[0\]\n/);
    expect(JSON.parse((await why('[1, 3]', '--json')).stdout)).toMatchObject({
      ...{ status: 'miss', nearest: { differences: [{ what: 'argument', path: 'args[1]' }] } },
    });
  });

  it('collects what is beyond bounds, and tells what it would', async () => {
    const { cache } = await kept(1, 2);
    expect((await cache('gc', '--max-items', '1', '--dry-run')).stdout).toMatch(/^would remove {2}1 results/);
    const report = await cache('gc', '--max-items', '1', '--json');
    expect(JSON.parse(report.stdout)).toMatchObject({ removed: { results: 1 }, kept: { results: 1 } });
    expect(await cache('rm', '--routine', 'tname:scaled')).toMatchObject({ code: 0 });
    expect(keysOf(await cache('ls', '--json'))).toEqual([]);
  });

  it('finds what is damaged, and says so by its exit code', async () => {
    const { dir, cache } = await kept(1);
    expect(await cache('verify')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 whole, 0 damaged'),
    });
    const [key] = keysOf(await cache('ls', '--json'));
    const files = await readdir(dir, { recursive: true });
    const path = join(dir, String(files.find((file) => file.includes(String(key).slice(2, 60)))));
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    const ended = await cache('verify', '--json');
    expect(JSON.parse(ended.stdout)).toMatchObject({ results: { whole: 0, damaged: 1, incomplete: 0 } });
    expect(ended.code).toBe(1);
    await writeFile(path, bytes.subarray(0, 100));
    expect(await cache('verify')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('0 whole, 1 damaged'),
    });
    expect(await cache('verify')).toMatchObject({ code: 0 });
  });

  it.each<[readonly string[], number, RegExp]>([
    [['rm'], 2, /routine cache rm takes keys, or --routine/],
    [['rm', 'abc'], 2, /STORE_KEY_INVALID/],
    [['gc', '--max-age', '3x'], 2, /It must be a time, such as 30d/],
    [['gc', '--max-bytes', '-1'], 2, /It must be a number of bytes/],
    [['why', 'tname:scaled'], 4, /No module of the configuration exports tname:scaled/],
    [['ls', '--routine', 'scaled'], 2, /ROUTINE_ID_INVALID/],
  ])('%j ends with %i and says why', async (args, code, message) => {
    const { cache } = await kept();
    expect(await cache(...args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  });
});
