import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodedOf } from '@routine-engine/core/adapter';
import { expect, it, onTestFinished } from 'vitest';
import type { FsStore } from '../src/fs-store.ts';
import { digestOf, newDirectory, openStore, readAll } from './place.ts';

const WRITER = fileURLToPath(new URL('writer.mjs', import.meta.url));

interface Put {
  readonly key: string;
  readonly outcome: 'stored' | 'present';
}

interface Work {
  readonly dir: string;
  readonly writer: number;
  readonly keys: readonly string[];
  readonly byteLength: number;
  readonly atOnce: number;
  readonly fsync: boolean;
  readonly blobs?: boolean;
}

/** Starts a process that is ready to put. */
async function startWriter(): Promise<ChildProcess> {
  const child = fork(WRITER, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}

/** Has a process put results. @returns what it said that it put: until it had put all, or `enough` and was killed. */
async function putBy(child: ChildProcess, work: Work, enough = Infinity): Promise<Put[]> {
  const puts: Put[] = [];
  child.on('message', (put: Put) => {
    puts.push(put);
    if (puts.length === enough) child.kill('SIGKILL');
  });
  child.send(work);
  // The channel ends when its last message was heard, which may be after the process did.
  await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  return puts;
}

function keysOf(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, at) => at.toString(16).padStart(2, '0') + prefix.padEnd(62, '0'));
}

/** Who wrote the result, if every byte of it is the same writer's. */
async function writerOf(store: FsStore, key: string, byteLength: number): Promise<number | undefined> {
  const found = await store.get(key);
  if (!found) return undefined;
  const { head } = await encodedOf(found.body);
  expect(head.byteLength).toBe(byteLength);
  const [writer = 0] = head;
  expect(Buffer.compare(head, Buffer.alloc(byteLength, writer))).toBe(0);
  return writer;
}

it('of several processes that put the same results at once, exactly one wins each', async () => {
  const dir = newDirectory();
  const keys = keysOf(100, 'aa');
  const byteLength = 70_000;
  const children = await Promise.all([1, 2, 3, 4].map(startWriter));
  const puts = await Promise.all(
    children.map((child, at) =>
      putBy(child, { dir, writer: at + 1, keys, byteLength, atOnce: 4, fsync: false }),
    ),
  );
  const { store, events } = openStore(dir);
  for (const key of keys) {
    const outcomes = puts.map((ofOne) => ofOne.find((put) => put.key === key)?.outcome);
    const winner = outcomes.indexOf('stored');
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'present')).toHaveLength(3);
    expect(await writerOf(store, key, byteLength)).toBe(winner + 1);
  }
  expect(events).toEqual([]);
  expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
});

it('a process that is killed while it writes leaves what it had put, and nothing wrong', async () => {
  const dir = newDirectory();
  const byteLength = 1_300_000;
  const { store, events } = openStore(dir);
  for (const [round, enough] of [1, 2, 3, 5, 8, 13, 21, 34].entries()) {
    const keys = keysOf(100, `bb${round}`);
    const work = { dir, writer: round + 1, keys, byteLength, atOnce: 3, fsync: true };
    const puts = await putBy(await startWriter(), work, enough);
    expect(puts.length).toBeGreaterThanOrEqual(enough);
    for (const { key, outcome } of puts) {
      expect(outcome).toBe('stored');
      expect(await writerOf(store, key, byteLength)).toBe(round + 1);
    }
    for (const key of keys) expect([undefined, round + 1]).toContain(await writerOf(store, key, byteLength));
  }
  for await (const { key } of store.list()) expect(await writerOf(store, key, byteLength)).toBeGreaterThan(0);
  expect(events).toEqual([]);
  await openStore(dir, { now: () => Date.now() }).store.close();
  expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
});

/** What the writers put as the blob of a key. */
function contentOf(key: string, byteLength: number): Buffer {
  return Buffer.alloc(byteLength, key);
}

it('of several processes that put equal blobs at once, exactly one stores each', async () => {
  const dir = newDirectory();
  const keys = keysOf(50, 'cc');
  const byteLength = 700_000;
  const children = await Promise.all([1, 2, 3].map(startWriter));
  const puts = await Promise.all(
    children.map((child, at) =>
      putBy(child, { dir, writer: at + 1, keys, byteLength, atOnce: 4, fsync: false, blobs: true }),
    ),
  );
  const { store, events } = openStore(dir);
  for (const key of keys) {
    const outcomes = puts.map((ofOne) => ofOne.find((put) => put.key === key)?.outcome);
    expect(outcomes.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      'present',
      'present',
      'stored',
    ]);
    const content = contentOf(key, byteLength);
    const blob = await store.blobs.get(digestOf(content));
    expect(blob && Buffer.compare(await readAll(blob), content)).toBe(0);
  }
  expect(events).toEqual([]);
  expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
});

it('a process that is killed while it writes blobs leaves those it had put, and nothing wrong', async () => {
  const dir = newDirectory();
  const byteLength = 1_300_000;
  const { store, events } = openStore(dir);
  for (const [round, enough] of [1, 2, 5, 13].entries()) {
    const keys = keysOf(100, `dd${round}`);
    const work = { dir, writer: 1, keys, byteLength, atOnce: 3, fsync: true, blobs: true };
    const puts = await putBy(await startWriter(), work, enough);
    expect(puts.length).toBeGreaterThanOrEqual(enough);
    for (const { key } of puts)
      expect(await store.blobs.get(digestOf(contentOf(key, byteLength)))).toBeDefined();
  }
  for await (const { digest } of store.blobs.list()) {
    const blob = await store.blobs.get(digest);
    expect(blob && (await readAll(blob)).byteLength).toBe(byteLength);
  }
  expect(events).toEqual([]);
  await openStore(dir, { now: () => Date.now() }).store.close();
  expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
});
