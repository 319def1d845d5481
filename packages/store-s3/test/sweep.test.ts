import { collectGarbage } from '@routine-engine/core/host';
import { EventFeed, type StoreEvent } from '@routine-engine/core/adapter';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ObjectStore } from '../src/object-store.ts';
import { openPlace } from '../src/s3-client.ts';
import { S3Place } from '../src/s3-place.ts';
import { sweep } from '../src/sweep.ts';
import { UnfinishedUploads } from '../src/unfinished-uploads.ts';
import {
  bytesOf,
  digestsOf,
  inChunks,
  KEY,
  namesIn,
  openStore,
  readDigest,
  digestOf,
  resultOf,
  startServer,
  streamed,
} from './place.ts';
import type { S3Double, SeenRequest } from './s3-double.ts';
import { empty, litter, testServers } from './servers.ts';

const LARGE = 400_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOTHING = { items: 0, byteLength: 0 };
const OTHER = 'cd'.padEnd(64, '0');

/** Makes requests of uploads in parts of nobody's store. */
const isPart = ({ method, query }: SeenRequest): boolean => method === 'PUT' && query.has('partNumber');

/** Leaves uploads that got no further than their third part. */
async function leaveUploads(server: S3Double, count: number): Promise<void> {
  const { store } = openStore(server, { attempts: 1 });
  server.interfere = (request) => {
    if (request.method === 'DELETE') return { reset: 'unseen' };
    return isPart(request) && request.query.get('partNumber') === '4' ? { reset: 'unseen' } : undefined;
  };
  for (let at = 0; at < count; at += 1) {
    const put = store.blobs.put(inChunks(bytesOf(21_000_000, at), 1_000_000));
    await expect(put).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  }
  server.interfere = () => undefined;
  expect(server.uploads.size).toBe(count);
}

/** Leaves the data of a result whose writer died before it made the entry. */
async function leaveData(server: S3Double, key: string): Promise<void> {
  const { store } = openStore(server, { attempts: 1 });
  server.interfere = ({ name, method }) =>
    method === 'PUT' && name === `results/${key}` ? { reset: 'unseen' } : undefined;
  await expect(store.put(key, resultOf(LARGE))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
  server.interfere = () => undefined;
}

describe('a sweep', () => {
  it('gives up the uploads to which nothing was added for a day', async () => {
    const server = await startServer();
    await leaveUploads(server, 3);
    const { store } = openStore(server);
    server.aheadMs += DAY_MS - HOUR_MS;
    expect(await store.sweep()).toEqual(NOTHING);
    // One that somebody goes on with, late.
    const [[, upload] = ['', undefined]] = server.uploads;
    server.aheadMs += 2 * HOUR_MS;
    const part = { body: Buffer.alloc(1), etag: '"0"', modifiedAt: Date.now() + server.aheadMs };
    upload?.parts.set(4, part);
    const swept = await store.sweep();
    expect(swept.items).toBe(2);
    expect(swept.byteLength).toBeGreaterThan(20_000_000);
    expect([...server.uploads.values()]).toEqual([upload]);
  }, 30_000);

  it('removes data that no entry names after a day, and none that one names', async () => {
    const server = await startServer();
    await leaveData(server, KEY);
    const [orphan] = namesIn(server, 'data/');
    const { store, events } = openStore(server);
    await store.put(OTHER, resultOf(LARGE));
    const { blob } = await store.blobs.put(bytesOf(LARGE, 2));
    server.set('data/notes.txt', Buffer.from('of somebody else'));
    server.aheadMs += DAY_MS - HOUR_MS;
    expect(await store.sweep()).toEqual(NOTHING);
    server.aheadMs += 2 * HOUR_MS;
    expect(await store.sweep({ dryRun: true })).toEqual({ items: 1, byteLength: LARGE });
    expect(namesIn(server, 'data/')).toContain(orphan);
    expect(namesIn(server, 'sweep/')).toEqual([]);
    const report = await collectGarbage(store, {}, { now: () => 42 });
    expect(report.swept).toEqual({ items: 1, byteLength: LARGE });
    expect(namesIn(server, 'data/')).toHaveLength(3);
    expect(namesIn(server, 'sweep/')).toEqual([]);
    expect(await digestsOf(await store.get(OTHER))).toEqual(await digestsOf(resultOf(LARGE)));
    expect(await readDigest(blob)).toBe(digestOf(bytesOf(LARGE, 2)));
    expect(events).toEqual([]);
  });

  it('keeps data whose entry was changed on its way, once', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    await store.put(KEY, resultOf(LARGE));
    server.aheadMs += 2 * DAY_MS;
    let flips = 1;
    server.interfere = ({ name }) =>
      name === `results/${KEY}` && (flips -= 1) >= 0 ? { flipAt: 100 } : undefined;
    expect(await store.sweep()).toEqual(NOTHING);
    expect(await digestsOf(await store.get(KEY))).toEqual(await digestsOf(resultOf(LARGE)));
  });

  it('removes leases that nobody can hold any more, and what was put aside a week ago', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    await store.leases.acquire(KEY, { holder: 'died', ttlMs: HOUR_MS });
    await store.put(KEY, resultOf(10));
    server.set(`results/${KEY}`, Buffer.from('damaged'));
    expect(await store.get(KEY)).toBeUndefined();
    server.aheadMs += HOUR_MS;
    expect(await store.sweep()).toEqual(NOTHING);
    server.aheadMs += HOUR_MS;
    expect((await store.sweep()).items).toBe(1);
    expect(namesIn(server, 'leases/')).toEqual([]);
    server.aheadMs += 7 * DAY_MS;
    expect(await store.sweep()).toEqual({ items: 1, byteLength: 'damaged'.length });
    expect(namesIn(server)).toEqual([]);
  });

  it('goes on where one was cut off', async () => {
    const server = await startServer();
    await leaveData(server, KEY);
    await leaveData(server, OTHER);
    const { store } = openStore(server, { attempts: 1 });
    server.aheadMs += 2 * DAY_MS;
    let left = 1;
    server.interfere = ({ method, name }) =>
      method === 'DELETE' && name.startsWith('data/') && (left -= 1) < 0 ? { reset: 'unseen' } : undefined;
    await expect(store.sweep()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(namesIn(server, 'sweep/').length).toBeGreaterThan(0);
    server.interfere = () => undefined;
    server.aheadMs += 2 * DAY_MS;
    await store.sweep();
    expect(namesIn(server)).toEqual([]);
  });

  it('by a machine whose clock is days ahead leaves everything that is young', async () => {
    const server = await startServer();
    await leaveData(server, KEY);
    await leaveUploads(server, 1);
    const ahead = Date.now() + 9 * DAY_MS;
    const { store } = openStore(server, { now: () => ahead });
    await store.leases.acquire(KEY, { holder: 'lives', ttlMs: HOUR_MS });
    await store.blobs.put(bytesOf(10));
    const report = await collectGarbage(store, {}, { now: () => ahead });
    expect(report).toMatchObject({ swept: NOTHING, removed: { blobs: 0 }, kept: { blobs: 1 } });
  });

  it.each([
    ['GET', 's3:ListBucketMultipartUploads', ({ query }: SeenRequest) => query.has('uploads')],
    ['GET', 's3:ListMultipartUploadParts', ({ query }: SeenRequest) => query.has('uploadId')],
    ['DELETE', 's3:AbortMultipartUpload', ({ query }: SeenRequest) => query.has('uploadId')],
  ])('says which permission is missing: %s %s', async (method, permission, is) => {
    const server = await startServer();
    await leaveUploads(server, 1);
    server.aheadMs += 2 * DAY_MS;
    const { store } = openStore(server);
    server.interfere = (request) =>
      request.method === method && is(request) ? { refuse: [403, 'AccessDenied'] } : undefined;
    await expect(store.sweep()).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(`allow ${permission}`) as string,
    });
  });
});

describe('a writer that is so slow that it is taken for dead', () => {
  /** Time passes for the server and all machines. */
  function slowPlace(server: S3Double): { pass: (milliseconds: number) => void; now: () => number } {
    let now = Date.now();
    const pass = (milliseconds: number): void => {
      now += milliseconds;
      server.aheadMs += milliseconds;
    };
    return { pass, now: () => now };
  }

  it('is told so when its bytes were swept up, and can put them again', async () => {
    const server = await startServer();
    const { pass, now } = slowPlace(server);
    const [{ store }, { store: sweeper }] = [openStore(server, { now }), openStore(server, { now })];
    let swept: unknown;
    server.interfere = async ({ method, name }): Promise<undefined> => {
      if (method !== 'PUT' || name !== `results/${KEY}` || swept) return;
      pass(2 * DAY_MS);
      swept = await sweeper.sweep();
    };
    await expect(store.put(KEY, streamed(resultOf(LARGE)))).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('put it again') as string,
    });
    expect(swept).toEqual({ items: 1, byteLength: LARGE });
    expect(namesIn(server)).toEqual([]);
    expect(await store.put(KEY, streamed(resultOf(LARGE)))).toBe('stored');
  });

  it('is told so when its upload was given up', async () => {
    const server = await startServer();
    const { pass, now } = slowPlace(server);
    const [{ store }, { store: sweeper }] = [openStore(server, { now }), openStore(server, { now })];
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield* inChunks(bytesOf(24_000_000), 1_000_000);
      const arrived = (): number => [...server.uploads.values()][0]?.parts.size ?? 0;
      while (arrived() < 4) await new Promise((go) => setImmediate(go));
      pass(2 * DAY_MS);
      expect((await sweeper.sweep()).items).toBe(1);
      yield bytesOf(6_000_000);
    };
    await expect(store.blobs.put(chunks())).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('put it again') as string,
    });
    await store.close();
    expect(namesIn(server)).toEqual([]);
  });

  it('is never told that something was stored whose bytes go, in whichever order the requests come', async () => {
    const server = await startServer();
    const { pass, now } = slowPlace(server);
    const stores = [1, 2, 3].map(() => openStore(server, { now }).store);
    const [writer, ...sweepers] = stores;
    const outcomes = new Set<string>();
    for (let round = 0; round < 18; round += 1) {
      const key = round.toString(16).padStart(64, '0');
      let sweeps: Promise<unknown> | undefined;
      let requests = 0;
      server.interfere = async ({ method, name }): Promise<undefined> => {
        requests += 1;
        if (method !== 'PUT' || name !== `results/${key}` || sweeps) return;
        pass(2 * DAY_MS);
        requests = 0;
        let isOver = false;
        sweeps = Promise.all(sweepers.map((store) => store.sweep())).finally(() => (isOver = true));
        // The entry comes between two requests of the sweeps: other ones in each round.
        while (requests < 2 * round && !isOver) await new Promise((go) => setImmediate(go));
      };
      const outcome = await writer
        ?.put(key, streamed(resultOf(LARGE)))
        .catch(({ code }: { code: string }) => code);
      await sweeps;
      server.interfere = () => undefined;
      outcomes.add(String(outcome));
      const found = await digestsOf(await writer?.get(key));
      expect(found).toEqual(outcome === 'stored' ? await digestsOf(resultOf(LARGE)) : undefined);
      await writer?.delete(key);
    }
    // Else it would prove nothing.
    expect(outcomes).toEqual(new Set(['stored', 'STORE_UNREACHABLE']));
  }, 60_000);
});

describe.each(testServers())('a sweep on $name', ({ start }) => {
  it('removes the uploads and data of writers that died, and nothing else', async () => {
    const server = await start();
    onTestFinished(() => server.close());
    const prefix = 'sweep-test';
    const bucket = openPlace({ ...server, prefix });
    const settings = {
      now: () => 42,
      node: 'client',
      store: 's3',
      identity: 's3:',
      feed: new EventFeed<StoreEvent>(),
    };
    const place = new S3Place({
      ...settings,
      bucket: new ObjectStore(bucket),
      uploads: new UnfinishedUploads(bucket),
    });
    onTestFinished(async () => {
      await place.close();
      bucket.client.destroy();
      await empty(server, prefix);
    });
    const parts = [bytesOf(LARGE)];
    await place.keepParts({ kind: 'blob', key: digestOf(bytesOf(LARGE)) }, 'keep', parts, undefined);
    await litter(server, prefix);
    expect(await sweep(place)).toEqual(NOTHING);
    // Everything counts as old.
    expect(await sweep(place, { idleWriterMs: -60_000, dryRun: true })).toMatchObject({ items: 2 });
    expect(await sweep(place, { idleWriterMs: -60_000 })).toEqual({
      items: 2,
      byteLength: 'half a part'.length + 'no entry names this'.length,
    });
    expect(await sweep(place, { idleWriterMs: -60_000 })).toEqual(NOTHING);
    const names: string[] = [];
    for await (const { name } of place.bucket.list('', 'look')) names.push(name.slice(0, name.indexOf('/')));
    expect(names).toEqual(['blobs', 'data', 'leases']);
  });
});
