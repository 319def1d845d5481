import { verifyStore } from '@routine-engine/core/host';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  digestOf,
  digestsOf,
  flipped,
  KEY,
  namesIn,
  openStore,
  readDigest,
  resultOf,
  startServer,
} from './place.ts';

const LARGE = 400_000;

describe('what is damaged', () => {
  it.each([
    ['no bytes', () => Buffer.alloc(0)],
    ['only its begin', (entry: Buffer) => entry.subarray(0, 40)],
    ['all but its last byte', (entry: Buffer) => entry.subarray(0, -1)],
    ['a byte too much', (entry: Buffer) => Buffer.concat([entry, Buffer.alloc(1)])],
    ['other bytes altogether', () => Buffer.from('This is not a result.\n'.repeat(100))],
    ['far too many bytes', () => Buffer.alloc(7_000_000)],
    ['another format version', (entry: Buffer) => flipped(entry, 8)],
    ['a wrong bit in its header', (entry: Buffer) => flipped(entry, 100)],
    ['a wrong bit in its content', (entry: Buffer) => flipped(entry, entry.byteLength - 1)],
  ])('is put aside, told once and a miss: an object with %s', async (_, change) => {
    const server = await startServer();
    const { store, events } = openStore(server);
    await store.put(KEY, resultOf(10, 500));
    const name = `results/${KEY}`;
    server.set(name, change(server.objects.get(name)?.body ?? Buffer.alloc(0)));
    expect(await store.get(KEY)).toBeUndefined();
    expect(events).toMatchObject([{ type: 'store.corrupt', at: 42, node: 'client', store: 's3', key: KEY }]);
    expect(server.objects.has(name)).toBe(false);
    expect(await store.put(KEY, resultOf(10, 500))).toBe('stored');
    expect(await digestsOf(await store.get(KEY))).toEqual(await digestsOf(resultOf(10, 500)));
  });

  it.each([
    ['no bytes', () => Buffer.alloc(0)],
    ['a byte too much', (entry: Buffer) => Buffer.concat([entry, Buffer.alloc(1)])],
    ['a wrong bit in its content', (entry: Buffer) => flipped(entry, entry.byteLength - 1)],
  ])('is reported by verifying the store: a result and a blob with %s', async (_, change) => {
    const server = await startServer();
    const { store } = openStore(server);
    await store.put(KEY, resultOf(10, 500));
    await store.blobs.put(bytesOf(500));
    for (const name of [`results/${KEY}`, `blobs/${digestOf(bytesOf(500))}`])
      server.set(name, change(server.objects.get(name)?.body ?? Buffer.alloc(0)));
    const nothing = { results: { whole: 0, damaged: 0, incomplete: 0 }, blobs: { whole: 0, damaged: 0 } };
    expect(await verifyStore(store)).toEqual({
      results: { ...nothing.results, damaged: 1 },
      blobs: { ...nothing.blobs, damaged: 1 },
      byteLength: 0,
    });
    expect(await verifyStore(store)).toEqual({ ...nothing, byteLength: 0 });
    expect(namesIn(server, 'corrupt/')).toHaveLength(2);
  });

  it('is kept under corrupt/ as it was', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    await store.put(KEY, resultOf(10));
    const damaged = flipped(server.objects.get(`results/${KEY}`)?.body ?? Buffer.alloc(0), 100);
    server.set(`results/${KEY}`, damaged);
    await store.get(KEY);
    const [aside = ''] = namesIn(server, `corrupt/results/${KEY}.`);
    expect(server.objects.get(aside)?.body.equals(damaged)).toBe(true);
  });

  it('is a miss when it is the result of another key', async () => {
    const server = await startServer();
    const { store, events } = openStore(server);
    const other = 'cd'.padEnd(64, '0');
    await store.put(other, resultOf(10));
    server.set(`results/${KEY}`, server.objects.get(`results/${other}`)?.body ?? Buffer.alloc(0));
    expect(await store.get(KEY)).toBeUndefined();
    expect(events).toMatchObject([
      { detail: expect.stringContaining(`that of the result ${other}`) as string },
    ]);
  });

  it.each([
    ['gone', () => undefined],
    ['shorter', (data: Buffer) => data.subarray(1)],
    ['changed', (data: Buffer) => flipped(data, 200_000)],
  ])('is a miss when its large bytes are %s, and can be put again', async (_, change) => {
    const server = await startServer();
    const { store, events } = openStore(server);
    await store.put(KEY, resultOf(LARGE));
    await store.blobs.put(bytesOf(LARGE, 2));
    const digest = digestOf(bytesOf(LARGE, 2));
    const blob = await store.blobs.get(digest);
    for (const name of namesIn(server, 'data/')) {
      const changed = change(server.objects.get(name)?.body ?? Buffer.alloc(0));
      if (changed) server.set(name, changed);
      else server.objects.delete(name);
    }
    expect(await store.get(KEY)).toBeUndefined();
    await expect(readDigest(blob)).rejects.toMatchObject({
      code: expect.stringMatching(/^CONTENT_/) as string,
    });
    expect(await store.blobs.get(digest)).toBeUndefined();
    expect(events).toMatchObject([{ key: KEY }, { key: digest }]);
    expect(namesIn(server, 'data/')).toEqual([]);
    expect(await store.put(KEY, resultOf(LARGE))).toBe('stored');
    expect((await store.blobs.put(bytesOf(LARGE, 2))).outcome).toBe('stored');
  });

  it('is put aside and not listed; what is none of the store stays', async () => {
    const server = await startServer();
    const { store, events } = openStore(server);
    await store.put(KEY, resultOf(10));
    const damaged = 'cd'.padEnd(64, '0');
    server.set(`results/${damaged}`, Buffer.from('nothing'));
    server.set('results/readme.txt', Buffer.from('nothing'));
    const keys: string[] = [];
    for await (const { key } of store.list()) keys.push(key);
    expect(keys).toEqual([KEY]);
    expect(namesIn(server, 'results/')).toEqual([`results/${KEY}`, 'results/readme.txt']);
    expect(events).toMatchObject([{ type: 'store.corrupt', key: damaged }]);
  });
});
