import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { collectGarbage } from '@routine-engine/core/host';
import { describe, expect, it } from 'vitest';
import { fileOf, KEY, newDirectory, openStore, resultOf } from './place.ts';
import { Agent, KILLED } from './support/agents.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const NOW = 1_800_000_000_000;

/** A file that was last written to some time before NOW. */
function writeOld(file: string, ageMs: number): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, 'half a result');
  fs.utimesSync(file, (NOW - ageMs) / 1000, (NOW - ageMs) / 1000);
}

/** Names in a directory of the store after one was opened, had the time to clean and was closed. */
async function leftIn(dir: string, name: string, now = NOW): Promise<string[]> {
  await openStore(dir, { now: () => now }).store.close();
  return fs.readdirSync(path.join(dir, 'v1', name)).toSorted();
}

/** The name that a process gave the file it wrote when it was killed. */
async function nameOfKilled(): Promise<string> {
  const dir = newDirectory();
  const agent = await Agent.open(dir, { fsync: true, kill: { operation: 'fsync', count: 1 } });
  const put = { operation: 'put', key: KEY, tag: 'a', byteLength: 1_000_000 };
  expect(await agent.ask(put)).toBe(KILLED);
  const [name = '', ...others] = fs.readdirSync(path.join(dir, 'v1', 'tmp'));
  expect(others).toEqual([]);
  return name;
}

describe('a temporary file', () => {
  it('of a process that died goes when a store is opened, however young it is', async () => {
    const dir = newDirectory();
    const name = await nameOfKilled();
    writeOld(path.join(dir, 'v1', 'tmp', name), 0);
    expect(await leftIn(dir, 'tmp')).toEqual([]);
  });

  it('of a process that died goes when garbage is collected, which says how much that was', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir, { now: () => NOW });
    const file = path.join(dir, 'v1', 'tmp', await nameOfKilled());
    writeOld(file, 0);
    const clock = { now: () => NOW };
    const swept = { items: 1, byteLength: 'half a result'.length };
    expect(await collectGarbage(store, { dryRun: true }, clock)).toMatchObject({ swept });
    expect(fs.existsSync(file)).toBe(true);
    expect(await collectGarbage(store, {}, clock)).toMatchObject({ swept });
    expect(fs.existsSync(file)).toBe(false);
    expect(await store.sweep()).toEqual({ items: 0, byteLength: 0 });
  });

  it('of a process that lives, or of another machine, goes when nobody wrote to it for a day', async () => {
    const dir = newDirectory();
    const died = await nameOfKilled();
    const ours = died.replace(/\.\d+\./, `.${process.pid}.`);
    const elsewhere = died.replace(/^[0-9a-f]{12}/, '0'.repeat(12));
    const files = [ours, elsewhere, 'notes.tmp'].map((name) => path.join(dir, 'v1', 'tmp', name));
    for (const file of files) writeOld(file, DAY_MS - 1000);
    fs.mkdirSync(path.join(dir, 'v1', 'tmp', 'directory'));
    expect(await leftIn(dir, 'tmp')).toEqual([ours, elsewhere, 'notes.tmp', 'directory'].toSorted());
    for (const file of files) writeOld(file, DAY_MS + 1000);
    expect(await leftIn(dir, 'tmp')).toEqual(['directory']);
  });

  it('of a writer that is still at work stays, whoever opens, sweeps and closes meanwhile', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(300_000);
      const other = openStore(dir, { now: () => Date.now() }).store;
      expect(await other.sweep()).toEqual({ items: 0, byteLength: 0 });
      await other.close();
      yield new Uint8Array(300_000);
    };
    const body = { byteLength: 600_000, sizes: [600_000], chunks };
    expect(await store.put(KEY, { metadata: resultOf(1).metadata, body })).toBe('stored');
    expect((await store.get(KEY))?.body.byteLength).toBe(600_000);
  });
});

describe('a damaged file that was put aside', () => {
  it('stays for a week, however old it was, and then goes', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    await store.put(KEY, resultOf(10));
    fs.truncateSync(fileOf(dir), 100);
    fs.utimesSync(fileOf(dir), 1, 1);
    expect(await store.get(KEY)).toBeUndefined();
    expect(await leftIn(dir, 'corrupt', Date.now() + 7 * DAY_MS - HOUR_MS)).toHaveLength(1);
    expect(await leftIn(dir, 'corrupt', Date.now() + 7 * DAY_MS + HOUR_MS)).toEqual([]);
  });
});

describe('the files of leases', () => {
  it('that nobody can hold any more go with their directories, and no others', async () => {
    const dir = newDirectory();
    const leases = path.join(dir, 'v1', 'leases');
    writeOld(path.join(leases, 'a'.repeat(64), '3'), HOUR_MS + 1000);
    fs.mkdirSync(path.join(leases, 'b'.repeat(64)));
    writeOld(path.join(leases, 'c'.repeat(64), '1'), HOUR_MS + 1000);
    writeOld(path.join(leases, 'c'.repeat(64), '2'), HOUR_MS - 1000);
    writeOld(path.join(leases, 'notes.txt'), 0);
    expect(await leftIn(dir, 'leases')).toEqual(['c'.repeat(64), 'notes.txt']);
    expect(fs.readdirSync(path.join(leases, 'c'.repeat(64)))).toEqual(['2']);
  });
});

it('what cannot be removed keeps nobody from opening, listing and closing a store', async () => {
  const dir = newDirectory();
  const { store } = openStore(dir);
  await store.put(KEY, resultOf(10));
  for (const name of ['tmp', 'corrupt', 'leases']) {
    fs.rmdirSync(path.join(dir, 'v1', name));
    fs.writeFileSync(path.join(dir, 'v1', name), 'no directory');
  }
  expect(await store.sweep()).toEqual({ items: 0, byteLength: 0 });
  const keys: string[] = [];
  for await (const { key } of store.list()) keys.push(key);
  expect(keys).toEqual([KEY]);
  await store.close();
});
